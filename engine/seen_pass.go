package engine

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A past is what workers look up of a [Seen] in one pass.
type past struct {
	*Seen
	selects []bool // whether some rule does, for each outcome
	parts   [256]pastPart
	seconds uint32 // of the pass's moment, since 1970
}

// A pastPart is a part of the rows with an index: to find one is to look at two
// places of the memory and not at twenty.
type pastPart struct {
	rows   []seenRow
	starts []uint32 // of the rows whose print goes on with these bits
	shift  int
	met    []uint32 // a bit for each row that was found
}

// newPast returns what of s may be believed in this pass, which may be nothing.
func (e *evaluation) newPast(s *Seen, sieve *rules.Sieve) *past {
	p := &past{Seen: s, seconds: uint32(min(max(e.opts.Moment.Now.Unix(), 0), sleeps-1))}
	if s.key != e.key || e.opts.Moment.Now.Before(s.at) || !p.understood(sieve) {
		p.Seen, p.selects = &Seen{}, nil
	}
	for i, rows := range p.rows {
		p.parts[i] = newPastPart(rows)
	}
	return p
}

// understood looks at all outcomes, which a file may have made up.
func (p *past) understood(sieve *rules.Sieve) bool {
	for _, outcome := range p.outcomes {
		some, ok := sieve.IsOutcome(outcome)
		if !ok {
			return false
		}
		p.selects = append(p.selects, some)
	}
	return true
}

func newPastPart(rows []seenRow) pastPart {
	bits := 0
	for 4<<bits < len(rows) {
		bits++
	}
	p := pastPart{rows: rows, shift: 64 - bits, starts: make([]uint32, 1<<bits+1), met: make([]uint32, (len(rows)+31)/32)}
	for _, r := range rows {
		p.starts[p.bucket(r.print)+1]++
	}
	for i := range p.starts[1:] {
		p.starts[i+1] += p.starts[i]
	}
	return p
}

// bucket returns the bits behind the first byte.
func (p *pastPart) bucket(print uint64) uint64 { return print << 8 >> p.shift }

// find returns the row of a line that is not to be looked at yet.
func (p *past) find(print uint64) (r seenRow, ok bool) {
	part := &p.parts[print>>56]
	bucket := part.bucket(print)
	for i := part.starts[bucket]; i < part.starts[bucket+1]; i++ {
		if r = part.rows[i]; r.print == print && p.seconds < r.wake {
			atomic.OrUint32(&part.met[i/32], 1<<(i%32))
			return r, true
		}
	}
	return r, false
}

// kept returns the rows that were found.
func (p *past) kept() *seenSheet {
	sheet := &seenSheet{outcomes: p.outcomes}
	for n, part := range p.parts {
		i := -1
		sheet.rows[n] = slices.DeleteFunc(part.rows, func(seenRow) bool { i++; return part.met[i/32]&(1<<(i%32)) == 0 })
	}
	return sheet
}

// A watch is what one worker knows of the past, and adds to it. It is nil where
// nobody wants that.
type watch struct {
	*past
	printer *linePrinter
	print   uint64 // of the line that was looked up last
	counts  []int  // of twins with an outcome of the past
	sheet   seenSheet
}

func (p *past) watch(sieve *rules.Sieve) *watch {
	return &watch{past: p, printer: newLinePrinter(sieve.Volatile()), counts: make([]int, len(p.outcomes))}
}

// known counts what rules say of a twin of which nothing is to be done, as far as
// that is known from its line, and reports whether it is.
func (w *worker) known(data []byte) (r seenRow, ok bool) {
	if w.watch == nil {
		return r, false
	}
	w.watch.print = w.watch.printer.of(data)
	if r, ok = w.watch.find(w.watch.print); ok {
		w.watch.counts[r.outcome()]++
	}
	return r, ok
}

// remember notes the twin that was sifted last and of which nothing is to be done,
// with the verdicts if it was judged, for later passes. Whoever leaves is counted as
// leaving each time.
func (w *worker) remember(verdicts []rules.Verdict) {
	if w.watch == nil || slices.ContainsFunc(verdicts, func(v rules.Verdict) bool { return v.Leaving }) {
		return
	}
	wake := uint32(sleeps)
	if at, ever := w.sifter.Wake(); ever {
		wake = uint32(min(max(at.Unix(), 0), sleeps-1))
	}
	if wake <= w.watch.seconds {
		return
	}
	id, _ := w.sifter.ID()
	s := &w.watch.sheet
	s.text = w.sifter.Outcome(s.text[:0], verdicts)
	s.add(seenRow{print: w.watch.print, name: id.Hash(), wake: wake}, s.text, id.Module != nil)
}

// findings counts what stands in a plan because of single twins.
func (s *tally) findings() int {
	return s.changes.made.count + s.audited.made.count + len(s.conflicts) + len(s.failures) + len(s.warnings)
}

// look lets workers look up what was seen before, where that is wanted. A rollout
// whose waves are counted in units needs the units of all twins, each time.
func (e *evaluation) look(workers []*worker, sieve *rules.Sieve) {
	counted := slices.ContainsFunc(e.program.Pack.Rules, func(r *rules.Rule) bool { return r.Rollout != nil && r.Rollout.Counted() > 0 })
	if e.opts.Seen == nil || counted {
		return
	}
	p := e.newPast(e.opts.Seen, sieve)
	for _, w := range workers {
		w.watch = p.watch(sieve)
	}
}

// learn makes [Options.Seen] what this pass saw.
func (e *evaluation) learn(workers []*worker) {
	if workers[0].watch == nil {
		return
	}
	p := workers[0].watch.past
	sheets, known := []*seenSheet{p.kept()}, 0
	for _, w := range workers {
		for i, n := range w.watch.counts {
			w.sifter.Count(p.outcomes[i], n)
			known += n
		}
		sheets = append(sheets, &w.watch.sheet)
	}
	s := mergeSeen(sheets)
	s.key, s.at, s.known = e.key, e.opts.Moment.Now.Round(0), known
	*e.opts.Seen = *s
}

// keyOf returns what stands for everything that decides about all twins alike.
func (e *evaluation) keyOf(live []*twin.Configuration) (key [32]byte) {
	h := sha256.New()
	fmt.Fprintf(h, "%s %q %q %q %v\n", seenSchema, e.opts.Tool, e.program.Pack.Digest, e.opts.Moment.Hub, e.opts.Audit)
	for _, p := range e.program.Pack.Plugins {
		fmt.Fprintf(h, "%q %q\n", p.Name, p.Digest)
	}
	for _, f := range e.foreign {
		for _, c := range live {
			if c.ID == f.ID {
				fmt.Fprintf(h, "%q %q %s\n", c.ID, c.TargetCondition, twin.Encode(c.Content))
			}
		}
	}
	h.Sum(key[:0])
	return key
}
