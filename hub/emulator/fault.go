package emulator

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// A Fault is something that goes wrong on purpose. It looks at the requests
// that match Method and Path, to the hub and to the authority alike, counts
// them from 1, and hits by that count alone, so that a run can be repeated.
// When several hit the same request, the first in the list has it.
type Fault struct {
	Method string `json:"method,omitempty"` // "" for any
	Path   string `json:"path,omitempty"`   // a regular expression on the escaped path; "" for any

	Nth   int `json:"nth,omitempty"`   // the first request to hit; 0 means 1
	Every int `json:"every,omitempty"` // and each so many after it; 0 means 1
	Times int `json:"times,omitempty"` // but no more than these; 0 means no end

	// After lets the request take effect first, so that only its answer is lost.
	After bool `json:"after,omitempty"`
	// LatencyMS delays the request, in real milliseconds. It takes effect then
	// even if the client has stopped waiting, as a late write does.
	LatencyMS int `json:"latencyMs,omitempty"`
	// Reset drops the connection instead of answering.
	Reset bool `json:"reset,omitempty"`
	// Status answers with an error. Code and Text default to what the hub says
	// with that status.
	Status int    `json:"status,omitempty"`
	Code   string `json:"code,omitempty"`
	Text   string `json:"text,omitempty"`
	// RetryAfter is sent with Status, in seconds. A hub sends none.
	RetryAfter int `json:"retryAfter,omitempty"`
	// Body spoils the answer in one of the ways that spoiler.go lists: "truncated", "huge",
	// "wrong", "contentType", "notJSON", "otherDevice", "duplicateKeys", "gzipBomb",
	// "empty".
	Body string `json:"body,omitempty"`
	// BytesPerSecond sends the body no faster than this, a byte at least each
	// time, on the real clock.
	BytesPerSecond int `json:"bytesPerSecond,omitempty"`
}

// check returns what is wrong with f.
func (f *Fault) check() error {
	switch {
	case f.Nth < 0 || f.Every < 0 || f.Times < 0 || f.LatencyMS < 0 || f.RetryAfter < 0 || f.BytesPerSecond < 0:
		return fmt.Errorf("a count is negative")
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("the status %d is not an error", f.Status)
	case f.Status == 0 && (f.Code != "" || f.Text != ""):
		return fmt.Errorf("a code or text without a status")
	case f.Status == 0 && f.RetryAfter != 0:
		return fmt.Errorf("retryAfter without a status")
	case f.Reset && (f.Body != "" || f.BytesPerSecond != 0):
		return fmt.Errorf("a reset has no body to spoil")
	case f.Body != "" && spoilerNamed(f.Body) == nil:
		return fmt.Errorf("unknown body %q, known are %s", f.Body, spoilerNames())
	case !f.Reset && f.Status == 0 && f.Body == "" && f.LatencyMS == 0 && f.BytesPerSecond == 0:
		return fmt.Errorf("it does nothing: set reset, status, body, bytesPerSecond or latencyMs")
	}
	return nil
}

// hits reports whether f hits the nth matching request, after done hits.
func (f *Fault) hits(nth, done int) bool {
	first, every := max(f.Nth, 1), max(f.Every, 1)
	if f.Times > 0 && done >= f.Times {
		return false
	}
	return nth >= first && (nth-first)%every == 0
}

// name says in the log what f does.
func (f *Fault) name() string {
	switch {
	case f.Reset:
		return "reset"
	case f.Status != 0:
		return "status"
	case f.Body != "":
		return f.Body
	case f.BytesPerSecond != 0:
		return "slow"
	default:
		return "latency"
	}
}

// refusal returns the error that f answers with.
func (f *Fault) refusal(operation string) *refusal {
	r := &refusal{code: code{status: f.Status, name: "ServerError"}, text: "Scripted fault."}
	for _, c := range codes {
		if c.status == f.Status && (f.Code == "" || c.name == f.Code) {
			r.code = c
			break
		}
	}
	if f.Code != "" {
		r.code.name = f.Code
	}
	if f.Status == http.StatusTooManyRequests {
		r.text = "The request has been throttled. Wait 10 seconds and try again. Operation type: " + operation
	}
	if f.Text != "" {
		r.text = f.Text
	}
	return r
}

// spoil returns what the client gets instead of a; nil is no answer at all.
func (f *Fault) spoil(a *answer) *answer {
	if f.Reset {
		return nil
	}
	if f.RetryAfter > 0 {
		a.header.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	if f.Body != "" {
		spoilerNamed(f.Body).spoil(a)
	}
	a.speed = f.BytesPerSecond
	return a
}

func (f *Fault) latency() time.Duration { return time.Duration(f.LatencyMS) * time.Millisecond }

// A scripted fault counts the requests it has seen.
type scripted struct {
	Fault
	path       *regexp.Regexp
	seen, done int
}

func newScript(faults []Fault) ([]*scripted, error) {
	var script []*scripted
	for i, f := range faults {
		s, err := newScripted(f)
		if err != nil {
			return nil, fmt.Errorf("fault %d: %w", i+1, err)
		}
		script = append(script, s)
	}
	return script, nil
}

func newScripted(f Fault) (*scripted, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	path, err := regexp.Compile(f.Path)
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	return &scripted{Fault: f, path: path}, nil
}

// hit counts a request for every fault it matches and returns the one that
// hits it, or nil.
func hit(script []*scripted, method, path string) *Fault {
	var found *Fault
	for _, s := range script {
		if s.Method != "" && s.Method != method || !s.path.MatchString(path) {
			continue
		}
		s.seen++
		if found == nil && s.hits(s.seen, s.done) {
			s.done++
			found = &s.Fault
		}
	}
	return found
}
