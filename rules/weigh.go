package rules

import (
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Wish is one leaf that one rule wants of a twin.
type Wish struct {
	Leaf    twin.Leaf
	Rule    *Rule
	Order   int    // among the wishes for this twin, which is that of the pack
	Leaving bool   // the rule leaves the twin, and this is what becomes of its value
	Why     string // of one that leaves: what is done there
}

// Wishes lists what verdicts on one twin want, in their order.
func Wishes(verdicts []Verdict) (list []Wish) {
	for n, v := range verdicts {
		for i, leaf := range v.Leaves {
			w := Wish{Leaf: leaf, Rule: v.Rule, Order: n<<32 + i, Leaving: v.Leaving}
			if v.Leaving {
				w.Why = v.Why[i]
			}
			list = append(list, w)
		}
	}
	return list
}

// An Outcome says which of two rules has its way where they want different
// things.
type Outcome string

// The outcomes, for the first of the two.
const (
	Wins     Outcome = "wins"
	Loses    Outcome = "loses"
	Conflict Outcome = "conflict" // neither: their priorities are equal, or the hub runs one of them
)

// outcome is the one place that says who has its way. What a rule does that leaves
// stands back wherever another one wants something. What the hub writes for rules
// with a configuration is weighed as the hub does, by the priorities of
// configurations; where it disagrees with what we would write, no priority helps,
// because both would write for ever.
func outcome(a *Rule, aLeaves bool, b *Rule, bLeaves bool) Outcome {
	p, q := a.Priority, b.Priority
	switch {
	case a.Configuration != nil && b.Configuration != nil:
		p, q = a.Configuration.Priority, b.Configuration.Priority
	case aLeaves != bLeaves:
		p, q = rank(!aLeaves), rank(!bLeaves)
	case (a.Configuration == nil) != (b.Configuration == nil):
		return Conflict
	}
	switch {
	case p > q:
		return Wins
	case p < q:
		return Loses
	}
	return Conflict
}

func rank(first bool) int {
	if first {
		return 1
	}
	return 0
}

func (w Wish) against(other Wish) Outcome {
	return outcome(w.Rule, w.Leaving, other.Rule, other.Leaving)
}

func (w Wish) disagrees(other Wish) bool { return !w.Leaf.Agrees(other.Leaf) }

// Weigh weighs wishes for one twin against each other. It returns those that are
// ours to write, in their order, and the pairs that are in conflict, of which
// neither is kept. A wish that lost stands in nobody's way.
func Weigh(wishes []Wish) (kept []Wish, conflicts [][2]Wish) {
	var ours, hubs, exits []Wish
	for _, w := range wishes {
		switch {
		case w.Rule.Configuration != nil:
			hubs = append(hubs, w)
		case w.Leaving:
			exits = append(exits, w)
		default:
			ours = append(ours, w)
		}
	}
	exits = slices.DeleteFunc(exits, func(w Wish) bool {
		loses := func(other Wish) bool { return w.disagrees(other) && w.against(other) == Loses }
		return slices.ContainsFunc(ours, loses) || slices.ContainsFunc(hubs, loses)
	})
	exits, conflicts = weigh(exits)
	ours, more := weigh(ours)
	conflicts = append(conflicts, more...)
	hubs, more = weigh(hubs)
	conflicts = append(conflicts, more...)
	for _, w := range ours {
		if i := slices.IndexFunc(hubs, w.disagrees); i >= 0 {
			conflicts = append(conflicts, [2]Wish{w, hubs[i]})
			continue
		}
		kept = append(kept, w)
	}
	if len(exits) > 0 {
		kept = append(kept, exits...)
		slices.SortFunc(kept, func(a, b Wish) int { return a.Order - b.Order })
	}
	return kept, conflicts
}

// weigh goes through wishes of one sort, from those that win down. One that
// disagrees with one before is dropped; those that neither win nor lose against
// each other and disagree are in conflict. What does not touch a conflict is not
// concerned.
func weigh(wishes []Wish) (kept []Wish, conflicts [][2]Wish) {
	kept, rest := opposed(wishes)
	if len(rest) == 0 {
		return wishes, nil
	}
	var decided []Wish
	slices.SortStableFunc(rest, func(a, b Wish) int { return map[Outcome]int{Wins: -1, Loses: 1}[a.against(b)] })
	for len(rest) > 0 {
		n := slices.IndexFunc(rest, func(w Wish) bool { return w.against(rest[0]) == Loses })
		if n < 0 {
			n = len(rest)
		}
		level := slices.DeleteFunc(rest[:n:n], func(w Wish) bool { return slices.ContainsFunc(decided, w.disagrees) })
		clear, found := clashes(level)
		kept, conflicts = append(kept, clear...), append(conflicts, found...)
		decided, rest = append(decided, level...), rest[n:]
	}
	slices.SortFunc(kept, func(a, b Wish) int { return a.Order - b.Order })
	return kept, conflicts
}

// clashes returns which wishes of one level disagree with none of the others, and
// the pairs of the rest.
func clashes(level []Wish) (clear []Wish, conflicts [][2]Wish) {
	for i, w := range level {
		if !slices.ContainsFunc(level, w.disagrees) {
			clear = append(clear, w)
		}
		for _, earlier := range level[:i] {
			if w.disagrees(earlier) {
				conflicts = append(conflicts, [2]Wish{earlier, w})
			}
		}
	}
	return clear, conflicts
}

// opposed parts the wishes that all can have from those that disagree with some
// other, in their order. Sorted by leaf, those that touch stand side by side.
func opposed(wishes []Wish) (peaceful, list []Wish) {
	sorted := make([]int, len(wishes))
	for i := range sorted {
		sorted[i] = i
	}
	slices.SortFunc(sorted, func(a, b int) int { return wishes[a].Leaf.Compare(wishes[b].Leaf) })
	rival := make([]bool, len(wishes))
	for n, i := range sorted {
		for _, j := range sorted[n+1:] {
			if !wishes[i].Leaf.Overlaps(wishes[j].Leaf) {
				break
			}
			if wishes[i].disagrees(wishes[j]) {
				rival[i], rival[j] = true, true
			}
		}
	}
	for i, w := range wishes {
		if rival[i] {
			list = append(list, w)
		} else {
			peaceful = append(peaceful, w)
		}
	}
	return peaceful, list
}
