package rules_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// TestPassages is when a rule with a state enters, stays and leaves, and what it
// does then, as tests beside it spell it.
func TestPassages(t *testing.T) {
	for name, c := range map[string]struct{ rule, twin, expect string }{
		"it enters":                 {until, "{reported: {pct: 10}}", "{tags: {power: saver}, desired: {sec: 900}}"},
		"between the thresholds":    {until, "{reported: {pct: 30}}", "none"},
		"it stays":                  {until, "{reported: {pct: 30}, tags: {power: saver}, desired: {sec: 900}}", "none"},
		"while in, it asserts":      {until, "{reported: {pct: 30}, tags: {power: saver}, desired: {sec: 60}}", "{desired: {sec: 900}}"},
		"half in is out":            {until + ", priority: 1", "{reported: {pct: 30}, tags: {power: other}, desired: {sec: 900}}", "none"},
		"it leaves":                 {until + ", onExit: remove", "{reported: {pct: 40}, tags: {power: saver}, desired: {sec: 900}}", "{tags: {power: null}, desired: {sec: null}}"},
		"values of others stay":     {until + ", onExit: remove", "{reported: {pct: 40}, tags: {power: saver}, desired: {sec: 60}}", "{tags: {power: null}}"},
		"keep is the default":       {until, "{reported: {pct: 40}, tags: {power: saver}, desired: {sec: 900}}", "none"},
		"out stays out":             {until + ", onExit: remove", "{reported: {pct: 40}, desired: {sec: 900}}", "none"},
		"until goes over when":      {"when: true, until: reported.stop, patch: {tags: {a: 1}}, onExit: remove", "{reported: {stop: true}}", "none"},
		"and ends it":               {"when: true, until: reported.stop, patch: {tags: {a: 1}}, onExit: remove", "{reported: {stop: true}, tags: {a: 1.0}}", "{tags: {a: null}}"},
		"a missing until holds not": {until + ", onExit: remove", "{tags: {power: saver}, desired: {sec: 900}}", "none"},
		"without until, when ends":  {"when: reported.low, patch: {tags: {a: 1}}, onExit: remove", "{reported: {low: false}, tags: {a: 1}}", "{tags: {a: null}}"},
		"a missing when ends, too":  {"when: reported.low, patch: {tags: {a: 1}}, onExit: remove", "{tags: {a: 1}}", "{tags: {a: null}}"},
		"no when enters always":     {"until: reported.ok, patch: {tags: {q: true}}, onExit: remove", "{}", "{tags: {q: true}}"},
		"not selected, not asked":   {"selector: status == 'enabled', when: false, patch: {tags: {a: 1}}, onExit: remove", "{status: disabled, tags: {a: 1}}", "none"},
		"a null counts as a value":  {"when: false, patch: {tags: {a: 1, b: null}}, onExit: remove", "{tags: {a: 1, b: 2}}", "none"},
		"an object that was filled": {"when: false, patch: {tags: {a: 1, o: {}}}, onExit: remove", "{tags: {a: 1, o: {theirs: 1}}}", "{tags: {a: null}}"},
		"one that is empty":         {"when: false, patch: {tags: {a: 1, o: {}}}, onExit: remove", "{tags: {a: 1, o: {}}}", "{tags: {a: null, o: null}}"},
		"a computed leaf as it is now": {`when: false, patch: {tags: {a: 1, c: "${ reported.v * 2 }"}}, onExit: remove`,
			"{tags: {a: 1, c: 8}, reported: {v: 4}}", "{tags: {a: null, c: null}}"},
		"one that was another":     {`when: false, patch: {tags: {a: 1, c: "${ reported.v * 2 }"}}, onExit: remove`, "{tags: {a: 1, c: 8}, reported: {v: 5}}", "{tags: {a: null}}"},
		"one that is missing":      {`when: false, patch: {tags: {a: 1, c: "${ reported.v * 2 }"}}, onExit: remove`, "{tags: {a: 1, c: 8}}", "{error: reported.v is missing}"},
		"an until that fails":      {"when: false, until: reported.v > 5, patch: {tags: {a: 1}}", "{tags: {a: 1}, reported: {v: x}}", "{error: have no order}"},
		"a when not asked for":     {"when: reported.v > 5, until: false, patch: {tags: {a: 1}}", "{tags: {a: 1}, reported: {v: x}}", "none"},
		"restored":                 {restore, "{tags: {a: 1}}, before: {tags: {a: 7}}", "{tags: {a: 7}}"},
		"restored to nothing":      {restore, "{tags: {a: 1}}, before: {}", "{tags: {a: null}}"},
		"restored what it removed": {restore, "{tags: {a: 1}}, before: {tags: {n: 5}}", "{tags: {a: null, n: 5}}"},
		"restored an object":       {restore, "{tags: {a: 1}}, before: {tags: {a: {x: 1, y: {z: 2}}}}", "{tags: {a: {x: 1, y: {z: 2}}}}"},
		"restored what it was":     {restore, "{tags: {a: 1}}, before: {tags: {a: 1}}", "none"},
		"restored without memory":  {restore, "{tags: {a: 1}}", "{tags: {a: null}}"},
	} {
		t.Run(name, func(t *testing.T) {
			p := program(t, "{}", "  - {id: r, "+c.rule+", tests: [{name: t, twin: "+c.twin+", expect: "+c.expect+"}]}\n", nil)
			for _, r := range p.Test(context.Background(), noon) {
				if r.Problem != "" {
					t.Error(r.Problem)
				}
			}
		})
	}
}

const (
	until   = "when: reported.pct < 20, until: reported.pct >= 35, patch: {tags: {power: saver}, desired: {sec: \"${ 900 }\"}}"
	restore = "when: false, patch: {tags: {a: 1, n: null}}, onExit: restore"
)

// TestHysteresis is the law of thresholds: whatever the order in which a battery
// goes up and down, the rule is where a two-threshold switch would be, writes when
// that turns and at no other time, and an applied plan leaves nothing to do.
func TestHysteresis(t *testing.T) {
	p := program(t, "{}", "  - {id: r, when: reported.pct < 20, until: reported.pct >= 35, patch: {tags: {power: saver}, desired: {sec: 900}}, onExit: remove}\n", nil)
	rapid.Check(t, func(rt *rapid.T) {
		on := false
		tw := twinOf(t, twin.Object{}, twin.Object{}, nil)
		for _, pct := range rapid.SliceOfN(rapid.IntRange(0, 60), 1, 40).Draw(rt, "trace") {
			was := on
			on = pct < 20 || on && pct < 35
			tw = twinOf(t, tw.Tags(), tw.Desired(), twin.Object{"pct": json.Number(strconv.Itoa(pct))})
			patch := wanted(tw, p)
			if (on != was) == patch.Empty() {
				rt.Fatalf("at %d, on %v after %v, it wants %v", pct, on, was, patch)
			}
			tw = tw.With(patch)
			if tw.Tags()["power"] == "saver" != on || !wanted(tw, p).Empty() {
				rt.Fatalf("at %d, on %v, the twin is %v and it wants %v", pct, on, tw.Tags(), wanted(tw, p))
			}
		}
	})
}

// TestLeavingTouchesItsOwnOnly is the law of exits: on any twin, what a rule that
// leaves removes stood there as the rule wants it, all of that goes, and nothing
// else changes; and then the rule has nothing more to do.
func TestLeavingTouchesItsOwnOnly(t *testing.T) {
	p := program(t, "{}", `  - {id: r, when: reported.on, patch: {tags: {a: 1, b: "${ reported.b }", c: {d: [1], e: {}}}, desired: {f: null, g: x}}, onExit: remove}`+"\n", nil)
	values := []any{json.Number("1"), json.Number("1.0"), "x", []any{json.Number("1")}, twin.Object{}, twin.Object{"d": []any{json.Number("1")}, "e": twin.Object{}}, true}
	rapid.Check(t, func(rt *rapid.T) {
		section := func(name string, keys ...string) twin.Object {
			o := twin.Object{}
			for _, key := range keys {
				if i := rapid.IntRange(-1, len(values)-1).Draw(rt, name+key); i >= 0 {
					o[key] = values[i]
				}
			}
			return o
		}
		tw := twinOf(t, section("tags", "a", "b", "c"), section("desired", "f", "g"), twin.Object{"b": "x"})
		v := p.Eval(context.Background(), tw, noon)[0]
		for i, l := range v.Leaves {
			section, _ := tw.Section(l.Section)
			if had, ok := section.Lookup(l.Path...); l.Value != nil || ok && !twin.Equal(had, wish(l.Path)) || v.Why[i] != "left: removed" {
				rt.Fatalf("it removes %v, which was %v", l, had)
			}
		}
		after := tw.With(twin.PatchOf(v.Leaves))
		if v.Leaving && after.Tags()["a"] != nil {
			rt.Fatalf("left, and tags are %v", after.Tags())
		}
		if !wanted(after, p).Empty() || p.Eval(context.Background(), after, noon)[0].Leaving {
			rt.Fatalf("after it left %v it wants %v", after.Tags(), wanted(after, p))
		}
	})
}

// wish is what the rule of [TestLeavingTouchesItsOwnOnly] wants at a path.
func wish(path []string) any {
	switch strings.Join(path, ".") {
	case "a":
		return json.Number("1")
	case "c.d":
		return []any{json.Number("1")}
	case "c.e":
		return twin.Object{}
	}
	return "x"
}

// wanted returns what the rules of a pack want of t and it does not have.
func wanted(t *twin.Twin, p *rules.Program) twin.Patch {
	var open []twin.Leaf
	for _, v := range p.Eval(context.Background(), t, noon) {
		for _, l := range v.Leaves {
			if !l.Holds(t) {
				open = append(open, l)
			}
		}
	}
	return twin.PatchOf(open)
}

func twinOf(t testing.TB, tags, desired, reported twin.Object) *twin.Twin {
	t.Helper()
	return parseTwin(t, string(twin.Encode(twin.Object{"deviceId": "d", "tags": tags, "properties": twin.Object{"desired": desired, "reported": reported}})))
}

// TestASkippedPluginEndsNothing: a plugin that fails, and whose failures the rule
// skips, is no reason to take values back.
func TestASkippedPluginEndsNothing(t *testing.T) {
	for _, until := range []string{"skip}, ", "warn}, ", "skip}, until: reported.stop, ", "warn}, until: reported.stop, "} {
		p := program(t, "{}", "  - {id: r, plugin: {use: judge, onError: "+until+"patch: {tags: {a: 1}}, onExit: remove}\n", judge{err: fmt.Errorf("out of fuel")})
		v := p.Eval(context.Background(), twinOf(t, twin.Object{"a": json.Number("1")}, nil, nil), noon)[0]
		if v.Leaving || v.Matched || len(v.Leaves) > 0 || v.Err != nil {
			t.Errorf("got %+v", v)
		}
	}
}

func TestExplainShowsExits(t *testing.T) {
	p := program(t, "{}", "  - {id: r, when: reported.pct < 20, until: reported.pct >= 35 and tags.power == 'saver', patch: {tags: {power: saver}}, onExit: restore}\n", nil)
	e := p.Explain(context.Background(), twinOf(t, twin.Object{"power": "saver"}, nil, twin.Object{"pct": json.Number("40")}), noon)[0]
	if !e.In || !e.Leaving || e.Matched || len(e.Until) != 2 || !e.Until[0].Holds || len(e.Changes) != 1 || !strings.Contains(e.Why[0], "no run remembers") {
		t.Errorf("got %+v", e)
	}
}
