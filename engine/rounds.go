package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A settlement is what the rules of one sort, those that write or those of mode
// audit, want of one twin in the end.
type settlement struct {
	verdicts  []rules.Verdict // the last of each rule
	earlier   []rules.Verdict // those that later rounds took the place of
	kept      []wish          // that we have to write
	conflicts []Conflict
	after     *twin.Twin // with all that was written in several rounds; nil when one was enough
	circle    *circle    // the rules that find no end; then nothing is written
}

// reach is how far a rule came.
type reach struct{ matched, leaving bool }

// reached returns how far a rule came in the rounds before the last.
func (s *settlement) reached(r *rules.Rule) (out reach) {
	for _, v := range s.earlier {
		if v.Rule == r {
			out.matched = out.matched || v.Matched
			out.leaving = out.leaving || v.Leaving && len(v.Leaves) > 0
		}
	}
	return out
}

// A circle is a set of rules that keep on changing what they read.
type circle struct {
	rules  []string
	period int // rounds after which the twin is as it was; 0 when it never was
	rounds int
}

func (c *circle) String() string {
	names := strings.Join(c.rules, ", ")
	if c.period > 0 {
		return fmt.Sprintf("%s go round in a circle: after %d rounds the twin is as it was; nothing is written to it", names, c.period)
	}
	return fmt.Sprintf("%s do not settle: after %d rounds they still change what they read; nothing is written to the twin", names, c.rounds)
}

// settle lets the rules of verdicts come to an end on t: what they want is merged
// into a virtual twin, those that look at what was written are asked again, and so
// on until all holds. That takes a round for each rule at the most where none
// reads what comes back to it, and then no circle is looked for; what takes longer
// is one. After conflicts there is no next round.
func (w *worker) settle(ctx context.Context, t *twin.Twin, verdicts []rules.Verdict) settlement {
	s := settlement{verdicts: verdicts}
	s.kept, s.conflicts = weighAll(t, rules.Wishes(verdicts), w.foreign)
	if len(s.kept) == 0 || len(s.conflicts) > 0 || !w.program.Rereads() {
		return s
	}
	r := &rounds{worker: w, settlement: s, states: []*twin.Twin{t}, most: len(verdicts) + 2}
	for r.next(ctx) {
	}
	return r.settlement
}

// rounds are the rounds of one settlement.
type rounds struct {
	*worker
	settlement
	states  []*twin.Twin // at the beginning of each round
	written [][]wish     // in each round that was followed by another
	last    []wish       // what is kept in this round
	most    int          // how often rules may be asked: once, and then in a round for each of them and one more
}

// next ends a round, and reports whether there is another.
func (w *rounds) next(ctx context.Context) bool {
	now := w.states[len(w.states)-1]
	if len(w.states) == 1 {
		w.last = w.kept
	}
	open := unmet(now, w.last)
	if len(open) == 0 || len(w.conflicts) > 0 {
		w.end(now)
		return false
	}
	leaves := leavesOf(open)
	after := now.With(twin.PatchOf(leaves))
	at := w.moment
	at.Memory = rules.Since(at.Memory, w.states[0])
	verdicts, ran := w.program.Again(ctx, after, at, w.verdicts, leaves)
	w.written = append(w.written, open)
	if ran {
		w.earlier = append(w.earlier, w.verdicts...)
	}
	w.verdicts = verdicts
	if !ran {
		w.end(after)
		return false
	}
	if w.program.Circular() {
		if w.circle = w.turn(after); w.circle != nil {
			return false
		}
	}
	w.states = append(w.states, after)
	w.last, w.conflicts = weighAll(after, rules.Wishes(verdicts), w.foreign)
	w.kept = append(w.kept, w.last...)
	return true
}

// end closes the last round. Wishes that a later round undid are nobody's any
// more.
func (w *rounds) end(last *twin.Twin) {
	if len(w.states) > w.most {
		w.circle = w.endless()
		return
	}
	if len(w.states) > 1 {
		w.after = last
		w.kept = slices.DeleteFunc(w.kept, func(w wish) bool { return !w.Leaf.Holds(last) })
		slices.SortStableFunc(w.kept, func(a, b wish) int { return a.Order - b.Order })
	}
}

// turn returns the circle that is closed when the states are followed by next, or
// nil. To name the period of one, the rules may go on for as long again as they
// had.
func (w *rounds) turn(next *twin.Twin) *circle {
	for i, s := range w.states {
		if twin.Equal(s.Tags(), next.Tags()) && twin.Equal(s.Desired(), next.Desired()) {
			return &circle{rulesIn(w.written[i:]), len(w.states) - i, len(w.states)}
		}
	}
	if len(w.states) > 2*w.most {
		return w.endless()
	}
	return nil
}

func (w *rounds) endless() *circle {
	return &circle{rulesIn(w.written[w.most-1:]), 0, w.most - 1}
}

// rulesIn names the rules whose wishes were written in some rounds, in the order
// of the pack.
func rulesIn(rounds [][]wish) (list []string) {
	all := slices.Concat(rounds...)
	slices.SortStableFunc(all, func(a, b wish) int { return a.Order - b.Order })
	for _, w := range all {
		if !slices.Contains(list, w.Rule.ID) {
			list = append(list, w.Rule.ID)
		}
	}
	return list
}

func leavesOf(list []wish) []twin.Leaf {
	leaves := make([]twin.Leaf, len(list))
	for i, w := range list {
		leaves[i] = w.Leaf
	}
	return leaves
}

// unmet returns the wishes that do not hold.
func unmet(t *twin.Twin, list []wish) (open []wish) {
	for _, w := range list {
		if !w.Leaf.Holds(t) {
			open = append(open, w)
		}
	}
	return open
}
