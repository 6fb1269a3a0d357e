package engine_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// TestPlanFileKeepsEverything is the law of plan files: what is read is what was
// written, and writing it again makes the same bytes.
func TestPlanFileKeepsEverything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		plan := anyPlan().Draw(rt, "plan")
		data := planBytes(t, plan)
		got, err := engine.ReadPlan(bytes.NewReader(data))
		if err != nil {
			rt.Fatalf("%v\n%s", err, inflate(t, data))
		}
		if diff := cmp.Diff(plan, got, asLists); diff != "" {
			rt.Fatal(diff)
		}
		if !bytes.Equal(planBytes(t, got), data) || digest(got) != digest(plan) {
			rt.Fatal("written again, the bytes are others")
		}
	})
}

func anyPlan() *rapid.Generator[*engine.Plan] {
	return rapid.Custom(func(t *rapid.T) *engine.Plan {
		p := &engine.Plan{
			Header: engine.Header{
				Schema: engine.PlanSchema, Tool: word().Draw(t, "tool"), Pack: engine.PackInfo{Name: "p", Digest: word().Draw(t, "digest")},
				Hub: word().Draw(t, "hub"), TakenAt: time.Unix(rapid.Int64Range(0, 1e10).Draw(t, "at"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC(),
				Fleet:   engine.FleetInfo{Digest: "xxh3:", Devices: rapid.IntRange(0, 9).Draw(t, "n"), Complete: rapid.Bool().Draw(t, "complete")},
				Queries: []string{word().Draw(t, "query")},
			},
			Changes: engine.ChangesOf(changes().Draw(t, "changes")...), Audited: engine.ChangesOf(changes().Draw(t, "audited")...),
		}
		if rapid.Bool().Draw(t, "troubles") {
			ref := twin.Ref{Device: "d"}
			limits := rules.Limits{MaxTwins: 1, MaxPercent: 2, MinPopulation: 3}
			p.Rules = []engine.RuleCount{{Rule: "r", Mode: rules.Audit, File: word().Draw(t, "file"), Line: 3, Population: 4, Matched: 3, Changed: 2, Failed: 1}}
			p.Conflicts = []engine.Conflict{{Ref: ref, Place: word().Draw(t, "place"), Wishes: []engine.ConflictWish{{Rule: "a", Value: anyValue(2).Draw(t, "a")}, {Rule: "b", Value: anyValue(2).Draw(t, "b")}}}}
			p.Errors = []engine.Failure{{Ref: ref, Rule: "r", Message: word().Draw(t, "message")}}
			p.Breaches = []engine.Breach{{Rule: "r", Limits: limits, Population: 9, Changed: 8, Allowed: 7}}
			p.Configurations = configurations(anyObject(2).Draw(t, "content"))
		}
		return p
	})
}

// configurations returns one change of every action, as pack p makes them.
func configurations(content twin.Object) []engine.ConfigurationChange {
	state := &engine.ConfigurationState{Labels: map[string]string{"owner": "twinrules", "pack": "p", "rule": "r"}, Content: content, TargetCondition: "*", Priority: 3}
	return []engine.ConfigurationChange{
		{Action: engine.Create, ID: "tr-a", Rule: "r", After: state, Reason: "new"},
		{Action: engine.Update, ID: "tr-b", ETag: "E1", Rule: "r", Before: state, After: state, Reason: "other"},
		{Action: engine.Delete, ID: "tr-c", ETag: "E1", Rule: "r", Before: state, Reason: "gone"},
		{Action: engine.Keep, ID: "tr-d", ETag: "E1", Rule: "r", Before: state, Reason: "wait"},
	}
}

func word() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom([]string{"", "__proto__", "a.b", "<>&", "\u2028", "\"\\", "漢字", "\u202e", "null"}), rapid.String())
}

func changes() *rapid.Generator[[]engine.Change] {
	return rapid.Custom(func(t *rapid.T) (list []engine.Change) {
		for i := range rapid.IntRange(0, 4).Draw(t, "n") {
			c := engine.Change{
				Ref: twin.Ref{Device: fmt.Sprintf("d-%d'(*)", i)}, ETag: word().Draw(t, "etag"),
				Version: rapid.Int64().Draw(t, "version"), DesiredVersion: rapid.Int64().Draw(t, "dv"),
			}
			if rapid.Bool().Draw(t, "module") {
				c.Ref.Module = "m"
			}
			c.Edits = edits().Filter(func(list []engine.Edit) bool { return len(list) > 0 }).Draw(t, "edits")
			list = append(list, c)
		}
		return list
	})
}

// edits draws what Evaluate makes: places in order, none below another.
func edits() *rapid.Generator[[]engine.Edit] {
	return rapid.Custom(func(t *rapid.T) (list []engine.Edit) {
		for _, section := range []string{"desired", "tags"} {
			before, patch := anyObject(3).Draw(t, "before"), anyObject(3).Draw(t, "patch")
			for _, touch := range twin.Touches(before, patch) {
				list = append(list, engine.Edit{Section: section, Path: touch.Path, Before: touch.Before, After: touch.After, Rules: []string{"r", "s"}})
			}
		}
		return list
	})
}

func anyObject(depth int) *rapid.Generator[twin.Object] {
	return rapid.Custom(func(t *rapid.T) twin.Object {
		o := twin.Object{}
		for _, key := range rapid.SliceOfN(word(), 0, 3).Draw(t, "keys") {
			o[key] = anyValue(depth-1).Draw(t, "value")
		}
		return o
	})
}

func anyValue(depth int) *rapid.Generator[any] {
	numbers := []json.Number{"0", "-0.0", "1.0", "10e-1", "1e999", "9007199254740993", "123456789012345678901234567890"}
	scalar := rapid.OneOf(
		rapid.Map(word(), func(s string) any { return s }), rapid.Just[any](nil), rapid.Just[any](true),
		rapid.Map(rapid.SampledFrom(numbers), func(n json.Number) any { return n }),
	)
	if depth <= 0 {
		return scalar
	}
	return rapid.OneOf(scalar, rapid.Map(anyObject(depth), func(o twin.Object) any { return o }),
		rapid.Map(rapid.SliceOfN(scalar, 0, 3), func(l []any) any { return append([]any{}, l...) }))
}

// whole is a plan with a line of every kind.
func whole(t testing.TB) *engine.Plan {
	plan := evaluate(t, pack(t, setter+"  - {id: a, mode: audit, patch: {tags: {x: 1}}}\n  - {id: left, patch: {desired: {y: 1}}}\n  - {id: right, patch: {desired: {y: 2}}}\n"), fleet(2), nil)
	plan.Configurations = configurations(twin.Object{})
	plan.Errors = []engine.Failure{{Ref: device(1), Rule: "r", Message: "no"}}
	plan.Warnings = []engine.Failure{{Ref: device(2), Rule: "r", Message: "perhaps", Fuel: 7}}
	plan.Breaches = []engine.Breach{{Rule: "r"}}
	return plan
}

func inflate(t testing.TB, data []byte) string {
	t.Helper()
	z, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func deflate(t testing.TB, text string) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(64<<10))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll([]byte(text), nil)
}

// sealed closes lines with the end that fits them, as somebody would who knows
// how plans are made.
func sealed(lines []string, summary string) string {
	text := strings.Join(lines, "")
	return text + fmt.Sprintf("{\"end\":{\"summary\":%s,\"digest\":\"sha256:%x\"}}\n", summary, sha256.Sum256([]byte(text)))
}

func TestDamagedPlansAreRefused(t *testing.T) {
	data := planBytes(t, whole(t))
	text := inflate(t, data)
	step := 1
	if watched {
		step = 20 // without it all are tried
	}
	for n := 0; n < len(data); n += step {
		if _, err := engine.ReadPlan(bytes.NewReader(data[:n])); err == nil {
			t.Fatalf("torn at byte %d of %d, it was read", n, len(data))
		}
	}
	lines := strings.SplitAfter(text, "\n")
	for n := range len(lines) - 1 {
		_, err := engine.ReadPlan(bytes.NewReader(deflate(t, strings.Join(lines[:n], ""))))
		if want := fmt.Sprintf("read plan: line %d: the file is torn, its end is missing", n+1); err == nil || err.Error() != want {
			t.Errorf("torn behind line %d: got %v, want %s", n, err, want)
		}
	}
	for n := 0; n < len(text); n += 3 * step {
		altered := []byte(text)
		altered[n] ^= 1
		_, err := engine.ReadPlan(bytes.NewReader(deflate(t, string(altered))))
		if err == nil || !strings.Contains(err.Error(), "line ") {
			t.Fatalf("byte %d altered: got %v", n, err)
		}
	}
	if _, err := engine.ReadPlan(bytes.NewReader(append(slices.Clone(data), "more"...))); err == nil {
		t.Error("with bytes behind it, it was read")
	}
	if _, err := engine.ReadPlan(bytes.NewReader(append(slices.Clone(data), deflate(t, lines[1])...))); err == nil || !strings.Contains(err.Error(), "behind the end") {
		t.Errorf("got %v", err)
	}
}

// TestForgedPlansAreRefused gives plans with a right digest that say what this
// program would not have said.
func TestForgedPlansAreRefused(t *testing.T) {
	lines := strings.SplitAfter(inflate(t, planBytes(t, whole(t))), "\n")
	summary := `{"twins":2,"edits":4,"audited":2,"configurations":3,"conflicts":2,"errors":1,"breaches":1,"warnings":1}`
	good := lines[:len(lines)-2]
	if _, err := engine.ReadPlan(bytes.NewReader(deflate(t, sealed(good, summary)))); err != nil {
		t.Fatalf("the test's own seal does not fit: %v", err)
	}
	first := func(kind string) int {
		return slices.IndexFunc(good, func(l string) bool { return strings.HasPrefix(l, `{"`+kind) })
	}
	edit := func(kind, old, new string) func([]string) []string {
		return func(l []string) []string {
			i := first(kind)
			if l[i] = strings.Replace(l[i], old, new, 1); l[i] == good[i] {
				t.Fatalf("%s is not in %s", old, l[i])
			}
			return l
		}
	}
	insert := func(kind, line string) func([]string) []string {
		return func(l []string) []string { return slices.Insert(l, first(kind), line) }
	}
	for name, c := range map[string]struct {
		forge func(lines []string) []string
		want  string
	}{
		"no header":             {func(l []string) []string { return l[1:] }, "line 1: a plan begins with its header"},
		"two headers":           {func(l []string) []string { return slices.Insert(l, 1, l[0]) }, "line 2: a plan begins with its header"},
		"another major version": {edit("header", "plan/v1.4", "plan/v2.0"), `line 1: "twinrules/plan/v2.0" is not a plan that this version reads`},
		"an unknown field":      {edit("header", `"tool"`, `"extra":1,"tool"`), `line 1: json: unknown field "extra"`},
		"an unknown edit field": {edit("change", `"before"`, `"extra":1,"before"`), `unknown field "extra"`},
		"an unknown kind":       {insert("change", "{\"other\":{}}\n"), `unknown field "other"`},
		"an empty line":         {insert("change", "\n"), "line 6: EOF"},
		"nothing in it":         {insert("change", "{}\n"), "line 6: a line says one thing, this one 0"},
		"two things":            {edit("change", `{"change":`, `{"error":{"ref":{"device":"d"},"rule":"","message":""},"change":`), "this one 2"},
		"a key in capitals":     {edit("change", `"etag"`, `"ETAG"`), "this is not how it was written"},
		"a key twice":           {edit("change", `"etag":"E1"`, `"etag":"E0","etag":"E1"`), "this is not how it was written"},
		"white space":           {edit("change", `"etag":`, `"etag": `), "this is not how it was written"},
		"text behind":           {edit("change", "}\n", "} true\n"), "this is not how it was written"},
		"out of order":          {func(l []string) []string { l[1], l[len(l)-1] = l[len(l)-1], l[1]; return l }, "line 3: the plan was altered: its lines are out of order"},
		"a twin twice":          {func(l []string) []string { i := first("change"); return slices.Insert(l, i, l[i]) }, "devices/d0000: a second change, or out of order"},
		"a configuration":       {edit("change", `{"device":"d0000"}`, `{"configuration":"d0000"}`), "this is no twin"},
		"a device and more":     {edit("change", `{"device":"d0000"}`, `{"device":"d0000","configuration":"x"}`), "this is no twin"},
		"no device":             {edit("change", `{"device":"d0000"}`, `{}`), "this is no twin"},
		"a path as device":      {edit("change", `"d0000"`, `"../x"`), "this is no twin"},
		"a path as module":      {edit("change", `"d0000"`, `"d0000","module":"../x"`), "this is no twin"},
		"no edits": {func(l []string) []string {
			i := first("change")
			l[i] = l[i][:strings.Index(l[i], `"edits":[`)+9] + "]}}\n"
			return l
		}, "a change without edits"},
		"another section":       {edit("change", `"section":"desired"`, `"section":"reported"`), `an edit of "reported.interval"`},
		"no path":               {edit("change", `"path":["interval"]`, `"path":[]`), `an edit of "desired"`},
		"the hub's own":         {edit("change", `"path":["interval"]`, `"path":["$version"]`), `an edit of "desired.$version"`},
		"no before":             {edit("change", `"before":60,`, ``), "invalid JSON"},
		"nothing changes":       {edit("change", `"after":900`, `"after":60.0`), "that changes nothing"},
		"a place twice":         {edit("change", `"section":"tags","path":["power"]`, `"section":"desired","path":["interval"]`), "two edits of desired.interval"},
		"a place below another": {edit("change", `"section":"tags","path":["power"]`, `"section":"desired","path":["interval","x"]`), "two edits of desired.interval.x"},
		"edits out of order":    {edit("change", `"section":"tags","path":["power"]`, `"section":"desired","path":["a"]`), "two edits of desired.a, or out of order"},
		"an audited forgery":    {edit("audited", `"device":"d0000"`, `"device":""`), "this is no twin"},
		"a wish in the plan":    {edit("conflict", `"value":1`, `"value":{"a":1,"a":2}`), `duplicate key "a"`},
		"an empty creation":     {edit("configuration", `"after":{"labels"`, `"after":null,"x":{"labels"`), "unknown field"},
		"creation of nothing":   {replaceLine(first("configuration"), `{"configuration":{"action":"create","id":"tr-a","etag":"","rule":"r","before":null,"after":null,"reason":"new"}}`), "no \"create\" looks like this"},
		"an unknown action":     {edit("configuration", `"create"`, `"destroy"`), "no \"destroy\" looks like this"},
		"creation with an etag": {edit("configuration", `"etag":""`, `"etag":"*"`), "a creation has no etag"},
		"somebody else's id":    {edit("configuration", `"tr-a"`, `"theirs"`), "it is not the pack's"},
		"somebody else's label": {edit("configuration", `"owner":"twinrules"`, `"owner":"them"`), "it is not the pack's"},
		"another pack's":        {edit("configuration", `"pack":"p"`, `"pack":"q"`), "it is not the pack's"},
		"a configuration twice": {func(l []string) []string { i := first("configuration"); return slices.Insert(l, i, l[i]) }, `configuration "tr-a": a second change`},
		"a warning hidden":      {func(l []string) []string { return slices.Delete(l, first("warning"), first("warning")+1) }, "its summary is that of another"},
		"another summary":       {func(l []string) []string { return slices.Delete(l, first("error"), first("error")+1) }, "its summary is that of another"},
	} {
		t.Run(name, func(t *testing.T) {
			text := sealed(c.forge(slices.Clone(good)), summary)
			_, err := engine.ReadPlan(bytes.NewReader(deflate(t, text)))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "read plan: line ") {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func replaceLine(i int, text string) func([]string) []string {
	return func(l []string) []string { l[i] = text + "\n"; return l }
}

// TestBombsStaySmall reads files that inflate to a gigabyte and more.
func TestBombsStaySmall(t *testing.T) {
	if watched {
		t.Skip("it measures memory, of which the race detector has its own")
	}
	line := `{"rule":{"rule":"` + strings.Repeat("a", 100) + `","mode":"audit","file":"","line":0,"population":0,"matched":0,"changed":0,"failed":0}}` + "\n"
	header, _, _ := strings.Cut(inflate(t, planBytes(t, whole(t))), "\n")
	for name, c := range map[string]struct{ start, unit, want string }{
		"one line":   {"", strings.Repeat("a", 1<<20), "line 1: longer than 4194304 bytes"},
		"many lines": {header + "\n", strings.Repeat(line, 1<<20/len(line)), "the file inflates to more than a plan can be"},
	} {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			z, err := zstd.NewWriter(&file, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(z, c.start)
			for range 128 {
				io.WriteString(z, c.unit)
			}
			z.Close()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err = engine.ReadPlan(&file)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 512<<20 {
				t.Errorf("%d MiB were used", used>>20)
			}
		})
	}
}

func TestALineThatCannotBeReadIsNotWritten(t *testing.T) {
	plan := whole(t)
	plan.Errors[0].Message = strings.Repeat("x", 5<<20)
	if err := engine.WritePlan(io.Discard, plan); err == nil || !strings.Contains(err.Error(), "is longer than 4194304 bytes") {
		t.Errorf("got %v", err)
	}
}

// FuzzReadPlan holds reading to its promise: no panic, and what is read is
// written the same.
func FuzzReadPlan(f *testing.F) {
	f.Add(inflate(f, planBytes(f, whole(f))))
	f.Add(inflate(f, planBytes(f, evaluate(f, pack(f, setter), fleet(1), nil))))
	f.Add(inflate(f, planBytes(f, evaluate(f, pack(f, "  - {id: r, patch: {desired: {x: 7}}, rollout: {by: tags.kind, waves: [1, 5%, 100%], "+gate+"}}\n"), fleet(2), nil))))
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.SplitAfter(text, "\n")
		sealedToo := sealed(lines[:len(lines)-1], `{"twins":0,"edits":0,"audited":0,"configurations":0,"conflicts":0,"errors":0,"breaches":0}`)
		for _, text := range []string{text, sealedToo} {
			p, err := engine.ReadPlan(bytes.NewReader(deflate(t, text)))
			if err == nil && inflate(t, planBytes(t, p)) != text {
				t.Fatalf("read as something else: %s", text)
			}
		}
	})
}

// asLists compares changes however they are held.
var asLists = cmp.Transformer("List", func(c engine.Changes) []engine.Change { return changesIn(c) })
