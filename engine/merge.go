package engine

import (
	"cmp"
	"maps"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A wish is one leaf that one rule wants of a twin.
type wish struct {
	leaf twin.Leaf
	rule *rules.Rule
}

// settle weighs wishes against each other: of two that cannot both hold, the
// one of higher priority stays; at equal priority it is a conflict and neither
// stays. What does not touch a conflict is not concerned.
func settle(ref twin.Ref, wishes []wish) (kept []wish, conflicts []Conflict) {
	out := make([]bool, len(wishes)) // wishes that do not stay
	for i, a := range wishes {
		for j, b := range wishes[:i] {
			if a.leaf.Agrees(b.leaf) {
				continue
			}
			switch cmp.Compare(a.rule.Priority, b.rule.Priority) {
			case 1:
				out[j] = true
			case -1:
				out[i] = true
			default:
				out[i], out[j] = true, true
				conflicts = append(conflicts, conflict(ref, b, a))
			}
		}
	}
	for i, w := range wishes {
		if !out[i] {
			kept = append(kept, w)
		}
	}
	return kept, conflicts
}

func conflict(ref twin.Ref, a, b wish) Conflict {
	longer := a.leaf
	if len(b.leaf.Path) > len(longer.Path) {
		longer = b.leaf
	}
	return Conflict{
		Ref:    ref,
		Place:  rules.PathString(append([]string{longer.Section}, longer.Path...)),
		Wishes: []ConflictWish{{a.rule.ID, a.leaf.Value}, {b.rule.ID, b.leaf.Value}},
	}
}

// change makes of wishes what is to be written to t. Without edits there is
// nothing to write.
func change(t *twin.Twin, wishes []wish) Change {
	c := Change{Ref: t.Ref, ETag: t.ETag, Version: t.Version, DesiredVersion: t.DesiredVersion()}
	var open []twin.Leaf
	for _, w := range wishes {
		if !w.leaf.Holds(t) {
			open = append(open, w.leaf)
		}
	}
	p := twin.PatchOf(open)
	c.Edits = append(edits("desired", t.Desired(), p.Desired, wishes), edits("tags", t.Tags(), p.Tags, wishes)...)
	return c
}

func edits(section string, doc, patch twin.Object, wishes []wish) []Edit {
	var list []Edit
	for _, touch := range twin.Touches(doc, patch) {
		place := twin.Leaf{Section: section, Path: touch.Path}
		list = append(list, Edit{
			Section: section, Path: touch.Path,
			Before: withoutMetadata(touch.Before), After: touch.After,
			Rules: wanting(place, wishes),
		})
	}
	return list
}

// withoutMetadata drops the hub's own members of a section that is replaced as
// a whole; they are no part of what a service wrote.
func withoutMetadata(v any) any {
	o, ok := v.(twin.Object)
	if !ok {
		return v
	}
	if _, has := o["$metadata"]; !has {
		return o
	}
	o = maps.Clone(o)
	delete(o, "$metadata")
	delete(o, "$version")
	return o
}

// wanting names the rules with a wish at place, each once.
func wanting(place twin.Leaf, wishes []wish) []string {
	var list []string
	for _, w := range wishes {
		if w.leaf.Overlaps(place) && !slices.Contains(list, w.rule.ID) {
			list = append(list, w.rule.ID)
		}
	}
	return list
}
