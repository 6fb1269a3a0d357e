package rules_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A gamble makes random conditions and twins over few paths and values, so that
// they often meet.
type gamble struct{ *rand.Rand }

func (g gamble) of(list ...string) string { return list[g.IntN(len(list))] }

func (g gamble) path() string {
	return g.of("tags.a", "tags.b", "tags.a.c", "reported.n", "reported.v")
}

func (g gamble) constant() string {
	return g.of("1", "2", "3", "2.5", "'x'", "'y'", "'xy'", "true", "false", "vars.two", "vars.x", "-1")
}

func (g gamble) atom() string {
	switch g.IntN(12) {
	case 0:
		return g.path()
	case 1, 2, 3:
		return g.path() + g.of(" == ", " != ") + g.constant()
	case 4, 5, 6:
		return g.path() + g.of(" < ", " <= ", " > ", " >= ") + g.constant()
	case 7:
		return g.constant() + g.of(" < ", " >= ", " == ") + g.path()
	case 8:
		return g.path() + g.of(" in ", " not in ") + g.of("[1, 2]", "['x', 'y', 3]", "[]", "vars.list", "[true, 'xy']")
	case 9:
		return g.path() + g.of(" == ", " != ") + "nil"
	case 10:
		return g.path() + g.of(" startsWith ", " endsWith ", " contains ") + g.of("'x'", "'y'", "'xy'")
	}
	return g.of("semver(reported.v) < semver('1.2.0')", "semver(reported.v) >= semver('1.10')", "semver(reported.v) == semver('1.10.0')",
		"any(tags.b, # == 1)", "len(tags.b) > 1", "moduleId == nil", "reported.n + 1 > 2", "(reported.n ?? 2) == 2")
}

func (g gamble) condition(depth int) string {
	if depth == 0 || g.IntN(5) == 0 {
		return g.atom()
	}
	switch g.IntN(9) {
	case 0:
		return "not (" + g.condition(depth-1) + ")"
	case 1:
		return "(" + g.condition(depth-1) + ") ? (" + g.condition(depth-1) + ") : (" + g.condition(depth-1) + ")"
	case 2, 3, 4:
		return "(" + g.condition(depth-1) + " or " + g.condition(depth-1) + ")"
	}
	return g.condition(depth-1) + " and " + g.condition(depth-1)
}

// selector is a condition that the hub can say.
func (g gamble) selector() string {
	return g.of("", "", "selector: tags.a == 'x', ", "selector: \"tags.a in ['x', 1]\", ", "selector: reported.n < 2, ", "selector: tags.b, ", "selector: tags.b > 'x' or tags.a == nil, ")
}

func (g gamble) value() any {
	return []any{nil, nil, json.Number("1"), json.Number("2"), json.Number("3"), json.Number("2.5"), json.Number("-1"), json.Number("1e999"), "x", "y", "xy", "yx", "1.2.0", "1.10",
		true, false, []any{json.Number("1")}, []any{"x", json.Number("2")}, twin.Object{"c": "x"}, twin.Object{"c": json.Number("2")}, twin.Object{}}[g.IntN(21)]
}

func (g gamble) twin(t testing.TB) *twin.Twin {
	section := func(keys ...string) twin.Object {
		o := twin.Object{}
		for _, key := range keys {
			if v := g.value(); v != nil {
				o[key] = v
			}
		}
		return o
	}
	return twinOf(t, section("a", "b"), nil, section("n", "v"))
}

// TestProofsHold is the law of proofs on conditions: over random packs and twins, a
// rule that never matches never does, what always holds is never false, and a side
// that never holds never does where the whole holds.
func TestProofsHold(t *testing.T) {
	packs, said, judged := laps(400), map[rules.Code]int{}, 0
	g := gamble{rand.New(rand.NewPCG(1, 1))}
	for lap := range packs {
		var body strings.Builder
		for i := range 5 {
			until := ""
			if g.IntN(6) == 0 {
				until = fmt.Sprintf("until: %q, ", g.condition(1))
			}
			fmt.Fprintf(&body, "  - {id: r%d, %swhen: %q, %spatch: {tags: {z%d: 1}}}\n", i, g.selector(), g.condition(3), until, i)
		}
		text := "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nvars: {two: 2, x: x, list: [y, 3]}\nrules:\n" + body.String()
		pack, err := rules.Load(onePack(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		p, err := rules.Compile(context.Background(), pack, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		list := rules.Check(context.Background(), pack, nil)
		for _, d := range list {
			said[d.Code]++
		}
		byLine := map[int][]*rules.Diagnostic{}
		for _, d := range list {
			byLine[d.Pos.Line] = append(byLine[d.Pos.Line], d)
		}
		for n := range 50 {
			tw := g.twin(t)
			for _, v := range p.Eval(context.Background(), tw, noon) {
				judged++
				for _, d := range byLine[v.Rule.Pos.Line] {
					if d.Code == rules.NeverTrue && v.Matched && !v.In {
						t.Fatalf("%s, but it matches: %s\nand %s", d, text, tw.JSON())
					}
				}
			}
			if n > 4 || lap%5 > 0 || len(list) == 0 {
				continue // to explain takes long
			}
			for _, e := range p.Explain(context.Background(), tw, noon) {
				for _, d := range byLine[e.Rule.Pos.Line] {
					holdsFor(t, d, e, text+"\nand "+string(tw.JSON()))
				}
			}
		}
	}
	t.Logf("%d verdicts, said: %v", judged, said)
	for code, share := range map[rules.Code]int{rules.NeverTrue: 10, rules.AlwaysTrue: 40, rules.DeadBranch: 10, rules.MissingDiffers: 10} {
		if said[code] < packs/share {
			t.Errorf("%s was said %d times of %d packs", code, said[code], packs)
		}
	}
}

// holdsFor holds what was said of a rule against its verdict on a twin.
func holdsFor(t *testing.T, d *rules.Diagnostic, e rules.Explanation, where string) {
	t.Helper()
	text := string([]rune(d.Line)[d.Pos.Col-1 : d.Pos.Col-1+d.Width])
	switch d.Code {
	case rules.AlwaysTrue:
		for _, terms := range [][]rules.Term{e.When, e.Until} {
			for _, term := range flat(terms) {
				if e.Selected && term.Text == text && term.Err == nil && !term.Holds {
					t.Fatalf("%s, but it does not: %s", d, where)
				}
			}
		}
	case rules.DeadBranch:
		for _, term := range flat(slices.Concat(e.Selector, e.When)) {
			if e.Matched && !e.In && len(e.Until) == 0 && term.Text == text && term.Pos == d.Pos && term.Holds && reached(e, term) {
				t.Fatalf("%s, but it does: %s", d, where)
			}
		}
	}
}

// reached reports whether every and on the way to a term holds.
func reached(e rules.Explanation, target rules.Term) bool {
	var through func(list []rules.Term) bool
	through = func(list []rules.Term) bool {
		for _, term := range list {
			if term.Pos == target.Pos && term.Text == target.Text {
				return true
			}
			if (term.Op == "and" || term.Op == "or") && term.Holds && through(term.Of) {
				return true
			}
		}
		return false
	}
	return through(slices.Concat(e.Selector, e.When))
}

func flat(list []rules.Term) (all []rules.Term) {
	for _, term := range list {
		all = append(append(all, term), flat(term.Of)...)
	}
	return all
}

// laps returns how often a random law is tried: fewer times with -short and under
// the race detector.
func laps(n int) int {
	if testing.Short() || slack > 2 {
		return n / 20
	}
	return n
}
