package rules

import (
	"fmt"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// maxPairs bounds how many pairs of rules with a place in common are looked at.
const maxPairs = 20_000

// pairs proves what it can about two rules that write one place.
func (v *prover) pairs() {
	writers := newPlaces()
	pairs := 0
	for i, b := range v.rules {
		var others []int
		for _, l := range b.leaves {
			place := twin.Leaf{Section: l.section, Path: l.path}
			others = append(others, writers.touching(place)...)
		}
		slices.Sort(others)
		fights := false // one conflict of a rule is enough to be told
		for _, j := range slices.Compact(others) {
			if pairs++; pairs > maxPairs {
				return
			}
			a := v.rules[j]
			if _, meet := overlapping(a.On, b.On); meet && a.together(b) && a.plugin == nil && b.plugin == nil {
				fights = v.pair(a, b, fights)
			}
		}
		for _, l := range b.leaves {
			writers.add(twin.Leaf{Section: l.section, Path: l.path}, i)
		}
	}
}

// pair proves what it can about two rules, of which fights says whether a conflict
// of b was reported, and returns whether one is now.
func (v *prover) pair(a, b *studied, fights bool) bool {
	switch outcome(a.Rule, false, b.Rule, false) {
	case Conflict:
		return fights || v.conflict(a, b)
	case Wins:
		shadows(a, b)
	case Loses:
		shadows(b, a)
	}
	return fights
}

// conflict looks for a twin on which two rules are in conflict over constants,
// and reports whether it found one.
func (v *prover) conflict(a, b *studied) bool {
	i, j, ok := disagreement(a, b)
	if !ok {
		return false
	}
	on, _ := overlapping(a.On, b.On)
	tries := 0
	for _, x := range a.living() {
		for _, y := range b.living() {
			if tries++; tries > maxClauses || !v.afford(1) {
				return false
			}
			w := joined(on, x, y).guess(on)
			if w == nil {
				continue
			}
			if v.clash(a, b, w) {
				p, q := a.leaves[i].asserted(), b.leaves[j].asserted()
				b.reportLeaf(j, WriteConflict, "give one of them a higher priority, or make their conditions exclude each other; both match the twin "+w.String(), w,
					"rules %q and %q %s", a.ID, b.ID, contradiction(p, q))
				return true
			}
		}
	}
	return false
}

// disagreement returns leaves of two rules that are constant and disagree.
func disagreement(a, b *studied) (i, j int, ok bool) {
	for i, p := range a.leaves {
		for j, q := range b.leaves {
			if p.value.constant() && q.value.constant() && !p.asserted().Agrees(q.asserted()) {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// asserted returns a constant leaf as it is wanted of a twin.
func (l leaf) asserted() twin.Leaf {
	return twin.Leaf{Section: l.section, Path: l.path, Value: l.value.literal}
}

// contradiction says what two leaves that disagree want.
func contradiction(p, q twin.Leaf) string {
	if len(p.Path) == len(q.Path) {
		return fmt.Sprintf("want different values for %s: %s and %s", placeName(p), twin.Encode(p.Value), twin.Encode(q.Value))
	}
	return fmt.Sprintf("cannot both have their way: %s is to be %s, and %s is to be %s", placeName(p), twin.Encode(p.Value), placeName(q), twin.Encode(q.Value))
}

// clash reports whether a witness really has the two rules in conflict.
func (v *prover) clash(a, b *studied, w *witness) bool {
	at := witnessed()
	in := v.program.scope(w.twin, at)
	for _, r := range []*studied{a, b} {
		if verdict := r.eval(v.ctx, in); !verdict.Matched || verdict.Err != nil {
			return false
		}
	}
	if !v.afford(len(v.rules)) {
		return false
	}
	all := slices.DeleteFunc(slices.Clone(v.rules), func(r *studied) bool { return !r.together(a) })
	_, conflicts := Weigh(Wishes(v.ask(all, w.twin, at)))
	return slices.ContainsFunc(conflicts, func(pair [2]Wish) bool {
		return pair[0].Rule == a.Rule && pair[1].Rule == b.Rule || pair[0].Rule == b.Rule && pair[1].Rule == a.Rule
	})
}

// reportLeaf reports a mistake at leaf i of the rule's patch, which w shows.
func (s *studied) reportLeaf(i int, code Code, hint string, w *witness, format string, args ...any) {
	list := s.Rule.at.reporter
	before := len(list.found)
	if i < len(s.patch) {
		s.patch[i].value.report(code, hint, format, args...)
	} else {
		s.reportHere(code, hint, format, args...) // explicit content of a configuration
	}
	for _, d := range list.found[before:] {
		d.Twin = w.twin
	}
}

// shadows reports low where high, which has a higher priority, writes all its
// places on every twin that low matches.
func shadows(high, low *studied) {
	plain := func(s *studied) bool { return !s.stateful && s.Configuration == nil }
	covered := high.On == low.On || high.On.Module == "*" && !low.On.Devices()
	if !plain(high) || !plain(low) || !covered || high.Mode != low.Mode || !slices.Equal(high.AllowForeign, low.AllowForeign) {
		return
	}
	for _, l := range high.leaves {
		if !l.value.constant() {
			return // where its value is missing it wants nothing
		}
	}
	for _, l := range low.leaves {
		same := func(h leaf) bool { return h.section == l.section && slices.Equal(h.path, l.path) }
		if !slices.ContainsFunc(high.leaves, same) {
			return
		}
	}
	if low.implies(high) {
		low.reportHere(ShadowedRule, "take the rule out, or give it the higher priority", "rule %q, of a higher priority, writes all that this rule writes, wherever it matches", high.ID)
	}
}

// implies reports whether high certainly matches where the rule does.
func (s *studied) implies(high *studied) bool {
	living := s.living()
	if len(living) == 0 || len(high.match) != 1 {
		return false // one of several sides may fail before the other is asked
	}
	for _, c := range living {
		for _, d := range high.match[0].demands() {
			if d.exact && !c.implies(d) {
				return false
			}
		}
	}
	return true
}

// demands returns all demands of a clause.
func (c *clause) demands() (list []demand) {
	for _, name := range c.order {
		list = append(list, c.terms[name].demands...)
	}
	return list
}

// guess makes up a twin for a clause; nil where none is known.
func (c *clause) guess(on Target) *witness {
	if c.clash != nil {
		return nil
	}
	return c.witness(on, witnessed())
}
