package engine

import (
	"errors"
	"fmt"
	"slices"
)

// A Difference is what one plan, head, does that another, base, does not, on
// the same twins. It is what a pull request changes.
type Difference struct {
	Base, Head PackInfo
	Hub        string
	Snapshot   Header // of head: when and what the twins were
	Changes    Differences
	Audited    Differences // of what rules of mode audit would do
	Pending    int         // twins with places that both plans change alike
	Reassigned int         // places that both change alike, for other rules
	// NewErrors and GoneErrors are failures that only head or only base has, and
	// so for warnings, conflicts and breaches.
	NewErrors, GoneErrors       []Failure
	NewWarnings, GoneWarnings   []Failure
	NewConflicts, GoneConflicts []Conflict
	NewBreaches, GoneBreaches   []Breach
	Configurations              []ConfigurationChange // that head makes and base does not
	GoneConfigurations          []ConfigurationChange // that base makes and head does not
	Rollouts                    []Rollout             // of head, where base has none of the rule or another one
	GoneRollouts                []Rollout             // of rules that head does not let go in waves, or does not have
	HeadSummary                 Summary               // what the next run after a merge does
	HeadStaged                  []RuleCount           // rules of head for which it does nothing, because they go in waves
}

// Compare returns what head does that base does not. Both must have been
// computed from the same twins, and are closed with the difference. An error is
// that of a file that changes are in.
func Compare(base, head *Plan) (*Difference, error) {
	d := &Difference{
		Base: base.Pack, Head: head.Pack, Hub: head.Hub, Snapshot: head.Header, HeadSummary: head.Summary(), HeadStaged: head.Staged(),
		NewErrors:   without(head.Errors, base.Errors, failureKey),
		GoneErrors:  without(base.Errors, head.Errors, failureKey),
		NewWarnings: without(head.Warnings, base.Warnings, failureKey), GoneWarnings: without(base.Warnings, head.Warnings, failureKey),
		NewConflicts: without(head.Conflicts, base.Conflicts, conflictKey), GoneConflicts: without(base.Conflicts, head.Conflicts, conflictKey),
		NewBreaches: without(head.Breaches, base.Breaches, breachKey), GoneBreaches: without(base.Breaches, head.Breaches, breachKey),
	}
	var err1, err2 error
	d.Changes, d.Pending, d.Reassigned, err1 = differences(&base.Changes, &head.Changes)
	d.Audited, _, _, err2 = differences(&base.Audited, &head.Audited)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("compare plans: %w", err)
	}
	d.Configurations = otherConfigurations(head.Configurations, base.Configurations)
	d.GoneConfigurations = otherConfigurations(base.Configurations, head.Configurations)
	d.Rollouts, d.GoneRollouts = without(head.Rollouts, base.Rollouts, rolloutKey), without(base.Rollouts, head.Rollouts, ruleKey)
	return d, nil
}

// rolloutKey is all of a rollout, with what its waves reach.
func rolloutKey(r Rollout) any {
	line, err := planLine{Rollout: &r}.encode()
	if err != nil {
		panic(err) // texts and numbers
	}
	return string(line)
}

func ruleKey(r Rollout) any { return r.Rule }

// otherConfigurations returns what of list other does not have in the same form.
func otherConfigurations(list, other []ConfigurationChange) (out []ConfigurationChange) {
	for _, c := range list {
		if !slices.ContainsFunc(other, func(o ConfigurationChange) bool { return sameConfiguration(c, o) }) {
			out = append(out, c)
		}
	}
	return out
}

// Failures are compared without their place in the file, which moves when a
// line is put in above.
func failureKey(f Failure) any { return [2]any{f.Ref, f.Rule} }

func conflictKey(c Conflict) any { return [3]any{c.Ref, c.Place, c.Foreign()} }

func breachKey(b Breach) any { return [2]any{b.Rule, b.Last > 0} }

func sameConfiguration(a, b ConfigurationChange) bool {
	return a.Action == b.Action && a.ID == b.ID && (a.After == nil) == (b.After == nil) && (a.After == nil || a.After.equal(b.After))
}

// without returns what of list other does not have.
func without[T any](list, other []T, key func(T) any) (out []T) {
	known := make(map[any]bool, len(other))
	for _, v := range other {
		known[key(v)] = true
	}
	for _, v := range list {
		if !known[key(v)] {
			out = append(out, v)
		}
	}
	return out
}

// Close gives up what [Plan.Close] of both plans does.
func (d *Difference) Close() error {
	return errors.Join(d.Changes.close(), d.Audited.close())
}

// Empty reports whether the plans do the same.
func (d *Difference) Empty() bool {
	return len(d.Rollouts)+len(d.GoneRollouts)+d.Changes.Len()+d.Audited.Len()+len(d.Configurations)+len(d.GoneConfigurations)+len(d.NewErrors)+len(d.NewConflicts)+len(d.NewBreaches)+
		len(d.GoneErrors)+len(d.GoneConflicts)+len(d.GoneBreaches)+len(d.NewWarnings)+len(d.GoneWarnings) == 0
}
