package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// troubles shows what stands in the way of a plan, and what went wrong.
func troubles(p *engine.Plan) string {
	var list []string
	for _, c := range p.Conflicts {
		text := "conflict " + c.Place
		for _, w := range c.Wishes {
			text += fmt.Sprintf(" %s=%s", w.Rule, twin.Encode(w.Value))
		}
		list = append(list, text)
	}
	for _, f := range p.Errors {
		list = append(list, f.Ref.String()+" "+f.Rule+": "+f.Message)
	}
	return strings.Join(list, "\n")
}

// TestWeighing is who wins when more than two rules speak of one place, and when
// the hub itself writes for one of them.
func TestWeighing(t *testing.T) {
	rule := func(id string, priority int, patch string) string {
		return fmt.Sprintf("  - {id: %s, priority: %d, patch: {desired: %s}}\n", id, priority, patch)
	}
	hubs := func(id string, priority int, patch string) string {
		return fmt.Sprintf("  - {id: %s, patch: {desired: %s}, configuration: {priority: %d}}\n", id, patch, priority)
	}
	for name, c := range map[string]struct{ body, changes, troubles string }{
		"a third rule outranks a conflict": {rule("a", 0, "{x: 1}") + rule("b", 0, "{x: 2}") + rule("c", 1, "{x: 3}"), "d0000 desired.x null → 3 c\n", ""},
		"what loses does not win elsewhere": {rule("a", 2, "{x: 1}") + rule("b", 1, "{x: {y: 1, z: 1}}") + rule("c", 0, "{x: {z: 2}}"),
			"d0000 desired.x null → 1 a\n", ""},
		"a loser is nobody's rival":          {rule("a", 2, "{x: {y: 1}}") + rule("b", 1, "{x: 5}") + rule("c", 0, "{x: {z: 3}}"), "d0000 desired.x.y null → 1 a\nd0000 desired.x.z null → 3 c\n", ""},
		"three of one priority":              {rule("a", 0, "{x: 1}") + rule("b", 0, "{x: 2}") + rule("c", 0, "{x: 1}"), "", "conflict desired.x a=1 b=2\nconflict desired.x b=2 c=1"},
		"a conflict is not won from below":   {rule("a", 1, "{x: 1}") + rule("b", 1, "{x: 2}") + rule("c", 0, "{x: 3}"), "", "conflict desired.x a=1 b=2"},
		"the winners stand in pack order":    {rule("a", 0, "{x: 1}") + rule("b", 5, "{x: 1}") + rule("c", 0, "{x: 2}"), "d0000 desired.x null → 1 a,b\n", ""},
		"the hub agrees":                     {rule("a", 0, "{x: 1}") + hubs("h", 0, "{x: 1}"), "d0000 desired.x null → 1 a\n", ""},
		"the hub would write something else": {rule("a", 100, "{x: 1, y: 1}") + hubs("h", 0, "{x: 2}"), "d0000 desired.y null → 1 a\n", "conflict desired.x a=1 h=2"},
		"the hub knows its own priorities":   {hubs("g", 1, "{x: 1}") + hubs("h", 2, "{x: 2}"), "", ""},
		"and where it has none":              {hubs("g", 1, "{x: 1}") + hubs("h", 1, "{x: 2}"), "", "conflict desired.x g=1 h=2"},
	} {
		t.Run(name, func(t *testing.T) {
			plan := evaluate(t, pack(t, c.body), fleet(1), nil)
			if got := lines(changesIn(plan.Changes)); got != c.changes {
				t.Errorf("got %q, want %q", got, c.changes)
			}
			if got := troubles(plan); got != c.troubles {
				t.Errorf("got %q, want %q", got, c.troubles)
			}
		})
	}
}

// TestAuditStandsInNobodysWay: rules of mode audit that disagree are told so, and
// the plan can be applied.
func TestAuditStandsInNobodysWay(t *testing.T) {
	plan := evaluate(t, pack(t, setter+"  - {id: a, mode: audit, patch: {tags: {x: 1}}}\n  - {id: b, mode: audit, patch: {tags: {x: 2}}}\n"), fleet(1), nil)
	want := "devices/d0000 a: rule b wants 2 for tags.x, this one 1\ndevices/d0000 b: rule a wants 1 for tags.x, this one 2"
	if got := troubles(plan); got != want || plan.Obstacle() != "" || plan.Changes.Len() != 1 {
		t.Errorf("got %s and %q, want %s", got, plan.Obstacle(), want)
	}
}

// A judge is a plugin that says what it is told to.
type judge func(ctx context.Context) (*rules.Finding, error)

func (j judge) Instance(context.Context, *rules.Rule, twin.Object) (rules.Plugin, error) {
	return j, nil
}
func (j judge) Eval(ctx context.Context, _ *twin.Twin, _ time.Time) (*rules.Finding, int64, error) {
	f, err := j(ctx)
	return f, 0, err
}
func (judge) Reads() []string  { return nil }
func (judge) Writes() []string { return nil }

const judged = "  - {id: r, plugin: {use: judge, onError: skip}}\n"

// judgedBy compiles a pack whose only rule asks j.
func judgedBy(t testing.TB, j judge) *rules.Program {
	t.Helper()
	return packOf(t, "plugins: {judge: {source: j.wasm, digest: \"sha256:"+strings.Repeat("0", 64)+"\"}}\nlimits: {maxTwins: 100000, maxPercent: 100}\n", judged, j)
}

// TestWhatAPluginMayNotWrite: whatever a plugin returns, the hub's own members
// are left alone.
func TestWhatAPluginMayNotWrite(t *testing.T) {
	for patch, want := range map[string]string{
		`{"$version":5}`:         "devices/d0000 r: the hub would refuse the result: desired.$version is the hub's own",
		`{"$metadata":{"x":1}}`:  "devices/d0000 r: the hub would refuse the result: desired.$metadata.x is the hub's own",
		`{"":1}`:                 "",
		`{"__proto__":{"a":1}}`:  "",
		`{"a.b":1}`:              `devices/d0000 r: the hub would refuse the result: desired: a.b: a key must not contain '.'`,
		`{"a":{"$version":5}}`:   `devices/d0000 r: the hub would refuse the result: desired: a.$version: a key must not contain '$'`,
		`{"n":9007199254740993}`: "devices/d0000 r: the hub would refuse the result: desired: n: the integer 9007199254740993 is beyond ±(2^52-1)",
	} {
		desired, err := twin.DecodeObject([]byte(patch))
		if err != nil {
			t.Fatal(err)
		}
		plan := evaluate(t, judgedBy(t, func(context.Context) (*rules.Finding, error) {
			return &rules.Finding{Patch: twin.Patch{Desired: desired}}, nil
		}), fleet(1), nil)
		if got := troubles(plan); got != want || (plan.Changes.Len() == 1) != (want == "") {
			t.Errorf("%s: got %q and %d changes, want %q", patch, got, plan.Changes.Len(), want)
		}
	}
}

// TestAnInterruptedPluginMakesNoPlan ends the context inside a plugin call, which
// the rule would skip: what it did not say is not taken for a no.
func TestAnInterruptedPluginMakesNoPlan(t *testing.T) {
	for _, workers := range []int{1, 4} {
		ctx, cancel := context.WithCancelCause(t.Context())
		p := judgedBy(t, func(ctx context.Context) (*rules.Finding, error) {
			cancel(errors.New("enough"))
			return nil, ctx.Err()
		})
		plan, err := engine.Evaluate(ctx, p, fleet(10), &engine.Options{Workers: workers, Moment: moment()})
		if plan != nil || err == nil || err.Error() != "enough" {
			t.Errorf("%d workers: got %v, %v", workers, plan, err)
		}
	}
}

func TestProgressOnlyGrows(t *testing.T) {
	var seen []int
	evaluate(t, pack(t, saver), fleet(1000), &engine.Options{Progress: func(n int) { seen = append(seen, n) }})
	for i, n := range seen {
		if i > 0 && n < seen[i-1] {
			t.Errorf("%d after %d", n, seen[i-1])
		}
	}
	if len(seen) < 5 || seen[len(seen)-1] != 667 {
		t.Errorf("got %v, want several up to the 667 twins that are selected", seen)
	}
}

func TestAYearThatNoPlanHoldsIsAnError(t *testing.T) {
	at := rules.Moment{Now: time.Date(9999, 12, 31, 23, 59, 0, 0, time.FixedZone("", -3600))}
	if plan, err := engine.Evaluate(t.Context(), pack(t, saver), fleet(1), &engine.Options{Moment: at}); plan != nil || err == nil {
		t.Errorf("got %v, %v", plan, err)
	}
}

// TestLimitsCountWhoIsSelected: a selector that is too long for a query is asked
// of every twin, and those that it does not hold for are not in the population.
func TestLimitsCountWhoIsSelected(t *testing.T) {
	var kinds []string
	for range 2000 {
		kinds = append(kinds, fmt.Sprintf("%q", fmt.Sprint("kind", rand.IntN(1e6))))
	}
	rule := "  - {id: r, selector: 'tags.kind in vars.kinds or tags.kind == \"a\"', limits: {maxPercent: 100}, patch: {tags: {x: 1}}}\n"
	p := packWith(t, "vars: {kinds: ["+strings.Join(kinds, ", ")+"]}\nlimits: {maxPercent: 50}\n", rule)
	plan := evaluate(t, p, fleet(30), nil)
	if len(plan.Queries) != 1 || plan.Queries[0] != "SELECT * FROM devices" || plan.Fleet.Devices != 30 {
		t.Fatalf("got %+v", plan.Header)
	}
	if len(plan.Breaches) != 1 || plan.Breaches[0].String() != "the pack would change 20 of 20 twins, its limits allow 10 (maxTwins 1000, maxPercent 50)" {
		t.Errorf("got %v", plan.Breaches)
	}
}

// TestConfigurationsOfOthersAreLeftAlone: one that has the id we want but is
// another pack's, and a hub that is full.
func TestConfigurationsOfOthersAreLeftAlone(t *testing.T) {
	p := pack(t, "  - {id: c, patch: {desired: {c: 1}}, configuration: {}}\n")
	m := fleet(1)
	id := evaluate(t, p, m, nil).Configurations[0].ID
	m.configurations = []*twin.Configuration{{ID: id, ETag: "M", Labels: map[string]string{"owner": "twinrules", "pack": "q"}}}
	plan := evaluate(t, p, m, nil)
	want := "configurations/" + id + " c: the hub has such a configuration, and it is not this pack's"
	if got := troubles(plan); got != want || len(plan.Configurations) > 0 || plan.Rules[0].Failed != 1 {
		t.Errorf("got %s and %v", got, plan.Configurations)
	}
	m.configurations = nil
	for i := range 100 {
		m.configurations = append(m.configurations, &twin.Configuration{ID: fmt.Sprint("theirs-", i)})
	}
	want = "configurations/" + id + " c: the hub holds 100 configurations at the most"
	if plan = evaluate(t, p, m, nil); troubles(plan) != want || len(plan.Configurations) > 0 {
		t.Errorf("got %s and %v", troubles(plan), plan.Configurations)
	}
}
