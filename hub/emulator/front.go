package emulator

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// A service answers requests: the hub or the authority.
type service interface {
	// serve returns the whole answer to r, nil for none, and who asked, "" when
	// unknown.
	serve(r *http.Request, body []byte) (a *answer, principal string)
	// fail returns the answer that f asks for.
	fail(r *http.Request, f *Fault) *answer
}

// maxBody is the longest request body that is read.
const maxBody = 1 << 20

// A front stands before the services: it makes the scripted faults happen,
// keeps the request log, and knows when the last request has gone.
type front struct {
	now func() time.Time
	log requestLog
	ctx context.Context // done when the emulator closes

	mu       sync.Mutex // guards what follows
	script   []*scripted
	closed   bool
	inFlight sync.WaitGroup // counts up only under mu and before closed
}

// handler serves s behind f.
func (f *front) handler(s service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault, ok := f.enter(r)
		if !ok {
			panic(http.ErrAbortHandler)
		}
		defer f.inFlight.Done()
		a := f.pass(s, w, r, fault)
		if a == nil {
			panic(http.ErrAbortHandler) // drops the connection, says net/http
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout)) // a method may have taken longer
		a.send(f.ctx, w)
	})
}

// enter lets a request in unless the emulator is closed, with its fault.
func (f *front) enter(r *http.Request) (*Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, false
	}
	f.inFlight.Add(1)
	return hit(f.script, r.Method, r.URL.EscapedPath()), true
}

// leave keeps further requests out and waits for those inside.
func (f *front) leave() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.inFlight.Wait()
}

// pass returns the answer to r, or nil for none, and logs it before the client
// can see it.
func (f *front) pass(s service, w http.ResponseWriter, r *http.Request, fault *Fault) *answer {
	entry := Request{Time: f.now(), Method: r.Method, Path: r.URL.EscapedPath()}
	if fault == nil {
		fault = &Fault{}
	} else {
		entry.Fault = fault.name()
	}
	// Before the delay: a client that has gone by then was heard all the same.
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if !f.delay(w, fault.latency()) {
		return nil
	}
	var a *answer
	if fault.After || !fault.Reset && fault.Status == 0 {
		a, entry.Principal = serve(s, r, body, err)
	}
	if fault.Status != 0 && !fault.Reset {
		a = s.fail(r, fault)
	}
	if a != nil {
		entry.Status = a.status
	}
	entry.Answered = f.now()
	f.log.add(entry)
	if a == nil {
		return nil
	}
	return fault.spoil(a)
}

// serve hands r to s unless its body is beyond bearing.
func serve(s service, r *http.Request, body []byte, err error) (*answer, string) {
	switch {
	case err != nil:
		return s.fail(r, &Fault{Status: 400, Code: "IotHubFormatError", Text: "The body could not be read."}), ""
	case len(body) > maxBody:
		return s.fail(r, &Fault{Status: 413, Text: fmt.Sprintf("The body has more than %d bytes.", maxBody)}), ""
	}
	return s.serve(r, body)
}

// delay waits d on the real clock, whether or not the client does: what it gave
// up waiting for may still happen. It reports false when the emulator closed.
func (f *front) delay(w http.ResponseWriter, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d + writeTimeout))
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-f.ctx.Done():
		return false
	}
}

// setScript replaces the faults and starts their counts anew.
func (f *front) setScript(faults []Fault) error {
	script, err := newScript(faults)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = script
	return nil
}
