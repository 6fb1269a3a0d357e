package fleet

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// Dice draw what differs between twins. They use whole numbers only, because
// what floating point makes of a sum differs between processors.
type dice struct{ *rand.Rand }

func newDice(seed, i uint64) dice { return dice{rand.New(rand.NewPCG(seed, i*0x9e3779b97f4a7c15+1))} }

// between draws a number from low to high, both included.
func (d dice) between(low, high int) int { return low + d.IntN(high-low+1) }

// chance is true this often in a thousand.
func (d dice) chance(perMille int) bool { return d.IntN(1000) < perMille }

// before draws a moment up to span before t, in the hub's ticks of 100 ns.
func (d dice) before(t time.Time, span time.Duration) time.Time {
	return t.Add(-time.Duration(d.Int64N(int64(span)/100)) * 100)
}

func pick[T any](d dice, list ...T) T { return list[d.IntN(len(list))] }

// decimal spells n, which counts hundredths, as devices do.
func decimal(n int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return sign + strconv.Itoa(n/100) + "." + strconv.Itoa(n/10%10) + strconv.Itoa(n%10)
}
