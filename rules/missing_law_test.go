package rules_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/twin"
)

// TestMissingValues is the law of missing values, over 100,000 random twins: what
// each form of a comparison makes of two paths of which any may be missing, and
// that nothing about a missing value is an error.
func TestMissingValues(t *testing.T) {
	always := func(b bool) func(a, b any) (bool, bool) {
		return func(x, y any) (bool, bool) { return b, x == nil || y == nil }
	}
	laws := []struct {
		when string
		// law returns the outcome and whether it is known for these values.
		law func(a, b any) (outcome, known bool)
	}{
		{"tags.a < tags.b", always(false)}, {"tags.a <= tags.b", always(false)}, {"tags.a > tags.b", always(false)}, {"tags.a >= tags.b", always(false)},
		{"not (tags.a < tags.b)", always(true)},
		{"tags.a == tags.b", func(a, b any) (bool, bool) { return a != nil && b != nil && twin.Equal(a, b), true }},
		{"tags.a != tags.b", func(a, b any) (bool, bool) { return !twin.Equal(a, b), a != nil || b != nil }},
		{"tags.a == 'x'", func(a, _ any) (bool, bool) { return a == "x", true }},
		{"tags.a != 'x'", func(a, _ any) (bool, bool) { return a != "x", true }},
		{"tags.a == nil", func(a, _ any) (bool, bool) { return a == nil, true }},
		{"tags.a != nil", func(a, _ any) (bool, bool) { return a != nil, true }},
		{"tags.a + tags.b == nil", always(true)}, {"tags.a * tags.b > 0", always(false)},
		{"tags.a in ['x', 1]", func(a, _ any) (bool, bool) { return false, a == nil }},
		{"tags.a startsWith tags.b", always(false)}, {"tags.a contains tags.b", always(false)},
		{"tags.a matches 'x'", func(a, _ any) (bool, bool) { return false, a == nil }},
		{"tags.a", func(a, _ any) (bool, bool) { return a == true, a == nil || a == true || a == false }},
		{"not tags.a", func(a, _ any) (bool, bool) { return a != true, a == nil || a == true || a == false }},
		{"any(tags.a, true)", func(a, _ any) (bool, bool) { return false, a == nil }},
		{"all(tags.a, false)", func(a, _ any) (bool, bool) { return true, a == nil }},
		{"len(tags.a) == 0", func(a, _ any) (bool, bool) { return true, a == nil }},
		{"semver(tags.a) < semver('1.0.0')", func(a, _ any) (bool, bool) { return false, a == nil }},
		{"age(reported.gone) > duration('1s')", func(_, _ any) (bool, bool) { return false, true }},
		{"(tags.a ?? 'z') == 'z'", func(a, _ any) (bool, bool) { return true, a == nil }},
		{"tags.a.deep.er == nil", func(a, _ any) (bool, bool) { return true, true }},
	}
	var body strings.Builder
	for i, l := range laws {
		fmt.Fprintf(&body, "  - {id: r%d, when: %q, patch: {tags: {z%d: 1}}}\n", i, l.when, i)
	}
	p := program(t, "{}", body.String(), nil)
	g, held := gamble{rand.New(rand.NewPCG(3, 3))}, 0
	for range laps(100_000) / 4 { // twins, of which the laws look at four aspects or more
		tags := twin.Object{}
		for _, key := range []string{"a", "b"} {
			if v := g.value(); v != nil && g.IntN(3) > 0 {
				tags[key] = v
			}
		}
		for i, v := range p.Eval(context.Background(), twinOf(t, tags, nil, nil), noon) {
			want, known := laws[i].law(tags["a"], tags["b"])
			if !known {
				continue
			}
			held++
			if v.Err != nil || v.Matched != want {
				t.Fatalf("%s of %v: got %v and %v, want %v", laws[i].when, tags, v.Matched, v.Err, want)
			}
		}
	}
	if want := laps(100_000); held < want {
		t.Errorf("held %d times, want %d", held, want)
	}
}
