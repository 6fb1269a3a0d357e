package engine

import (
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A wish is one leaf that one rule wants of a twin.
type wish = rules.Wish

// weighAll weighs wishes for t against the configurations of others and, as
// [rules.Weigh] does, against each other, and returns those that we have to write.
func weighAll(t *twin.Twin, wishes []wish, foreign []*rules.Foreign) (kept []wish, conflicts []Conflict) {
	wishes, conflicts = unclaimed(t, wishes, foreign)
	kept, pairs := rules.Weigh(wishes)
	for _, pair := range pairs {
		conflicts = append(conflicts, conflict(t.Ref, pair[0], pair[1]))
	}
	return kept, conflicts
}

func conflict(ref twin.Ref, a, b wish) Conflict {
	longer := a.Leaf
	if len(b.Leaf.Path) > len(longer.Path) {
		longer = b.Leaf
	}
	return Conflict{
		Ref:    ref,
		Place:  rules.PathString(append([]string{longer.Section}, longer.Path...)),
		Wishes: []ConflictWish{{Rule: a.Rule.ID, Value: a.Leaf.Value}, {Rule: b.Rule.ID, Value: b.Leaf.Value}},
	}
}

// change makes of wishes what is to be written to t, which is what they ask for,
// or where they came to an end in several rounds what t is after them. Without
// edits there is nothing to write.
func change(t *twin.Twin, wishes []wish, after *twin.Twin) Change {
	c := Change{Ref: t.Ref, ETag: t.ETag, Version: t.Version, DesiredVersion: t.DesiredVersion(), DeviceETag: t.DeviceETag}
	var p twin.Patch
	if after == nil {
		p = twin.PatchOf(leavesOf(unmet(t, wishes)))
	} else {
		p = twin.Patch{Tags: twin.Diff(t.Tags(), after.Tags()), Desired: twin.Diff(t.Desired(), after.Desired())}
	}
	c.Edits = append(edits("desired", t.Desired(), p.Desired, wishes), edits("tags", t.Tags(), p.Tags, wishes)...)
	return c
}

func edits(section string, doc, patch twin.Object, wishes []wish) []Edit {
	var list []Edit
	for _, touch := range twin.Touches(doc, patch) {
		place := twin.Leaf{Section: section, Path: touch.Path}
		e := Edit{Section: section, Path: touch.Path, Before: touch.Before, After: touch.After}
		e.Rules, e.Why = wanting(place, wishes)
		list = append(list, e)
	}
	return list
}

// hubOwned reports whether a leaf is the hub's own, which no service may write.
func hubOwned(l twin.Leaf) bool {
	return l.Section == "desired" && (l.Path[0] == "$metadata" || l.Path[0] == "$version")
}

// wanting names the rules with a wish at place, each once, and says why where
// they leave it.
func wanting(place twin.Leaf, wishes []wish) (list []string, why string) {
	for _, w := range wishes {
		if !w.Leaf.Overlaps(place) {
			continue
		}
		if !slices.Contains(list, w.Rule.ID) {
			list = append(list, w.Rule.ID)
		}
		if why == "" {
			why = w.Why
		}
	}
	return list, why
}
