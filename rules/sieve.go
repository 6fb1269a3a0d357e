package rules

import (
	"bytes"
	"context"
	"math/bits"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Sieve tells from a twin's bytes whether there is anything to do about it.
// In a fleet that is as its rules want it, that is rare, and a Sieve says so
// about eight times as fast as [twin.Parse] alone reads the twin (see
// BenchmarkSieve). What it lets pass is judged by [Sifter.Eval], which asks no rule
// what is known of it by then. Both say what [Program.Eval] would, which is the
// meaning of a pack; tests hold them to it.
//
// It rests on three things. Only the paths that rules name are looked for, in
// one pass. Conditions are taken apart into atoms that read one or two paths, and
// what an atom says of a value is remembered, so that expr is asked once for each
// value and not once for each rule and twin. And what all rules say is a row of
// bits, on which an atom's word is one AND.
//
// A Sieve is immutable and safe for concurrent use.
type Sieve struct {
	rules   []*compiledRule // those that are not off
	words   int             // that hold a bit for each rule
	width   int             // words of a row
	more    []more
	at      *scope // what is the same for every twin
	scanner *twin.Scanner
	state   [4]int // spans of what [Sifter.State] returns
	paths   *pathSet
	groups  []*group
	rereads bool // see [Program.Rereads]

	assertions []*assertion // what rules want whatever the twin, in the order of a change
	computed   row          // rules that want something else
	audited    row          // rules of mode audit
	hubs       row          // rules that the hub itself runs

	watched  row // rules that are to be judged wherever they match
	asked    row // rules that are to be judged wherever they select
	stateful row // rules that leave what they are at work on
	until    row // those of them that have an until

	fingers // what a fingerprint is made of
	clocks  // what the time that passes changes
}

// A row holds a bit for each thing that the rules say of a twin: first the planes,
// in each of which a rule has its own bit, then the further terms of conditions
// that are made with or.
type row []uint64

// The planes of a row.
const (
	selected = iota // the selector holds
	entered         // when holds
	ended           // until holds
	standing        // every constant leaf of the patch holds
	met             // and so does every computed one
	planes
)

// more is a term of a condition beside its first: where it holds the condition
// does.
type more struct{ bit, of int }

// Sieve returns a sieve for twins at one moment. foreign are the configurations of
// others, as [Program.Foreign] returns them.
func (p *Program) Sieve(at Moment, foreign []*Foreign) *Sieve {
	b := newSieveBuilder(p, at)
	for i, r := range b.rules {
		b.rule(i, r)
	}
	b.watch(foreign)
	return b.finish()
}

// A Sifter is a [Sieve] at work, with what it remembers of values. It is used by
// one goroutine.
type Sifter struct {
	*Sieve
	learner    *twin.Learner
	spans      []twin.Span
	view       view
	runner     *runner
	decided    bool // the row is about the twin that was sifted last
	found      bool // and so are the spans
	id         TwinID
	plain      bool // it is one, plainly spelled
	print      []byte
	said       [outcomeParts]row
	live, odd  row // what holds or is not known yet, and what is not known
	memories   []*memory
	population []int
	matched    []int
	changed    []int
	changes
}

// Sifter returns a sifter that has seen nothing.
func (s *Sieve) Sifter() *Sifter {
	f := &Sifter{
		Sieve: s, learner: s.scanner.Learner(), spans: make([]twin.Span, len(s.paths.list)), live: make(row, s.width), odd: make(row, s.width),
		population: make([]int, len(s.rules)), matched: make([]int, len(s.rules)), changed: make([]int, len(s.rules)), runner: newRunner(),
		changes: s.changes(),
	}
	for i := range f.said {
		f.said[i] = make(row, s.words)
	}
	f.view.paths, f.view.now = s.paths, s.at.now
	for _, g := range s.groups {
		f.memories = append(f.memories, newMemory(g, f))
	}
	return f
}

// Sift reports whether the twin whose JSON is data is to be judged by
// [Sifter.Eval]. If it is not, no rule wants anything of it that is not there
// already and none fails; it is counted, and chosen says whether some rule selects
// it.
func (f *Sifter) Sift(data []byte) (judge, chosen bool) {
	f.decided, f.found, f.plain = false, false, false
	end, err := f.learner.Scan(data, f.spans)
	if err != nil || len(bytes.TrimSpace(data[end:])) > 0 {
		return true, false // so that it is parsed, and the mistake found
	}
	f.view.reset(data, f.spans)
	if !f.name() || !f.view.sections() {
		return true, false
	}
	f.found = true
	f.start()
	f.conditions()
	f.leaves()
	if f.decided = !f.view.broken; !f.decided || f.open() {
		return true, false
	}
	return false, f.count()
}

// conditions asks what decides who matches: first the groups that remember, so that
// of the others only what still matters is asked.
func (f *Sifter) conditions() {
	for _, direct := range [2]bool{false, true} {
		for _, m := range f.memories {
			if !m.leaves && m.direct == direct {
				m.apply(f)
			}
		}
	}
	f.join()
}

// leaves asks what of that the twin holds already that rules want which may match
// or be at work on it.
func (f *Sifter) leaves() {
	var some uint64
	for w := range f.matching {
		f.matching[w] = f.live[selected*f.words+w] & (f.live[entered*f.words+w] | f.stateful[w])
		some |= f.matching[w]
	}
	for _, m := range f.memories {
		if some != 0 && m.leaves && f.intersect(m.by) {
			m.apply(f)
		}
	}
}

// start says of everything that it holds.
func (f *Sifter) start() {
	for i := range f.live {
		f.live[i] = ^uint64(0)
	}
	if n := len(f.rules) % 64; n > 0 {
		f.live[f.words-1] = 1<<n - 1 // no more rules are selected than there are
	}
	clear(f.odd)
}

// plane returns words of a plane: in which bits something holds for certain, and
// in which it is not known.
func (f *Sifter) plane(which, word int) (yes, unknown uint64) {
	i := which*f.words + word
	return f.live[i] &^ f.odd[i], f.live[i] & f.odd[i]
}

// join adds to the planes what further terms of their conditions say.
func (f *Sifter) join() {
	for _, m := range f.more {
		word, bit := m.bit/64, uint64(1)<<(m.bit%64)
		if f.live[word]&bit == 0 {
			continue
		}
		to, rule := m.of/64, uint64(1)<<(m.of%64)
		sure := f.live[to]&^f.odd[to]&rule != 0
		f.live[to] |= rule
		if f.odd[word]&bit == 0 {
			f.odd[to] &^= rule
		} else if !sure {
			f.odd[to] |= rule
		}
	}
}

// Eval is [Program.Eval] for the twin that was sifted last, of which t was parsed,
// and says whether some rule selects it. It asks only rules that match or may have
// something to do, and they look at no more of the twin than they name: a section
// that no rule wants whole is not decoded. The others are counted, and have a
// verdict only if they may have more to say when t has been changed.
func (f *Sifter) Eval(ctx context.Context, t *twin.Twin, at Moment) (list []Verdict, some bool) {
	whole := f.at.of(t, at)
	seen := *whole
	seen.view, seen.runner = &f.view, f.runner
	for i, r := range f.rules {
		if !r.On.Covers(t.Ref) {
			continue
		}
		var v Verdict
		switch w, bit := i/64, uint64(1)<<(i%64); {
		case !f.decided || f.asked[w]&bit != 0:
			v = r.eval(ctx, whole)
		case f.certain(w, bit):
			v = f.verdict(i, r)
			v.Matched = true
			v.Leaves, v.Err = r.wishes(&seen, nil)
		case !f.idle(w, bit):
			v = r.eval(ctx, &seen)
		case f.rereads:
			v = f.verdict(i, r)
		default:
			some = f.countIdle(i) || some
			continue
		}
		list, some = append(list, v), some || v.Selected
	}
	return list, some
}

// verdict returns what is known of a rule without asking it: whether it selects the
// twin and is at work on it.
func (f *Sifter) verdict(i int, r *compiledRule) Verdict {
	w, bit := i/64, uint64(1)<<(i%64)
	chosen, _ := f.plane(selected, w)
	in, _ := f.plane(standing, w)
	return Verdict{Rule: r.Rule, rule: r, Selected: chosen&bit != 0, In: chosen&in&f.stateful[w]&bit != 0}
}

// certain reports whether a rule certainly selects the twin and matches it.
func (f *Sifter) certain(w int, bit uint64) bool {
	chosen, _ := f.plane(selected, w)
	_, unknownEnd := f.plane(ended, w)
	matches, _, _ := f.passage(w)
	return chosen&matches&^(unknownEnd&f.until[w])&bit != 0
}

// countIdle counts a rule that is idle, and reports whether it selects the twin.
func (f *Sifter) countIdle(i int) bool {
	chosen, _ := f.plane(selected, i/64)
	if chosen&(1<<(i%64)) == 0 {
		return false
	}
	f.population[i]++
	return true
}

// idle reports whether a rule certainly neither matches nor has anything to do.
func (f *Sifter) idle(w int, bit uint64) bool {
	chosen, unknown := f.plane(selected, w)
	matches, _, open := f.passage(w)
	return (unknown|chosen&(matches|open))&bit == 0
}

// open reports whether some rule may have something to do.
func (f *Sifter) open() bool {
	for w := range f.words {
		chosen, unknown := f.plane(selected, w)
		matches, unmet, open := f.passage(w)
		if unknown|chosen&(unmet|open|f.asked[w]|matches&f.watched[w]) != 0 {
			return true
		}
	}
	return false
}

// count counts what rules say of a twin that is as they want it, and reports
// whether some rule selects it.
func (f *Sifter) count() bool {
	var some uint64
	for w := range f.words {
		chosen, _ := f.plane(selected, w)
		matches, _, _ := f.passage(w)
		tick(f.population, w, chosen)
		tick(f.matched, w, chosen&matches)
		some |= chosen
	}
	return some != 0
}

// passage returns of 64 rules, as if all of them selected the twin, which match
// it, which of them want what is not there, and which leave it or are not certain,
// as [compiledRule.judge] and [compiledRule.passage] have it.
func (f *Sifter) passage(w int) (matches, unmet, open uint64) {
	enter, unknown := f.plane(entered, w)
	end, unknownEnd := f.plane(ended, w)
	in, unknownIn := f.plane(standing, w)
	all, unknownAll := f.plane(met, w)
	until, stateful := f.until[w], f.stateful[w]
	matches = enter&^until | (in|enter)&until&^end
	leaves := stateful & in & (^until&^enter | until&end)
	unsure := unknown | unknownEnd&until | unknownIn&stateful | unknownAll
	return matches, matches &^ all, leaves | unsure
}

// tick adds one for each bit of the w-th word.
func tick(sums []int, w int, word uint64) {
	for ; word != 0; word &= word - 1 {
		sums[w*64+bits.TrailingZeros64(word)]++
	}
}

// A Sifted is what one rule said of twins, beside its verdicts.
type Sifted struct {
	Rule       *Rule
	Population int // twins that its selector selects
	Matched    int // of which it matches
	Changed    int // of which it would change something
}

// Sums returns what was counted, for each rule that is not off in the order of the
// pack.
func (f *Sifter) Sums() (list []Sifted) {
	for i, r := range f.rules {
		list = append(list, Sifted{r.Rule, f.population[i], f.matched[i], f.changed[i]})
	}
	return list
}
