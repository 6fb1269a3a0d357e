package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// A Request is one request as the emulator's log records it.
type Request struct {
	Time      time.Time `json:"time"`     // when it came
	Answered  time.Time `json:"answered"` // later when it was held back or delayed
	Method    string    `json:"method"`
	Path      string    `json:"path"`   // as sent, escaped, without its query
	Status    int       `json:"status"` // 0 when the connection was dropped before the request was looked at
	Principal string    `json:"principal"`
	Fault     string    `json:"fault,omitempty"` // what was done to it on purpose, such as "reset"
}

// keptRequests is how many requests a log keeps in memory.
const keptRequests = 10_000

// A requestLog keeps the latest requests and writes all of them to w.
type requestLog struct {
	mu     sync.Mutex
	w      io.Writer // nil for none
	recent []Request
	err    error // of the first failed write; nothing is written after it
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.recent) >= 2*keptRequests {
		l.recent = slices.Delete(l.recent, 0, len(l.recent)-keptRequests)
	}
	l.recent = append(l.recent, r)
	if l.w == nil || l.err != nil {
		return
	}
	if err := json.NewEncoder(l.w).Encode(r); err != nil {
		l.err = fmt.Errorf("write request log: %w", err)
	}
}

// latest returns what is kept, oldest first.
func (l *requestLog) latest() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.recent[max(0, len(l.recent)-keptRequests):])
}

func (l *requestLog) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
