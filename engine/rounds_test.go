package engine_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// TestRounds is what becomes of rules that read what others write.
func TestRounds(t *testing.T) {
	chain := "  - {id: a, when: tags.kind == 'a', patch: {tags: {x: 1}}}\n  - {id: b, when: tags.x == 1, patch: {tags: {y: 1}}}\n  - {id: c, when: tags.y == 1, patch: {desired: {z: \"${ tags.x + 1 }\"}}}\n"
	for name, c := range map[string]struct{ body, changes, troubles string }{
		"a chain": {chain, "d0000 desired.z null → 2 c\nd0000 tags.x null → 1 a\nd0000 tags.y null → 1 b\n", ""},
		"a copy of what is written": {"  - {id: a, patch: {desired: {x: 1}}}\n  - {id: b, when: desired.x != nil, patch: {desired: {y: \"${ desired.x }\"}}}\n",
			"d0000 desired.x null → 1 a\nd0000 desired.y null → 1 b\n", ""},
		"what is undone is nobody's": {"  - {id: a, when: tags.done == nil, patch: {desired: {x: 1}, tags: {done: true}}}\n  - {id: b, when: tags.done, patch: {desired: {x: null}}}\n",
			"d0000 tags.done null → true a\n", ""},
		"what is overwritten is the last's": {"  - {id: a, when: tags.done == nil, patch: {desired: {x: 1}, tags: {done: true}}}\n  - {id: b, when: tags.done, patch: {desired: {x: 2}}}\n",
			"d0000 desired.x null → 2 b\nd0000 tags.done null → true a\n", ""},
		"a rule that negates itself": {"  - {id: a, patch: {tags: {on: \"${ not tags.on }\"}}}\n", "",
			"devices/d0000 a: a go round in a circle: after 2 rounds the twin is as it was; nothing is written to it"},
		"two that undo each other": {"  - {id: a, when: tags.kind == 'a', patch: {tags: {kind: c}}}\n  - {id: b, when: tags.kind == 'c', patch: {tags: {kind: a}}}\n  - {id: z, patch: {tags: {z: 1}}}\n", "",
			"devices/d0000 a: a, b go round in a circle: after 2 rounds the twin is as it was; nothing is written to it\n" +
				"devices/d0000 b: a, b go round in a circle: after 2 rounds the twin is as it was; nothing is written to it"},
		"one that counts": {"  - {id: a, patch: {tags: {n: \"${ (tags.n ?? 0) + 1 }\"}}}\n", "",
			"devices/d0000 a: a do not settle: after 2 rounds they still change what they read; nothing is written to the twin"},
		"a circle after a way": {"  - {id: a, patch: {tags: {n: \"${ tags.n == nil ? 1 : tags.n == 3 ? 2 : tags.n + 1 }\"}}}\n", "",
			"devices/d0000 a: a go round in a circle: after 2 rounds the twin is as it was; nothing is written to it"},
		"a conflict on the way": {"  - {id: a, patch: {tags: {x: 1}}}\n  - {id: b, when: tags.x == 1, patch: {desired: {y: 1}}}\n  - {id: c, when: tags.x == 1, patch: {desired: {y: 2}}}\n",
			"d0000 tags.x null → 1 a\n", "conflict desired.y b=1 c=2"},
		"an error that passes":         {"  - {id: a, patch: {tags: {x: 1}}}\n  - {id: b, patch: {desired: {y: \"${ tags.x }\"}}}\n", "d0000 desired.y null → 1 b\nd0000 tags.x null → 1 a\n", ""},
		"rules of audit see their own": {"  - {id: a, patch: {tags: {x: 1}}}\n  - {id: b, mode: audit, when: tags.x == 1, patch: {tags: {y: 1}}}\n", "d0000 tags.x null → 1 a\n", ""},
		"one that leaves gives way":    {"  - {id: a, when: false, patch: {desired: {interval: 60}}, onExit: remove}\n  - {id: b, patch: {desired: {interval: 30}}}\n", "d0000 desired.interval 60 → 30 b\n", ""},
		"whatever the priorities":      {"  - {id: a, priority: 9, when: false, patch: {desired: {interval: 60}}, onExit: remove}\n  - {id: b, patch: {desired: {interval: 30}}}\n", "d0000 desired.interval 60 → 30 b\n", ""},
		"and where it is wanted":       {"  - {id: a, when: false, patch: {desired: {interval: 60}}, onExit: remove}\n  - {id: b, patch: {desired: {interval: 60}}}\n", "", ""},
		"two that leave one place":     {"  - {id: a, when: false, patch: {desired: {interval: 60}}, onExit: remove}\n  - {id: b, when: false, patch: {desired: {interval: 60}}, onExit: remove}\n", "d0000 desired.interval 60 → null a,b\n", ""},
		"one enters and another leaves": {"  - {id: a, patch: {tags: {on: true}}}\n  - {id: b, when: not tags.on, patch: {desired: {interval: 60}}, onExit: remove}\n",
			"d0000 desired.interval 60 → null b\nd0000 tags.on null → true a\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			plan := evaluate(t, pack(t, c.body), fleet(1), nil)
			if got := lines(changesIn(plan.Changes)); got != c.changes {
				t.Errorf("got %s\nwant %s", got, c.changes)
			}
			if got := troubles(plan); got != c.troubles {
				t.Errorf("got %s\nwant %s", got, c.troubles)
			}
		})
	}
}

// A step is a rule in the small: where a tag has a value, another gets one.
type step struct{ read, is, write, value string }

func (s step) text(i int) string {
	when := fmt.Sprintf("tags.%s == '%s'", s.read, s.is)
	if s.is == "" {
		when = fmt.Sprintf("tags.%s == nil", s.read)
	}
	value := s.value
	if value == "" {
		value = "null"
	}
	return fmt.Sprintf("  - {id: r%d, when: \"%s\", patch: {tags: {%s: %s}}}\n", i, when, s.write, value)
}

// force runs all steps at once until nothing changes, and says how that ended.
func force(steps []step, tags map[string]string) (end map[string]string, how string) {
	var seen []string
	for round := 1; ; round++ {
		next, asked := maps.Clone(tags), map[string]string{}
		for _, s := range steps {
			if tags[s.read] != s.is {
				continue
			}
			if other, already := asked[s.write]; already && other != s.value {
				return tags, "conflict"
			}
			asked[s.write] = s.value
			next[s.write] = s.value
		}
		maps.DeleteFunc(next, func(_, v string) bool { return v == "" })
		if maps.Equal(next, tags) {
			if round > len(steps)+2 {
				return tags, "late"
			}
			return tags, "settled"
		}
		seen = append(seen, fmt.Sprint(tags))
		if slices.Contains(seen, fmt.Sprint(next)) {
			return tags, "circle"
		}
		tags = next
	}
}

// TestSettlingIsBruteForce is the law of rounds: what a plan does is what running
// every rule until nothing changes would have done, whatever their order in the
// pack; applied, it leaves nothing to do; and what has no end is told so.
func TestSettlingIsBruteForce(t *testing.T) {
	ends := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		key := rapid.SampledFrom([]string{"a", "b"})
		value := rapid.SampledFrom([]string{"", "x", "y"})
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{key.Draw(t, "read"), value.Draw(t, "is"), key.Draw(t, "write"), value.Draw(t, "value")}
		}), 2, 7).Draw(rt, "steps")
		tags := map[string]string{}
		for _, k := range []string{"a", "b"} {
			if v := value.Draw(rt, k); v != "" {
				tags[k] = v
			}
		}
		if rapid.IntRange(0, 3).Draw(rt, "planted") == 0 { // else one in a hundred has no end
			steps = append(steps[:rapid.IntRange(0, 1).Draw(rt, "besides")], step{"a", "x", "a", "y"}, step{"a", "y", "a", "x"})
			tags["a"] = "x"
		}
		want, how := force(steps, tags)
		ends[how]++
		var bodies []string
		for i, s := range steps {
			bodies = append(bodies, s.text(i))
		}
		first := settled(t, rt, bodies, tags, want, how)
		slices.Reverse(bodies)
		if second := settled(t, rt, bodies, tags, want, how); !twin.Equal(first, second) {
			rt.Fatalf("%v in one order, %v in the other", first, second)
		}
	})
	for _, how := range []string{"settled", "circle", "conflict"} {
		if ends[how] == 0 {
			t.Errorf("no case ended as %s: %v", how, ends)
		}
	}
}

// settled plans for one twin, holds the plan against what force came to, and
// returns the tags after it.
func settled(t *testing.T, rt *rapid.T, bodies []string, tags, want map[string]string, how string) twin.Object {
	p := pack(t, strings.Join(bodies, ""))
	m := newMemory()
	m.add(twin.Ref{Device: "d"}, object(tags), twin.Object{}, twin.Object{})
	plan := evaluate(t, p, m, nil)
	switch {
	case how == "conflict" != (len(plan.Conflicts) > 0):
		rt.Fatalf("%s, and %d conflicts\n%s", how, len(plan.Conflicts), troubles(plan))
	case (how == "circle" || how == "late") != (len(plan.Errors) > 0):
		rt.Fatalf("%s, and errors %s", how, troubles(plan))
	case how != "settled":
		return nil
	}
	for _, c := range changesIn(plan.Changes) {
		m.twins[c.Ref].write(c.Patch())
	}
	after := m.twins[twin.Ref{Device: "d"}].tags
	if !twin.Equal(after, object(want)) {
		rt.Fatalf("got %v, want %v", after, want)
	}
	if again := evaluate(t, p, m, nil); again.Changes.Len() > 0 {
		rt.Fatalf("still wanted: %s", lines(changesIn(again.Changes)))
	}
	return after
}

func object(tags map[string]string) twin.Object {
	o := twin.Object{}
	for k, v := range tags {
		o[k] = v
	}
	return o
}

// TestRoundsAreBounded: rules that never settle are asked no more than thrice as
// often as rules that do, however many there are.
func TestRoundsAreBounded(t *testing.T) {
	var body strings.Builder
	for i := range 40 {
		fmt.Fprintf(&body, "  - {id: r%d, patch: {tags: {n%d: \"${ (tags.n%d ?? 0) + 1 }\"}}}\n", i, i, (i+1)%40)
	}
	plan := evaluate(t, pack(t, body.String()), fleet(3), nil)
	if plan.Changes.Len() > 0 || len(plan.Errors) != 3*40 || !strings.Contains(plan.Errors[0].Message, "after 41 rounds") {
		t.Errorf("got %d changes and %d errors, %s", plan.Changes.Len(), len(plan.Errors), plan.Errors[0].Message)
	}
}

// TestAuditShowsTheSettledPatch: one flag makes all rules audit, and what they
// would do is what they would have done.
func TestAuditShowsTheSettledPatch(t *testing.T) {
	p := pack(t, "  - {id: a, patch: {tags: {x: 1}}}\n  - {id: b, when: tags.x == 1, patch: {tags: {y: 1}}}\n  - {id: c, mode: 'off', patch: {tags: {z: 1}}}\n")
	enforced, audited := evaluate(t, p, fleet(2), nil), evaluate(t, p, fleet(2), &engine.Options{Audit: true})
	if got, want := lines(changesIn(audited.Audited)), lines(changesIn(enforced.Changes)); got != want || audited.Changes.Len() > 0 || strings.Count(got, "\n") != 4 {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestRestoreInOnePass: a rule that comes and goes in the rounds of one pass gives
// back what stood there when the twin was read.
func TestRestoreInOnePass(t *testing.T) {
	p := pack(t, "  - {id: a, when: tags.kind == 'a', until: tags.late, patch: {desired: {interval: 900}}, onExit: restore}\n  - {id: b, when: desired.interval == 900, patch: {tags: {late: true}}}\n")
	plan := evaluate(t, p, fleet(1), nil)
	if got, want := lines(changesIn(plan.Changes)), "d0000 tags.late null → true b\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A mind is a memory of one answer.
type mind struct {
	value any
	known bool
}

func (m mind) Before(*twin.Twin, string, twin.Leaf) (any, bool) { return m.value, m.known }

// TestThePlanSaysWhatIsGivenBack: with a memory, with one that knows nothing, and
// with none.
func TestThePlanSaysWhatIsGivenBack(t *testing.T) {
	p := pack(t, "  - {id: a, when: false, patch: {desired: {interval: 60}}, onExit: restore}\n")
	for want, memory := range map[string]*mind{
		`60 → 30 left: restored`:   {json.Number("30"), true},
		`60 → null left: restored`: {nil, true},
		`60 → null left: removed, because no run remembers what stood here before`: {nil, false},
	} {
		at := moment()
		at.Memory = memory
		plan, err := engine.Evaluate(t.Context(), p, fleet(1), &engine.Options{Moment: at})
		if err != nil {
			t.Fatal(err)
		}
		e := changesIn(plan.Changes)[0].Edits[0]
		if got := fmt.Sprintf("%s → %s %s", twin.Encode(e.Before), twin.Encode(e.After), e.Why); got != want || plan.Rules[0].Leaving != 1 || plan.Rules[0].Changed != 1 {
			t.Errorf("got %s and %+v, want %s", got, plan.Rules[0], want)
		}
	}
	if e := changesIn(evaluate(t, p, fleet(1), nil).Changes)[0].Edits[0]; !strings.Contains(e.Why, "no run remembers") {
		t.Errorf("got %q", e.Why)
	}
}
