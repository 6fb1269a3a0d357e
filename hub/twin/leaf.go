package twin

import (
	"maps"
	"slices"
	"strings"
)

// A Leaf is one assertion about a twin: the value that should stand at a path
// of its tags or desired properties. Value nil says that nothing should. An
// Object as value is empty and says that there should be an object.
type Leaf struct {
	Section string   // "tags" or "desired"
	Path    []string // keys from the section down, at least one
	Value   any
}

// Leaves returns what patch asserts of a section, in the order of the paths.
func Leaves(section string, patch Object) []Leaf {
	return appendLeaves(nil, section, nil, patch)
}

func appendLeaves(list []Leaf, section string, path []string, patch Object) []Leaf {
	for _, key := range slices.Sorted(maps.Keys(patch)) {
		here := append(slices.Clone(path), key)
		if o, ok := patch[key].(Object); ok && len(o) > 0 {
			list = appendLeaves(list, section, here, o)
			continue
		}
		list = append(list, Leaf{section, here, patch[key]})
	}
	return list
}

// Holds reports whether t already is as the leaf says.
func (l Leaf) Holds(t *Twin) bool {
	o, _ := t.Section(l.Section)
	return l.Is(o.Lookup(l.Path...))
}

// Is reports whether what stands at the leaf's place, if anything does, is what
// the leaf says.
func (l Leaf) Is(have any, exists bool) bool {
	if _, want := l.Value.(Object); want {
		_, is := have.(Object)
		return is
	}
	if l.Value == nil {
		return !exists
	}
	return exists && Equal(have, l.Value)
}

// Compare orders leaves by section and path.
func (l Leaf) Compare(other Leaf) int {
	if c := strings.Compare(l.Section, other.Section); c != 0 {
		return c
	}
	return slices.Compare(l.Path, other.Path)
}

// Overlaps reports whether setting one leaf touches what the other asserts: the
// paths are equal, or one leads through the other.
func (l Leaf) Overlaps(other Leaf) bool {
	n := min(len(l.Path), len(other.Path))
	return l.Section == other.Section && slices.Equal(l.Path[:n], other.Path[:n])
}

// Agrees reports whether both leaves can hold at once.
func (l Leaf) Agrees(other Leaf) bool {
	if !l.Overlaps(other) {
		return true
	}
	if len(l.Path) == len(other.Path) {
		return Equal(l.Value, other.Value)
	}
	short, long := l, other
	if len(short.Path) > len(long.Path) {
		short, long = long, short
	}
	_, object := short.Value.(Object)
	return object || short.Value == nil && long.Value == nil
}

// PatchOf returns the patch that makes leaves hold, which must agree. Of two for
// one path the first is written.
func PatchOf(leaves []Leaf) (p Patch) {
	sorted := slices.SortedStableFunc(slices.Values(leaves), Leaf.Compare) // parents first
	for i, l := range sorted {
		if i > 0 && l.Compare(sorted[i-1]) == 0 {
			continue
		}
		section := &p.Tags
		if l.Section == "desired" {
			section = &p.Desired
		}
		if parentRemoved(*section, l.Path) {
			continue
		}
		value := l.Value
		if _, object := value.(Object); object {
			value = Object{} // never the caller's, which Set would fill
		}
		*section = Set(*section, l.Path, value)
	}
	return p
}

// parentRemoved reports whether patch deletes a parent of path, and so path.
func parentRemoved(patch Object, path []string) bool {
	for i := 1; i < len(path); i++ {
		if v, ok := patch.Lookup(path[:i]...); ok && v == nil {
			return true
		}
	}
	return false
}
