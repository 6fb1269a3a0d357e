package rules_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// TestAccess is what rules of all sorts read and write.
func TestAccess(t *testing.T) {
	for name, c := range map[string]struct{ rule, reads, writes string }{
		"conditions and values": {"selector: tags.k == 'a', when: age(reported.p.q) > duration('1h') and vars.x, patch: {desired: {a: {b: \"${ tags.t }\"}}}", "[reported.p.q tags.k tags.t]", "[desired.a.b]"},
		"each once":             {"when: tags.t == 1 or tags.t == 2, patch: {tags: {z: \"${ tags.t }\", a: 1}}", "[tags.t]", "[tags.a tags.z]"},
		"names":                 {"when: status == 'enabled' and id != 'x' and now > lastActivityTime, patch: {tags: {a: 1}}", "[id lastActivityTime status]", "[tags.a]"},
		"a state":               {"when: reported.x, patch: {tags: {a: 1}, desired: {b: null}}, onExit: remove", "[desired.b reported.x tags.a]", "[desired.b tags.a]"},
		"odd keys":              {"when: \"tags['a b'].c == 1\", patch: {desired: {x-y: 1}}", `[tags["a b"].c]`, `[desired["x-y"]]`},
		"nothing":               {"patch: {tags: {a: 1}}", "[]", "[tags.a]"},
	} {
		t.Run(name, func(t *testing.T) {
			a := program(t, "{x: true}", "  - {id: r, "+c.rule+"}\n", nil).Access()[0]
			if got := fmt.Sprint(a.Reads); got != c.reads {
				t.Errorf("it reads %s, want %s", got, c.reads)
			}
			if got := fmt.Sprint(a.Writes); got != c.writes {
				t.Errorf("it writes %s, want %s", got, c.writes)
			}
		})
	}
}

// TestAccessOfPlugins: one that declares nothing may look at everything.
func TestAccessOfPlugins(t *testing.T) {
	body := "  - {id: r, plugin: {use: judge}, when: plugin.score > 1 and tags.t, patch: {tags: {a: 1}}}\n"
	for name, c := range map[string]struct {
		reads []string
		want  string
	}{
		"it declares":         {[]string{"reported.odd", "id"}, "[id reported.odd tags.t]"},
		"it reads nothing":    {[]string{}, "[tags.t]"},
		"it declares nothing": {nil, "[connectionState desired edge id lastActivityTime modelId moduleId parent reported status tags tags.t]"},
	} {
		t.Run(name, func(t *testing.T) {
			a := program(t, "{}", body, reading{reads: c.reads}).Access()[0]
			if got := fmt.Sprint(a.Reads); got != c.want {
				t.Errorf("it reads %s, want %s", got, c.want)
			}
		})
	}
}

// A reading is a plugin that declares what it reads.
type reading struct {
	judge
	reads []string
}

func (r reading) Instance(context.Context, *rules.Rule, twin.Object) (rules.Plugin, error) {
	return r, nil
}
func (r reading) Reads() []string { return r.reads }

// TestCircularIsBruteForce: what a program knows of its rules is what following
// every write to every read shows.
func TestCircularIsBruteForce(t *testing.T) {
	g := rand.New(rand.NewPCG(5, 5))
	paths := []string{"a", "a.b", "a.b.c", "a.d", "e", "e.f", "g"}
	circular, linked, packs := 0, 0, laps(2000)
	for range packs {
		var body strings.Builder
		for i := range 1 + g.IntN(5) {
			patch := "1"
			for _, key := range slices.Backward(strings.Split(paths[g.IntN(len(paths))], ".")) {
				patch = "{" + key + ": " + patch + "}"
			}
			fmt.Fprintf(&body, "  - {id: r%d, when: %s.%s == 1, patch: {tags: %s}}\n", i, []string{"tags", "reported"}[g.IntN(2)], paths[g.IntN(len(paths))], patch)
		}
		p := program(t, "{}", body.String(), nil)
		list := p.Access()
		reach := make([][]bool, len(list))
		any := false
		for i, a := range list {
			reach[i] = make([]bool, len(list))
			for j, b := range list {
				reach[i][j] = slices.ContainsFunc(a.Writes, func(w rules.Path) bool { return slices.ContainsFunc(b.Reads, w.Overlaps) })
				any = any || reach[i][j]
			}
		}
		for k := range list {
			for i := range list {
				for j := range list {
					reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
				}
			}
		}
		back := false
		for i := range list {
			back = back || reach[i][i]
		}
		if p.Rereads() != any || p.Circular() != back {
			t.Fatalf("it says %v and %v, want %v and %v\n%s", p.Rereads(), p.Circular(), any, back, body.String())
		}
		if back {
			circular++
		} else if any {
			linked++
		}
	}
	if circular < packs/10 || linked < packs/10 {
		t.Errorf("%d of %d are circular, %d linked", circular, packs, linked)
	}
}

// TestProofsAreBounded: what is hostile to proofs takes seconds, not hours.
func TestProofsAreBounded(t *testing.T) {
	if slack > 2 || testing.Short() {
		t.Skip("it is about time")
	}
	repeat := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(format, "%d", fmt.Sprint(i)))
		}
		return b.String()
	}
	head := "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nvars: {many: [" + repeat(2000, "'site%d', ") + "x]}\nrules:\n"
	for name, body := range map[string]string{
		"rules that all read and write one place": repeat(1500, "  - {id: r%d, when: tags.x == %d, patch: {tags: {x: 1}}}\n"),
		"rules in conflict":                       repeat(300, "  - {id: r%d, when: reported.x%d == 1, patch: {tags: {x: %d}}}\n"),
		"long lists":                              repeat(60, "  - {id: r%d, when: tags.s in vars.many and tags.t%d not in vars.many, patch: {desired: {x: %d}}}\n"),
		"a long and":                              "  - {id: r, when: \"" + repeat(200, "tags.x%d != %d and ") + "true\", patch: {tags: {x: 1}}}\n",
		"many ors":                                "  - {id: r, when: \"" + repeat(80, "(tags.x%d == 1 or tags.y != %d) and ") + "true\", patch: {tags: {x: 1}}}\n",
		"nested":                                  "  - {id: r, when: \"" + repeat(60, "(tags.x%d == 1 and (tags.y != %d or ") + "true" + strings.Repeat("))", 60) + "\", patch: {tags: {x: 1}}}\n",
		"one term":                                "  - {id: r, when: \"" + repeat(200, "tags.x != %d and ") + "true\", patch: {tags: {z: 1}}}\n",
	} {
		start := time.Now()
		check(onePack(head + body))
		t.Logf("%s: %s", name, time.Since(start).Round(time.Millisecond))
		if took := time.Since(start); took > slack*10*time.Second {
			t.Errorf("%s: %s", name, took)
		}
	}
}
