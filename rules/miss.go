package rules

import (
	"math"
	"strconv"
	"time"
)

// A Miss is a part of a condition that would have to be otherwise for the rule to
// match.
type Miss struct {
	Term Term
	Want bool // what the part would have to be
	// Distance says how far apart the two sides of the comparison are, such as "75"
	// or "2h0m0s"; "" where they are missing, or nothing that has a distance.
	Distance string
}

// nearest returns the fewest parts whose change would make the rule match; of
// several such sets the first as the condition is written. None where the rule
// matches, or could not judge, or no change of this twin helps.
func (e *Explanation) nearest() []Miss {
	if e.Matched || e.Err != nil || e.Excused != nil || e.Leaving {
		return nil
	}
	list, want := e.When, true
	switch {
	case !e.Selected:
		list = e.Selector
	case all(e.When) && len(e.Until) > 0 && all(e.Until):
		list, want = e.Until, false
	}
	need, _ := flip(Term{Op: "and", Of: list, Holds: !want}, want)
	return need
}

func all(list []Term) bool {
	for _, t := range list {
		if !t.Holds {
			return false
		}
	}
	return true
}

// flip returns the fewest parts of t that would have to change for t to be want,
// and whether that is possible.
func flip(t Term, want bool) (need []Miss, possible bool) {
	switch {
	case t.Op == "not":
		return flip(t.Of[0], !want)
	case (t.Op == "and") == want && (t.Op == "and" || t.Op == "or"):
		return flipAll(t.Of, want)
	case t.Op == "and" || t.Op == "or":
		return flipOne(t.Of, want)
	case t.Err == nil && t.Holds == want:
		return nil, true
	case t.fixed:
		return nil, false
	}
	return []Miss{{t, want, distance(t)}}, true
}

func flipAll(list []Term, want bool) (need []Miss, possible bool) {
	for _, t := range list {
		more, ok := flip(t, want)
		if !ok {
			return nil, false
		}
		need = append(need, more...)
	}
	return need, true
}

func flipOne(list []Term, want bool) (need []Miss, possible bool) {
	for _, t := range list {
		if other, ok := flip(t, want); ok && (!possible || len(other) < len(need)) {
			need, possible = other, true
		}
	}
	return need, possible
}

// distance returns how far the two sides of a comparison are apart.
func distance(t Term) string {
	if len(t.Of) != 2 || t.Op == "?" {
		return ""
	}
	switch a := t.Of[0].value.(type) {
	case int, float64:
		x, _ := asFloat(a)
		if y, ok := asFloat(t.Of[1].value); ok && !math.IsInf(x-y, 0) {
			return strconv.FormatFloat(math.Abs(x-y), 'g', 6, 64)
		}
	case time.Duration:
		if b, ok := t.Of[1].value.(time.Duration); ok {
			return (a - b).Abs().String()
		}
	case time.Time:
		if b, ok := t.Of[1].value.(time.Time); ok {
			return a.Sub(b).Abs().String()
		}
	}
	return ""
}
