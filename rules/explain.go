package rules

import (
	"context"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// An Explanation says how one rule came to its verdict on one twin.
type Explanation struct {
	Verdict
	Selector []Term // the parts of the selector that must all hold
	When     []Term // the parts of the condition that must all hold; none when it was not reached
	Until    []Term // the parts of until that must all hold; none when it was not reached
	Facts    twin.Object
	Changes  []twin.Leaf // what the rule wants and the twin does not have yet
	Miss     []Miss      // of a rule that does not match: the fewest parts that would have to be otherwise
	Standing *Standing   // in the rule's rollout; nil without one, and of a twin that is not selected
	Rivals   []Rival     // other rules that want something else at the same places
}

// A Term is a part of a condition, or of a value. Each is looked at by itself,
// also where the evaluation of the whole ends before it.
type Term struct {
	Text  string // as it is written, on one line
	Pos   Pos
	Op    string // of what the parts below are: "and", "or", "not", "?", or a comparison's or calculation's own; "" without any
	Value any    // as a twin would spell it, nil when it is missing
	Holds bool   // of a condition
	Err   error
	Reads []Reading // all paths that it looks at
	Of    []Term    // the parts that decide it

	fixed bool
	value any // as expressions calculate with it
}

// A Reading is a path that a term looks at and what stands there.
type Reading struct {
	Path    string
	Value   any       // as the twin spells it; nil when missing
	Updated time.Time // when the hub last changed it; zero when that is not known
	Age     time.Duration
}

// Explain judges t as [Program.Eval] does and says why. It looks at t as it is:
// what rules would make of what others write is left to package engine.
func (p *Program) Explain(ctx context.Context, t *twin.Twin, at Moment) []Explanation {
	var list []Explanation
	for _, r := range p.rules {
		if r.Mode != Off && r.On.Covers(t.Ref) {
			list = append(list, r.explain(ctx, p.scope(t, at)))
		}
	}
	findRivals(list)
	return list
}

func (r *compiledRule) explain(ctx context.Context, in *scope) Explanation {
	e := Explanation{Verdict: r.eval(ctx, in), Selector: r.selector.explain(in)}
	if e.Selected {
		r.explainWhen(ctx, in, &e)
		e.Standing = r.standing(in)
	}
	for _, l := range e.Leaves {
		if !l.Holds(in.twin) {
			e.Changes = append(e.Changes, l)
		}
	}
	e.Miss = e.nearest()
	return e
}

func (r *compiledRule) explainWhen(ctx context.Context, in *scope, e *Explanation) {
	if _, found, err := r.find(ctx, in); !found || err != nil {
		return
	}
	e.Facts = in.facts
	e.When, e.Until = r.when.explain(in), r.until.explain(in)
}

// explain evaluates the parts of a condition one by one.
func (e *expression) explain(in *scope) (list []Term) {
	if e == nil {
		return nil
	}
	for _, p := range e.parts().conjuncts(nil) {
		list = append(list, p.term(in))
	}
	return list
}

// term evaluates p and everything below it.
func (p *part) term(in *scope) Term {
	t := Term{Text: p.text, Pos: p.start(), Op: p.op, fixed: p.fixed}
	t.value, t.Err = p.eval(in)
	t.Holds, _ = t.value.(bool)
	t.Value = spelling(t.value)
	for _, s := range p.slots {
		t.Reads = append(t.Reads, s.reading(in))
	}
	for _, sub := range p.of {
		t.Of = append(t.Of, sub.term(in))
	}
	return t
}

// reading returns what stands at a slot, and since when.
func (s slot) reading(in *scope) Reading {
	r := Reading{Path: s.key, Value: s.shown(in)}
	if s.root.Name != "reported" && s.root.Name != "desired" {
		return r
	}
	if at, ok := in.twin.Updated(s.root.Name, s.path...); ok {
		r.Updated, r.Age = at, in.now.Sub(at)
	}
	return r
}

// shown returns the value of a slot as a person should see it.
func (s slot) shown(in *scope) any {
	if s.kind != slotValue {
		return spelling(s.value(in))
	}
	v, _ := s.raw(in)
	if isJSON(v) {
		return v
	}
	return spelling(v)
}

// spelling returns a value of an expression as a person should see it: what a
// twin could hold as that, a duration with its units.
func spelling(v any) any {
	if d, ok := v.(time.Duration); ok {
		return d.String()
	}
	if v == nil {
		return nil
	}
	if j, err := fromExpr(v); err == nil {
		return j
	}
	return display(v)
}
