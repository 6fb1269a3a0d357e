package emulator

import (
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// lagBehind makes queries see the fleet as it was: what happens to a twin shows
// after a time that belongs to it and the seed, up to lag. A twin that was
// deleted shows so long as a ghost, and a new one does not show. Everything that
// is there now shows at once. The caller holds the lock or is alone.
func (h *hub) lagBehind(lag time.Duration) {
	h.lag = lag
	h.index = newFleet()
	for _, d := range h.fleet.all() {
		h.index.put(d)
	}
}

// twinChanged hears of each change to the fleet. The caller holds the lock.
func (h *hub) twinChanged(ref twin.Ref) {
	h.store.touch(keptTwins, refKey(ref))
	h.store.touch(keptRegistrations, refKey(ref)) // which changes with its twin alone
	h.store.touch(keptBirths, "count")
	if h.lag > 0 {
		d := h.fleet.documents[ref]
		h.agenda.plan(h.moment().Add(h.lagOf(ref)), func(time.Time) { h.index.show(ref, d) })
	}
}

// lagOf returns how long the index takes to see what happens to ref.
func (h *hub) lagOf(ref twin.Ref) time.Duration {
	return time.Duration(h.dice.of("lag "+ref.String()) % uint64(h.lag+1))
}

// show puts d into the index, or takes out what is there when d is nil.
func (f *fleet) show(ref twin.Ref, d *document) {
	if d == nil {
		f.remove(ref)
		return
	}
	f.put(d)
}
