package estimate

import (
	"fmt"
	"time"
)

// A Way is one way to read or to write, with what it takes.
type Way struct {
	Name    string
	Command string // of twinrules, that goes this way; "" when none does
	Steps   []Step // one after the other, each of another class
	Calls   int    // requests of all steps
	Takes   time.Duration
	// Open says what the time depends on that no page tells, and that is not in
	// Takes; "" for nothing.
	Open   string
	Misses []string // what it does not see, or does not guard against
	Barred string   // why it is not to be picked; "" when it may be
}

// add puts steps into a way and counts them.
func (w Way) add(h Hub, steps ...Step) Way {
	for _, s := range steps {
		if s.Calls <= 0 {
			continue
		}
		w.Steps = append(w.Steps, s)
		if !s.Inside {
			w.Calls += s.Calls
		}
		w.Takes += h.time(s)
	}
	return w
}

// LongEnough is what the quickest way must take before one is picked whose time
// is not known. That the hub's own job has done more by then is a guess.
const LongEnough = 15 * time.Minute

// Pick returns the index of the way to go, -1 for none, and why. Of those that
// are not barred it is the one that takes the least time, and of equals the one
// with fewer calls, the first in the list; one of unknown time comes into
// question when all others are long.
func Pick(ways []Way) (best int, why string) {
	known, open, second := -1, -1, -1
	for i, w := range ways {
		switch {
		case w.Barred != "":
		case w.Open != "":
			if open < 0 {
				open = i
			}
		case known < 0 || quicker(w, ways[known]):
			known, second = i, known
		case second < 0 || quicker(w, ways[second]):
			second = i
		}
	}
	switch {
	case open >= 0 && (known < 0 || ways[known].Takes > LongEnough):
		return open, instead(ways, known)
	case known >= 0:
		return known, least(ways, second)
	}
	return -1, "no way is complete enough"
}

func quicker(a, b Way) bool {
	return a.Takes < b.Takes || a.Takes == b.Takes && a.Calls < b.Calls
}

// instead says why a way of unknown time is picked.
func instead(ways []Way, known int) string {
	if known < 0 {
		return "the others are not complete enough"
	}
	return fmt.Sprintf("the quickest of the others, %s, takes %s, and nothing that is documented holds this one back",
		ways[known].Name, Show(ways[known].Takes))
}

// least says why the quickest way is picked.
func least(ways []Way, second int) string {
	if second < 0 {
		return "no other way comes into question"
	}
	return fmt.Sprintf("the least time of those that come into question; the next, %s, takes %s", ways[second].Name, Show(ways[second].Takes))
}

// Show writes a time as people read it: in full seconds, rounded up, of an hour
// and more in minutes.
func Show(d time.Duration) string {
	unit := time.Second
	if d >= time.Hour {
		unit = time.Minute
	}
	d = (d + unit - 1).Truncate(unit)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h > 0:
		return fmt.Sprintf("%d h %02d min", h, m)
	case m > 0:
		return fmt.Sprintf("%d min %02d s", m, s)
	}
	return fmt.Sprintf("%d s", s)
}
