package emulator

import "cmp"

// twinChanged hears of each change of the fleet, after it is done: a twin that
// came has no before, one that went no after. Whatever else follows from a change
// is told from here. The caller holds the lock.
func (h *hub) twinChanged(before, after *document) {
	ref := cmp.Or(after, before).ref
	h.touchTwin(ref)
	h.showLater(ref, after)
	h.publish(before, after)
	h.tellDevices(before, after)
}
