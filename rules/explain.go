package rules

import (
	"context"

	"github.com/expr-lang/expr/ast"

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
}

// A Term is one part of a condition: the operand of an outermost and.
type Term struct {
	Text  string // as an expression
	Holds bool
	Err   error
	Reads []Reading
}

// A Reading is a path that a term looks at and what stands there.
type Reading struct {
	Path  string
	Value any // as the twin spells it; nil when missing
}

// Explain judges t as [Program.Eval] does and says why.
func (p *Program) Explain(ctx context.Context, t *twin.Twin, at Moment) []Explanation {
	var list []Explanation
	for _, r := range p.rules {
		if r.Mode == Off || !r.On.Covers(t.Ref) {
			continue
		}
		in := p.scope(t, at)
		e := Explanation{Verdict: r.eval(ctx, in), Selector: r.selector.explain(in)}
		if e.Selected {
			r.explainWhen(ctx, in, &e)
		}
		for _, l := range e.Leaves {
			if !l.Holds(t) {
				e.Changes = append(e.Changes, l)
			}
		}
		list = append(list, e)
	}
	return list
}

func (r *compiledRule) explainWhen(ctx context.Context, in *scope, e *Explanation) {
	if r.plugin != nil {
		finding, err := r.plugin.Eval(ctx, in.twin, in.now)
		if err != nil || finding == nil {
			return
		}
		in.facts, e.Facts = finding.Facts, finding.Facts
	}
	e.When, e.Until = r.when.explain(in), r.until.explain(in)
}

// A term is one part of a condition, compiled by itself.
type term struct {
	text string
	expression
	err error // it does not compile alone
}

// apart compiles the parts of a condition, whose tree is node, one by one.
func (e *expression) apart(source string, node ast.Node, texts []string) (list []term) {
	slots := slotsByKey(e.slots)
	for i, n := range conjuncts(node, nil) {
		t := term{text: texts[i], expression: *e}
		t.slots = used(n, slots)
		t.program, t.err = assemble(source, n, e.kind)
		list = append(list, t)
	}
	return list
}

// explain evaluates the parts of a condition one by one.
func (e *expression) explain(in *scope) (list []Term) {
	if e == nil {
		return nil
	}
	for _, part := range e.terms() {
		t := Term{Text: part.text, Err: part.err}
		if part.err == nil {
			t.Holds, t.Err = part.holds(in)
		}
		for _, s := range part.slots {
			t.Reads = append(t.Reads, Reading{s.key, s.shown(in)})
		}
		list = append(list, t)
	}
	return list
}

func slotsByKey(list []slot) map[string]slot {
	m := make(map[string]slot, len(list))
	for _, s := range list {
		m[s.key] = s
	}
	return m
}

// shown returns the value of a slot as a person should see it.
func (s slot) shown(in *scope) any {
	if s.kind != slotValue {
		return display(s.value(in))
	}
	v, _ := s.raw(in)
	if isJSON(v) {
		return v
	}
	if v == nil {
		return nil
	}
	return display(v)
}
