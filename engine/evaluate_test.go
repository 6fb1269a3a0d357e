package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

func TestMain(m *testing.M) {
	if watched {
		flag.Set("rapid.checks", "20") // of 100: the laws of one goroutine
	}
	goleak.VerifyTestMain(m)
}

const saver = "  - id: saver\n    selector: tags.kind == \"a\"\n    when: reported.pct < 20\n    patch: {desired: {interval: 900}, tags: {power: saver}}\n"

func TestEvaluate(t *testing.T) {
	plan := evaluate(t, pack(t, saver), fleet(30), nil)
	want := `d0000 desired.interval 60 → 900 saver
d0000 tags.power null → "saver" saver
d0001 desired.interval 60 → 900 saver
d0001 tags.power null → "saver" saver
d0015 desired.interval 60 → 900 saver
d0015 tags.power null → "saver" saver
d0016 desired.interval 60 → 900 saver
d0016 tags.power null → "saver" saver
`
	if got := lines(changesIn(plan.Changes)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	count := plan.Rules[0]
	if count.Population != 20 || count.Matched != 4 || count.Changed != 4 || count.Failed != 0 {
		t.Errorf("got %+v", count)
	}
	if plan.Fleet.Devices != 20 || !plan.Fleet.Complete || plan.Hub != "contoso.azure-devices.net" {
		t.Errorf("got %+v", plan.Header)
	}
	if c := changesIn(plan.Changes)[0]; c.ETag != "E1" || c.Version != 2 || c.DesiredVersion != 1 {
		t.Errorf("got %+v", c)
	}
	if len(plan.Breaches) > 0 || plan.Obstacle() != "" {
		t.Errorf("got %v", plan.Obstacle())
	}
}

// TestPlanDoesNotDependOnOrderOrWorkers is the law of plans: same twins, same
// bytes.
func TestPlanDoesNotDependOnOrderOrWorkers(t *testing.T) {
	p := pack(t, saver+`
  - {id: audit, mode: audit, when: reported.pct > 90, patch: {tags: {full: true}}}
  - {id: left, when: reported.pct > 50, patch: {desired: {x: 1}}}
  - {id: right, when: reported.pct > 60, patch: {desired: {x: 2}}}
  - {id: broken, when: 'reported.pct > 80 and reported.pct contains "x"', patch: {desired: {y: 2}}}
`)
	m := fleet(500)
	m.order = append(m.order, m.order[:20]...) // listed twice
	want := planBytes(t, evaluate(t, p, m, &engine.Options{Workers: 1}))
	for _, workers := range []int{1, 2, 8} {
		rand.New(rand.NewPCG(1, uint64(workers))).Shuffle(len(m.order), func(i, j int) { m.order[i], m.order[j] = m.order[j], m.order[i] })
		if got := planBytes(t, evaluate(t, p, m, &engine.Options{Workers: workers})); !bytes.Equal(got, want) {
			t.Errorf("%d workers and shuffled pages make another plan", workers)
		}
	}
}

func planBytes(t testing.TB, p *engine.Plan) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := engine.WritePlan(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestConflictsAndPriorities(t *testing.T) {
	for name, c := range map[string]struct{ body, changes, conflicts string }{
		"different values": {`
  - {id: one, patch: {desired: {x: 1}, tags: {ok: 1}}}
  - {id: two, patch: {desired: {x: 2}}}`, "d0000 tags.ok null → 1 one\n", "desired.x one=1 two=2"},
		"the higher priority wins": {`
  - {id: one, priority: 5, patch: {desired: {x: 1}}}
  - {id: two, patch: {desired: {x: 2}}}`, "d0000 desired.x null → 1 one\n", ""},
		"equal values": {`
  - {id: one, patch: {desired: {x: 1}}}
  - {id: two, patch: {desired: {x: 1.0}}}`, "d0000 desired.x null → 1 one,two\n", ""},
		"a leaf below a scalar": {`
  - {id: one, patch: {desired: {x: 1}}}
  - {id: two, patch: {desired: {x: {y: 2}}}}`, "", "desired.x.y one=1 two=2"},
		"a leaf below what is removed": {`
  - {id: one, patch: {desired: {interval: null}}}
  - {id: two, patch: {desired: {interval: {y: 2}}}}`, "", "desired.interval.y one=null two=2"},
		"side by side": {`
  - {id: one, patch: {desired: {x: {a: 1}}}}
  - {id: two, patch: {desired: {x: {b: 2}}}}`, "d0000 desired.x.a null → 1 one\nd0000 desired.x.b null → 2 two\n", ""},
		"a value that holds still conflicts": {`
  - {id: one, patch: {desired: {interval: 60}}}
  - {id: two, patch: {desired: {interval: 61}}}`, "", "desired.interval one=60 two=61"},
		"a number becomes an object": {`
  - {id: one, patch: {desired: {interval: {sec: 5, min: null}}}}`, "d0000 desired.interval 60 → {\"sec\":5} one\n", ""},
		"removal of what is not there": {`
  - {id: one, patch: {desired: {gone: null, deep: {gone: null}}, tags: {kind: null}}}`, "d0000 tags.kind \"a\" → null one\n", ""},
		"audit does not conflict": {`
  - {id: one, patch: {desired: {x: 1}}}
  - {id: two, mode: audit, patch: {desired: {x: 2}}}`, "d0000 desired.x null → 1 one\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			plan := evaluate(t, pack(t, c.body+"\n"), fleet(1), nil)
			if got := lines(changesIn(plan.Changes)); got != c.changes {
				t.Errorf("got %q, want %q", got, c.changes)
			}
			var conflicts []string
			for _, conflict := range plan.Conflicts {
				text := conflict.Place
				for _, w := range conflict.Wishes {
					text += fmt.Sprintf(" %s=%s", w.Rule, twin.Encode(w.Value))
				}
				conflicts = append(conflicts, text)
			}
			if got := strings.Join(conflicts, "; "); got != c.conflicts {
				t.Errorf("got %q, want %q", got, c.conflicts)
			}
			if (plan.Obstacle() != "") != (c.conflicts != "") {
				t.Errorf("the obstacle is %q", plan.Obstacle())
			}
		})
	}
}

func TestLimits(t *testing.T) {
	rule := "  - {id: r, selector: 'tags.kind == \"a\"', %s patch: {tags: {x: 1}}}\n"
	for name, c := range map[string]struct{ head, limits, want string }{
		"by default":           {"", "", "rule r would change 20 of 20 twins, its limits allow 2 (maxTwins 500, maxPercent 10)"},
		"a percent of the pop": {"", "limits: {maxPercent: 100},", ""},
		"a number":             {"", "limits: {maxPercent: 100, maxTwins: 19},", "rule r would change 20 of 20 twins, its limits allow 19 (maxTwins 19, maxPercent 100)"},
		"a small population":   {"", "limits: {maxPercent: 100, minPopulation: 21},", "rule r selects 20 twins, and minPopulation is 21: is this the right hub?"},
		"nothing allowed":      {"", "limits: {maxPercent: 0},", "rule r would change 20 of 20 twins, its limits allow 0 (maxTwins 500, maxPercent 0)"},
	} {
		t.Run(name, func(t *testing.T) {
			plan := evaluate(t, packWith(t, "limits: {maxTwins: 1000, maxPercent: 100}\n", fmt.Sprintf(rule, c.limits)), fleet(30), nil)
			got := ""
			if len(plan.Breaches) > 0 {
				got = plan.Breaches[0].String()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	plan := evaluate(t, packWith(t, "limits: {maxTwins: 5, maxPercent: 100}\n", fmt.Sprintf(rule, "limits: {maxPercent: 100},")), fleet(30), nil)
	if got := plan.Breaches[0].String(); got != "the pack would change 20 of 20 twins, its limits allow 5 (maxTwins 5, maxPercent 100)" {
		t.Error(got)
	}
	audited := evaluate(t, packWith(t, "", fmt.Sprintf(rule, "")), fleet(30), &engine.Options{Audit: true})
	if len(audited.Breaches) > 0 || audited.Changes.Len() > 0 || audited.Audited.Len() != 20 {
		t.Errorf("an audit has no limits and no changes: %+v", audited.Summary())
	}
	few := evaluate(t, packWith(t, "", fmt.Sprintf(rule, "")), fleet(1), nil)
	if len(few.Breaches) > 0 {
		t.Errorf("a percent never allows less than one twin: %v", few.Breaches)
	}
}

func TestRefusedByTheHub(t *testing.T) {
	m := fleet(1)
	m.add(twin.Ref{Device: "full"}, twin.Object{"blob": strings.Repeat("x", 4096), "more": strings.Repeat("y", 4070)}, twin.Object{}, twin.Object{})
	plan := evaluate(t, pack(t, "  - {id: r, patch: {tags: {extra: \"some more text\"}}}\n"), m, nil)
	if plan.Changes.Len() != 1 || len(plan.Errors) != 1 || !strings.Contains(plan.Errors[0].Message, "the hub takes 8192") || plan.Errors[0].Ref.Device != "full" {
		t.Errorf("got %+v", plan.Errors)
	}
}

type brokenSource struct{ *memory }

func (s brokenSource) Twins(ctx context.Context, q string) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		n := 0
		for t, err := range s.memory.Twins(ctx, q) {
			if n++; n > 100 {
				err = errors.New("page 3 is garbage")
			}
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}

func TestASourceThatFailsMakesNoPlan(t *testing.T) {
	plan, err := engine.Evaluate(context.Background(), pack(t, saver), brokenSource{fleet(500)}, nil)
	if plan != nil || err == nil || err.Error() != "read twins: page 3 is garbage" {
		t.Errorf("got %v, %v", plan, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := engine.Evaluate(ctx, pack(t, saver), fleet(5000), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestAppliedPlanLeavesNothing is the law of assertions: after a plan's patches
// the same rules want nothing more, whatever the twins.
func TestAppliedPlanLeavesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := pack(t, `
  - {id: set, patch: {desired: {a: {b: 1, c: "x"}}, tags: {t: true}}}
  - {id: remove, patch: {desired: {gone: null, "deep": {gone: null}}}}
  - {id: copy, when: reported.v != nil, patch: {desired: {v: "${ reported.v }"}}}
  - {id: object, patch: {desired: {o: {}}}}
`)
		m := newMemory()
		for i := range 5 {
			m.add(twin.Ref{Device: fmt.Sprint("d", i)}, section().Draw(rt, "tags"), section().Draw(rt, "desired"), section().Draw(rt, "reported"))
		}
		for _, c := range changesIn(evaluate(t, p, m, nil).Changes) {
			m.twins[c.Ref].write(c.Patch())
		}
		if again := evaluate(t, p, m, nil); again.Changes.Len() > 0 {
			rt.Fatalf("still wanted: %s", lines(changesIn(again.Changes)))
		}
	})
}

// section draws tags or properties with the keys that the rules speak of.
func section() *rapid.Generator[twin.Object] {
	values := []any{"x", json.Number("1"), json.Number("1.0"), true, twin.Object{}, twin.Object{"b": json.Number("2"), "gone": "y"}, []any{"z"}}
	return rapid.Custom(func(t *rapid.T) twin.Object {
		o := twin.Object{}
		for _, key := range []string{"a", "t", "gone", "deep", "v", "o"} {
			if i := rapid.IntRange(-3, len(values)-1).Draw(t, key); i >= 0 {
				o[key] = values[i]
			}
		}
		return o
	})
}

func TestConfigurationChanges(t *testing.T) {
	body := "  - {id: channel, selector: 'tags.kind == \"a\"', patch: {desired: {channel: %s}}, configuration: {priority: %d}}\n"
	m := fleet(3)
	m.configurations = []*twin.Configuration{
		{ID: "somebody-elses", Content: twin.Object{}},
		{ID: "tr-like-ours", Labels: map[string]string{"owner": "twinrules", "pack": "another"}},
	}
	show := func(p *engine.Plan) (text string) {
		for _, c := range p.Configurations {
			text += fmt.Sprintf("%s %s (%s); ", c.Action, c.ID, c.Reason)
		}
		return text
	}
	apply := func(p *engine.Plan) {
		t.Helper()
		r, err := engine.Apply(context.Background(), p, m, newNotebook(), nil)
		if err != nil || !r.Complete() {
			t.Fatalf("%v, %+v", err, r)
		}
	}
	first := pack(t, fmt.Sprintf(body, "stable", 1))
	plan := evaluate(t, first, m, nil)
	if got := show(plan); got != "create tr-channel-9863f89dd9c9 (the rule asks the hub to run it); " {
		t.Error(got)
	}
	if plan.Changes.Len() > 0 {
		t.Errorf("the hub runs the rule, we do not: %s", lines(changesIn(plan.Changes)))
	}
	apply(plan)
	if got := show(evaluate(t, first, m, nil)); got != "" {
		t.Errorf("settled, and still %s", got)
	}
	plan = evaluate(t, pack(t, fmt.Sprintf(body, "stable", 2)), m, nil)
	if got := show(plan); got != "update tr-channel-9863f89dd9c9 (the rule was changed); " {
		t.Error(got)
	}
	apply(plan)
	next := pack(t, fmt.Sprintf(body, "beta", 2))
	plan = evaluate(t, next, m, nil)
	if got := show(plan); got != "create tr-channel-e0814fb245ed (the rule asks the hub to run it); keep tr-channel-9863f89dd9c9 (until tr-channel-e0814fb245ed has been applied); " {
		t.Error(got)
	}
	apply(plan)
	for _, c := range m.configurations {
		if strings.HasPrefix(c.ID, "tr-channel-e0") {
			c.Counts = map[string]int64{"targetedCount": 2, "appliedCount": 2}
		}
	}
	plan = evaluate(t, next, m, nil)
	if got := show(plan); got != "delete tr-channel-9863f89dd9c9 (tr-channel-e0814fb245ed has taken its place); " {
		t.Error(got)
	}
	apply(plan)
	if len(m.configurations) != 3 {
		t.Errorf("%d configurations are left, want ours and two of others", len(m.configurations))
	}
}
