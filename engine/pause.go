package engine

import (
	"context"
	"errors"
	"sync"
	"time"
)

// How long the hub is left alone when it says that there are too many requests.
// It names 10 seconds in its answer and sends no Retry-After.
const (
	firstPause = 10 * time.Second
	maxPause   = 60 * time.Second
	maxAsked   = 10 * time.Minute // where the hub does send one
)

// A pause holds all workers back together.
type pause struct {
	mu    sync.Mutex
	until time.Time
	next  time.Duration // the length of the next one
}

// wait returns when no pause is on, and reports whether ctx lasted.
func (p *pause) wait(ctx context.Context) bool {
	for {
		p.mu.Lock()
		left := time.Until(p.until)
		p.mu.Unlock()
		if left <= 0 {
			return ctx.Err() == nil
		}
		if !sleep(ctx, left) {
			return false
		}
	}
}

// extend begins a pause, or does nothing when one is on: the other workers hit
// the same wall.
func (p *pause) extend(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Now().Before(p.until) {
		return
	}
	p.next = min(max(firstPause, 2*p.next), maxPause)
	wait := p.next
	var asked interface{ RetryAfter() time.Duration }
	if errors.As(err, &asked) && asked.RetryAfter() > 0 {
		wait = min(asked.RetryAfter(), maxAsked)
	}
	p.until = time.Now().Add(wait)
}

// done notes that a request went through.
func (p *pause) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until.Before(time.Now()) {
		p.next = 0
	}
}
