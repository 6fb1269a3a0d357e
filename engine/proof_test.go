package engine_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A lot is a random pack of rules that often write what others read.
type lot struct {
	*rand.Rand
	bodies []string
}

func (l *lot) of(list ...string) string { return list[l.IntN(len(list))] }

func (l *lot) condition() string {
	atom := func() string {
		return l.of("tags.a == 'x'", "tags.a == 'y'", "tags.a == nil", "tags.b == 'x'", "tags.b != 'y'", "reported.n < 2", "reported.n >= 2",
			"reported.n > 1", "tags.b in ['x', 'y']", "desired.c == 1", "not tags.d", "reported.on")
	}
	list := []string{atom()}
	for l.IntN(2) == 0 {
		list = append(list, atom())
	}
	return strings.Join(list, l.of(" and ", " and ", " and ", " or "))
}

func (l *lot) patch() string {
	leaf := func() string {
		return l.of("tags: {a: x}", "tags: {a: y}", "tags: {b: x}", "tags: {b: null}", "tags: {d: true}", "desired: {c: 1}", "desired: {c: 2}",
			"desired: {c: {e: 1}}", "desired: {f: 1}", "desired: {f: 2}", `tags: {g: "${ reported.n }"}`, `tags: {d: "${ not tags.d }"}`)
	}
	p := leaf()
	if q := leaf(); q[:4] != p[:4] && l.IntN(3) == 0 {
		p += ", " + q
	}
	return p
}

// draw makes the bodies of some rules.
func (l *lot) draw() {
	l.bodies = nil
	if l.IntN(10) == 0 { // else one in a hundred has a rule that is shadowed
		c := l.of("tags.b == 'x'", "reported.n < 2", "reported.on")
		l.bodies = append(l.bodies, fmt.Sprintf("  - {id: s0, when: %q, patch: {tags: {a: x}}, priority: 7}\n", c),
			fmt.Sprintf("  - {id: s1, when: \"%s and (%s)\", patch: {tags: {a: y}}}\n", c, l.condition()))
	}
	for i := range 2 + l.IntN(4) {
		more := ""
		if l.IntN(2) == 0 {
			more += fmt.Sprintf("priority: %d, ", l.IntN(3))
		}
		if l.IntN(6) == 0 {
			more += "onExit: remove, "
		}
		if l.IntN(8) == 0 {
			more += "until: reported.on, "
		}
		if l.IntN(10) == 0 {
			more += "mode: audit, "
		}
		l.bodies = append(l.bodies, fmt.Sprintf("  - {id: r%d, %swhen: %q, patch: {%s}}\n", i, more, l.condition(), l.patch()))
	}
}

// fleet is n random twins, which the conditions of a lot tell apart.
func (l *lot) fleet(n int) *memory {
	m := newMemory()
	for i := range n {
		tags, desired, reported := twin.Object{}, twin.Object{}, twin.Object{}
		for _, key := range []string{"a", "b"} {
			if v := l.of("", "x", "y"); v != "" {
				tags[key] = v
			}
		}
		if l.IntN(3) == 0 {
			tags["d"] = l.IntN(2) == 0
		}
		if n := l.IntN(4); n > 0 {
			reported["n"] = json.Number(fmt.Sprint(n))
		}
		if n := l.IntN(3); n > 0 {
			desired["c"] = json.Number(fmt.Sprint(n))
		}
		if l.IntN(3) > 0 {
			reported["on"] = l.IntN(2) == 0
		}
		m.add(twin.Ref{Device: fmt.Sprintf("d%04d", i)}, tags, desired, reported)
	}
	return m
}

// compiled returns a program, what check says of it, and false where the pack has
// a mistake that hinders it.
func (l *lot) compiled(t *testing.T, bodies []string) (*rules.Program, rules.Diagnostics, bool) {
	pack, p, ok := l.unchecked(t, bodies)
	if !ok {
		return nil, nil, false
	}
	return p, rules.Check(context.Background(), pack, nil), true
}

// unchecked compiles a pack that nothing is proven of.
func (l *lot) unchecked(t *testing.T, bodies []string) (*rules.Pack, *rules.Program, bool) {
	text := "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nlimits: {maxTwins: 100000, maxPercent: 100}\ndefaults: {limits: {maxTwins: 100000, maxPercent: 100}}\nrules:\n" + strings.Join(bodies, "")
	pack, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte(text)}})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	p, err := rules.Compile(context.Background(), pack, nil)
	if err != nil {
		return nil, nil, false // an exit that cannot work
	}
	return pack, p, true
}

// TestProofsHoldInPlans is the law of proofs on rules together. Over random packs and
// fleets: a conflict that is shown on a twin is one in the plan for that twin; rules
// that are shown not to settle on one do not; a rule that is shadowed changes no
// plan; and rules of which none reads what comes back to it settle. Over all of
// them, a plan that was applied leaves nothing to do.
func TestProofsHoldInPlans(t *testing.T) {
	l := &lot{Rand: rand.New(rand.NewPCG(2, 2))}
	packs, said, straight := laps(700), map[rules.Code]int{}, 0
	for range packs {
		l.draw()
		p, list, ok := l.compiled(t, l.bodies)
		if !ok {
			continue
		}
		for _, d := range list {
			said[d.Code]++
			l.hold(t, p, d)
		}
		if !p.Circular() && p.Rereads() {
			straight++
		}
		l.settles(t, p, 145)
	}
	t.Logf("said: %v; %d packs without a circle", said, straight)
	for _, code := range []rules.Code{rules.WriteConflict, rules.EndlessRules, rules.SelfNegating, rules.ShadowedRule} {
		if said[code] < packs/100 {
			t.Errorf("%s was said %d times of %d packs", code, said[code], packs)
		}
	}
	if straight < packs/50 {
		t.Errorf("%d packs have rules that read and no circle", straight)
	}
}

// fixPacks is raised to 100,000 before a release, and when rounds are changed.
var fixPacks = flag.Int("fixpoint.packs", 500, "packs on which the law of the fix-point is tried")

// TestFixPoint is the law of the fix-point over many packs, each on a few twins: a
// plan that is applied leaves nothing to plan.
func TestFixPoint(t *testing.T) {
	l := &lot{Rand: rand.New(rand.NewPCG(3, 3))}
	changed := 0
	for range laps(*fixPacks) {
		l.draw()
		if _, p, ok := l.unchecked(t, l.bodies); ok {
			changed += l.settles(t, p, 5)
		}
	}
	if changed < laps(*fixPacks) {
		t.Errorf("only %d changes", changed)
	}
}

// hold holds what check said of two rules or more against plans.
func (l *lot) hold(t *testing.T, p *rules.Program, d *rules.Diagnostic) {
	t.Helper()
	switch d.Code {
	case rules.WriteConflict:
		plan := l.planOf(t, p, d.Twin)
		if !slices.ContainsFunc(plan.Conflicts, func(c engine.Conflict) bool { return mentions(d.Message, c.Wishes[0].Rule, c.Wishes[1].Rule) }) && !audits(p, d) {
			t.Fatalf("%s, but the plan has %s\n%s", d, troubles(plan), l.bodies)
		}
	case rules.EndlessRules, rules.SelfNegating:
		plan := l.planOf(t, p, d.Twin)
		if got := troubles(plan); !strings.Contains(got, "go round") && !strings.Contains(got, "do not settle") && len(plan.Conflicts) == 0 {
			t.Fatalf("%s, but the plan has %q\n%s\n%s", d, got, l.bodies, d.Twin.JSON())
		}
	case rules.ShadowedRule:
		i := d.Pos.Line - 7
		without, _, ok := l.compiled(t, slices.Delete(slices.Clone(l.bodies), i, i+1))
		m := l.fleet(40)
		if a, b := values(evaluate(t, p, m, nil)), values(evaluate(t, without, m, nil)); ok && a != b {
			t.Fatalf("%s, but it changes the plan\n%s\nwith it %s\nwithout %s", d, l.bodies, a, b)
		}
	}
}

func mentions(message string, list ...string) bool {
	for _, id := range list {
		if !strings.Contains(message, `"`+id+`"`) {
			return false
		}
	}
	return true
}

// audits reports whether a conflict is between rules that only report, which is no
// conflict of the plan.
func audits(p *rules.Program, d *rules.Diagnostic) bool {
	return slices.ContainsFunc(p.Pack.Rules, func(r *rules.Rule) bool { return r.Mode == rules.Audit && mentions(d.Message, r.ID) })
}

func (l *lot) planOf(t *testing.T, p *rules.Program, tw *twin.Twin) *engine.Plan {
	m := newMemory()
	m.add(tw.Ref, tw.Tags(), tw.Desired(), tw.Reported())
	return evaluate(t, p, m, nil)
}

// values shows what a plan does, without who wanted it.
func values(p *engine.Plan) string {
	var b strings.Builder
	for _, list := range [][]engine.Change{changesIn(p.Changes), changesIn(p.Audited)} {
		for _, c := range list {
			fmt.Fprintf(&b, "%s %s\n", c.Ref, twin.Encode(c.Patch().Document()))
		}
	}
	return b.String()
}

// settles holds the law of the fix-point: a plan that was applied leaves nothing to
// do on twins without trouble, and where nothing comes back there is no circle.
func (l *lot) settles(t *testing.T, p *rules.Program, twins int) (changes int) {
	t.Helper()
	m := l.fleet(twins)
	plan := evaluate(t, p, m, nil)
	if got := troubles(plan); !p.Circular() && (strings.Contains(got, "go round") || strings.Contains(got, "do not settle")) {
		t.Fatalf("no rule reads what comes back to it, but %s\n%s", got, l.bodies)
	}
	after := newMemory() // of the others the plan is known
	for _, c := range changesIn(plan.Changes) {
		s := m.twins[c.Ref]
		s.write(c.Patch())
		after.add(c.Ref, s.tags, s.desired, s.reported)
	}
	trouble := map[twin.Ref]bool{}
	for _, c := range plan.Conflicts {
		trouble[c.Ref] = true // what is not concerned is planned, and judged after one round
	}
	for _, c := range changesIn(evaluate(t, p, after, nil).Changes) {
		if !trouble[c.Ref] {
			t.Fatalf("still wanted: %s\n%s", lines([]engine.Change{c}), l.bodies)
		}
	}
	return plan.Changes.Len()
}

// laps returns how often a random law is tried: fewer times with -short and under
// the race detector.
func laps(n int) int {
	if testing.Short() || watched {
		return n / 20
	}
	return n
}
