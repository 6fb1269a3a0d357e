package rules

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// outcomeParts are the rows of an outcome: who selects, and who matches.
const outcomeParts = 2

// Outcome appends to b who selects the twin that was sifted last and who matches
// it, as [Sifter.Count] takes it. verdicts are those of [Sifter.Eval], nil where it
// was not asked. It is for twins of which nothing is to be done and about which no
// rule failed.
func (f *Sifter) Outcome(b []byte, verdicts []Verdict) []byte {
	said := &f.said
	for w := range f.words {
		said[0][w], said[1][w] = 0, 0
		if f.decided {
			chosen, _ := f.plane(selected, w)
			matches, _, _ := f.passage(w)
			said[0][w], said[1][w] = chosen, chosen&matches
		}
	}
	for i := 0; len(verdicts) > 0; i++ {
		if v := verdicts[0]; v.Rule == f.rules[i].Rule {
			said[0].put(i, v.Selected)
			said[1].put(i, v.Matched)
			verdicts = verdicts[1:]
		}
	}
	for _, part := range said {
		for _, word := range part {
			b = binary.LittleEndian.AppendUint64(b, word)
		}
	}
	return b
}

func (r row) put(bit int, on bool) {
	if r[bit/64] &^= 1 << (bit % 64); on {
		r.set(bit)
	}
}

// IsOutcome reports whether text, from wherever it comes, may be an outcome of
// these rules, and whether some of them selects who has it.
func (s *Sieve) IsOutcome(text string) (some, ok bool) {
	if len(text) != outcomeParts*8*s.words {
		return false, false
	}
	chosen, matched := s.outcomeRow(text, 0), s.outcomeRow(text, 1)
	for w := range s.words {
		if n := len(s.rules) - 64*w; n < 64 && chosen[w]>>n != 0 || matched[w]&^chosen[w] != 0 {
			return false, false
		}
	}
	return slices.ContainsFunc(chosen, func(word uint64) bool { return word != 0 }), true
}

func (s *Sieve) outcomeRow(text string, part int) (r row) {
	for w := range s.words {
		r = append(r, binary.LittleEndian.Uint64([]byte(text[8*(part*s.words+w):])))
	}
	return r
}

// Count counts n twins with an outcome, for which [Sieve.IsOutcome] holds.
func (f *Sifter) Count(outcome string, n int) {
	for part, sums := range [outcomeParts][]int{f.population, f.matched} {
		for w, word := range f.outcomeRow(outcome, part) {
			for ; word != 0; word &= word - 1 {
				sums[w*64+bits.TrailingZeros64(word)] += n
			}
		}
	}
}
