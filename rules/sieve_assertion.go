package rules

import (
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// An assertion is a leaf that rules want, the same for every twin.
type assertion struct {
	leaf    twin.Leaf
	place   int   // its span
	parents []int // the spans of the objects that it is in, below the section
	holds   int   // the bit that says that it holds
	size    int   // bytes that the hub counts for it, with all its keys
	by      row   // rules that want it
	against row   // rules that want something else there
}

// assert notes that a rule wants a leaf.
func (b *sieveBuilder) assert(wanted twin.Leaf, rule int) *assertion {
	key := leafKey(wanted.Section, wanted.Path)
	i := slices.IndexFunc(b.asserted[key], func(a *assertion) bool { return sameLeaf(a.leaf, wanted) })
	if i < 0 {
		i = len(b.asserted[key])
		b.asserted[key] = append(b.asserted[key], b.newAssertion(wanted))
	}
	a := b.asserted[key][i]
	a.by.set(rule)
	if _, object := wanted.Value.(twin.Object); object || strings.HasPrefix(wanted.Path[0], "$") {
		b.computed.set(rule)
	}
	return a
}

// sameLeaf reports whether two leaves for one place are spelled alike.
func sameLeaf(a, b twin.Leaf) bool {
	return string(twin.Encode(a.Value)) == string(twin.Encode(b.Value))
}

func (b *sieveBuilder) newAssertion(wanted twin.Leaf) *assertion {
	a := &assertion{leaf: wanted, holds: b.bits, by: make(row, b.words), against: make(row, b.words)}
	b.bits++
	if wanted.Value != nil {
		a.size = twin.Size(twin.Set(nil, wanted.Path, wanted.Value))
	}
	path := sectionPath(wanted.Section)
	for _, key := range wanted.Path {
		a.parents = append(a.parents, b.paths.add(path))
		path = append(path[:len(path):len(path)], key)
	}
	a.parents, a.place = a.parents[1:], b.paths.add(path)
	return a
}

// orderAssertions sorts assertions as edits of a change are, and sets those for one
// place against each other. What leads through another's place is watched, see
// [sieveBuilder.watch].
func (b *sieveBuilder) orderAssertions() {
	for _, rivals := range b.asserted {
		for _, a := range rivals {
			for _, other := range rivals {
				if other != a {
					a.against.add(other.by)
				}
			}
		}
		b.assertions = append(b.assertions, rivals...)
	}
	slices.SortFunc(b.assertions, func(x, y *assertion) int {
		if c := x.leaf.Compare(y.leaf); c != 0 {
			return c
		}
		return x.holds - y.holds
	})
}

func (r row) add(other row) {
	for i, word := range other {
		r[i] |= word
	}
}
