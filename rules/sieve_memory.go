package rules

import (
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// A group is the atoms that read the same spans.
type group struct {
	spans []int
	slots []slot   // that its atoms name, each once
	sides []string // that its orderings have in common
	atoms []groupAtom
	words []int // of a row, which its atoms decide
	all   row   // while it is built
}

// A groupAtom is an atom with the bits of its group's words that end when it is
// true, those that end when it is false, and all that it decides.
type groupAtom struct {
	*atom
	whenTrue, whenFalse, any row
}

func (g *group) add(a *atom, m *marks, width int) {
	in := groupAtom{a, make(row, width), make(row, width), make(row, width)}
	if g.all == nil {
		g.all = make(row, width)
	}
	for _, bit := range m.whenTrue {
		in.whenTrue.set(bit)
	}
	for _, bit := range m.whenFalse {
		in.whenFalse.set(bit)
	}
	for i := range in.any {
		in.any[i] = in.whenTrue[i] | in.whenFalse[i]
		g.all[i] |= in.any[i]
	}
	g.atoms = append(g.atoms, in)
	if a.left != nil {
		key := fmt.Sprint(a.whole, a.left.kind, a.left.source)
		if a.common = slices.Index(g.sides, key); a.common < 0 {
			a.common, g.sides = len(g.sides), append(g.sides, key)
		}
	}
	for _, s := range a.slots {
		if !slices.ContainsFunc(g.slots, func(other slot) bool { return other.key == s.key }) {
			g.slots = append(g.slots, s)
		}
	}
}

// pack keeps of rows the words only that the group decides.
func (g *group) pack() {
	for i, word := range g.all {
		if word != 0 {
			g.words = append(g.words, i)
		}
	}
	for n := range g.atoms {
		a := &g.atoms[n]
		for _, r := range []*row{&a.whenTrue, &a.whenFalse, &a.any} {
			packed := make(row, len(g.words))
			for i, w := range g.words {
				packed[i] = (*r)[w]
			}
			*r = packed
		}
	}
	g.all = nil
}

// What a memory holds.
const (
	memorySize  = 1 << 10 // values
	longestKey  = 47      // bytes of a value, or of all of them together
	memoryTrial = 4 * memorySize
)

// A memory is what a group said of values that were seen: the bits that stay, and
// those that are not known. Where values hardly ever come again, as ids and times
// do, it gives up, and the group is asked each time for what still matters.
type memory struct {
	*group
	seed         maphash.Seed
	entries      []remembered
	masks        []uint64 // for each entry: what stays, and what is not known
	fresh        []uint64 // the same, for a value that is not remembered
	key          []byte
	looks, fails int
	direct       bool

	in      scope // what the group's atoms can see of the twin
	sides   []side
	twin    twin.Twin
	members []int // of its identity
}

// A remembered value is its length, one more than that for one that is there, and
// its text.
type remembered struct {
	size uint8
	text [longestKey]byte
}

func newMemory(g *group, f *Sifter) *memory {
	m := &memory{
		group: g, seed: maphash.MakeSeed(), fresh: make([]uint64, 2*len(g.words)), key: make([]byte, 0, longestKey+1),
		in: *f.at, members: identityIn(g.spans), sides: make([]side, len(g.sides)),
	}
	m.in.view, m.in.twin, m.in.runner = &f.view, &m.twin, f.runner
	return m
}

// apply ends in the sifter's row what the group's values of this twin decide.
func (m *memory) apply(f *Sifter) {
	short := m.read(&f.view)
	if m.direct || !short {
		m.decide(f, short)
		return
	}
	masks := m.recall(f)
	for i, w := range m.words {
		f.live[w] &= masks[2*i]
		f.odd[w] |= masks[2*i+1]
	}
}

// read makes the key of the values, and reports whether it is short enough to be
// remembered. Each value stands behind its length.
func (m *memory) read(v *view) (short bool) {
	m.key = m.key[:0]
	for _, i := range m.spans {
		text := v.spans[i].Of(v.data)
		if len(m.key)+1+len(text) > longestKey {
			return false
		}
		m.key = append(append(m.key, byte(len(text))), text...)
	}
	return true
}

// recall returns the masks for the key.
func (m *memory) recall(f *Sifter) []uint64 {
	if m.entries == nil {
		m.entries, m.masks = make([]remembered, memorySize), make([]uint64, memorySize*2*len(m.words))
	}
	i := int(maphash.Bytes(m.seed, m.key) % memorySize)
	e := &m.entries[i]
	masks := m.masks[i*2*len(m.words) : (i+1)*2*len(m.words)]
	m.looks++
	if e.size == uint8(len(m.key)+1) && string(e.text[:len(m.key)]) == string(m.key) {
		return masks
	}
	m.ask(f)
	m.doubt()
	if f.view.broken || m.direct {
		return m.fresh
	}
	e.size = uint8(len(m.key) + 1)
	copy(e.text[:], m.key)
	copy(masks, m.fresh)
	return masks
}

// doubt gives up remembering where more than a quarter of the values were new.
func (m *memory) doubt() {
	m.fails++
	if m.looks < memoryTrial {
		return
	}
	if m.fails > m.looks/4 {
		m.direct, m.entries, m.masks = true, nil, nil
	}
	m.looks, m.fails = 0, 0
}

// ask lets every atom say its word on the twin's values.
func (m *memory) ask(f *Sifter) {
	for i := range m.words {
		m.fresh[2*i], m.fresh[2*i+1] = ^uint64(0), 0
	}
	m.look(f)
	for n := range m.atoms {
		a := &m.atoms[n]
		holds, known := a.decide(&m.in)
		for i := range m.words {
			m.fresh[2*i], m.fresh[2*i+1] = a.apply(i, holds, known, m.fresh[2*i], m.fresh[2*i+1])
		}
	}
}

// look reads the group's values for all of its atoms at once.
func (m *memory) look(f *Sifter) {
	f.view.identify(&m.twin, m.members)
	m.in.filled = false
	clear(m.sides)
	f.runner.common = m.sides
	for _, s := range m.slots {
		f.runner.env[s.key] = s.value(&m.in)
	}
	m.in.filled = true
}

// decide lets those atoms say their word that can still change something; none
// that may be expensive is left out, because it would have been evaluated.
func (m *memory) decide(f *Sifter, short bool) {
	m.look(f)
	for n := range m.atoms {
		a := &m.atoms[n]
		if short && a.cheap && !m.matters(a, f.live) {
			continue
		}
		holds, known := a.decide(&m.in)
		for i, w := range m.words {
			f.live[w], f.odd[w] = a.apply(i, holds, known, f.live[w], f.odd[w])
		}
	}
}

func (m *memory) matters(a *groupAtom, live row) bool {
	for i, w := range m.words {
		if a.any[i]&live[w] != 0 {
			return true
		}
	}
	return false
}

// apply returns what is left of the i-th word when the atom has spoken.
func (a *groupAtom) apply(i int, holds, known bool, live, odd uint64) (uint64, uint64) {
	switch {
	case !known:
		odd |= a.any[i]
	case holds:
		live &^= a.whenTrue[i]
	default:
		live &^= a.whenFalse[i]
	}
	return live, odd
}
