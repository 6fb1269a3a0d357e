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
	if w.IntN(6) == 0 {
		text += "    mode: audit\n"
	}
	switch w.IntN(6) {
	case 0:
		text += "    onExit: " + w.one("remove", "restore", "keep") + "\n"
	case 1:
		text += "    until: |\n      " + w.condition(1) + "\n"
	}
	return text
}

// plainRule writes a rule whose patch is of constants at places that nobody reads.
func (w scribe) plainRule(id string) string {
	text := "  - id: " + id + "\n    on: " + w.one("device", "device", "module/m", "module/*") + "\n    mode: " + w.one("enforce", "enforce", "audit") + "\n"
	if w.IntN(3) > 0 {
		text += "    when: |\n      " + w.condition(w.IntN(2)) + "\n"
	}
	value := w.one("x", "x", "x", "1", "true", "null", "[x, 1]", "{}", `{deep: x}`, `{deep: {er: x}}`)
	return text + "    patch: {" + w.one("desired", "tags") + ": {" + w.one("new", "own", "odd") + ": " + value + "}}\n"
}

// compiling writes rules until one compiles.
func (w scribe) compiling(id string, rule func(id string) string) string {
	for {
		text := rule(id)
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
		sort := w.rule
		if w.IntN(2) == 0 {
			sort = w.plainRule
		}
		for i := range size {
			body.WriteString(w.compiling(fmt.Sprint("r", i), sort))
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
	for what, share := range map[string]int{"closed": 100, "matched and closed": 100, "selected and closed": 100, "unmet": 500} {
		if seen[what] < seen["pairs"]/share {
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
	want := map[string][3]int{}
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
			enforced, audited, some, ok := sifter.Unmet(false)
			if ok {
				if problem := unmet(tw, verdicts, enforced, audited, some); problem != "" {
					return problem + " of " + string(tw.JSON())
				}
				seen["unmet"] += len(verdicts)
				tally(want, verdicts, enforced, audited)
				continue
			}
			got, some := sifter.Eval(context.Background(), tw, noon)
			var busy []rules.Verdict
			for _, v := range verdicts {
				if slices.ContainsFunc(got, func(g rules.Verdict) bool { return g.Rule == v.Rule }) {
					busy = append(busy, v)
				} else if v.Matched || v.Leaving || v.Err != nil {
					return fmt.Sprintf("the sifter leaves %s out, of %s", v.Rule.ID, tw.JSON())
				} else if v.Selected {
					sum := want[v.Rule.ID]
					sum[0]++
					want[v.Rule.ID] = sum
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
			some = some || v.Selected
			if v.Selected {
				seen["selected and closed"]++
			}
			if v.Matched {
				seen["matched and closed"]++
			}
		}
		tally(want, verdicts)
		if some != selected {
			return fmt.Sprintf("selected is %v, want %v, for %s", selected, some, tw.JSON())
		}
	}
	for _, s := range sifter.Sums() {
		if got := [3]int{s.Population, s.Matched, s.Changed}; got != want[s.Rule.ID] {
			return fmt.Sprintf("%s: population, matched and changed are %v, want %v", s.Rule.ID, got, want[s.Rule.ID])
		}
	}
	return ""
}

// tally counts what verdicts say, and who wants what is not there.
func tally(in map[string][3]int, verdicts []rules.Verdict, lists ...[]rules.Unmet) {
	for _, v := range verdicts {
		sum := in[v.Rule.ID]
		if v.Selected {
			sum[0]++
		}
		if v.Matched {
			sum[1]++
		}
		if slices.ContainsFunc(slices.Concat(lists...), func(u rules.Unmet) bool { return slices.Contains(u.Rules, v.Rule.ID) }) {
			sum[2]++
		}
		in[v.Rule.ID] = sum
	}
}

// unmet says where a sifter's lists are not what follows from verdicts.
func unmet(tw *twin.Twin, verdicts []rules.Verdict, enforced, audited []rules.Unmet, some bool) string {
	if some != slices.ContainsFunc(verdicts, func(v rules.Verdict) bool { return v.Selected }) {
		return "it says otherwise whether a rule selects the twin"
	}
	for mode, list := range map[rules.Mode][]rules.Unmet{rules.Enforce: enforced, rules.Audit: audited} {
		var of []rules.Verdict
		for _, v := range verdicts {
			if v.Err != nil || v.Leaving {
				return v.Rule.ID + " fails or leaves, and the sifter says what is wanted"
			}
			if v.Rule.Mode == mode {
				of = append(of, v)
			}
		}
		kept, conflicts := rules.Weigh(rules.Wishes(of))
		if len(conflicts) > 0 {
			return "rules are in conflict, and the sifter says what is wanted"
		}
		if got, want := unmetText(list), wishedText(tw, kept); got != want {
			return fmt.Sprintf("%s: the sifter wants\n%s\nand the rules\n%s", mode, got, want)
		}
	}
	return ""
}

func unmetText(list []rules.Unmet) (text string) {
	for _, u := range list {
		text += fmt.Sprintf("%s%q %s -> %s %v\n", u.Leaf.Section, u.Leaf.Path, twin.Encode(u.Before()), twin.Encode(u.Leaf.Value), u.Rules)
	}
	return text
}

// wishedText writes what wishes change of a twin, as a plan has it.
func wishedText(tw *twin.Twin, kept []rules.Wish) (text string) {
	var leaves []twin.Leaf
	for _, w := range kept {
		if !w.Leaf.Holds(tw) {
			leaves = append(leaves, w.Leaf)
		}
	}
	p := twin.PatchOf(leaves)
	for section, patch := range map[string]twin.Object{"desired": p.Desired, "tags": p.Tags} {
		doc, _ := tw.Section(section)
		part := ""
		for _, touch := range twin.Touches(doc, patch) {
			var by []string
			for _, w := range kept {
				if w.Leaf.Overlaps(twin.Leaf{Section: section, Path: touch.Path}) && !slices.Contains(by, w.Rule.ID) {
					by = append(by, w.Rule.ID)
				}
			}
			part += fmt.Sprintf("%s%q %s -> %s %v\n", section, touch.Path, twin.Encode(touch.Before), twin.Encode(touch.After), by)
		}
		if section == "desired" {
			text = part + text
		} else {
			text += part
		}
	}
	return text
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
