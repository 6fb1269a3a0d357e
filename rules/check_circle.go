package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// circles reports rules that never settle on some twin, and those of which each
// reads what another writes, where no such twin is known.
func (v *prover) circles() {
	for _, lane := range v.lanes() {
		if len(lane) > maxLane {
			continue
		}
		list := make([]*compiledRule, len(lane))
		for i, s := range lane {
			list[i] = s.compiledRule
		}
		g := newGraph(list, (*compiledRule).spelled)
		shown := map[*Rule]bool{}
		for _, c := range newGraph(list, func(r *compiledRule) []twin.Leaf { return r.sees }).circles() {
			v.endless(lane, c, shown)
		}
		for _, c := range g.circles() {
			if len(c) > 1 && !slices.ContainsFunc(c, func(i int) bool { return shown[lane[i].Rule] }) {
				round := g.round(c)
				lane[round[0]].reportHere(RuleCycle, "let one of them read what no rule writes; each twin is tried, and left alone where they do not settle",
					"what these rules write comes back to them: %s", tour(lane, round))
			}
		}
	}
}

// maxLane is the largest number of rules whose rounds are looked at.
const maxLane = 2000

// lanes parts the rules into those whose wishes may meet.
func (v *prover) lanes() [][]*studied {
	list := make([][]*studied, 4)
	for _, r := range v.rules {
		if r.Mode == Off {
			continue
		}
		n := 0
		if r.Mode == Audit {
			n = 1
		}
		if !r.On.Devices() {
			n += 2
		}
		list[n] = append(list[n], r)
	}
	return list
}

// maxSpins bounds how many twins are tried for each rule of a circle.
const maxSpins = 8

// endless looks for a twin on which the rules of a circle never settle.
func (v *prover) endless(lane []*studied, circle []int, shown map[*Rule]bool) {
	if !v.afford(len(lane)) {
		return
	}
	all := influence(lane, circle)
	for _, i := range circle {
		s := lane[i]
		for n, c := range s.living() {
			w := c.guess(s.On)
			if w == nil || n >= maxSpins || s.plugin != nil || !v.afford(10*len(all)) {
				continue
			}
			who := slices.DeleteFunc(v.spin(all, w.twin), func(r *Rule) bool {
				return !slices.ContainsFunc(circle, func(i int) bool { return lane[i].Rule == r })
			})
			if len(who) == 0 || shown[who[0]] {
				continue
			}
			for _, r := range who {
				shown[r] = true
			}
			v.reportEndless(who, w)
		}
	}
}

// influence returns, in the order of the pack, the rules of a circle and those that
// write what decides what one of them wants or whether it has its way, and so on.
func influence(lane []*studied, circle []int) (list []*studied) {
	writers, in := newPlaces(), make([]bool, len(lane))
	for i, s := range lane {
		for _, l := range s.writes() {
			writers.add(l, i)
		}
	}
	for queue := slices.Clone(circle); len(queue) > 0; queue = queue[1:] {
		if in[queue[0]] {
			continue
		}
		in[queue[0]] = true
		s := lane[queue[0]]
		for _, l := range slices.Concat(s.sees, s.writes()) {
			for _, i := range writers.touching(l) {
				if !in[i] {
					queue = append(queue, i)
				}
			}
		}
	}
	for i, s := range lane {
		if in[i] {
			list = append(list, s)
		}
	}
	return list
}

func (v *prover) reportEndless(who []*Rule, w *witness) {
	names := make([]string, len(who))
	for i, r := range who {
		names[i] = r.ID
	}
	code, hint, message := EndlessRules, "let one of them read what no rule writes", strings.Join(names, ", ")+" keep on changing what they read, and so nothing is written"
	if len(who) == 1 {
		code, message = SelfNegating, "the rule undoes what it does and does it again, and so nothing is written"
		hint = "give it an until that does not read what it writes, or onExit: keep"
		if who[0].until.exists() || who[0].OnExit == KeepValues {
			hint = "do not compute what is written from what stands there"
		}
	}
	r := who[0]
	before := len(r.at.found)
	r.reportHere(code, hint+"; it is so on the twin "+w.String(), "%s", message)
	for _, d := range r.at.found[before:] {
		d.Twin = w.twin
	}
}

// spin runs rules on a twin as package engine does, and returns those that wrote in
// a circle, in the order of the pack; none where they settle or are in conflict.
func (v *prover) spin(all []*studied, t *twin.Twin) []*Rule {
	states, written := []*twin.Twin{t}, [][]Wish{}
	most := min(2*(len(v.rules)+2)+2, 200)
	for len(states) <= most {
		now, at := states[len(states)-1], witnessed()
		at.Memory = Since(nil, t)
		kept, conflicts := Weigh(Wishes(v.ask(all, now, at)))
		open := slices.DeleteFunc(kept, func(w Wish) bool { return w.Leaf.Holds(now) })
		if len(conflicts) > 0 || len(open) == 0 {
			return nil
		}
		var leaves []twin.Leaf
		for _, w := range open {
			leaves = append(leaves, w.Leaf)
		}
		next := now.With(twin.PatchOf(leaves))
		written = append(written, open)
		for i, s := range states {
			if twin.Equal(s.Tags(), next.Tags()) && twin.Equal(s.Desired(), next.Desired()) {
				return whoWrote(written[i:])
			}
		}
		states = append(states, next)
	}
	if most < 2*(len(v.rules)+2)+2 {
		return nil // they might still settle
	}
	return whoWrote(written[len(written)/2:])
}

func whoWrote(rounds [][]Wish) (list []*Rule) {
	all := slices.Concat(rounds...)
	slices.SortStableFunc(all, func(a, b Wish) int { return a.Order - b.Order })
	for _, w := range all {
		if !slices.Contains(list, w.Rule) {
			list = append(list, w.Rule)
		}
	}
	return list
}

// round returns a shortest way from the first rule of a component, over another
// one, back to it.
func (g *graph) round(component []int) []int {
	in := map[int]bool{}
	for _, i := range component {
		in[i] = true
	}
	first := component[0]
	from := map[int]int{}
	for queue := []int{first}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, to := range g.readers(at) {
			if _, known := from[to]; known || to == at || !in[to] {
				continue
			}
			from[to] = at
			if to == first {
				return backwards(from, to)
			}
			queue = append(queue, to)
		}
	}
	return component
}

// readers returns the rules that look at what rule i writes, ascending.
func (g *graph) readers(i int) (list []int) {
	seen := map[int]bool{}
	for queue := slices.Clone(g.next[i]); len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if seen[at] {
			continue
		}
		seen[at] = true
		if at < g.rules {
			list = append(list, at)
		} else {
			queue = append(queue, g.next[at]...)
		}
	}
	slices.Sort(list)
	return list
}

// backwards returns the way that ends at last, which is also where it begins.
func backwards(from map[int]int, last int) []int {
	way := []int{}
	for at := from[last]; at != last; at = from[at] {
		way = append(way, at)
	}
	way = append(way, last)
	slices.Reverse(way)
	return way
}

// tour says what each rule of a round writes for the next.
func tour(lane []*studied, round []int) string {
	var list []string
	for n, i := range round {
		a, b := lane[i], lane[round[(n+1)%len(round)]]
		for _, l := range a.writes() {
			if slices.ContainsFunc(b.spelled(), l.Overlaps) {
				list = append(list, fmt.Sprintf("%s writes %s, which %s reads", a.ID, placeName(l), b.ID))
				break
			}
		}
	}
	return strings.Join(list, "; ")
}
