package emulator

import (
	"cmp"
	"container/heap"
	"time"
)

// An agenda holds what will happen on the hub by itself, by the emulator's
// clock. What was due in the past happens late but in order, each entry seeing
// its own time. A hub's agenda is guarded by its lock.
type agenda struct {
	entries entries
	planned int
	at      time.Time // of the entry that happens, zero when none does
	errand  *errand   // that the latest entry asked for, until it is begun
}

// An entry happens once, at its time; one that repeats plans itself anew.
type entry struct {
	when time.Time
	turn int // among those of one time: as they were planned
	do   func(now time.Time)
}

// plan lets do happen at when. It is called with the hub's lock held.
func (a *agenda) plan(when time.Time, do func(now time.Time)) {
	a.planned++
	heap.Push(&a.entries, &entry{when, a.planned, do})
}

// next returns when the next entry is due, and false when there is none.
func (a *agenda) next() (time.Time, bool) {
	if len(a.entries) == 0 {
		return time.Time{}, false
	}
	return a.entries[0].when, true
}

// run makes everything happen that is due at now, and what becomes due by it,
// until there is an errand to do.
func (a *agenda) run(now time.Time) {
	for a.errand == nil && len(a.entries) > 0 && !a.entries[0].when.After(now) {
		e := heap.Pop(&a.entries).(*entry)
		a.happen(e.when, e.do)
	}
}

// happen lets do see at as the hub's present.
func (a *agenda) happen(at time.Time, do func(now time.Time)) {
	a.at = at
	do(at)
	a.at = time.Time{}
}

// entries is a heap of them.
type entries []*entry

func (e entries) Len() int { return len(e) }
func (e entries) Less(i, j int) bool {
	return cmp.Or(e[i].when.Compare(e[j].when), cmp.Compare(e[i].turn, e[j].turn)) < 0
}
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *entries) Push(x any)   { *e = append(*e, x.(*entry)) }
func (e *entries) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return x
}

// moment returns the hub's present: the time of what happens by itself while it
// does, otherwise the clock's. It is called with the hub's lock held.
func (h *hub) moment() time.Time {
	if !h.agenda.at.IsZero() {
		return h.agenda.at
	}
	return h.now()
}

// catchUp makes happen on the hub what is due by now. With a clock that is not
// the real one it returns when the errands are done, too.
func (h *hub) catchUp(now time.Time) {
	for e := h.advance(now); e != nil; e = h.advance(now) {
		h.begin(e)
	}
}

// advance goes on to the next errand, nil when all that is due has happened.
func (h *hub) advance(now time.Time) *errand {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.agenda.run(now)
	_ = h.keep() // the store remembers its error
	e := h.agenda.errand
	h.agenda.errand = nil
	return e
}
