package rules

import (
	"fmt"
	"slices"
)

// A group is the atoms that read the same spans.
type group struct {
	spans    []int
	slots    []slot   // that its atoms name, each once
	sides    []string // that its orderings have in common
	families []*family
	atoms    []groupAtom // that are in no family
	words    []int       // of a row, which its atoms decide
	any      row         // what they decide
	cheap    bool        // all of them are
	leaves   bool        // all that they ask is whether constant leaves hold
	by       row         // rules that want those
}

// A groupAtom is an atom with the bits of its group's words that end when it is
// true, those that end when it is false, and all that it decides.
type groupAtom struct {
	*atom
	whenTrue, whenFalse, any row
}

func (g *group) add(a *atom, m *marks, width int) {
	in := groupAtom{a, make(row, width), make(row, width), make(row, width)}
	for _, bit := range m.whenTrue {
		in.whenTrue.set(bit)
	}
	for _, bit := range m.whenFalse {
		in.whenFalse.set(bit)
	}
	in.any.add(in.whenTrue)
	in.any.add(in.whenFalse)
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

// finish keeps of rows the words only that the group decides, and gathers
// families.
func (g *group) finish(words, width int) {
	all := make(row, width)
	g.cheap, g.leaves, g.by = true, true, make(row, words)
	for _, a := range g.atoms {
		all.add(a.any)
		g.cheap = g.cheap && a.cheap
		g.leaves = g.leaves && a.by != nil
		if a.by != nil {
			g.by.add(*a.by)
		}
	}
	for i, word := range all {
		if word != 0 {
			g.words = append(g.words, i)
		}
	}
	g.any = g.pack(all)
	for n := range g.atoms {
		a := &g.atoms[n]
		a.whenTrue, a.whenFalse, a.any = g.pack(a.whenTrue), g.pack(a.whenFalse), g.pack(a.any)
	}
	g.gather()
}

func (g *group) pack(r row) row {
	packed := make(row, len(g.words))
	for i, w := range g.words {
		packed[i] = r[w]
	}
	return packed
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
