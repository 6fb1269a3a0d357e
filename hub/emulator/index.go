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

// showLater lets the index see a twin as it is now, nil for gone, when its time
// has come.
func (h *hub) showLater(ref twin.Ref, d *document) {
	if h.lag > 0 {
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
