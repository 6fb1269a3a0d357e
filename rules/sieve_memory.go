package rules

import (
	"hash/maphash"

	"github.com/twinrules/twinrules/hub/twin"
)

// What a memory holds.
const (
	leastMemory = 1 << 9  // values, at the beginning
	mostMemory  = 1 << 13 // values
)

// A memory is what a group said of values that were seen: the bits that stay, and
// those that are not known. It grows where that may help. Where values hardly ever
// come again, as ids and times do, it gives up, and the group is asked each time
// for what still matters.
type memory struct {
	*group
	seed         uint64
	entries      []remembered // a power of two
	masks        []uint64     // for each entry: what stays, and what is not known
	fresh        []uint64     // the same, for a value that is not remembered
	key          valueKey
	looks, fails int
	direct       bool

	in      scope // what the group's atoms can see of the twin
	looked  bool  // it has what slots hold
	sides   []side
	twin    twin.Twin
	members []int // of its identity
}

// A remembered value is its key, if there is one.
type remembered struct {
	is  bool
	key valueKey
}

// seed returns a number that nobody foresees, so that nobody can choose values that
// drive each other out.
func seed() uint64 { return new(maphash.Hash).Sum64() }

func newMemory(g *group, f *Sifter) *memory {
	m := &memory{
		group: g, seed: seed(), fresh: make([]uint64, 2*len(g.words)),
		in: *f.at, members: identityIn(g.spans), sides: make([]side, len(g.sides)),
	}
	m.in.view, m.in.twin, m.in.runner = &f.view, &m.twin, f.runner
	return m
}

// apply ends in the sifter's row what the group's values of this twin decide. Where
// all that they could end has ended, they are not looked at, unless it may be
// expensive to look.
func (m *memory) apply(f *Sifter) {
	if m.cheap && !m.matters(m.any, f.live) && m.short(&f.view) {
		return
	}
	short := m.short(&f.view)
	masks := m.fresh
	if m.direct || !short {
		m.ask(f, short)
	} else {
		masks = m.recall(f)
	}
	for i, w := range m.words {
		f.live[w] &= masks[2*i]
		f.odd[w] |= masks[2*i+1]
	}
}

// short reports whether the values are short enough to be remembered.
func (m *memory) short(v *view) bool {
	n := 0
	for _, i := range m.spans {
		n += 1 + v.spans[i].Len()
	}
	return n <= longestKey
}

// read makes the key of the values.
func (m *memory) read(v *view) {
	if len(m.spans) == 1 {
		m.key.one(v.data, v.spans[m.spans[0]])
	} else {
		m.key.several(v.data, v.spans, m.spans)
	}
}

// recall returns the masks for the values.
func (m *memory) recall(f *Sifter) []uint64 {
	if m.entries == nil {
		m.grow(leastMemory)
	}
	m.read(&f.view)
	m.looks++
	i, known := m.find()
	if known {
		return m.masksOf(i)
	}
	size := len(m.entries)
	m.ask(f, false)
	if m.doubt(); f.view.broken || m.direct || len(m.entries) != size {
		return m.fresh
	}
	m.entries[i] = remembered{true, m.key}
	copy(m.masksOf(i), m.fresh)
	return m.fresh
}

// find returns the entry of the key, or the one that is to become it. Each key has
// two, so that two that are frequent do not take turns at one.
func (m *memory) find() (i int, known bool) {
	first := int(m.key.hash(m.seed) & uint64(len(m.entries)-1))
	for _, i := range [2]int{first, first ^ 1} {
		switch e := &m.entries[i]; {
		case !e.is:
			return i, false
		case e.key.is(&m.key):
			return i, true
		}
	}
	return first ^ m.looks&1, false
}

func (m *memory) masksOf(i int) []uint64 {
	n := 2 * len(m.words)
	return m.masks[i*n : (i+1)*n]
}

// doubt counts a value that was new, and looks now and then how many were: of more
// than a quarter it does not pay to remember, of more than one in 32 it may pay to
// remember more.
func (m *memory) doubt() {
	m.fails++
	size := len(m.entries)
	if m.looks < 4*size {
		return
	}
	switch {
	case m.fails > m.looks/4 && size == mostMemory:
		m.direct, m.entries, m.masks = true, nil, nil
	case m.fails > m.looks/32 && size < mostMemory:
		m.grow(2 * size)
	}
	m.looks, m.fails = 0, 0
}

// grow makes room for so many values, and forgets those that it had.
func (m *memory) grow(size int) {
	m.entries, m.masks = make([]remembered, size), make([]uint64, size*2*len(m.words))
}

// ask lets every atom say its word on the twin's values; some leaves out those that
// are cheap and can change nothing any more.
func (m *memory) ask(f *Sifter, some bool) {
	for i := range m.words {
		m.fresh[2*i], m.fresh[2*i+1] = ^uint64(0), 0
	}
	m.looked = false
	for _, family := range m.families {
		if !some || !family.cheap || m.matters(family.any, f.live) {
			m.place(f, family)
		}
	}
	for n := range m.atoms {
		if a := &m.atoms[n]; !some || !a.cheap || m.matters(a.any, f.live) {
			m.atom(f, a)
		}
	}
}

// atom lets one atom say its word.
func (m *memory) atom(f *Sifter, a *groupAtom) {
	holds, known := false, false
	if a.native != nil {
		holds, known = a.native(&f.view)
	}
	if !known {
		m.look(f)
		holds, known = a.decide(&m.in)
	}
	for i := range m.words {
		m.fresh[2*i], m.fresh[2*i+1] = a.apply(i, holds, known, m.fresh[2*i], m.fresh[2*i+1])
	}
}

// look reads the group's values for all of its atoms at once.
func (m *memory) look(f *Sifter) {
	if m.looked {
		return
	}
	m.looked = true
	f.view.identify(&m.twin, m.members)
	m.in.filled = false
	clear(m.sides)
	f.runner.common = m.sides
	for _, s := range m.slots {
		f.runner.env[s.key] = s.value(&m.in)
	}
	m.in.filled = true
}

// matters reports whether some of a group's bits have not ended.
func (m *memory) matters(bits, live row) bool {
	for i, w := range m.words {
		if bits[i]&live[w] != 0 {
			return true
		}
	}
	return false
}
