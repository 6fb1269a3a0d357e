package rules

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/twinrules/twinrules/hub/twin"
)

// gates proves what it can about the gate of a rule's rollout.
func (v *prover) gates(s *studied) {
	if s.gate == nil {
		return
	}
	if !v.shut(s) {
		v.empty(s)
	}
}

// shut reports a gate that no twin passes on which the rule is at work.
func (v *prover) shut(s *studied) bool {
	gate := s.Rollout.Gate
	ok, fail := v.examine(gate.ok, condition), v.examine(gate.fail, condition)
	if ok == nil || ok.tree == nil {
		return false
	}
	passing := both(s.selector.clauses(true), both(v.standing(s), both(ok.clauses(true), fail.unless())))
	clauses, clash := alive(s.On, passing)
	if len(clauses) > 0 || len(passing) == 0 {
		return false
	}
	ok.report(ok.tree, NeverTrue, "", "no wave passes this gate: no twin that has what the rule writes meets %s", said(clash))
	return true
}

// standing demands the constants of the rule's patch, which all twins of a wave
// have when its gate is asked, but not those of a rule that also takes them back.
// Nulls and objects are left out, because others write below them, and so is
// what another rule writes, too, which may have its way.
func (v *prover) standing(s *studied) [][]demand {
	var demands []demand
	if s.stateful {
		return [][]demand{nil}
	}
	read := reader{v.program.Pack.Vars, condition}
	for i, l := range s.leaves {
		switch l.value.literal.(type) {
		case nil, twin.Object, []any:
			continue
		}
		if !l.value.constant() || v.shared(s, l) {
			continue
		}
		path := Path(append([]string{l.section}, l.path...)).String()
		n := parse(s.patch[i].value.quiet(), 0, path+" == "+string(twin.Encode(l.value.literal)))
		if b, ok := n.(*ast.BinaryNode); ok {
			demands = append(demands, slices.Concat(read.clauses(b, true)...)...)
		}
	}
	return [][]demand{demands}
}

// shared reports whether another rule may write at a place.
func (v *prover) shared(s *studied, l leaf) bool {
	place := twin.Leaf{Section: l.section, Path: l.path}
	return slices.ContainsFunc(v.program.rules, func(r *compiledRule) bool {
		return r != s.compiledRule && slices.ContainsFunc(r.writes(), place.Overlaps)
	})
}

// empty warns of a gate that says nothing about devices: one that reads only what
// the rule writes, and one that is ok on a twin which has what the rule writes and
// has reported nothing.
func (v *prover) empty(s *studied) {
	x := v.examine(s.Rollout.Gate.ok, condition)
	if x == nil || x.tree == nil || s.plugin != nil {
		return // what a plugin writes is not known
	}
	const hint = "read what the device reports once it has taken the change"
	switch {
	case s.own(s.gate.ok):
		x.report(x.tree, EmptyGate, hint, "this gate reads nothing but what the rule writes itself")
	case !s.computed(s.gate.ok) && !s.computed(s.gate.fail) && v.silent(s) == GateOK:
		x.report(x.tree, EmptyGate, hint, "a device that has reported nothing passes this gate as soon as the rule has written")
	}
}

// own reports whether a condition reads nothing of a twin but what the rule writes.
func (s *studied) own(e *expression) (own bool) {
	for _, slot := range e.reads(nil) {
		if slices.Contains([]string{"vars", "now", "hub"}, slot.root.Name) {
			continue // which are not the twin's
		}
		own = slices.ContainsFunc(s.leaves, func(l leaf) bool {
			return l.section == slot.root.Name && len(l.path) <= len(slot.path) && slices.Equal(l.path, slot.path[:len(l.path)])
		})
		if !own {
			return false
		}
	}
	return own
}

// computed reports whether a condition reads what the rule computes.
func (s *studied) computed(e *expression) bool {
	return slices.ContainsFunc(e.reads(nil), func(slot slot) bool {
		read := twin.Leaf{Section: slot.root.Name, Path: slot.path}
		return slices.ContainsFunc(s.leaves, func(l leaf) bool {
			return !l.value.constant() && read.Overlaps(twin.Leaf{Section: l.section, Path: l.path})
		})
	})
}

// silent asks the gate of a twin that has reported nothing, is selected as far as
// that goes together, and has the constants of the rule's patch.
func (v *prover) silent(s *studied) GateState {
	at := witnessed()
	w := made(twin.Object{}, s.On)
	if clauses, _ := alive(s.On, s.selector.clauses(true)); len(clauses) > 0 {
		if who := clauses[0].witness(s.On, at); who != nil && who.short["reported"] == nil {
			w = who
		}
	}
	p := twin.Patch{}
	for _, l := range s.leaves {
		if !l.value.constant() {
			continue
		}
		section := &p.Desired
		if l.section == "tags" {
			section = &p.Tags
		}
		*section = twin.Set(*section, l.path, l.value.literal)
	}
	return s.gate.state(v.program.scope(w.twin.With(p), at))
}
