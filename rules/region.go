package rules

import (
	"slices"
	"time"
)

// A region is a set of values that something in an expression may have, among
// them that it is missing. Regions are exact on what conditions compare with, and
// otherwise too large: one that is empty really is.
type region struct {
	missing, yes, no bool
	object           bool
	other            bool // lists, times and what else has no order here
	ordered          [sorts]span
}

// The sorts of values that have an order, each among its own.
const (
	numbers = iota
	texts
	durations
	versions
	sorts
)

// sortOf returns the sort of a value of expressions, and whether it has one.
func sortOf(v any) (sort int, ok bool) {
	switch v.(type) {
	case int, float64:
		return numbers, true
	case string:
		return texts, true
	case time.Duration:
		return durations, true
	case version:
		return versions, true
	}
	return 0, false
}

// everything returns the region of all values.
func everything() region {
	r := region{missing: true, yes: true, no: true, object: true, other: true}
	for i := range r.ordered {
		r.ordered[i].all = true
	}
	return r
}

// there returns the region of all values but missing.
func there() region {
	r := everything()
	r.missing = false
	return r
}

// values returns the region of some scalars. Those that it cannot hold are left
// out, and complete is false.
func values(list ...any) (r region, complete bool) {
	complete = true
	for _, v := range list {
		sort, ordered := sortOf(v)
		switch {
		case v == nil:
			r.missing = true
		case v == true:
			r.yes = true
		case v == false:
			r.no = true
		case ordered:
			r.ordered[sort].only = append(r.ordered[sort].only, v)
		default:
			complete = false
		}
	}
	for i := range r.ordered {
		slices.SortFunc(r.ordered[i].only, ranked)
	}
	return r, complete
}

// but returns everything but some scalars.
func but(list ...any) region {
	r := everything()
	for _, v := range list {
		sort, ordered := sortOf(v)
		switch {
		case v == nil:
			r.missing = false
		case v == true:
			r.yes = false
		case v == false:
			r.no = false
		case ordered:
			r.ordered[sort].not = append(r.ordered[sort].not, v)
		}
	}
	for i := range r.ordered {
		slices.SortFunc(r.ordered[i].not, ranked)
	}
	return r
}

// bounded returns the values that stand in an order to v, which has a sort.
func bounded(op string, v any) (r region) {
	sort, _ := sortOf(v)
	s := span{all: true}
	switch op {
	case "<", "<=":
		s.high = &edge{v, op == "<"}
	default:
		s.low = &edge{v, op == ">"}
	}
	r.ordered[sort] = s
	return r
}

func (r region) and(other region) region {
	out := region{
		missing: r.missing && other.missing, yes: r.yes && other.yes, no: r.no && other.no,
		object: r.object && other.object, other: r.other && other.other,
	}
	for i := range out.ordered {
		out.ordered[i] = r.ordered[i].and(other.ordered[i])
	}
	return out
}

func (r region) or(other region) region { // exact only where one has no part of a sort
	out := region{
		missing: r.missing || other.missing, yes: r.yes || other.yes, no: r.no || other.no,
		object: r.object || other.object, other: r.other || other.other,
	}
	for i := range out.ordered {
		switch {
		case r.ordered[i].empty():
			out.ordered[i] = other.ordered[i]
		case other.ordered[i].empty():
			out.ordered[i] = r.ordered[i]
		default:
			out.ordered[i] = span{all: true}
		}
	}
	return out
}

func (r region) empty() bool {
	return !r.missing && !r.yes && !r.no && !r.object && !r.other && !slices.ContainsFunc(r.ordered[:], func(s span) bool { return !s.empty() })
}

// within reports whether every value of r certainly is one of other's.
func (r region) within(other region) bool {
	if r.missing && !other.missing || r.yes && !other.yes || r.no && !other.no || r.object && !other.object || r.other && !other.other {
		return false
	}
	for i, s := range r.ordered {
		if !s.within(other.ordered[i]) {
			return false
		}
	}
	return true
}

// A span is a set of values of one sort: those listed in only or, where all is
// set, all between two edges; without those of not.
type span struct {
	all       bool
	low, high *edge // nil: none
	only, not []any // sorted
}

// An edge is where a span ends.
type edge struct {
	value any
	open  bool // value itself lies outside
}

// contains reports whether v, of the span's sort, lies in it.
func (s span) contains(v any) bool {
	is := func(other any) bool { return ranked(v, other) == 0 }
	switch {
	case among(s.not, v), !s.all && !among(s.only, v):
		return false
	case s.low != nil && (ranked(v, s.low.value) < 0 || s.low.open && is(s.low.value)):
		return false
	case s.high != nil && (ranked(v, s.high.value) > 0 || s.high.open && is(s.high.value)):
		return false
	}
	return true
}

// among reports whether a sorted list has v.
func among(list []any, v any) bool {
	_, found := slices.BinarySearchFunc(list, v, ranked)
	return found
}

// ranked compares values of one sort.
func ranked(a, b any) int {
	c, _ := order(a, b)
	return c
}

func (s span) empty() bool {
	switch {
	case !s.all:
		return !slices.ContainsFunc(s.only, s.contains)
	case s.low == nil || s.high == nil:
		return false
	}
	c := ranked(s.low.value, s.high.value)
	return c > 0 || c == 0 && !s.contains(s.low.value)
}

func (s span) and(other span) span {
	out := span{all: s.all && other.all, low: tighter(s.low, other.low, 1), high: tighter(s.high, other.high, -1), not: s.not}
	if len(other.not) > 0 {
		out.not = slices.Concat(s.not, other.not)
		slices.SortFunc(out.not, ranked)
	}
	switch {
	case !s.all:
		out.only = slices.DeleteFunc(slices.Clone(s.only), func(v any) bool { return !other.contains(v) })
	case !other.all:
		out.only = slices.DeleteFunc(slices.Clone(other.only), func(v any) bool { return !s.contains(v) })
	}
	return out
}

// tighter returns the edge that lies further in the direction of sign.
func tighter(a, b *edge, sign int) *edge {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	if c := ranked(a.value, b.value) * sign; c < 0 || c == 0 && b.open {
		return b
	}
	return a
}

func (s span) within(other span) bool {
	switch {
	case s.empty():
		return true
	case !s.all:
		return !slices.ContainsFunc(s.only, func(v any) bool { return s.contains(v) && !other.contains(v) })
	case !other.all, slices.ContainsFunc(other.not, s.contains):
		return false
	}
	inside := func(mine, its *edge, sign int) bool {
		if its == nil || mine == nil {
			return its == nil
		}
		c := ranked(mine.value, its.value) * sign
		return c > 0 || c == 0 && (mine.open || !its.open || among(s.not, mine.value))
	}
	return inside(s.low, other.low, 1) && inside(s.high, other.high, -1)
}
