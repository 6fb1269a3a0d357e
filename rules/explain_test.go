package rules_test

import (
	"context"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/rules"
)

// formula returns a random condition in which each of the atoms from low to high
// stands once.
func formula(r *rand.Rand, low, high int) string {
	if high-low == 1 {
		return []string{"tags.a%d == 1", "tags.a%d > 0", "not (tags.a%d < 1)", "tags.a%d in [1]"}[r.IntN(4)]
	}
	middle := low + 1 + r.IntN(high-low-1)
	text := "(" + fill(r, low, middle) + ") " + []string{"and", "or", "&&", "||"}[r.IntN(4)] + " (" + fill(r, middle, high) + ")"
	if r.IntN(4) == 0 {
		return "not (" + text + ")"
	}
	return text
}

func fill(r *rand.Rand, low, high int) string {
	text := formula(r, low, high)
	if high-low == 1 {
		return fmt.Sprintf(text, low)
	}
	return text
}

// bitsTwin has one tag for each bit.
func bitsTwin(t *testing.T, n, values int) string {
	t.Helper()
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"a%d":%d`, i, values>>i&1))
	}
	return `{"deviceId":"d","tags":{` + strings.Join(members, ",") + `}}`
}

// TestTheNearestMissIsTheNearest checks by trying all twins: changing what is named
// makes the rule match, and no smaller change does.
func TestTheNearestMissIsTheNearest(t *testing.T) {
	const atoms = 5
	r := rand.New(rand.NewPCG(1, 2))
	misses := 0
	for range 150 {
		text := formula(r, 0, atoms)
		p := program(t, "{}", "  - id: r\n    when: |\n      "+text+"\n    patch: {tags: {hit: 1}}\n", nil)
		explain := func(values int) rules.Explanation {
			return p.Explain(context.Background(), parseTwin(t, bitsTwin(t, atoms, values)), noon)[0]
		}
		var list [1 << atoms]rules.Explanation
		for values := range list {
			list[values] = explain(values)
		}
		for values, e := range list {
			checkLogic(t, text, e)
			flipped := values
			for _, m := range e.Miss {
				var n int
				if _, err := fmt.Sscanf(m.Term.Reads[0].Path, "tags.a%d", &n); err != nil {
					t.Fatal(err)
				}
				flipped ^= 1 << n
			}
			least, any := atoms+1, false
			for other, o := range list {
				if o.Matched {
					least, any = min(least, bits.OnesCount(uint(other^values))), true
				}
			}
			if any && (!list[flipped].Matched || len(e.Miss) != least) {
				t.Errorf("%s with %05b: %d misses, want %d", text, values, len(e.Miss), least)
			}
			misses += len(e.Miss)
		}
	}
	if misses < 1000 {
		t.Errorf("only %d misses were looked at", misses)
	}
}

// checkLogic reports terms that are not what their parts make of them.
func checkLogic(t *testing.T, text string, e rules.Explanation) {
	t.Helper()
	matched := true
	for _, term := range e.When {
		matched = matched && holds(term)
	}
	if matched != e.Matched {
		t.Errorf("%s: the parts say %v, the rule %v", text, matched, e.Matched)
	}
}

func holds(term rules.Term) bool {
	switch term.Op {
	case "not":
		return !holds(term.Of[0])
	case "and":
		return holds(term.Of[0]) && holds(term.Of[1])
	case "or":
		return holds(term.Of[0]) || holds(term.Of[1])
	}
	return term.Holds
}

func TestTermsShowWhatWasWritten(t *testing.T) {
	for _, test := range []struct{ name, condition, want string }{
		{"sides", `reported.battery.pct + 1 < len(tags.kind)`, `<(reported.battery.pct + 1 +(reported.battery.pct, 1), len(tags.kind))`},
		{"not in is one", `tags.site not in ["x"] or false`, `or(tags.site not in ["x"], false)`},
		{"a chain is one", `1 < reported.battery.pct < 20`, `1 < reported.battery.pct < 20`},
		{"conditional", `tags.gold ? tags.n == 1 : false`, `?(tags.gold, tags.n == 1 ==(tags.n, 1), false)`},
		{"a sign in a string", `tags.kind == "? : (" ? true : tags.gold`, `?(tags.kind == "? : (" ==(tags.kind, "? : ("), true, tags.gold)`},
		{"a predicate is one", `any(reported.errors, .code == 5 or .code == 7)`, `any(reported.errors, .code == 5 or .code == 7)`},
		{"parentheses", `((tags.gold) or (tags.n == 1))`, `or(tags.gold, tags.n == 1 ==(tags.n, 1))`},
		{"wide characters", `tags.kind != "日本" or tags.gold`, `or(tags.kind != "日本" !=(tags.kind, "日本"), tags.gold)`},
	} {
		p := program(t, "{}", "  - id: r\n    when: |\n      "+test.condition+"\n    patch: {tags: {hit: 1}}\n", nil)
		term := p.Explain(context.Background(), parseTwin(t, reefer), noon)[0].When[0]
		if got := strings.TrimPrefix(shape(term), term.Text+" "); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// shape returns a term's text with its parts.
func shape(t rules.Term) string {
	if len(t.Of) == 0 {
		return t.Text
	}
	var parts []string
	for _, sub := range t.Of {
		text := shape(sub)
		parts = append(parts, text)
	}
	return t.Text + " " + t.Op + "(" + strings.Join(parts, ", ") + ")"
}

func TestRivals(t *testing.T) {
	for _, test := range []struct{ name, others, want string }{
		{"a higher priority wins", "  - {id: o, priority: 2, patch: {tags: {a: 2}}}\n", "[loses o 2]"},
		{"a lower one loses", "  - {id: o, priority: -2, patch: {tags: {a: 2}}}\n", "[wins o 2]"},
		{"equal ones are in conflict", "  - {id: o, patch: {tags: {a: 2}}}\n", "[conflict o 2]"},
		{"one value is no conflict", "  - {id: o, patch: {tags: {a: 1}}}\n", "[]"},
		{"audit disturbs nobody", "  - {id: o, mode: audit, patch: {tags: {a: 2}}}\n", "[]"},
		{"nor what does not match", "  - {id: o, when: false, patch: {tags: {a: 2}}}\n", "[]"},
	} {
		p := program(t, "{}", "  - {id: r, patch: {tags: {a: 1}}}\n"+test.others, nil)
		var got []string
		for _, r := range p.Explain(context.Background(), parseTwin(t, reefer), noon)[0].Rivals {
			got = append(got, fmt.Sprint(r.Outcome, " ", r.Rule.ID, " ", r.Value))
		}
		if fmt.Sprint(got) != test.want {
			t.Errorf("%s: got %v, want %s", test.name, got, test.want)
		}
	}
}

func TestCoverFollowsTheEvaluation(t *testing.T) {
	p := program(t, "{}", `  - id: r
    selector: tags.kind == "x"
    when: tags.a == 1 and not (tags.b == 1 or tags.c == 1) and true
    patch: {tags: {hit: "${ tags.gold ? 'g' : tags.silver ? 's' : 'n' }"}}
    tests:
      - {name: other, twin: {tags: {kind: y}}, expect: none}
      - {name: no a, twin: {tags: {kind: x}}, expect: none}
      - {name: b, twin: {tags: {kind: x, a: 1, b: 1}}, expect: none}
      - {name: hit, twin: {tags: {kind: x, a: 1}}, expect: {tags: {hit: n}}}
`, nil)
	results := p.Test(context.Background(), noon)
	got := ""
	for _, b := range p.Cover(context.Background(), noon, results) {
		got += fmt.Sprintf("%s %s %d/%d\n", b.Field, b.Text, b.True, b.False)
	}
	want := `selector tags.kind == "x" 3/1
when tags.a == 1 2/1
when tags.b == 1 1/1
when tags.c == 1 0/1
patch tags.gold 0/1
patch tags.silver 0/1
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestMutate(t *testing.T) {
	body := `  - id: r
    when: reported.pct < 20
    patch: {tags: {power: saver}}
    tests:
      - {name: low, twin: {reported: {pct: 19}}, expect: {tags: {power: saver}}}
      - {name: full, twin: {reported: {pct: 20}}, expect: none}
%s  - {id: untested, when: tags.a == 1, patch: {tags: {b: 1}}}
`
	all := program(t, "{}", fmt.Sprintf(body, ""), nil).Mutate(context.Background(), noon, nil)
	if all.Run != 5 || all.All != 5 || len(all.Survivors) != 0 {
		t.Errorf("tests at the border notice everything: %+v", all)
	}
	weak := program(t, "{}", strings.ReplaceAll(fmt.Sprintf(body, ""), "{pct: 20}", "{pct: 60}"), nil)
	var got []string
	for _, s := range weak.Mutate(context.Background(), noon, &rules.MutationOptions{Workers: 3}).Survivors {
		got = append(got, fmt.Sprint(s.Pos.Line, ":", s.Pos.Col, " ", s.From, " ", s.To))
	}
	if want := "[8:24 < <= 8:26 20 21]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	one := weak.Mutate(context.Background(), noon, &rules.MutationOptions{Most: 1, Seed: 3})
	if again := weak.Mutate(context.Background(), noon, &rules.MutationOptions{Most: 1, Seed: 3}); one.Run != 1 || one.All != 5 || fmt.Sprint(one.Survivors) == "" || len(one.Survivors) != len(again.Survivors) {
		t.Errorf("got %+v and %+v", one, again)
	}
}
