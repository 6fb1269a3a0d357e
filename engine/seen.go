package engine

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A Seen is what a pass over a fleet found of the twins of which nothing was to be
// done. With [Options.Seen] the next pass looks at none of them again whose line
// is the same but for what changes whenever a device speaks, and about which no
// rule changes its mind as time passes (see [rules.Sifter.Wake]); it counts them as
// they were counted, and the plan is the same byte for byte. A fleet in
// which one twin in a hundred changes and all speak is planned so in a fifth of the
// time by ten rules (see BenchmarkSeen): what is left is to hash its lines.
//
// The zero Seen has seen nothing. It holds 24 bytes for each twin, and is for one
// evaluation at a time. [WriteSeen] and [ReadSeen] keep it.
type Seen struct {
	// key stands for what is the same for all twins: the pack with its plugins, the
	// program, the hub, and what other configurations there do.
	key [32]byte
	// at is the moment of the pass. An earlier one does not believe it: a wake says
	// nothing of what was before.
	at       time.Time
	outcomes []string // of [rules.Sifter.Outcome], sorted, each once
	rows     seenRows // sorted by print, of which there is each once
	known    int
}

// seenRows are rows in parts by the first byte of their print, so that none is
// copied as a whole when it grows or is merged.
type seenRows [256][]seenRow

// Len returns of how many twins it knows something.
func (s *Seen) Len() (n int) {
	for _, part := range s.rows {
		n += len(part)
	}
	return n
}

// Known returns how many twins of the last pass it spared a look at.
func (s *Seen) Known() int { return s.known }

// A seenRow is about one twin.
type seenRow struct {
	print uint64 // of its line
	name  uint64 // [rules.TwinID.Hash]
	wake  uint32 // seconds since 1970 at which it is to be looked at again
	what  uint32 // the place of its outcome, twice, and one more for a module
}

// sleeps is the wake of a twin to which the time makes no difference.
const sleeps = math.MaxUint32

func (r seenRow) device() bool { return r.what&1 == 0 }
func (r seenRow) outcome() int { return int(r.what >> 1) }

// A seenSheet is what one worker saw that was not known, with outcomes of its own.
type seenSheet struct {
	rows     seenRows
	outcomes []string
	index    map[string]uint32
	text     []byte
}

// maxOutcomes is how many are told apart. A fleet has hundreds; more are judged
// each time.
const maxOutcomes = 1 << 16

// add notes a twin, unless there are too many outcomes.
func (s *seenSheet) add(r seenRow, outcome []byte, module bool) {
	i, ok := s.index[string(outcome)]
	if !ok {
		if len(s.outcomes) == maxOutcomes {
			return
		}
		if s.index == nil {
			s.index = map[string]uint32{}
		}
		i = uint32(len(s.outcomes))
		s.index[string(outcome)], s.outcomes = i, append(s.outcomes, string(outcome))
	}
	if r.what = 2 * i; module {
		r.what++
	}
	s.rows[r.print>>56] = append(s.rows[r.print>>56], r)
}

// mergeSeen returns one sheet of all, which are used up, with rows in order. Of lines that have
// one print none is kept: they would be taken for each other. Where there are too
// many outcomes nothing is.
func mergeSeen(sheets []*seenSheet) *Seen {
	s := &Seen{}
	for _, sheet := range sheets {
		s.outcomes = append(s.outcomes, sheet.used()...)
	}
	slices.Sort(s.outcomes)
	if s.outcomes = slices.Compact(s.outcomes); len(s.outcomes) > maxOutcomes {
		return &Seen{}
	}
	for _, sheet := range sheets {
		sheet.renumber(s.outcomes)
	}
	for i := range s.rows {
		for _, sheet := range sheets {
			slices.SortFunc(sheet.rows[i], byPrint)
			s.rows[i] = mergeRows(s.rows[i], sheet.rows[i])
			sheet.rows[i] = nil
		}
		s.rows[i] = unique(s.rows[i])
	}
	return s
}

// used lists the outcomes that some row has.
func (s *seenSheet) used() (list []string) {
	used := make([]bool, len(s.outcomes))
	for _, part := range s.rows {
		for _, r := range part {
			used[r.outcome()] = true
		}
	}
	for i, outcome := range s.outcomes {
		if used[i] {
			list = append(list, outcome)
		}
	}
	return list
}

// renumber gives rows the numbers that outcomes have in a sorted list.
func (s *seenSheet) renumber(list []string) {
	place := make([]uint32, len(s.outcomes))
	for i, outcome := range s.outcomes {
		at, _ := slices.BinarySearch(list, outcome)
		place[i] = uint32(at)
	}
	for _, part := range s.rows {
		for i, r := range part {
			part[i].what = 2*place[r.outcome()] | r.what&1
		}
	}
}

func byPrint(a, b seenRow) int { return cmp.Compare(a.print, b.print) }

// mergeRows merges two lists that are in order.
func mergeRows(a, b []seenRow) []seenRow {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	list := make([]seenRow, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].print <= b[0].print {
			list, a = append(list, a[0]), a[1:]
		} else {
			list, b = append(list, b[0]), b[1:]
		}
	}
	return append(append(list, a...), b...)
}

// unique drops rows that have their print in common.
func unique(rows []seenRow) []seenRow {
	n := 0
	for i, r := range rows {
		again := i > 0 && rows[i-1].print == r.print
		next := i+1 < len(rows) && rows[i+1].print == r.print
		if !again && !next {
			rows[n] = r
			n++
		}
	}
	return rows[:n]
}
