package engine

// simple makes the changes of the twin that was sifted last where nothing of it
// needs to be parsed for that, as is mostly so.
func (w *worker) simple() (selected, ok bool) {
	state, ok := w.sifter.State()
	if !ok {
		return false, false
	}
	enforced, audited, selected, ok := w.sifter.Unmet(w.opts.Audit)
	if !ok {
		return false, false
	}
	id, _ := w.sifter.ID()
	if len(enforced) > 0 {
		w.sum.changes.unmet(id, state, enforced)
	}
	if len(audited) > 0 {
		w.sum.audited.unmet(id, state, audited)
	}
	return selected, true
}
