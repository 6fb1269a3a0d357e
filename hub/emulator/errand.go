package emulator

import "time"

// An errand takes the hub to another service, such as storage, which may be slow:
// the hub does not stand still for it. It was asked for by an entry of the agenda.
// By the real clock errands take time, and everything else goes on meanwhile; by
// another they take none, and what is due later waits.
type errand struct {
	asked time.Time
	// do is called without the lock. What it does on the hub it does by calling
	// step, at most until that reports that the hub has closed.
	do func(step step)
}

// A step does something on the hub, which has the lock and its present time, and
// keeps it. It reports false, and does nothing, when the hub has closed.
type step func(do func(now time.Time)) bool

// leave asks for an errand. It is called by an entry of the agenda.
func (h *hub) leave(now time.Time, do func(step)) { h.agenda.errand = &errand{now, do} }

// begin does e, by the real clock in a goroutine that Close waits for.
func (h *hub) begin(e *errand) {
	do := func() { e.do(func(do func(time.Time)) bool { return h.comeBack(e, do) }) }
	if !h.real {
		do()
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() == nil { // so that nobody begins after stay
		h.errands.Go(do)
	}
}

func (h *hub) comeBack(e *errand, do func(now time.Time)) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		return false
	}
	now := e.asked
	if h.real {
		now = h.now()
	}
	h.agenda.happen(now, do)
	_ = h.keep() // the store remembers its error
	return true
}

// stay waits for those who are on errands, after the hub's context has ended.
func (h *hub) stay() {
	h.mu.Lock()
	errands := &h.errands // none is added any more
	h.mu.Unlock()
	errands.Wait()
}
