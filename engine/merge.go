package engine

import (
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A wish is one leaf that one rule wants of a twin.
type wish struct {
	leaf  twin.Leaf
	rule  *rules.Rule
	order int // among the wishes for this twin, which is that of the pack

	leaving bool   // the rule leaves the twin, and this is what becomes of its value
	why     string // of one that leaves
}

// weighAll weighs wishes for t against each other and against the configurations
// of others, and returns those that we have to write. What the hub writes for a rule with a configuration is weighed as the
// hub does, by the priorities of configurations; where it disagrees with what we
// would write, no priority helps, because both would write for ever. What a rule
// does that leaves stands back wherever another one wants something.
func weighAll(t *twin.Twin, wishes []wish, foreign []*rules.Foreign) (kept []wish, conflicts []Conflict) {
	ref := t.Ref
	wishes, conflicts = unclaimed(t, wishes, foreign)
	kept, more := weighOurs(ref, wishes)
	return kept, append(conflicts, more...)
}

func weighOurs(ref twin.Ref, wishes []wish) (kept []wish, conflicts []Conflict) {
	var ours, hubs, exits []wish
	for _, w := range wishes {
		switch {
		case w.rule.Configuration != nil:
			hubs = append(hubs, w)
		case w.leaving:
			exits = append(exits, w)
		default:
			ours = append(ours, w)
		}
	}
	exits = slices.DeleteFunc(exits, func(w wish) bool {
		return slices.ContainsFunc(ours, w.disagrees) || slices.ContainsFunc(hubs, w.disagrees)
	})
	exits, conflicts = weigh(ref, exits, func(r *rules.Rule) int { return r.Priority })
	ours, more := weigh(ref, ours, func(r *rules.Rule) int { return r.Priority })
	conflicts = append(conflicts, more...)
	hubs, more = weigh(ref, hubs, func(r *rules.Rule) int { return r.Configuration.Priority })
	conflicts = append(conflicts, more...)
	for _, w := range ours {
		if i := slices.IndexFunc(hubs, w.disagrees); i >= 0 {
			conflicts = append(conflicts, conflict(ref, w, hubs[i]))
			continue
		}
		kept = append(kept, w)
	}
	if len(exits) > 0 {
		kept = append(kept, exits...)
		slices.SortFunc(kept, func(a, b wish) int { return a.order - b.order })
	}
	return kept, conflicts
}

func (w wish) disagrees(other wish) bool { return !w.leaf.Agrees(other.leaf) }

// weigh goes through the priorities from the highest down. A wish that disagrees
// with one of a higher priority is dropped; wishes of one priority that disagree
// are in conflict, and neither is kept. What does not touch a conflict is not
// concerned.
func weigh(ref twin.Ref, wishes []wish, priority func(*rules.Rule) int) (kept []wish, conflicts []Conflict) {
	kept, rest := rivals(wishes)
	if len(rest) == 0 {
		return wishes, nil
	}
	var decided []wish
	slices.SortStableFunc(rest, func(a, b wish) int { return priority(b.rule) - priority(a.rule) })
	for len(rest) > 0 {
		n := slices.IndexFunc(rest, func(w wish) bool { return priority(w.rule) != priority(rest[0].rule) })
		if n < 0 {
			n = len(rest)
		}
		level := slices.DeleteFunc(rest[:n:n], func(w wish) bool { return slices.ContainsFunc(decided, w.disagrees) })
		clear, found := clashes(ref, level)
		kept, conflicts = append(kept, clear...), append(conflicts, found...)
		decided, rest = append(decided, level...), rest[n:]
	}
	slices.SortFunc(kept, func(a, b wish) int { return a.order - b.order })
	return kept, conflicts
}

// clashes returns which wishes of one priority disagree with none of the others,
// and the conflicts of the rest.
func clashes(ref twin.Ref, level []wish) (clear []wish, conflicts []Conflict) {
	for i, w := range level {
		if !slices.ContainsFunc(level, w.disagrees) {
			clear = append(clear, w)
		}
		for _, earlier := range level[:i] {
			if w.disagrees(earlier) {
				conflicts = append(conflicts, conflict(ref, earlier, w))
			}
		}
	}
	return clear, conflicts
}

// rivals parts the wishes that all can have from those that disagree with some
// other, in their order. Sorted by leaf, those that touch stand side by side.
func rivals(wishes []wish) (peaceful, list []wish) {
	sorted := make([]int, len(wishes))
	for i := range sorted {
		sorted[i] = i
	}
	slices.SortFunc(sorted, func(a, b int) int { return wishes[a].leaf.Compare(wishes[b].leaf) })
	rival := make([]bool, len(wishes))
	for n, i := range sorted {
		for _, j := range sorted[n+1:] {
			if !wishes[i].leaf.Overlaps(wishes[j].leaf) {
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

func conflict(ref twin.Ref, a, b wish) Conflict {
	longer := a.leaf
	if len(b.leaf.Path) > len(longer.Path) {
		longer = b.leaf
	}
	return Conflict{
		Ref:    ref,
		Place:  rules.PathString(append([]string{longer.Section}, longer.Path...)),
		Wishes: []ConflictWish{{Rule: a.rule.ID, Value: a.leaf.Value}, {Rule: b.rule.ID, Value: b.leaf.Value}},
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
		if !w.leaf.Overlaps(place) {
			continue
		}
		if !slices.Contains(list, w.rule.ID) {
			list = append(list, w.rule.ID)
		}
		if why == "" {
			why = w.why
		}
	}
	return list, why
}
