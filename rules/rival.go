package rules

import "github.com/twinrules/twinrules/hub/twin"

// A Rival is another rule that wants something else at a place of this twin.
type Rival struct {
	Place   twin.Leaf // what the rule itself wants there
	Rule    *Rule     // the other one
	Value   any       // what that wants
	Outcome Outcome
}

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
				e.Rivals = append(e.Rivals, Rival{l, other.Rule, o.Value, outcome(e.Rule, e.Leaving, other.Rule, other.Leaving)})
			}
		}
	}
}
