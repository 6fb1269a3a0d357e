package rules

import (
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Path is a place in a twin: a name of [Names] and the keys below it. A path
// stands for everything below it, too.
type Path []string

// String returns the path as it is written in an expression.
func (p Path) String() string { return PathString(p) }

// Overlaps reports whether one path leads through the other, or is it.
func (p Path) Overlaps(other Path) bool {
	n := min(len(p), len(other))
	return slices.Equal(p[:n], other[:n])
}

// An Access says which places of a twin a rule looks at and which it may write.
// Both lists are sorted and hold each path once. Nothing else of a twin decides
// what the rule wants of it, and nothing else is written: two twins that are equal
// at Reads get the same verdict at the same moment, unless bucket is called, which
// looks at the twin's name.
type Access struct {
	Rule   *Rule
	Reads  []Path // of its expressions, of its plugin, and where it has a state, of its own values
	Writes []Path // below tags and desired
}

// Access lists what each rule reads and writes, in the order of the pack. It is
// known from the expressions alone, and the one source for the rounds of package
// engine and the proofs of [Check].
func (p *Program) Access() []Access {
	list := make([]Access, len(p.rules))
	for i, r := range p.rules {
		list[i] = Access{Rule: r.Rule, Reads: r.looks(), Writes: pathsOf(r.writes())}
	}
	return list
}

// looks returns the places of a twin that decide what the rule wants.
func (r *compiledRule) looks() []Path {
	var list []Path
	for _, s := range r.reads() {
		if !slices.Contains(notOfTwin, s.root.Name) {
			list = append(list, append(Path{s.root.Name}, s.path...))
		}
	}
	if r.shown().whole {
		for _, n := range Names {
			if !slices.Contains(notOfTwin, n.Name) {
				list = append(list, Path{n.Name})
			}
		}
	}
	return sortedPaths(append(list, pathsOf(r.sees)...))
}

// notOfTwin are the names that say nothing of the twin.
var notOfTwin = []string{"vars", "plugin", "now", "hub"}

func pathsOf(leaves []twin.Leaf) (list []Path) {
	for _, l := range leaves {
		list = append(list, append(Path{l.Section}, l.Path...))
	}
	return sortedPaths(list)
}

func sortedPaths(list []Path) []Path {
	slices.SortFunc(list, func(a, b Path) int { return slices.Compare(a, b) })
	return slices.CompactFunc(list, func(a, b Path) bool { return slices.Equal(a, b) })
}

// reads returns the paths that the rule's own expressions look at.
func (r *compiledRule) reads() []slot {
	list := r.until.reads(r.when.reads(r.selector.reads(nil)))
	for _, l := range r.leaves {
		for _, e := range l.value.expressions() {
			list = e.reads(list)
		}
	}
	return list
}

// writes returns the places that the rule may set.
func (r *compiledRule) writes() (list []twin.Leaf) {
	for _, l := range r.leaves {
		list = append(list, twin.Leaf{Section: l.section, Path: l.path})
	}
	if r.plugin == nil {
		return list
	}
	for _, path := range r.plugin.Writes() {
		list = append(list, placeOf(path))
	}
	return list
}

// seen returns the places of tags and desired that decide what the rule wants:
// what its expressions and its plugin read, and where it has a state its own
// values.
func (r *compiledRule) seen() (list []twin.Leaf) {
	list = r.spelled()
	if r.stateful {
		list = append(list, r.writes()...)
	}
	looks := r.shown()
	if looks.whole {
		looks.paths = []string{"tags", "desired"}
	}
	for _, path := range looks.paths {
		list = append(list, placeOf(path))
	}
	return list
}

// spelled returns the places of tags and desired that the rule's expressions name.
func (r *compiledRule) spelled() (list []twin.Leaf) {
	for _, s := range r.reads() {
		if s.root.Name == "tags" || s.root.Name == "desired" {
			list = append(list, twin.Leaf{Section: s.root.Name, Path: s.path})
		}
	}
	return list
}

// looksAt reports whether what stands at a place decides what the rule wants.
func (r *compiledRule) looksAt(place twin.Leaf) bool {
	return slices.ContainsFunc(r.sees, place.Overlaps)
}
