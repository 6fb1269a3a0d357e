package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

// Dice draw what differs between twins. They use whole numbers only, because
// what floating point makes of a sum differs between processors.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 0x7457_1e55))} }

// between draws a number from low to high, both included.
func (d dice) between(low, high int) int { return low + d.IntN(high-low+1) }

// chance is true this often in a thousand.
func (d dice) chance(perMille int) bool { return d.IntN(1000) < perMille }

// before draws a moment that is from low to high earlier than t.
func (d dice) before(t time.Time, low, high time.Duration) time.Time {
	return t.Add(-low - time.Duration(d.Int64N(int64(high-low)))).Truncate(100 * time.Nanosecond)
}

func pick[T any](d dice, list ...T) T { return list[d.IntN(len(list))] }

// decimal spells n, which counts 10^-digits, as devices do.
func decimal(n, digits int) json.Number {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	unit := 1
	for range digits {
		unit *= 10
	}
	return json.Number(fmt.Sprintf("%s%d.%0*d", sign, n/unit, digits, n%unit))
}
