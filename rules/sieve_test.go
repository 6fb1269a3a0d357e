package rules_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// rule writes a rule of any sort that needs no plugin.
func (w scribe) rule(id string) string {
	text := "  - id: " + id + "\n    on: " + w.one("device", "device", "device", "module/m", "module/*") + "\n"
	if w.IntN(2) == 0 {
		text += "    selector: |\n      " + w.selector(w.IntN(3)) + "\n"
	}
	if w.IntN(5) > 0 {
		text += "    when: |\n      " + w.condition(w.IntN(4)) + "\n"
	}
	value := w.one(`x`, `"1"`, `"1.0"`, "true", "null", "[x, 1]", "{}", `"${ tags.a }"`, `"${ reported.a }"`, `"v${ reported.version }"`, "{deep: x}", `["${ tags.b.c }"]`, `"${ reported.b }"`)
	text += "    patch: {" + w.one("desired", "tags") + ": {" + w.one("a", "b", "hit", "flag") + ": " + value
	if w.IntN(3) == 0 {
		text += ", c: {x: y}"
	}
	text += "}}\n"
	switch w.IntN(6) {
	case 0:
		text += "    onExit: " + w.one("remove", "restore", "keep") + "\n"
	case 1:
		text += "    until: |\n      " + w.condition(1) + "\n"
	}
	return text
}

// compiling writes rules until one compiles.
func (w scribe) compiling(id string) string {
	for {
		text := w.rule(id)
		if _, ok := tryProgram(lawVars, text); ok {
			return text
		}
	}
}

// sievePairs is raised to over a million before a release, and when the sieve is
// changed.
var sievePairs = flag.Int("sieve.pairs", 200_000/slack, "pairs of a rule and a twin on which the sieve is held to Eval")

// TestTheSieveSaysWhatEvalSays is the law of the sieve: with what it does not let
// pass Eval has nothing to do, and both count the same, with values of every sort
// and odd ones, and with conditions that fail.
func TestTheSieveSaysWhatEvalSays(t *testing.T) {
	t.Parallel()
	w := scribe{rand.New(rand.NewPCG(5, 2026))}
	var fleet []*twin.Twin
	for range 1000 {
		fleet = append(fleet, w.module(w.twin()))
	}
	seen := map[string]int{}
	for seen["pairs"] < *sievePairs {
		var body strings.Builder
		size := 1 + w.IntN(3)
		if w.IntN(20) == 0 {
			size = 70 // more than a word has bits
		}
		for i := range size {
			body.WriteString(w.compiling(fmt.Sprint("r", i)))
		}
		p, ok := tryProgram(lawVars, body.String())
		if !ok {
			t.Fatalf("rules that compile alone do not together:\n%s", body.String())
		}
		if problem := sieved(p, func() *twin.Twin { return fleet[w.IntN(len(fleet))] }, 600, seen); problem != "" {
			t.Fatalf("%s\n%s", problem, body.String())
		}
	}
	t.Log(seen)
	for _, what := range []string{"closed", "matched and closed", "selected and closed"} {
		if seen[what] < seen["pairs"]/100 {
			t.Errorf("only %d: %s", seen[what], what)
		}
	}
}

// FuzzSieve holds the sieve to Eval for one condition and one twin.
func FuzzSieve(f *testing.F) {
	w := scribe{rand.New(rand.NewPCG(6, 2026))}
	for range 50 {
		f.Add(w.selector(2), w.condition(2), w.twin().JSON())
	}
	f.Add(`tags.a == "x"`, `bucket(tags.a, 10) < 5 and id != "x"`, []byte(`{"deviceId":"x","tags":{"a":"x"}}`))
	f.Add(`true`, `len(tags) > 1 or connectionState == "Connected" or lastActivityTime < now or modelId == nil or edge`, []byte(`{"deviceId":"x","capabilities":{"iotEdge":true},"modelId":null}`))
	f.Fuzz(func(t *testing.T, selector, when string, data []byte) {
		text := func(s string) string { return string(twin.Encode(s)) }
		body := "  - {id: r, selector: " + text(selector) + ", when: " + text(when) + ", patch: {tags: {hit: x}}}\n" +
			"  - {id: s, when: " + text(when) + ", until: " + text(selector) + ", patch: {desired: {hit: x, y: \"${ tags.a }\"}}, onExit: remove}\n"
		p, ok := tryProgram(lawVars, body)
		tw, err := twin.Parse(data)
		if !ok || err != nil {
			return
		}
		if problem := sieved(p, func() *twin.Twin { return tw }, 4, map[string]int{}); problem != "" {
			t.Fatalf("%s\n%s", problem, body)
		}
	})
}

// module makes a module's twin of one now and then.
func (w scribe) module(t *twin.Twin) *twin.Twin {
	if w.IntN(3) > 0 {
		return t
	}
	text := strings.Replace(string(t.JSON()), `{`, `{"moduleId":"`+w.one("m", "n")+`",`, 1)
	t, err := twin.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return t
}

// sieved says where the sieve of a program and Eval disagree about twins. Every
// other one is the one before it, made as the rules want it.
func sieved(p *rules.Program, next func() *twin.Twin, twins int, seen map[string]int) string {
	sifter := p.Sieve(noon, nil).Sifter()
	want := map[string][2]int{}
	var converged *twin.Twin
	for range twins {
		tw := converged
		if converged = nil; tw == nil {
			tw = next()
			converged = met(tw, p.Eval(context.Background(), tw, noon))
		}
		verdicts := p.Eval(context.Background(), tw, noon)
		seen["pairs"] += len(verdicts)
		judge, selected := sifter.Sift(tw.JSON())
		if judge {
			got, some := sifter.Eval(context.Background(), tw, noon)
			var busy []rules.Verdict
			for _, v := range verdicts {
				if slices.ContainsFunc(got, func(g rules.Verdict) bool { return g.Rule == v.Rule }) {
					busy = append(busy, v)
				} else if v.Matched || v.Leaving || v.Err != nil {
					return fmt.Sprintf("the sifter leaves %s out, of %s", v.Rule.ID, tw.JSON())
				} else if v.Selected {
					sum := want[v.Rule.ID]
					want[v.Rule.ID] = [2]int{sum[0] + 1, sum[1]}
				}
			}
			if told(got) != told(busy) || some != slices.ContainsFunc(verdicts, func(v rules.Verdict) bool { return v.Selected }) {
				return fmt.Sprintf("the sifter says\n%s\nand Eval\n%s\nof %s", told(got), told(busy), tw.JSON())
			}
			seen["judged"]++
			continue
		}
		seen["closed"] += len(verdicts)
		some := false
		for _, v := range verdicts {
			if v.Err != nil || v.Leaving || slices.ContainsFunc(v.Leaves, func(l twin.Leaf) bool { return !l.Holds(tw) }) {
				return fmt.Sprintf("%s: %v, leaving %v, wants %v, and the sieve kept %s", v.Rule.ID, v.Err, v.Leaving, v.Leaves, tw.JSON())
			}
			sum := want[v.Rule.ID]
			if v.Selected {
				some = true
				sum[0]++
				seen["selected and closed"]++
			}
			if v.Matched {
				sum[1]++
				seen["matched and closed"]++
			}
			want[v.Rule.ID] = sum
		}
		if some != selected {
			return fmt.Sprintf("selected is %v, want %v, for %s", selected, some, tw.JSON())
		}
	}
	for _, s := range sifter.Sums() {
		if got := [2]int{s.Population, s.Matched}; got != want[s.Rule.ID] {
			return fmt.Sprintf("%s: population and matched are %v, want %v", s.Rule.ID, got, want[s.Rule.ID])
		}
	}
	return ""
}

// told writes verdicts as text.
func told(verdicts []rules.Verdict) string {
	var b strings.Builder
	for _, v := range verdicts {
		fmt.Fprintln(&b, v.Rule.ID, v.Selected, v.Matched, v.In, v.Leaving, v.Leaves, v.Why, v.Message, v.Err)
	}
	return b.String()
}

// met returns a twin as verdicts want it, as far as they agree.
func met(t *twin.Twin, verdicts []rules.Verdict) *twin.Twin {
	doc, err := twin.DecodeObject(t.JSON())
	if err != nil {
		panic(err)
	}
	var leaves []twin.Leaf
	for _, v := range verdicts {
		for _, l := range v.Leaves {
			if !slices.ContainsFunc(leaves, func(other twin.Leaf) bool { return !other.Agrees(l) }) {
				leaves = append(leaves, l)
			}
		}
	}
	p := twin.PatchOf(leaves)
	doc = twin.Merge(doc, twin.Object{"tags": p.Tags, "properties": twin.Object{"desired": p.Desired}})
	after, err := twin.Parse(twin.Encode(doc))
	if err != nil {
		panic(err)
	}
	return after
}
