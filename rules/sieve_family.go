package rules

import (
	"cmp"
	"reflect"
	"slices"
	"time"
)

// A family is the orderings of one side against constants of one sort. Wherever
// the side's value lies among the sorted constants, what all of them say of it is
// known beforehand: one evaluation and one search do for any number of thresholds.
type family struct {
	atoms  []groupAtom
	left   *expression
	cheap  bool
	bounds []any // the constants, sorted, each once
	// masks are what stays, for each place: between two bounds or at one, and last
	// where there is no value.
	masks []row
	any   row
	// native finds the place without expr, where it can.
	native func(v *view) (place int, ok bool)
}

// gather makes families of the group's orderings.
func (g *group) gather() {
	for common := range g.sides {
		in := func(a groupAtom) bool { return a.left != nil && a.common == common }
		var atoms []groupAtom
		for _, a := range g.atoms {
			if in(a) {
				atoms = append(atoms, a)
			}
		}
		if f := newFamily(atoms, len(g.words)); f != nil {
			g.families = append(g.families, f)
			g.atoms = slices.DeleteFunc(g.atoms, in)
		}
	}
}

// newFamily returns nil when the constants are not of one sort.
func newFamily(atoms []groupAtom, words int) *family {
	first := atoms[0]
	f := &family{atoms: atoms, left: first.left, cheap: true, any: make(row, words)}
	for _, a := range atoms {
		if !sorted(a.right) || reflect.TypeOf(a.right) != reflect.TypeOf(first.right) {
			return nil
		}
		f.bounds, f.cheap = append(f.bounds, a.right), f.cheap && a.cheap
		f.any.add(a.any)
	}
	slices.SortFunc(f.bounds, f.order)
	f.bounds = slices.CompactFunc(f.bounds, func(a, b any) bool { return f.order(a, b) == 0 })
	places := make([]int, len(atoms))
	for i, a := range atoms {
		at, _ := slices.BinarySearchFunc(f.bounds, a.right, f.order)
		places[i] = placeAt(at, true)
	}
	for place := range 2*len(f.bounds) + 2 {
		f.masks = append(f.masks, f.mask(place, places))
	}
	f.native = nativePlace(first.side, f.bounds)
	return f
}

// mostExact is below what floats hold of whole numbers, so that to order a number
// against one as whole numbers and as floats comes to the same.
const mostExact = 1 << 53

// sorted reports whether values of v's sort have one order.
func sorted(v any) bool {
	switch v := v.(type) {
	case int:
		return -mostExact < v && v < mostExact
	case float64, string, version, time.Time, time.Duration:
		return true
	}
	return false
}

func (f *family) order(a, b any) int { c, _ := order(a, b); return c }

// mask returns what stays where the value lies at a place; bounds are the places of
// the atoms' own constants.
func (f *family) mask(place int, bounds []int) row {
	live := make(row, len(f.any))
	for i := range live {
		live[i] = ^uint64(0)
	}
	for n, a := range f.atoms {
		holds := place <= 2*len(f.bounds) && a.holds(cmp.Compare(place, bounds[n]))
		for i := range live {
			live[i], _ = a.apply(i, holds, true, live[i], 0)
		}
	}
	return live
}

// missing is the place of no value.
func (f *family) missing() int { return len(f.masks) - 1 }

// find returns the place of a value; ok is false when it has no order with the
// bounds.
func (f *family) find(v any) (place int, ok bool) {
	if v == nil {
		return f.missing(), true
	}
	ok = true
	i, at := slices.BinarySearchFunc(f.bounds, v, func(bound, v any) int {
		c, err := order(bound, v)
		ok = ok && err == nil
		return c
	})
	return placeAt(i, at), ok
}

// placeAt turns the result of a search among bounds into a place.
func placeAt(i int, at bool) int {
	if at {
		return 2*i + 1
	}
	return 2 * i
}

// place lets a family say its word; what it cannot say its atoms do.
func (m *memory) place(f *Sifter, of *family) {
	place, ok := 0, false
	if of.native != nil {
		place, ok = of.native(&f.view)
	}
	if !ok {
		m.look(f)
		place, ok = of.ask(&m.in)
	}
	if !ok {
		for n := range of.atoms {
			m.atom(f, &of.atoms[n])
		}
		return
	}
	for i, word := range of.masks[place] {
		m.fresh[2*i] &= word
	}
}

// ask evaluates the left side.
func (f *family) ask(in *scope) (place int, ok bool) {
	first := f.atoms[0]
	first.begin(in)
	v, err := in.runner.common[first.common].of(f.left, in)
	if first.end(in); err != nil {
		return 0, false
	}
	return f.find(v)
}
