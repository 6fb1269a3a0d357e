package rules

import (
	"errors"
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/twinrules/twinrules/hub/twin"
)

// An atom is a question about a twin that a few of its values answer.
type atom struct {
	says  string // alike for equal ones
	spans []int  // which it reads, in order
	slots []slot // as its expressions name them
	// ask answers it. The scope has what spans hold, and nothing else of a twin.
	ask func(in *scope) (bool, error)
	// whole: it is a rule's whole condition, which may cost what one may cost. The
	// others together must not cost more, so that an expensive one is not decided
	// here.
	whole bool
	cheap bool // it cannot be expensive as long as what it reads is short
	// An ordering against a constant has the other side in common with others of its
	// group. It is evaluated once for all of them.
	left   *expression
	side   *part // the same
	right  any
	holds  func(order int) bool
	common int  // among the group's sides
	by     *row // of a constant leaf: the rules that want it
	// native answers without expr, where it can.
	native func(v *view) (holds, known bool)
}

// maxAtomWork is what an atom may cost that is a part of a condition. Those of one
// condition together cost less than a condition may, in steps and in memory.
const maxAtomWork = maxWork / 4 / maxAtoms

// cheapNodes is the size of an atom that costs less than that on short values,
// unless it walks over a list.
const cheapNodes = 32

// reads returns a key that atoms have in common which read the same.
func (a *atom) reads() string { return fmt.Sprint(a.spans) }

// covering asks whether a rule is about such a document at all.
func covering(r *compiledRule, paths *pathSet) *atom {
	return &atom{
		says: "on " + r.On.String(), spans: []int{paths.add([]string{"moduleId"})}, cheap: true,
		ask: func(in *scope) (bool, error) { return r.On.Covers(in.twin.Ref), nil },
	}
}

// conditionAtom asks a part of a condition that is not made of others. whole says
// that it is all of a rule's condition.
func conditionAtom(p *part, whole bool, b *sieveBuilder) *atom {
	e := p.expression
	a := &atom{
		says: fmt.Sprint("holds ", e.kind, whole, " ", e.source), spans: b.paths.of(e), slots: e.slots, ask: e.holds, whole: whole,
		cheap: !whole && isCheap(e),
	}
	a.native = nativeAnswer(p, b.at)
	if holds, ordering := orderings[p.op]; ordering && p.of[1].fixed && !p.of[0].fixed {
		a.against(p, holds, b.at)
	}
	return a
}

// against makes a an ordering of the left side of p against the constant on its
// right.
func (a *atom) against(p *part, holds func(int) bool, at *scope) {
	right, err := p.of[1].constant(at)
	if err != nil {
		return
	}
	a.side, a.left, a.right, a.holds = p.of[0], p.of[0].expression, right, holds
	selector := p.kind == selection
	a.ask = func(in *scope) (bool, error) {
		left, err := in.runner.common[a.common].of(a.left, in)
		if err != nil {
			return false, err
		}
		v, err := compare(left, right, holds, selector)
		b, _ := v.(bool)
		return b, err
	}
}

// constant evaluates a part that is the same for every twin.
func (p *part) constant(at *scope) (any, error) {
	in := *at
	in.twin = &twin.Twin{}
	return p.eval(&in)
}

// A side is what a group's orderings have in common, for the values that are
// looked at.
type side struct {
	known bool
	value any
	err   error
}

func (s *side) of(e *expression, in *scope) (any, error) {
	if !s.known {
		s.value, s.err = e.eval(in)
		s.known = true
	}
	return s.value, s.err
}

// isCheap reports whether e is small and walks over no list.
func isCheap(e *expression) bool {
	n, v := parse(e.at.quiet(), e.offset, e.source), &walkVisitor{}
	ast.Walk(&n, v)
	return !v.found && nodes(n) <= cheapNodes
}

type walkVisitor struct{ found bool }

func (v *walkVisitor) Visit(n *ast.Node) {
	if _, ok := (*n).(*ast.BuiltinNode); ok {
		v.found = true
	}
}

// leafAtom asks whether a constant leaf holds.
func leafAtom(l twin.Leaf, paths *pathSet) *atom {
	path := append(sectionPath(l.Section), l.Path...)
	place := paths.add(path)
	return &atom{
		says: fmt.Sprintf("leaf %q %s", path, twin.Encode(l.Value)), spans: []int{place}, cheap: true,
		ask: func(in *scope) (bool, error) { return l.Is(in.view.value(place)), nil },
	}
}

// computedAtom asks whether a computed leaf holds. An object is left to others: it
// is several leaves.
func computedAtom(l leaf, paths *pathSet) *atom {
	path := append(sectionPath(l.section), l.path...)
	place := paths.add(path)
	a := &atom{says: fmt.Sprintf("computed %q %p", path, l.value), spans: []int{place}, whole: true}
	for _, e := range l.value.expressions() {
		a.spans, a.slots = append(a.spans, paths.of(e)...), append(a.slots, e.slots...)
	}
	slices.Sort(a.spans)
	a.spans = slices.Compact(a.spans)
	a.ask = func(in *scope) (bool, error) {
		v, err := l.value.eval(in)
		if _, object := v.(twin.Object); object || err != nil {
			return false, errOpen
		}
		return twin.Leaf{Section: l.section, Path: l.path, Value: v}.Is(in.view.value(place)), nil
	}
	return a
}

var errOpen = errors.New("this is for somebody else to say")

// decide asks the atom and returns what is certain.
func (a *atom) decide(in *scope) (holds, known bool) {
	a.begin(in)
	holds, err := a.ask(in)
	a.end(in)
	return holds, err == nil
}

// begin says what may be spent.
func (a *atom) begin(in *scope) {
	in.meter = nil
	if !a.whole {
		in.meter = &in.runner.meter
		in.meter.left = maxWork
	}
}

// end looks at what was spent.
func (a *atom) end(in *scope) {
	if !a.whole && in.meter.left < maxWork-maxAtomWork {
		in.view.broken = true // the whole condition may be too expensive
	}
}

// sectionPath returns where a section of a twin stands.
func sectionPath(section string) []string {
	if section == "tags" {
		return []string{"tags"}
	}
	return []string{"properties", section}
}
