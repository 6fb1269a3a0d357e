package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// differences shows a difference, one thing a line.
func differences(d *engine.Difference) string {
	var b strings.Builder
	for c, err := range d.Changes.All() {
		if err != nil {
			panic(err)
		}
		for _, e := range c.Edits {
			fmt.Fprintf(&b, "%s %s %s %s", c.Ref.Device, e.Class, e.Name(), twin.Encode(e.After))
			if e.Class == engine.Altered {
				fmt.Fprintf(&b, " was %s", twin.Encode(e.Base))
			}
			fmt.Fprintf(&b, " %s\n", strings.Join(e.Rules, ","))
		}
	}
	for name, list := range map[string][]engine.Failure{"new": d.NewErrors, "gone": d.GoneErrors} {
		for _, f := range list {
			fmt.Fprintf(&b, "%s error %s %s\n", name, f.Ref.Device, f.Rule)
		}
	}
	for name, list := range map[string][]engine.Conflict{"new": d.NewConflicts, "gone": d.GoneConflicts} {
		for _, c := range list {
			fmt.Fprintf(&b, "%s conflict %s %s\n", name, c.Ref.Device, c.Place)
		}
	}
	for name, list := range map[string][]engine.Breach{"new": d.NewBreaches, "gone": d.GoneBreaches} {
		for _, x := range list {
			fmt.Fprintf(&b, "%s breach %q\n", name, x.Rule)
		}
	}
	for _, c := range d.Configurations {
		fmt.Fprintf(&b, "new configuration %s %s\n", c.Action, c.Rule)
	}
	for _, c := range d.GoneConfigurations {
		fmt.Fprintf(&b, "gone configuration %s %s\n", c.Action, c.Rule)
	}
	fmt.Fprintf(&b, "pending %d, reassigned %d", d.Pending, d.Reassigned)
	return b.String()
}

func TestCompare(t *testing.T) {
	const (
		one   = "  - {id: one, patch: {desired: {x: 1}}}\n"
		two   = "  - {id: one, patch: {desired: {x: 2}}}\n"
		other = "  - {id: other, patch: {tags: {y: 1}}}\n"
		clash = "  - {id: clash, patch: {desired: {x: 3}}}\n"
		bad   = "  - {id: bad, when: 'tags.kind > 1', patch: {tags: {z: 1}}}\n"
		hubs  = "  - {id: hubs, patch: {desired: {c: %d}}, configuration: {}}\n"
		small = "  - {id: one, limits: {maxTwins: 0}, patch: {desired: {x: 1}}}\n"
	)
	for name, c := range map[string]struct{ base, head, want string }{
		"nothing":             {one, one, "pending 1, reassigned 0"},
		"introduced":          {other, other + one, "d0000 introduced desired.x 1 one\npending 1, reassigned 0"},
		"withdrawn":           {other + one, other, "d0000 withdrawn desired.x 1 one\npending 1, reassigned 0"},
		"altered":             {one, two, "d0000 altered desired.x 2 was 1 one\npending 0, reassigned 0"},
		"a twin less":         {one, "  - {id: none, when: 'false', patch: {tags: {y: 1}}}\n", "d0000 withdrawn desired.x 1 one\npending 0, reassigned 0"},
		"the same number":     {one, strings.Replace(one, "1}", "1.0}", 1), "pending 1, reassigned 0"},
		"reassigned":          {one, strings.Replace(one, "id: one", "id: next", 1), "pending 1, reassigned 1"},
		"all in one twin":     {one + other, two + "  - {id: new, patch: {tags: {a: 1}}}\n", "d0000 altered desired.x 2 was 1 one\nd0000 introduced tags.a 1 new\nd0000 withdrawn tags.y 1 other\npending 0, reassigned 0"},
		"into audit":          {one, "  - {id: one, mode: audit, patch: {desired: {x: 1}}}\n", "d0000 withdrawn desired.x 1 one\npending 0, reassigned 0"},
		"a new error":         {other, other + bad, "new error d0000 bad\npending 1, reassigned 0"},
		"a gone error":        {other + bad, other, "gone error d0000 bad\npending 1, reassigned 0"},
		"an error that moved": {other + bad, bad + other, "pending 1, reassigned 0"},
		"a new conflict":      {one, one + clash, "d0000 withdrawn desired.x 1 one\nnew conflict d0000 desired.x\npending 0, reassigned 0"},
		"a gone conflict":     {one + clash, one, "d0000 introduced desired.x 1 one\ngone conflict d0000 desired.x\npending 0, reassigned 0"},
		"a new breach":        {one, small, "new breach \"one\"\npending 1, reassigned 0"},
		"a gone breach":       {small, one, "gone breach \"one\"\npending 1, reassigned 0"},
		"a configuration":     {one, one + fmt.Sprintf(hubs, 1), "new configuration create hubs\npending 1, reassigned 0"},
		"one that changed":    {fmt.Sprintf(hubs, 1), fmt.Sprintf(hubs, 2), "new configuration create hubs\ngone configuration create hubs\npending 0, reassigned 0"},
		"one less":            {one + fmt.Sprintf(hubs, 1), one, "gone configuration create hubs\npending 1, reassigned 0"},
	} {
		t.Run(name, func(t *testing.T) {
			m := fleet(1)
			base, head := evaluate(t, pack(t, c.base), m, nil), evaluate(t, pack(t, c.head), m, nil)
			d := compared(base, head)
			got := differences(d)
			if got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
			if d.Empty() != !strings.Contains(c.want, "\n") {
				t.Errorf("empty is %v for %s", d.Empty(), got)
			}
			if d.HeadSummary != head.Summary() {
				t.Errorf("got %+v, want %+v", d.HeadSummary, head.Summary())
			}
		})
	}
}

// TestCompareCountsEveryPlace is the law of differences: a plan differs from
// itself in nothing, and of two plans every place is in one class.
func TestCompareCountsEveryPlace(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		base, head := &engine.Plan{Changes: engine.ChangesOf(changes().Draw(rt, "base")...)}, &engine.Plan{Changes: engine.ChangesOf(changes().Draw(rt, "head")...)}
		for _, p := range []*engine.Plan{base, head} {
			if d := compared(p, p); !d.Empty() || d.Pending != p.Changes.Len() || d.Reassigned != 0 {
				rt.Fatalf("a plan differs from itself: %s", differences(d))
			}
		}
		count := map[engine.Class]int{}
		there, back := compared(base, head), compared(head, base)
		for c, err := range there.Changes.All() {
			if err != nil {
				panic(err)
			}
			for _, e := range c.Edits {
				count[e.Class]++
			}
		}
		same := head.Summary().Edits - count[engine.Introduced] - count[engine.Altered]
		if same < 0 || base.Summary().Edits-count[engine.Withdrawn]-count[engine.Altered] != same {
			rt.Fatalf("%d and %d places, of which %v", base.Summary().Edits, head.Summary().Edits, count)
		}
		if there.Changes.Len() != back.Changes.Len() || there.Pending != back.Pending || there.Reassigned != back.Reassigned {
			rt.Fatalf("there %s, back %s", differences(there), differences(back))
		}
	})
}

func TestCompareShowsWhatIsAudited(t *testing.T) {
	m := fleet(3)
	base := evaluate(t, pack(t, "  - {id: a, mode: audit, patch: {tags: {seen: 1}}}\n"), m, nil)
	head := evaluate(t, pack(t, "  - {id: a, mode: audit, patch: {tags: {seen: 2}}}\n"), m, nil)
	d := compared(base, head)
	if d.Changes.Len() > 0 || d.Audited.Len() != 3 || d.Empty() {
		t.Errorf("got %+v", d)
	}
	for c, err := range d.Audited.All() {
		if err != nil || c.Edits[0].Class != engine.Altered {
			t.Errorf("got %+v, %v", c, err)
		}
	}
}

// compared returns what differs between plans whose changes are in memory.
func compared(base, head *engine.Plan) *engine.Difference {
	d, err := engine.Compare(base, head)
	if err != nil {
		panic(err)
	}
	return d
}
