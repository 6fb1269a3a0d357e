package rules

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// clocks are what in rules changes with the time alone.
type clocks struct {
	dialed []*dial
	// Rules that read now in a way that no dial shows, in what decides who matches
	// and in what is written. No selector reads it.
	judging, writing row
}

// A dial is a time of a twin, and how long after it something changes: what is
// older than two hours becomes that two hours after it was updated. It is one for
// all comparisons that read the same.
type dial struct {
	bounds []time.Duration // sorted, each once
	// read returns the time; there is false where it is missing, and sure is false
	// where it is something else.
	read func(f *Sifter) (t time.Time, there, sure bool)
}

// Wake returns until when rules say the same of the twin that was sifted last, as
// long as its [Sifter.Fingerprint] stays: from at on one of them may say something
// else. It is known of comparisons of now with a time, and of the time between now
// and one with a constant: ages, last words, times of expiry. Any other rule that reads now wakes
// at once, with the sieve's own moment, where it may concern the twin, and so does
// a plugin that looks at the time. ever is false when no time that passes
// makes a difference.
func (f *Sifter) Wake() (at time.Time, ever bool) {
	if !f.found || f.restless() {
		return f.at.now, true
	}
	for _, d := range f.dialed {
		t, moves, sure := d.next(f)
		if !sure {
			return f.at.now, true
		}
		if moves && (!ever || t.Before(at)) {
			at, ever = t, true
		}
	}
	return at, ever
}

// restless reports whether a rule may say something else at any moment.
func (f *Sifter) restless() bool {
	for w := range f.words {
		chosen, busy := ^uint64(0), ^uint64(0)
		if f.decided {
			chosen, busy = f.live[selected*f.words+w], f.live[entered*f.words+w]|f.stateful[w]
		}
		if chosen&(f.judging[w]|busy&f.writing[w]) != 0 {
			return true
		}
	}
	return false
}

// next returns the next moment at which a dial passes one of its bounds, or leaves
// it.
func (d *dial) next(f *Sifter) (at time.Time, moves, sure bool) {
	broken := f.view.broken
	t, there, sure := d.read(f)
	sure = sure && (broken || !f.view.broken)
	f.view.broken = broken
	if !there || !sure {
		return at, false, sure
	}
	now := f.at.now
	i, _ := slices.BinarySearchFunc(d.bounds, now, func(b time.Duration, now time.Time) int { return t.Add(b).Compare(now) })
	if i == len(d.bounds) {
		return at, false, true
	}
	if at = t.Add(d.bounds[i]); at.Equal(now) {
		at = at.Add(1)
	}
	return at, true, true
}

// timed reports whether e reads now.
func (e *expression) timed() bool {
	return e != nil && slices.ContainsFunc(e.slots, func(s slot) bool { return s.root.Name == "now" || s.kind == slotAge })
}

// time notes that a rule which is asked wherever it selects reads now.
func (b *sieveBuilder) time(rule int, r *compiledRule) {
	timed := r.shown().time || r.when.timed() || r.until.timed()
	for _, l := range r.leaves {
		timed = timed || slices.ContainsFunc(l.value.expressions(), (*expression).timed)
	}
	if timed {
		b.judging.set(rule)
	}
}

// clock notes what of a part of a condition changes with the time.
func (b *sieveBuilder) clock(rule int, p *part) {
	if !p.timed() {
		return
	}
	if _, ordering := orderings[p.op]; !ordering || !b.dial(p.of[0], p.of[1]) && !b.dial(p.of[1], p.of[0]) {
		b.judging.set(rule)
	}
}

// dial makes a dial for the comparison of a side that reads now with another one,
// and reports whether it could. Which of them is the greater does not matter: it
// changes when they are equal, and when they are not any more.
func (b *sieveBuilder) dial(side, other *part) bool {
	if side.text == "now" && !other.timed() {
		b.show(other, 0)
		return true
	}
	if !other.fixed {
		return false
	}
	value, _ := other.constant(b.at)
	bound, ok := value.(time.Duration)
	if !ok || bound == math.MinInt64 {
		return false
	}
	if s, ok := side.since(); ok {
		b.showSlot(s, bound)
		return true
	}
	if side.op != "-" {
		return false
	}
	switch from, to := side.of[0], side.of[1]; {
	case from.text == "now" && !to.timed():
		b.show(to, bound)
	case to.text == "now" && !from.timed():
		b.show(from, -bound)
	default:
		return false
	}
	return true
}

// show adds a bound to the dial of an expression.
func (b *sieveBuilder) show(p *part, bound time.Duration) {
	e := p.expression
	key := e.source
	if b.dials[key] == nil {
		b.dials[key] = &dial{read: dialTime(e, identityIn(b.paths.of(e)))}
	}
	b.dials[key].bounds = append(b.dials[key].bounds, bound)
}

// showSlot adds a bound to the dial of when something was.
func (b *sieveBuilder) showSlot(s slot, bound time.Duration) {
	key := "since " + s.spelled()
	if b.dials[key] == nil {
		b.dials[key] = &dial{read: dialSlot(s)}
	}
	b.dials[key].bounds = append(b.dials[key].bounds, bound)
}

// wind makes the list of dials, which does not depend on a map's order.
func (b *sieveBuilder) wind() {
	for _, key := range slices.Sorted(maps.Keys(b.dials)) {
		d := b.dials[key]
		slices.Sort(d.bounds)
		d.bounds = slices.Compact(d.bounds)
		b.dialed = append(b.dialed, d)
	}
}

// dialSlot reads when the leaf at a slot was updated, or the twin last spoke.
func dialSlot(s slot) func(f *Sifter) (t time.Time, there, sure bool) {
	return func(f *Sifter) (time.Time, bool, bool) {
		text := f.spans[f.paths.bySlot[s.key]].Of(f.view.data)
		if text == nil {
			return time.Time{}, false, true
		}
		t, plain := twin.PlainTime(text) // for never the hub writes the year 1, since which no bound lies ahead
		return t, plain, plain
	}
}

// dialTime evaluates an expression that does not read now.
func dialTime(e *expression, members []int) func(f *Sifter) (t time.Time, there, sure bool) {
	return func(f *Sifter) (t time.Time, there, sure bool) {
		var doc twin.Twin
		f.view.identify(&doc, members)
		in := *f.at
		in.twin, in.view, in.runner, in.meter = &doc, &f.view, f.runner, &f.runner.meter
		in.meter.left = maxWork
		v, err := e.eval(&in)
		t, there = v.(time.Time)
		return t, there, err == nil && (there || v == nil)
	}
}
