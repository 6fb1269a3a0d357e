package rules

import (
	"context"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// Rereads reports whether some rule looks at what some rule writes. Where it is
// false, one pass over a twin is the whole truth.
func (p *Program) Rereads() bool { return p.rereads }

// Circular reports whether some rule looks at what comes, over whatever rules,
// from what it writes. Where it is false, rules that are asked again settle on
// every twin, after at most as many rounds as there are rules.
func (p *Program) Circular() bool { return p.circular }

// Again judges t anew by those rules of the verdicts that look at one of the
// places written, and keeps the other verdicts. It reports whether there was such
// a rule; where no rule of the pack looks at what another writes, that costs
// nothing. The metadata of t, such as when a leaf was last updated, are those of
// the twin that was read.
func (p *Program) Again(ctx context.Context, t *twin.Twin, at Moment, verdicts []Verdict, written []twin.Leaf) (list []Verdict, ran bool) {
	if !p.rereads {
		return verdicts, false
	}
	for i, v := range verdicts {
		if !slices.ContainsFunc(written, v.rule.looksAt) {
			continue
		}
		if !ran {
			list, ran = slices.Clone(verdicts), true
		}
		list[i] = v.rule.eval(ctx, p.scope(t, at))
	}
	if !ran {
		return verdicts, false
	}
	return list, true
}
