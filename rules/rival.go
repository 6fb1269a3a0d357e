package rules

import "github.com/twinrules/twinrules/hub/twin"

// A Rival is another rule that wants something else at a place of this twin.
type Rival struct {
	Place   twin.Leaf // what the rule itself wants there
	Rule    *Rule     // the other one
	Value   any       // what that wants
	Outcome Outcome
}

// An Outcome says which of two rules has its way.
type Outcome string

// The outcomes, for the rule that is explained.
const (
	Wins     Outcome = "wins"
	Loses    Outcome = "loses"
	Conflict Outcome = "conflict" // neither: their priorities are equal, or the hub runs one of them
)

// findRivals notes in each explanation which of the others disagree. Rules that
// only report have no say in what is written, and do not disturb those that do.
func findRivals(list []Explanation) {
	for i := range list {
		for j := range list {
			if i != j && (list[i].Rule.Mode == Audit) == (list[j].Rule.Mode == Audit) {
				list[i].rival(&list[j])
			}
		}
	}
}

func (e *Explanation) rival(other *Explanation) {
	for _, l := range e.Leaves {
		for _, o := range other.Leaves {
			if !l.Agrees(o) {
				e.Rivals = append(e.Rivals, Rival{l, other.Rule, o.Value, outcome(e, other)})
			}
		}
	}
}

// outcome is how package engine weighs two wishes: what a rule does that leaves
// stands back, and a configuration's priority is the hub's business.
func outcome(a, b *Explanation) Outcome {
	p, q := a.Rule.Priority, b.Rule.Priority
	switch {
	case a.Rule.Configuration != nil && b.Rule.Configuration != nil:
		p, q = a.Rule.Configuration.Priority, b.Rule.Configuration.Priority
	case a.Leaving != b.Leaving:
		p, q = rank(!a.Leaving), rank(!b.Leaving)
	case (a.Rule.Configuration == nil) != (b.Rule.Configuration == nil):
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
