package rules

import (
	"encoding/json"

	"github.com/twinrules/twinrules/hub/twin"
)

// OnExit says what becomes of a rule's values on a twin that it leaves.
type OnExit string

// The ways to leave a twin.
const (
	KeepValues    OnExit = "keep"    // they stay
	RemoveValues  OnExit = "remove"  // those that still stand there are removed
	RestoreValues OnExit = "restore" // those that still stand there give way to what was there before
)

// A Memory knows what stood where a rule has written. Package engine/journal
// implements it over the runs of the past. It is safe for concurrent use.
type Memory interface {
	// Before returns what stood at a place of t before the rule came, nil for
	// nothing, and whether that is known.
	Before(t *twin.Twin, rule string, place twin.Leaf) (value any, known bool)
}

// What is done to the places of a twin that a rule leaves.
const (
	whyRemoved   = "left: removed"
	whyRestored  = "left: restored"
	whyForgotten = "left: removed, because no run remembers what stood here before"
)

// holds reports whether the rule is at work on t: whether every constant leaf of
// its patch holds. There is no other record of it, so that a twin which came by
// these values in another way counts, too.
func (r *compiledRule) holds(t *twin.Twin) bool {
	for _, l := range r.leaves {
		if l.value.constant() && !(twin.Leaf{Section: l.section, Path: l.path, Value: l.value.literal}).Holds(t) {
			return false
		}
	}
	return true
}

// passage decides whether a rule with a state enters, stays or leaves. v.Matched
// is whether it would enter. Where both conditions hold, until wins: otherwise
// the rule would leave in the next pass what it had entered in this one.
func (r *compiledRule) passage(in *scope, v *Verdict) error {
	switch {
	case !r.stateful:
		return nil
	case r.until == nil:
		v.Leaving = v.In && !v.Matched
		return nil
	case !v.In && !v.Matched:
		return nil
	}
	ends, err := r.until.holds(in)
	v.Matched, v.Leaving = !ends, ends && v.In
	return err
}

// leave notes what is done to the values of a rule that ends: to those that still
// stand where the rule wants them, and to no others.
func (r *compiledRule) leave(in *scope, finding *Finding, v *Verdict) error {
	if r.OnExit == KeepValues {
		return nil
	}
	wishes, err := r.wishes(in, finding)
	if err != nil {
		return err
	}
	for _, l := range wishes {
		if stands(l, in.twin) {
			v.give(r.exit(in, l))
		}
	}
	return nil
}

// stands is [twin.Leaf.Holds], but an object that others have filled is no
// longer the rule's.
func stands(l twin.Leaf, t *twin.Twin) bool {
	if _, object := l.Value.(twin.Object); !object {
		return l.Holds(t)
	}
	o, _ := t.Section(l.Section)
	have, _ := o.Lookup(l.Path...)
	is, object := have.(twin.Object)
	return object && len(is) == 0
}

// exit returns what is to stand at the place of l, and why.
func (r *compiledRule) exit(in *scope, l twin.Leaf) (before twin.Leaf, why string) {
	before = twin.Leaf{Section: l.Section, Path: l.Path}
	if r.OnExit == RemoveValues {
		return before, whyRemoved
	}
	known := false
	if in.memory != nil {
		before.Value, known = in.memory.Before(in.twin, r.ID, l)
	}
	if !known {
		return before, whyForgotten
	}
	return before, whyRestored
}

// give adds a place to what a rule does that leaves. An object that is given back
// is that of before: what was put beside it since stays.
func (v *Verdict) give(l twin.Leaf, why string) {
	list := []twin.Leaf{l}
	if o, ok := l.Value.(twin.Object); ok && len(o) > 0 {
		list = twin.Leaves(l.Section, twin.Set(nil, l.Path, o))
	}
	for _, l := range list {
		v.Leaves, v.Why = append(v.Leaves, l), append(v.Why, why)
	}
}

// checkExit reports an until or onExit that cannot work.
func checkExit(r *Rule, out *compiledRule) {
	at := r.onExit
	if r.until.exists() {
		at = r.until.at
	}
	out.stateful = r.until.exists() || r.OnExit != KeepValues
	switch {
	case !out.stateful:
	case r.Configuration != nil:
		at.report(BadExit, "", "the hub itself ends a configuration when its target condition no longer holds")
	case !out.marks():
		at.report(BadExit, "add a tag with a constant value to the patch", "nothing tells whether the rule is at work: its patch has no constant value")
	case !r.until.exists() && !r.when.exists() && r.Plugin == nil:
		at.report(BadExit, "give the rule a when or an until", "the rule never ends")
	}
}

// marks reports whether the patch has a constant leaf that tells a twin on which
// the rule is at work from others: a null holds where nothing ever was, and an
// empty object where anything is.
func (r *compiledRule) marks() bool {
	for _, l := range r.leaves {
		if l.value == nil {
			return true // reported as what it is
		}
		switch l.value.literal.(type) {
		case string, bool, json.Number, []any:
			if l.value.constant() {
				return true
			}
		}
	}
	return false
}
