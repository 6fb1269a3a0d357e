// Package pack makes one set of rules and spells it in the language of every
// engine of a race.
//
// Start with [Make]. What a rule asks is a [Condition], which a file for each
// language spells, and once more a function in Go over a typed twin, written by
// hand. Running engines is left to package peer.
package pack

import (
	"fmt"
	"time"

	"github.com/twinrules/twinrules/bench/fleet"
)

// A Rule wants a value at a place of the devices its condition holds for.
type Rule struct {
	ID   string
	When Condition
	Go   func(t *Twin) bool // When, by hand
	Wish fleet.Wish
}

// Times of a race as the hub spells them.
const (
	Taken = "2026-11-02T06:00:00.0000000Z"
	Never = "0001-01-01T00:00:00Z" // when a device spoke last that never did
)

// Before is the time some hours before the fleet was read. Times of one spelling
// order as text.
func Before(hours int) string {
	return fleet.Taken.Add(-hoursLong(hours)).Format("2006-01-02T15:04:05.0000000Z")
}

func hoursLong(n int) time.Duration { return time.Duration(n) * time.Hour }

// Make returns the first n rules: the templates in turn, each time with other
// parameters.
func Make(n int) []Rule {
	list := templates()
	made := make([]Rule, n)
	for i := range made {
		made[i] = list[i%len(list)](i / len(list))
		made[i].ID = fmt.Sprintf("r%03d", i)
	}
	return made
}
