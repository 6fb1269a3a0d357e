package engine

import (
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// unclaimed returns the wishes for t at whose places no configuration of others
// writes, and the conflicts of those at which one does: whatever value either
// wants, the two would find it out from the device.
func unclaimed(t *twin.Twin, wishes []wish, foreign []*rules.Foreign) (free []wish, conflicts []Conflict) {
	if len(foreign) == 0 {
		return wishes, nil
	}
	for _, w := range wishes {
		if c, ok := claimed(t, w, foreign); ok {
			conflicts = append(conflicts, c)
		} else {
			free = append(free, w)
		}
	}
	return free, conflicts
}

func claimed(t *twin.Twin, w wish, foreign []*rules.Foreign) (Conflict, bool) {
	for _, f := range foreign {
		claim, ok := f.Claims(t, w.Rule, w.Leaf)
		if !ok {
			continue
		}
		return Conflict{
			Ref: t.Ref, Place: rules.PathString(append([]string{w.Leaf.Section}, w.Leaf.Path...)), Doubt: claim.Doubt,
			Wishes: []ConflictWish{{Rule: w.Rule.ID, Value: w.Leaf.Value}, {Configuration: claim.Configuration, Value: claim.Value}},
		}, true
	}
	return Conflict{}, false
}
