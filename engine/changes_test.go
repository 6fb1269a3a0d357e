package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// TestChangesAreWhatWasAdded packs some changes and holds others as they are, in
// several parts, and finds all of them in order.
func TestChangesAreWhatWasAdded(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 2026))
	var all Changes
	var want []Change
	for range 5 {
		lists := [][]Edit{{{Section: "tags", Path: []string{"a"}, After: "x"}}, {{Section: "tags", Path: []string{"b"}}, {Section: "desired", Path: []string{"c"}}}}
		var part Changes
		pack := &changePack{lists: &lists}
		for range r.IntN(3000) {
			c := Change{
				Ref:  twin.Ref{Device: fmt.Sprintf("device-%08d", r.Uint32())},
				ETag: fmt.Sprint(r.IntN(1000)), Version: r.Int64(), DesiredVersion: int64(r.IntN(300)), Edits: lists[r.IntN(2)],
			}
			if r.IntN(3) == 0 {
				c.Ref.Module, c.DeviceETag = "module", "registered"
			}
			want = append(want, c)
			if r.IntN(4) == 0 {
				part.add(c)
				continue
			}
			list := slices.IndexFunc(lists, func(l []Edit) bool { return &l[0] == &c.Edits[0] })
			part.pack(pack, list, rules.TwinID{Device: []byte(c.Ref.Device), Module: []byte(c.Ref.Module)},
				rules.TwinState{ETag: []byte(c.ETag), DeviceETag: []byte(c.DeviceETag), Version: c.Version, DesiredVersion: c.DesiredVersion})
		}
		all.take(&part)
	}
	all.sort()
	slices.SortFunc(want, func(a, b Change) int { return a.Ref.Compare(b.Ref) })
	edits := 0
	for _, c := range want {
		edits += len(c.Edits)
	}
	if diff := cmp.Diff(want, all.List()); diff != "" || all.Len() != len(want) || all.Edits() != edits {
		t.Error(all.Len(), all.Edits(), diff)
	}
}
