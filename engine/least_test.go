package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestLeastKeepsTheSmallest: whatever the order, the repetitions and who counted
// what, it is what sorting all would give, and no more is kept on the way.
func TestLeastKeepsTheSmallest(t *testing.T) {
	for seed := range 200 {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		most := 1 + r.IntN(100)
		all := make([]uint64, r.IntN(2000))
		parts := []*least{{most: most}, {most: most}, {most: most}}
		for i := range all {
			all[i] = r.Uint64N(uint64(1 + r.IntN(3000)))
			l := parts[r.IntN(3)]
			if l.add(all[i]); len(l.list) > most+max(most, 64) {
				t.Fatalf("%d numbers are kept for the least %d", len(l.list), most)
			}
		}
		sum := &least{most: most}
		for _, l := range parts {
			sum.merge(l)
		}
		slices.Sort(all)
		want := slices.Compact(all)
		want = want[:min(len(want), most)]
		if got := sum.numbers(); !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %v, want %v", seed, got, want)
		}
	}
	if got := (*least)(nil).numbers(); got != nil {
		t.Errorf("nobody counted anything, and got %v", got)
	}
}
