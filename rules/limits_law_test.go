package rules_test

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/twinrules/twinrules/rules"
)

// TestLimitsAreExact is the law of limits, against fractions: what is allowed is
// the largest whole number of twins that maxTwins and the percent of the population
// both hold, but one where the percent is less than one and not none; below
// minPopulation it is none; and a population has shrunk when what is lost is more
// than maxShrink percent of the last.
func TestLimitsAreExact(t *testing.T) {
	g := rand.New(rand.NewPCG(4, 4))
	size := func() int { // small, or as large as fleets are
		return g.IntN([]int{5, 200, 1_000_000, 1 << 40}[g.IntN(4)])
	}
	none, one, tripped := 0, 0, 0
	for range 200_000 {
		l := rules.Limits{MaxTwins: size(), MaxPercent: g.IntN(101), MinPopulation: size() % 1000, MaxShrink: g.IntN(101)}
		population, last := size(), size()
		got := l.Allowed(population)
		share := new(big.Rat).Mul(big.NewRat(int64(l.MaxPercent), 100), big.NewRat(int64(population), 1))
		switch whole := new(big.Rat).SetInt64(int64(got)); {
		case population < l.MinPopulation, l.MaxTwins == 0, share.Sign() == 0:
			none++
			if got != 0 {
				t.Fatalf("%+v allow %d of %d, want none", l, got, population)
			}
		case share.Cmp(big.NewRat(1, 1)) < 0:
			one++
			if got != 1 {
				t.Fatalf("%+v allow %d of %d, want one", l, got, population)
			}
		case got > l.MaxTwins || whole.Cmp(share) > 0:
			t.Fatalf("%+v allow %d of %d, which is too much", l, got, population)
		case got < l.MaxTwins && whole.Add(whole, big.NewRat(1, 1)).Cmp(share) <= 0:
			t.Fatalf("%+v allow %d of %d, which is too little", l, got, population)
		}
		kept := new(big.Rat).Mul(big.NewRat(int64(100-l.MaxShrink), 100), big.NewRat(int64(last), 1))
		want := big.NewRat(int64(population), 1).Cmp(kept) < 0
		if want {
			tripped++
		}
		if l.Shrunk(population, last) != want {
			t.Fatalf("%+v: from %d to %d has shrunk: %v, want %v", l, last, population, !want, want)
		}
	}
	if none < 1000 || one < 1000 || tripped < 1000 {
		t.Errorf("%d with none, %d with one, %d shrunk", none, one, tripped)
	}
}
