package engine

import (
	"cmp"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Difference is what one plan, head, does that another, base, does not, on
// the same twins. It is what a pull request changes.
type Difference struct {
	Base, Head PackInfo
	Hub        string
	Snapshot   Header // of head: when and what the twins were
	Changes    []DifferentChange
	Audited    []DifferentChange // of what rules of mode audit would do
	Pending    int               // twins with places that both plans change alike
	Reassigned int               // places that both change alike, for other rules
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

// A DifferentChange is what differs for one twin.
type DifferentChange struct {
	Ref   twin.Ref        `json:"ref"`
	Edits []DifferentEdit `json:"edits"`
}

// A DifferentEdit is one place at which the plans differ. For a withdrawn edit,
// Edit is base's.
type DifferentEdit struct {
	Edit
	Class Class `json:"class"`
	Base  any   `json:"base"` // what base would write, for an altered edit
}

// A Class says how an edit of head stands to base.
type Class string

// The classes of edits.
const (
	Introduced Class = "introduced" // only head makes it
	Withdrawn  Class = "withdrawn"  // only base makes it
	Altered    Class = "altered"    // head writes another value
)

// Compare returns what head does that base does not. Both must have been
// computed from the same twins.
func Compare(base, head *Plan) *Difference {
	d := &Difference{
		Base: base.Pack, Head: head.Pack, Hub: head.Hub, Snapshot: head.Header, HeadSummary: head.Summary(), HeadStaged: head.Staged(),
		NewErrors:   without(head.Errors, base.Errors, failureKey),
		GoneErrors:  without(base.Errors, head.Errors, failureKey),
		NewWarnings: without(head.Warnings, base.Warnings, failureKey), GoneWarnings: without(base.Warnings, head.Warnings, failureKey),
		NewConflicts: without(head.Conflicts, base.Conflicts, conflictKey), GoneConflicts: without(base.Conflicts, head.Conflicts, conflictKey),
		NewBreaches: without(head.Breaches, base.Breaches, breachKey), GoneBreaches: without(base.Breaches, head.Breaches, breachKey),
	}
	writes := sideBySide(&base.Changes, &head.Changes)
	d.Changes, d.Pending, d.Reassigned = writes.changes, writes.pending, writes.reassigned
	d.Audited = sideBySide(&base.Audited, &head.Audited).changes
	d.Configurations = otherConfigurations(head.Configurations, base.Configurations)
	d.GoneConfigurations = otherConfigurations(base.Configurations, head.Configurations)
	d.Rollouts, d.GoneRollouts = without(head.Rollouts, base.Rollouts, rolloutKey), without(base.Rollouts, head.Rollouts, ruleKey)
	return d
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

// A comparison is what differs between two lists of changes.
type comparison struct {
	changes             []DifferentChange
	pending, reassigned int
}

// sideBySide compares two lists of changes, which are in Ref order.
func sideBySide(base, head *Changes) (c comparison) {
	for i, j := 0, 0; i < base.Len() || j < head.Len(); {
		was, is := base.from(i), head.from(j)
		switch order := first(was, is); {
		case order < 0:
			c.change(was.Ref, was.Edits, nil)
			i++
		case order > 0:
			c.change(is.Ref, nil, is.Edits)
			j++
		default:
			c.change(is.Ref, was.Edits, is.Edits)
			i, j = i+1, j+1
		}
	}
	return c
}

// from returns the change with an index, nil behind the last.
func (c *Changes) from(i int) *Change {
	if i == c.Len() {
		return nil
	}
	change := c.At(i)
	return &change
}

// first says which of two changes comes first, where none is the last.
func first(a, b *Change) int {
	switch {
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Ref.Compare(b.Ref)
}

// change compares what is done to one twin.
func (c *comparison) change(ref twin.Ref, base, head []Edit) {
	var edits []DifferentEdit
	pending := false
	for _, e := range head {
		was, found := at(base, e)
		switch {
		case !found:
			edits = append(edits, DifferentEdit{Edit: e, Class: Introduced})
		case !twin.Equal(was.After, e.After):
			edits = append(edits, DifferentEdit{Edit: e, Class: Altered, Base: was.After})
		default:
			pending = true
			if !slices.Equal(was.Rules, e.Rules) {
				c.reassigned++
			}
		}
	}
	for _, e := range base {
		if _, found := at(head, e); !found {
			edits = append(edits, DifferentEdit{Edit: e, Class: Withdrawn})
		}
	}
	if pending {
		c.pending++
	}
	if len(edits) > 0 {
		slices.SortFunc(edits, func(a, b DifferentEdit) int {
			return cmp.Or(cmp.Compare(a.Section, b.Section), slices.Compare(a.Path, b.Path))
		})
		c.changes = append(c.changes, DifferentChange{ref, edits})
	}
}

func at(edits []Edit, e Edit) (Edit, bool) {
	for _, other := range edits {
		if other.Section == e.Section && slices.Equal(other.Path, e.Path) {
			return other, true
		}
	}
	return Edit{}, false
}

// Empty reports whether the plans do the same.
func (d *Difference) Empty() bool {
	return len(d.Rollouts)+len(d.GoneRollouts)+len(d.Changes)+len(d.Audited)+len(d.Configurations)+len(d.GoneConfigurations)+len(d.NewErrors)+len(d.NewConflicts)+len(d.NewBreaches)+
		len(d.GoneErrors)+len(d.GoneConflicts)+len(d.GoneBreaches)+len(d.NewWarnings)+len(d.GoneWarnings) == 0
}
