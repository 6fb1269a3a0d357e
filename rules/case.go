package rules

import (
	"context"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// A CaseResult is what became of one test of a rule.
type CaseResult struct {
	Rule *Rule
	Case *Case
	// Problem says what differs from what the test expects, in one line; ""
	// when the test passed.
	Problem string
	Got     twin.Patch // what the rule wants of the test's twin, after diffing
	Err     error      // the rule's error, when it had one
	Gate    GateState  // what the gate of the rule's rollout says; "" where the test does not ask
}

// Test runs the tests of every rule, in the order of the pack; a rule that is
// off is tested, too. A test without a time of its own runs at at.Now.
func (p *Program) Test(ctx context.Context, at Moment) []CaseResult {
	var list []CaseResult
	for _, r := range p.rules {
		for _, c := range r.Tests {
			list = append(list, p.test(ctx, r, c, at))
		}
	}
	return list
}

func (p *Program) test(ctx context.Context, r *compiledRule, c *Case, at Moment) CaseResult {
	in := p.caseScope(c, at)
	v := r.eval(ctx, in)
	result := CaseResult{Rule: r.Rule, Case: c, Err: v.Err, Got: unmet(c.Twin, v.Leaves)}
	if c.Gate != "" {
		result.Gate = r.gate.state(in)
	}
	result.Problem = c.problem(result)
	return result
}

// caseScope returns what the expressions of a rule see in a test.
func (p *Program) caseScope(c *Case, at Moment) *scope {
	if !c.Now.IsZero() {
		at.Now = c.Now
	}
	if c.Before != nil {
		at.Memory = recollection{*c.Before}
	}
	return p.scope(c.Twin, at)
}

// Trace explains what the rule of a test makes of its twin.
func (p *Program) Trace(ctx context.Context, at Moment, result CaseResult) Explanation {
	i := slices.IndexFunc(p.rules, func(r *compiledRule) bool { return r.Rule == result.Rule })
	return p.rules[i].explain(ctx, p.caseScope(result.Case, at))
}

// A Mismatch is a place at which a rule does not want what a test expects.
type Mismatch struct {
	Place     string // such as "desired.fan"
	Wanted    any    // nil removes
	Got       any
	HasWanted bool // the test expects something at this place
	HasGot    bool // the rule wants something there
}

// Mismatches returns how what the rule wants differs from what the test expects,
// by place; none where the test is about an error.
func (r CaseResult) Mismatches() []Mismatch {
	if !r.Case.expects() || r.Case.Error != "" || r.Err != nil {
		return nil
	}
	var list []Mismatch
	got := leavesOf(r.Got)
	for _, l := range leavesOf(r.Case.Patch) {
		m := Mismatch{Place: placeName(l), Wanted: l.Value, HasWanted: true}
		if i := slices.IndexFunc(got, func(o twin.Leaf) bool { return o.Compare(l) == 0 }); i >= 0 {
			m.Got, m.HasGot = got[i].Value, true
			got = slices.Delete(got, i, i+1)
		}
		if !m.HasGot || !twin.Equal(m.Wanted, m.Got) {
			list = append(list, m)
		}
	}
	for _, l := range got {
		list = append(list, Mismatch{Place: placeName(l), Got: l.Value, HasGot: true})
	}
	slices.SortStableFunc(list, func(a, b Mismatch) int { return strings.Compare(a.Place, b.Place) })
	return list
}

func leavesOf(p twin.Patch) []twin.Leaf {
	return append(twin.Leaves("desired", p.Desired), twin.Leaves("tags", p.Tags)...)
}

func placeName(l twin.Leaf) string { return PathString(append([]string{l.Section}, l.Path...)) }

// A recollection is a [Memory] that a test spells out.
type recollection struct{ twin.Patch }

// Before finds nothing where the test names nothing, and knows that.
func (r recollection) Before(_ *twin.Twin, _ string, place twin.Leaf) (value any, known bool) {
	section := r.Desired
	if place.Section == "tags" {
		section = r.Tags
	}
	value, _ = section.Lookup(place.Path...)
	return value, true
}

// unmet returns the patch of the leaves that do not hold already.
func unmet(t *twin.Twin, leaves []twin.Leaf) twin.Patch {
	var open []twin.Leaf
	for _, l := range leaves {
		if !l.Holds(t) {
			open = append(open, l)
		}
	}
	return twin.PatchOf(open)
}

func (c *Case) problem(r CaseResult) string {
	switch {
	case c.Gate != r.Gate:
		return "wanted the gate to say " + string(c.Gate) + ", got " + string(r.Gate)
	case !c.expects():
		return ""
	case c.Error != "" && r.Err == nil:
		return "wanted an error with " + c.Error + ", got " + describe(r.Got)
	case c.Error != "" && !strings.Contains(r.Err.Error(), c.Error):
		return "wanted an error with " + c.Error + ", got " + r.Err.Error()
	case c.Error != "":
		return ""
	case r.Err != nil:
		return "got the error " + r.Err.Error()
	case !twin.Equal(c.Patch.Document(), r.Got.Document()):
		return "wanted " + describe(c.Patch) + ", got " + describe(r.Got)
	}
	return ""
}

// describe shows a patch as a test would spell it.
func describe(p twin.Patch) string {
	if p.Empty() {
		return "none"
	}
	o := twin.Object{}
	if len(p.Tags) > 0 {
		o["tags"] = p.Tags
	}
	if len(p.Desired) > 0 {
		o["desired"] = p.Desired
	}
	return string(twin.Encode(o))
}
