package engine

import (
	"encoding/binary"

	"github.com/twinrules/twinrules/rules"
)

// editLists are the edits of a worker's changes, each list once: most twins that
// change do so in one of a few ways. A list is known by a number from 1.
type editLists struct {
	lists [][]Edit
	known map[string]int // of lists, by their wishes and what stands there
	same  map[string]int // of lists, by their bytes
	ids   map[editID]int
	key   []byte
}

// An editID tells wishes of rules for a place apart, which share their slices.
type editID struct{ path, rules *string }

// How many lists and wishes are found again; beyond that each change holds its own
// list.
const (
	maxEditLists = 1 << 12
	maxWishes    = 1 << 14
)

// of returns the number of the list of edits that meets the wishes, or 0 and the
// list as bytes, which are good until the next call.
func (l *editLists) of(unmet []rules.Unmet) (list int, own []byte) {
	if l.known == nil {
		l.known, l.ids = map[string]int{}, map[editID]int{}
	}
	full := len(l.lists) >= maxEditLists
	l.key = l.key[:0]
	for i := range unmet {
		id := l.id(&unmet[i])
		full = full || id == 0
		l.key = binary.AppendUvarint(l.key, uint64(id))
		l.key = append(binary.AppendUvarint(l.key, uint64(len(unmet[i].Text))), unmet[i].Text...)
	}
	if n, ok := l.known[string(l.key)]; ok {
		return n, nil
	}
	edits := make([]Edit, len(unmet))
	for i, u := range unmet {
		edits[i] = Edit{Section: u.Leaf.Section, Path: u.Leaf.Path, Before: u.Before(), After: u.Leaf.Value, Rules: u.Rules}
	}
	if full {
		l.key = appendOwn(l.key[:0], edits)
		return 0, l.key
	}
	l.lists = append(l.lists, edits)
	l.known[string(l.key)] = len(l.lists)
	return len(l.lists), nil
}

// id numbers a wish from 1. What is numbered is kept, so that no other takes its
// place in memory.
func (l *editLists) id(u *rules.Unmet) int {
	key := editID{&u.Leaf.Path[0], &u.Rules[0]}
	n, ok := l.ids[key]
	if !ok && len(l.ids) < maxWishes {
		n = len(l.ids) + 1
		l.ids[key] = n
	}
	return n // 0: there is no room for it
}

// ofEdits does the same for edits that are there.
func (l *editLists) ofEdits(edits []Edit) (list int, own []byte) {
	l.key = appendOwn(l.key[:0], edits)
	if n, ok := l.same[string(l.key)]; ok {
		return n, nil
	}
	if len(l.lists) >= maxEditLists {
		return 0, l.key
	}
	if l.same == nil {
		l.same = map[string]int{}
	}
	l.lists = append(l.lists, edits)
	l.same[string(l.key)] = len(l.lists)
	return len(l.lists), nil
}
