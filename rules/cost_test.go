package rules_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// packOf returns a pack of one rule with a condition and a leaf.
func packOf(when, leaf string) string {
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	return "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nvars: {n: 3, list: [1, a]}\nrules:\n  - id: r\n    when: " + quoted(when) +
		"\n    patch: {desired: {leaf: " + quoted(leaf) + "}}\n"
}

// compile returns the program of a pack, nil when it is refused.
func compile(text string) *rules.Program {
	pack, err := rules.Load(onePack(text))
	if pack == nil {
		panic(err)
	}
	p, _ := rules.Compile(context.Background(), pack, nil)
	return p
}

// heavy is a twin whose sections are as full as a hub lets them be, with values
// that make operators work.
func heavy(t testing.TB) *twin.Twin {
	list := strings.TrimSuffix(strings.Repeat("1,", 8000), ",")
	texts := strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("a", 4000)+`",`, 8), ",")
	objects := strings.TrimSuffix(strings.Repeat(`{"a":{"b":{"c":1}}},`, 1000), ",")
	return parseTwin(t, `{"deviceId":"d","tags":{"s":"`+strings.Repeat("a", 4000)+`","t":"`+strings.Repeat("a", 2000)+`b"},"properties":{
		"desired":{"texts":[`+texts+`],"again":[`+texts+`]},
		"reported":{"xs":[`+list+`],"ys":[`+list+`],"os":[`+objects+`],"ps":[`+objects+`],"words":"`+strings.Repeat("a ", 2000)+`"}}}`)
}

// TestHostileExpressions evaluates what kills a process or takes minutes in
// plain expr, and relatives. Each must be refused, or end within 50 ms and 32 MiB.
func TestHostileExpressions(t *testing.T) {
	if slack > 2 {
		t.Skip("it measures time, and the race detector takes most of it")
	}
	chain := func(n int, part, op string) string { return strings.TrimSuffix(strings.Repeat(part+op, n), op) }
	nest := func(n int, open, core, shut string) string {
		return strings.Repeat(open, n) + core + strings.Repeat(shut, n)
	}
	tw := heavy(t)
	for name, c := range map[string]struct{ when, leaf string }{
		"predicates in predicates":   {`all(reported.xs, all(reported.xs, all(reported.xs, true)))`, "x"},
		"nested ranges":              {`all(1..1000, all(1..1000, true))`, "x"},
		"let doubling":               {`let b = tags.s + tags.s; b + b == "x"`, "x"},
		"replace growth":             {`len(replace(replace(tags.s, "a", tags.s), "a", tags.s)) > 1`, "x"},
		"a run-time regex":           {`any(reported.xs, tags.s matches "a{1,900}" + string(#))`, "x"},
		"deep parentheses":           {nest(2000, "(", "true", ")"), "x"},
		"deep nots":                  {nest(4000, "!", "true", ""), "x"},
		"deep minus":                 {nest(2000, "- ", "1", "") + "== 1", "x"},
		"deep lists":                 {nest(2000, "[", "1", "]") + "== 1", "x"},
		"deep lists as a value":      {"true", "${ " + nest(1900, "[", "1", "]") + " }"},
		"deep members":               {"reported" + strings.Repeat(".a", 2000) + " == 1", "x"},
		"deep dynamic members":       {"vars" + strings.Repeat("[id]", 1000) + " == 1", "x"},
		"deep calls":                 {nest(500, "lower(", "tags.s", ")") + ` == "x"`, "x"},
		"deep conditionals":          {nest(500, "true ? (", "true", ") : false"), "x"},
		"keys have no order":         {`keys(reported)[0] == "a"`, "x"},
		"doubling by map":            {nest(150, "map(", `[tags.s]`, ", # + #)") + " == nil", "x"},
		"growth by map":              {`len(map(reported.xs, tags.s + tags.s)) > 1`, "x"},
		"growth by interpolation":    {"true", strings.Repeat("${ tags.s + tags.s }", 200)},
		"texts of everything":        {`all(reported.xs, len(string(reported)) > 0)`, "x"},
		"texts of lists":             {`all(reported.xs, string(reported.os) != "")`, "x"},
		"lists that are compared":    {`all(reported.xs, reported.xs == reported.ys)`, "x"},
		"lists unequal at their end": {`any(reported.xs, reported.os == reported.ps and reported.xs == reported.os)`, "x"},
		"objects that are compared":  {`all(reported.xs, reported.os == reported.ps)`, "x"},
		"texts that are compared":    {`all(reported.xs, desired.texts == desired.again)`, "x"},
		"comparisons in a row":       {chain(150, "reported.xs==reported.ys", "&&"), "x"},
		"membership":                 {`all(reported.xs, # in reported.ys)`, "x"},
		"membership that fails":      {`none(reported.xs, 2 in reported.ys)`, "x"},
		"membership of lists":        {`none(reported.xs, reported.xs in reported.os)`, "x"},
		"search for a near match":    {`none(reported.xs, tags.s contains tags.t)`, "x"},
		"a slow pattern":             {`none(reported.xs, tags.s matches "(a|aa|aaa)*(a|aa)*b$")`, "x"},
		"a pattern, once":            {chain(60, `tags.s matches "(?:a?){300}b"`, " or "), "x"},
		"a huge pattern":             {`tags.s matches "(?:abcdefghij){1000}"`, "x"},
		"nested repetitions":         {`tags.s matches "((a{0,10}){0,10}){0,10}"`, "x"},
		"classes in a pattern":       {`none(reported.xs, reported.words matches "` + strings.Repeat(`\\p{L}`, 300) + `$")`, "x"},
		"long bodies":                {"all(reported.xs, " + chain(900, "1", "+") + " > 0)", "x"},
		"long logical bodies":        {"all(reported.xs, " + chain(390, "true", " and ") + ")", "x"},
		"splitting":                  {`all(reported.xs, len(split(tags.s, "a")) > 0)`, "x"},
		"splits of splits":           {`all(split(tags.s, "a"), all(split(tags.s, "a"), true))`, "x"},
		"lists in lists":             {`len(map(reported.xs, [` + chain(900, "1", ",") + `])) > 0`, "x"},
		"objects in lists":           {`len(map(reported.xs, [` + chain(400, "{a:1}", ",") + `])) > 0`, "x"},
		"empty objects in lists":     {`len(map(reported.xs, [` + chain(1200, "{}", ",") + `])) > 0`, "x"},
		"a map of maps":              {`len(map(reported.xs, map(reported.xs, #))) > 0`, "x"},
		"filters of everything":      {`all(reported.xs, len(filter(reported.xs, true)) > 0)`, "x"},
		"long sums of texts":         {chain(400, "tags.s", "+") + ` == "x"`, "x"},
		"cases":                      {`all(reported.xs, upper(lower(tags.s)) == "x")`, "x"},
		"lengths":                    {`all(reported.xs, len(tags.s) == 4000)`, "x"},
		"buckets":                    {`all(reported.xs, bucket(tags.s, 100) >= 0)`, "x"},
		"times":                      {`all(reported.xs, time(tags.s) == nil and time("2026-02-30T00:00:00Z") == nil)`, "x"},
		"times of numbers":           {`all(reported.xs, time(#) < now)`, "x"},
		"versions":                   {`all(reported.xs, (semver("1.2.3") ?? 1) != 1)`, "x"},
		"numbers from text":          {`all(reported.xs, float("` + strings.Repeat("9", 3000) + `") > 1)`, "x"},
		"many paths":                 {chain(400, "reported", "=="), "x"},
		"sections, often":            {chain(200, "len(reported)", "+") + " > 1", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			p, compiled := quickest(func() *rules.Program { return compile(packOf(c.when, c.leaf)) })
			if compiled > 500*time.Millisecond*slack {
				t.Errorf("compiling took %s", compiled)
			}
			if p == nil {
				return // refused
			}
			v, took := quickest(func() rules.Verdict { return p.Eval(context.Background(), tw, noon)[0] })
			if took > 50*time.Millisecond*slack {
				t.Errorf("it took %s, and the verdict is %.200v", took, v.Err)
			}
			if used := allocated(func() { p.Eval(context.Background(), tw, noon) }); used > 32<<20 {
				t.Errorf("%d MiB, and the verdict is %.200v", used>>20, v.Err)
			}
		})
	}
}

// quickest returns the result and the best time of up to ten runs: others may
// be at work on this machine.
func quickest[T any](f func() T) (out T, best time.Duration) {
	for range 10 {
		start := time.Now()
		out = f()
		if took := time.Since(start); best == 0 || took < best {
			best = took
		}
		if best < 20*time.Millisecond {
			break
		}
	}
	return out, best
}

// allocated counts what f allocates, whether or not it is freed again.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// FuzzExpression holds conditions and templates to their promise, in a fixed pack
// and on a heavy twin: no panic, one answer, and an end.
func FuzzExpression(f *testing.F) {
	for _, seed := range []struct{ when, leaf string }{
		{`any(reported.os, .a.b.c == 1) and tags.s contains "a"`, "${ len(reported.xs) }"},
		{`{a: 1}["a"] == 1 ? first(vars.list) : -1.5e300 * 1e10`, "x ${ string(reported.os[0]) } $${"},
		{`count(reported.xs) > 1 ?? age(reported.xs) < duration("1h")`, "${ {'a': map(tags.s ?? [], #)} }"},
		{`now - lastActivityTime < duration("1h") * 2 or 9223372036854775807 + 1 > 0`, "${ bucket('a', 9223372036854775807) % 7 }"},
		{"tags.s matches `^a+$` and not (id in [1, 'a', nil])", "${ split(tags.s, 'a') }"},
	} {
		f.Add(seed.when, seed.leaf)
	}
	tw := heavy(f)
	f.Fuzz(func(t *testing.T, when, leaf string) {
		if len(when) > 4<<10 || len(leaf) > 4<<10 {
			return
		}
		p := compile(packOf(when, leaf))
		if p == nil {
			return
		}
		verdict := func() string {
			v := p.Eval(context.Background(), tw, noon)[0]
			text := fmt.Sprint(v.Selected, v.Matched, v.Err)
			for _, l := range v.Leaves {
				text += string(twin.Encode(l.Value))
			}
			return text
		}
		start := time.Now()
		first := verdict()
		if took := time.Since(start); took > 2*time.Second { // two instrumented workers share a processor
			t.Errorf("it took %s", took)
		}
		for range 3 {
			if again := verdict(); again != first {
				t.Fatalf("now %.500s, before %.500s", again, first)
			}
		}
		p.Explain(context.Background(), tw, noon)
	})
}
