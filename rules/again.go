package rules

import (
	"context"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// Rereads reports whether some rule looks at what some rule writes. Where it is
// false, one pass over a twin is the whole truth.
func (p *Program) Rereads() bool { return p.rereads }

// Again judges t anew by those rules of the verdicts that look at one of the
// places written, and keeps the other verdicts. It reports whether there was such
// a rule; where no rule of the pack looks at what another writes, that costs
// nothing. The metadata of t, such as when a leaf was last updated, are those of
// the twin that was read.
func (p *Program) Again(ctx context.Context, t *twin.Twin, at Moment, verdicts []Verdict, written []twin.Leaf) (list []Verdict, ran bool) {
	if !p.rereads {
		return verdicts, false
	}
	for i, v := range verdicts {
		if !slices.ContainsFunc(written, v.rule.looksAt) {
			continue
		}
		if !ran {
			list, ran = slices.Clone(verdicts), true
		}
		list[i] = v.rule.eval(ctx, p.scope(t, at))
	}
	if !ran {
		return verdicts, false
	}
	return list, true
}

func (r *compiledRule) looksAt(place twin.Leaf) bool {
	return slices.ContainsFunc(r.sees, place.Overlaps)
}

// seen returns the places of tags and desired that decide what the rule wants:
// what its expressions and its plugin read, and where it has a state its own
// values.
func (r *compiledRule) seen() (list []twin.Leaf) {
	for _, s := range r.reads() {
		if s.root.Name == "tags" || s.root.Name == "desired" {
			list = append(list, twin.Leaf{Section: s.root.Name, Path: s.path})
		}
	}
	if r.stateful {
		list = append(list, r.writes()...)
	}
	if r.plugin == nil {
		return list
	}
	reads := r.plugin.Reads()
	if reads == nil {
		reads = []string{"tags", "desired"}
	}
	for _, path := range reads {
		list = append(list, placeOf(path))
	}
	return list
}

// rereads reports whether some rule looks at what some rule writes.
func rereads(list []*compiledRule) bool {
	written := map[[2]string][]twin.Leaf{} // by section and first key, so that large packs are quick to compile
	whole := map[string]bool{}             // sections that a plugin may write all of
	for _, r := range list {
		for _, l := range r.writes() {
			written[keyOf(l)] = append(written[keyOf(l)], l)
			written[[2]string{l.Section}] = append(written[[2]string{l.Section}], l)
			whole[l.Section] = whole[l.Section] || len(l.Path) == 0
		}
	}
	for _, r := range list {
		for _, l := range r.sees {
			if slices.ContainsFunc(written[keyOf(l)], l.Overlaps) || whole[l.Section] {
				return true
			}
		}
	}
	return false
}

func keyOf(l twin.Leaf) [2]string {
	if len(l.Path) == 0 {
		return [2]string{l.Section}
	}
	return [2]string{l.Section, l.Path[0]}
}
