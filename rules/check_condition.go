package rules

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// conditions proves what it can about the conditions of one rule.
func (v *prover) conditions(s *studied) {
	if never(s) {
		return
	}
	selected := s.selector.clauses(true)
	s.selector.branches(s.On, nil)
	s.when.branches(s.On, selected)
	s.until.branches(s.On, selected)
	s.selector.always(s.On, nil, "leave the selector out")
	s.when.always(s.On, selected, "leave when out to say always")
	s.until.always(s.On, selected, "")
	s.missing()
}

// never reports a rule that no twin enters.
func never(s *studied) bool {
	if len(s.living()) > 0 || len(s.match) == 0 {
		return false
	}
	at, hint := s.when, ""
	if at == nil {
		at = s.selector
	}
	if at == nil {
		at = s.until
	}
	clash := s.match[0].clash
	if len(clash) == 1 && len(clash[0].path) == 0 {
		hint = "mode: off turns a rule off"
	}
	switch {
	case len(s.match) > 1:
		at.report(at.tree, NeverTrue, hint, "the rule never matches: no side of its ors can hold, the first because no twin meets %s", said(clash))
	default:
		at.report(at.tree, NeverTrue, hint, "the rule never matches: no twin meets %s", said(clash))
	}
	return true
}

// branches reports the sides of ors in a condition that no twin meets which also
// meets one of before, nil for any.
func (x *examined) branches(on Target, before [][]demand) {
	if x == nil {
		return
	}
	if before == nil {
		before = [][]demand{nil}
	}
	x.side(on, x.tree, before)
}

func (x *examined) side(on Target, n ast.Node, before [][]demand) {
	b, ok := n.(*ast.BinaryNode)
	if !ok {
		return
	}
	switch junction(b.Operator) {
	case "and":
		x.side(on, b.Left, both(before, x.reader.clauses(b.Right, true)))
		x.side(on, b.Right, both(before, x.reader.clauses(b.Left, true)))
	case "or":
		for _, operand := range []ast.Node{b.Left, b.Right} {
			clauses, clash := alive(on, both(before, x.reader.clauses(operand, true)))
			if len(clauses) == 0 {
				x.report(operand, DeadBranch, "", "this side of the or never holds: no twin meets %s", said(clash))
				continue
			}
			x.side(on, operand, before)
		}
	}
}

// always reports a condition that holds for every twin that meets one of before.
// One that is nothing but true says so itself.
func (x *examined) always(on Target, before [][]demand, hint string) {
	if x == nil {
		return
	}
	if _, plain := x.tree.(*ast.BoolNode); plain {
		return
	}
	against := x.clauses(false)
	if before != nil {
		against = both(before, against)
	}
	clauses, clash := alive(on, against)
	switch {
	case len(clauses) > 0:
	case len(before) > 0 && len(before[0]) > 0 && len(clash) > 1:
		x.report(x.tree, AlwaysTrue, hint, "this holds for every twin that the selector selects")
	default:
		x.report(x.tree, AlwaysTrue, hint, "this holds for every twin")
	}
}

// missing reports != on paths that may be missing, where it holds. Who compares
// the path with nil anywhere in the rule knows, and who writes it wants it there.
func (s *studied) missing() {
	aware := s.aware()
	for _, x := range []*examined{s.when, s.until} {
		var reported []ast.Node
		for _, demands := range x.clauses(true) {
			c := newClause(s.On, demands)
			for _, d := range demands {
				if c.clash == nil && !slices.Contains(reported, d.node) && s.differs(d, aware) && c.terms[d.term].region.missing {
					reported = append(reported, d.node)
					x.report(d.node, MissingDiffers, "to leave such twins out, write "+d.term+" != nil and "+d.text+"; to have them, write "+d.term+" == nil or "+d.text,
						"this also holds where %s is missing", d.term)
				}
			}
		}
	}
}

// differs reports whether d is a != of a path that nobody says may be missing.
func (s *studied) differs(d demand, aware map[string]bool) bool {
	b, ok := d.node.(*ast.BinaryNode)
	if !ok || b.Operator != "!=" || d.not || d.of != "" || len(d.path) < 2 || d.isNil {
		return false
	}
	if slices.ContainsFunc(pathsOf(s.writes()), d.path.Overlaps) {
		return false
	}
	return !aware[d.term] && !aware[unsaid] // there it may be said
}

// aware returns the terms that the rule compares with nil.
func (s *studied) aware() map[string]bool {
	terms := map[string]bool{}
	for _, x := range []*examined{s.selector, s.when, s.until} {
		for _, demands := range slices.Concat(x.clauses(true), x.clauses(false)) {
			for _, d := range demands {
				terms[d.term] = terms[d.term] || d.isNil || d.term == unsaid
			}
		}
	}
	return terms
}
