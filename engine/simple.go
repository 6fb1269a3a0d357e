package engine

import (
	"encoding/binary"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

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
	if len(enforced) > 0 {
		w.sum.changes = append(w.sum.changes, w.simpleChange(state, enforced))
	}
	if len(audited) > 0 {
		w.sum.audited = append(w.sum.audited, w.simpleChange(state, audited))
	}
	return selected, true
}

// simpleChange makes a change with one allocation for its texts.
func (w *worker) simpleChange(state rules.TwinState, unmet []rules.Unmet) Change {
	id, _ := w.sifter.ID()
	text := make([]byte, 0, len(id.Device)+len(id.Module)+len(state.ETag)+len(state.DeviceETag))
	text = append(append(append(append(text, id.Device...), id.Module...), state.ETag...), state.DeviceETag...)
	rest := string(text)
	cut := func(of []byte) (part string) {
		part, rest = rest[:len(of)], rest[len(of):]
		return part
	}
	return Change{
		Ref: twin.Ref{Device: cut(id.Device), Module: cut(id.Module)}, ETag: cut(state.ETag), DeviceETag: cut(state.DeviceETag),
		Version: state.Version, DesiredVersion: state.DesiredVersion, Edits: w.edits.of(unmet),
	}
}

// editLists are the edits that changes have in common: most twins that change do
// so in one of a few ways. Sharing them makes a plan a third as large in memory,
// and planning 200 rules 1.2 times as fast.
type editLists struct {
	known map[string][]Edit
	ids   map[editID]int
	key   []byte
}

// An editID tells wishes of rules for a place apart, which share their slices.
type editID struct{ path, rules *string }

// maxEditLists is how many lists are kept; beyond that each change has its own.
const maxEditLists = 1 << 14

func (l *editLists) of(unmet []rules.Unmet) []Edit {
	if l.known == nil {
		l.known, l.ids = map[string][]Edit{}, map[editID]int{}
	}
	full := false
	l.key = l.key[:0]
	for i := range unmet {
		id := l.id(&unmet[i])
		full = full || id == 0
		l.key = binary.AppendUvarint(l.key, uint64(id))
		l.key = append(binary.AppendUvarint(l.key, uint64(len(unmet[i].Text))), unmet[i].Text...)
	}
	if list, ok := l.known[string(l.key)]; ok && !full {
		return list
	}
	list := make([]Edit, len(unmet))
	for i, u := range unmet {
		list[i] = Edit{Section: u.Leaf.Section, Path: u.Leaf.Path, Before: u.Before(), After: u.Leaf.Value, Rules: u.Rules}
	}
	if !full && len(l.known) < maxEditLists {
		l.known[string(l.key)] = list
	}
	return list
}

// id numbers a wish. What is numbered is kept, so that no other takes its place in
// memory.
func (l *editLists) id(u *rules.Unmet) int {
	key := editID{&u.Leaf.Path[0], &u.Rules[0]}
	n, ok := l.ids[key]
	if !ok && len(l.ids) < maxEditLists {
		n = len(l.ids) + 1
		l.ids[key] = n
	}
	return n // 0: there is no room for it
}
