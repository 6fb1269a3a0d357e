package rules

import (
	"context"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/twinrules/twinrules/hub/twin"
)

// Check compiles pack as [Compile] does and returns every mistake that was found,
// and what can be proven of the rules without one before any twin is seen:
// conditions that no twin meets, rules that are in conflict on a twin which it
// makes up and tries out, rules that never settle on one, and, as warnings, what is
// most likely not meant. What it says is so; what it does not say may be so, too:
// of rules with plugins little is known, and in packs of very many rules not every
// pair is tried.
func Check(ctx context.Context, pack *Pack, opts *Options) Diagnostics {
	_, found := compilePack(ctx, pack, opts, func(p *Program) {
		v := &prover{ctx: ctx, program: p, left: maxEffort}
		for _, r := range p.rules {
			if r.sound {
				v.rules = append(v.rules, v.study(r))
			}
		}
		for _, r := range v.rules {
			v.conditions(r)
			v.gates(r)
		}
		v.pairs()
		v.circles()
	})
	return found
}

// maxEffort bounds what is spent on rules together: a unit is about an evaluation of
// one rule.
const maxEffort = 300_000

// A prover looks for what is certain about the rules of a pack.
type prover struct {
	ctx     context.Context
	program *Program
	rules   []*studied
	left    int // effort that may still be spent
}

// A studied is a rule with what is known of its conditions.
type studied struct {
	*compiledRule
	number   int // among those that are studied
	selector *examined
	when     *examined
	until    *examined
	// match are clauses of which a twin meets one where the rule is to hold, unless it
	// is at work there already.
	match []*clause
}

// An examined is a condition and its tree, nil where there is none.
type examined struct {
	at   setting
	tree ast.Node
	reader
}

func (v *prover) study(r *compiledRule) *studied {
	s := &studied{compiledRule: r, number: len(v.rules)}
	s.selector = v.examine(r.Rule.selector, selection)
	s.when = v.examine(r.Rule.when, condition)
	s.until = v.examine(r.Rule.until, condition)
	for _, demands := range both(both(s.selector.clauses(true), s.when.clauses(true)), s.until.unless()) {
		s.match = append(s.match, newClause(r.On, demands))
	}
	return s
}

func (v *prover) examine(e expressionSource, kind expressionKind) *examined {
	if !e.exists() {
		return nil
	}
	return &examined{e.at, parse(e.at.quiet(), 0, e.text), reader{v.program.Pack.Vars, kind}}
}

// clauses are those of a condition; one that is not there always holds.
func (x *examined) clauses(want bool) [][]demand {
	if x == nil || x.tree == nil {
		if want {
			return [][]demand{nil}
		}
		return nil
	}
	return x.reader.clauses(x.tree, want)
}

// unless are the clauses of an until that does not hold.
func (x *examined) unless() [][]demand {
	if x == nil {
		return [][]demand{nil}
	}
	return x.clauses(false)
}

// report reports a mistake at a part of the condition.
func (x *examined) report(n ast.Node, code Code, hint, format string, args ...any) {
	e := &extents{from: n.Location().From, to: n.Location().To}
	ast.Walk(&n, e)
	x.at.span(e.from, max(e.to, e.from+1), code, hint, format, args...)
}

// alive returns those of some clauses that a twin may meet, and the first clash of
// the others.
func alive(on Target, list [][]demand) (clauses []*clause, clash []demand) {
	for _, demands := range list {
		if c := newClause(on, demands); c.clash == nil {
			clauses = append(clauses, c)
		} else if clash == nil {
			clash = c.clash
		}
	}
	return clauses, clash
}

// living returns those clauses of the rule that a twin may meet.
func (s *studied) living() []*clause {
	return slices.DeleteFunc(slices.Clone(s.match), func(c *clause) bool { return c.clash != nil })
}

// together reports whether the wishes of two rules ever meet: those that are only
// reported do not meet those that are written.
func (s *studied) together(other *studied) bool {
	return s.Mode != Off && other.Mode != Off && (s.Mode == Audit) == (other.Mode == Audit)
}

// ask judges a witness by some rules; those with plugins are left out.
func (v *prover) ask(list []*studied, t *twin.Twin, at Moment) (verdicts []Verdict) {
	in := v.program.scope(t, at)
	for _, r := range list {
		if r.plugin == nil && r.On.Covers(t.Ref) {
			verdicts = append(verdicts, r.eval(v.ctx, in))
		}
	}
	return verdicts
}

// afford reports whether n units of effort are left, and spends them.
func (v *prover) afford(n int) bool {
	v.left -= n
	return v.left >= 0 && v.ctx.Err() == nil
}
