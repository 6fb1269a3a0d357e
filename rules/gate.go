package rules

import (
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// A GateState is what a gate says of one twin of a wave.
type GateState string

// The states.
const (
	GateOK      GateState = "ok"
	GateFail    GateState = "fail"
	GateUnknown GateState = "unknown" // neither is known; it never passes
)

var gateStates = []string{string(GateOK), string(GateFail), string(GateUnknown)}

// A compiledGate is the gate of a rollout that can be asked.
type compiledGate struct{ ok, fail *expression }

// gate compiles the gate of a rollout, and reports a rollout that cannot be.
func (c *compilation) gate(r *Rule, out *compiledRule) *compiledGate {
	if r.Rollout == nil {
		return nil
	}
	g := &compiledGate{}
	for _, e := range []struct {
		source expressionSource
		to     **expression
	}{{r.Rollout.Gate.ok, &g.ok}, {r.Rollout.Gate.fail, &g.fail}} {
		if e.source.exists() {
			*e.to = compileExpression(e.source.at, 0, e.source.text, condition)
			checkGateReads(e.source.at, *e.to)
		}
	}
	checkRollout(r, out)
	return g
}

// checkGateReads refuses a plugin in a gate: it judges what is to be written, and
// would be asked again for every twin of a wave as often as the gate is.
func checkGateReads(at setting, e *expression) {
	if slices.ContainsFunc(e.reads(nil), func(s slot) bool { return s.root.Name == "plugin" }) {
		at.report(BadRollout, "let the gate read what the device reports", "a gate does not ask the plugin")
	}
}

// checkRollout reports a rule that cannot go in waves.
func checkRollout(r *Rule, out *compiledRule) {
	if r.Configuration != nil {
		r.Rollout.at.report(BadRollout, "leave one of the two out", "the hub applies a configuration to all of its targets at once")
	}
	if by := r.Rollout.By; by != nil && slices.ContainsFunc(pathsOf(out.writes()), by.Overlaps) {
		r.Rollout.by.report(BadRollout, "", "the rule writes %s, so that twins would move to other waves as it goes on", by)
	}
}

// state asks the gate. Where both hold it is a failure, and where it is not known
// whether it failed nothing is known: to be ok, fail must have been asked.
func (g *compiledGate) state(in *scope) GateState {
	if g.fail != nil {
		switch failed, err := g.fail.holds(in); {
		case err != nil:
			return GateUnknown
		case failed:
			return GateFail
		}
	}
	if g.ok == nil {
		return GateUnknown
	}
	if ok, err := g.ok.holds(in); err != nil || !ok {
		return GateUnknown
	}
	return GateOK
}

// Gate asks the gate of a rule's rollout of a twin, as it is now. A rule without a
// rollout has no gate, which is always unknown.
func (p *Program) Gate(r *Rule, t *twin.Twin, at Moment) GateState {
	for _, c := range p.rules {
		if c.Rule == r && c.gate != nil {
			return c.gate.state(p.scope(t, at))
		}
	}
	return GateUnknown
}

// A Standing is how a twin stands in a rollout.
type Standing struct {
	Cohort
	Gate     GateState
	OK, Fail []Term // the parts of the gate's conditions that must all hold
}

// standing explains how the rule's rollout sees a twin; nil without one.
func (r *compiledRule) standing(in *scope) *Standing {
	if r.gate == nil {
		return nil
	}
	return &Standing{Cohort: r.Rollout.Cohort(in.twin, in.hub), Gate: r.gate.state(in), OK: r.gate.ok.explain(in), Fail: r.gate.fail.explain(in)}
}

// readGateTest reads what a test expects of the gate of r.
func readGateTest(r *Rule, s setting) GateState {
	state := GateState(s.word("", gateStates...))
	if s.exists() && r.Rollout == nil {
		s.report(BadTest, "", "the rule has no rollout, and so no gate")
	}
	return state
}
