package engine

import (
	"encoding/binary"

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
		w.change(&w.sum.changes, &w.packs[0], state, enforced)
	}
	if len(audited) > 0 {
		w.change(&w.sum.audited, &w.packs[1], state, audited)
	}
	return selected, true
}

func (w *worker) change(to *Changes, into *changePack, state rules.TwinState, unmet []rules.Unmet) {
	id, _ := w.sifter.ID()
	into.lists = &w.edits.lists
	to.pack(into, w.edits.of(unmet), id, state)
}

// editLists are the edits of a worker's changes, each list once: most twins that
// change do so in one of a few ways.
type editLists struct {
	lists [][]Edit
	known map[string]int // of lists, by their wishes and what stands there
	ids   map[editID]int
	key   []byte
}

// An editID tells wishes of rules for a place apart, which share their slices.
type editID struct{ path, rules *string }

// maxEditLists is how many lists are found again; beyond that each change has its
// own.
const maxEditLists = 1 << 14

// of returns the index of the list of edits that meets the wishes.
func (l *editLists) of(unmet []rules.Unmet) int {
	if l.known == nil {
		l.known, l.ids = map[string]int{}, map[editID]int{}
	}
	full := len(l.known) >= maxEditLists
	l.key = l.key[:0]
	for i := range unmet {
		id := l.id(&unmet[i])
		full = full || id == 0
		l.key = binary.AppendUvarint(l.key, uint64(id))
		l.key = append(binary.AppendUvarint(l.key, uint64(len(unmet[i].Text))), unmet[i].Text...)
	}
	if n, ok := l.known[string(l.key)]; ok {
		return n
	}
	list := make([]Edit, len(unmet))
	for i, u := range unmet {
		list[i] = Edit{Section: u.Leaf.Section, Path: u.Leaf.Path, Before: u.Before(), After: u.Leaf.Value, Rules: u.Rules}
	}
	l.lists = append(l.lists, list)
	if !full {
		l.known[string(l.key)] = len(l.lists) - 1
	}
	return len(l.lists) - 1
}

// id numbers a wish from 1. What is numbered is kept, so that no other takes its
// place in memory.
func (l *editLists) id(u *rules.Unmet) int {
	key := editID{&u.Leaf.Path[0], &u.Rules[0]}
	n, ok := l.ids[key]
	if !ok && len(l.ids) < maxEditLists {
		n = len(l.ids) + 1
		l.ids[key] = n
	}
	return n // 0: there is no room for it
}
