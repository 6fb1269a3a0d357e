package rules_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// clocked writes a condition that looks at the clock, and what else there is.
func (w scribe) clocked(depth int) string {
	if depth > 0 {
		return w.one("("+w.clocked(depth-1)+w.one(" and ", " or ")+w.condition(1)+")", "not ("+w.clocked(depth-1)+")", "("+w.clocked(0)+w.one(" and ", " or ")+w.clocked(0)+")")
	}
	span := func() string { return fmt.Sprintf(`duration("%s")`, w.one("0s", "30m", "1h", "2h", "-1h", "26h")) }
	moment := func() string {
		return w.one("time(tags.until)", "time(reported.until)", "updated(reported.a)", "lastActivityTime", `time("2026-11-20T13:00:00Z")`, `time("2026-11-20T12:00:00Z")`, "time(tags.until) - "+span())
	}
	age := w.one("age(reported.a)", "age(reported.b.c)", "age(desired.a)", "now - "+moment(), moment()+" - now", "now - lastActivityTime")
	order := w.one(" < ", " <= ", " > ", " >= ")
	return w.one(age+order+span(), age+order+span(), span()+order+age, "now"+order+moment(), moment()+order+"now", age+order+age, age+" == "+span())
}

// clockedRule writes a rule that looks at the clock somewhere.
func (w scribe) clockedRule(id string) string {
	text := "  - id: " + id + "\n"
	if w.IntN(3) == 0 {
		text += "    selector: |\n      " + w.selector(1) + "\n"
	}
	text += "    when: |\n      " + w.clocked(w.IntN(3)) + "\n"
	if w.IntN(4) == 0 {
		text += "    until: |\n      " + w.clocked(1) + "\n"
	}
	return text + "    patch: {" + w.one("desired", "tags") + ": {hit: " + w.one("x", "x", "x", `"${ now }"`, `"${ age(reported.a) }"`, `"${ tags.a }"`) + "}}\n"
}

// dated is a twin with times around noon.
func (w scribe) dated() twin.Object {
	doc, err := twin.DecodeObject(w.module(w.twin()).JSON())
	if err != nil {
		panic(err)
	}
	for range 6 {
		w.touch(doc)
	}
	return doc
}

// touch changes something of a twin that its device or the hub may change.
func (w scribe) touch(doc twin.Object) {
	at := w.one("2026-11-20T11:30:00Z", "2026-11-20T11:00:00.0000000Z", "2026-11-20T10:00:00.0000001Z", "2026-11-20T13:00:00Z", "2026-11-19T11:00:00+01:00", "0001-01-01T00:00:00Z", "never")
	section := w.one("desired", "reported")
	updated := twin.Object{"$lastUpdated": at}
	switch w.IntN(9) {
	case 0:
		doc["lastActivityTime"] = at
	case 1:
		doc["connectionState"] = w.one("Connected", "Disconnected")
	case 2:
		doc["version"] = w.IntN(100)
	case 3:
		put(doc, at, "tags", "until")
	case 4:
		put(doc, at, "properties", "reported", "until")
	case 5:
		put(doc, updated, "properties", section, "$metadata", "a")
	case 6:
		put(doc, twin.Object{"c": updated}, "properties", section, "$metadata", "b")
	case 7:
		put(doc, w.json(1), w.one("tags"), w.one("a", "b", "flag", "other", "hit"))
	case 8:
		put(doc, w.json(1), "properties", section, w.one("a", "b", "list", "other", "hit"))
	}
}

// put sets a member, also to null.
func put(doc twin.Object, value any, path ...string) {
	for _, key := range path[:len(path)-1] {
		next, ok := doc[key].(twin.Object)
		if !ok {
			next = twin.Object{}
			doc[key] = next
		}
		doc = next
	}
	doc[path[len(path)-1]] = value
}

var fingerPairs = flag.Int("finger.pairs", 40_000/slack, "pairs of twins that may have one fingerprint")

// TestAFingerprintStandsForAllThatMatters is the law of fingerprints: two twins
// with the same one get the same verdicts, the second also at any moment before
// the first one's wake.
func TestAFingerprintStandsForAllThatMatters(t *testing.T) {
	t.Parallel()
	w := scribe{rand.New(rand.NewPCG(77, 2026))}
	seen := map[string]int{}
	for seen["pairs"] < *fingerPairs {
		var body strings.Builder
		for i := range 1 + w.IntN(3) {
			sort := w.clockedRule
			if w.IntN(4) == 0 {
				sort = w.rule
			}
			body.WriteString(w.compiling(fmt.Sprint("r", i), sort))
		}
		p, ok := tryProgram(lawVars, body.String())
		if !ok {
			t.Fatalf("rules that compile alone do not together:\n%s", body.String())
		}
		sifter := p.Sieve(noon, nil).Sifter()
		for range 200 {
			if problem := w.fingered(p, sifter, seen); problem != "" {
				t.Fatalf("%s\n%s", problem, body.String())
			}
		}
	}
	t.Log(seen)
	for what, share := range map[string]int{"alike": 20, "alike and later": 40, "alike until a moment": 100} {
		if seen[what] < seen["pairs"]/share {
			t.Errorf("only %d: %s", seen[what], what)
		}
	}
}

// fingered says where a twin and one that it may become break the law.
func (w scribe) fingered(p *rules.Program, sifter *rules.Sifter, seen map[string]int) string {
	doc := w.dated()
	first, err1 := twin.Parse(twin.Encode(doc))
	for range 1 + w.IntN(3) {
		w.touch(doc)
	}
	second, err2 := twin.Parse(twin.Encode(doc))
	if err1 != nil || err2 != nil {
		return ""
	}
	seen["pairs"]++
	sifter.Sift(second.JSON())
	other, _ := sifter.Fingerprint()
	sifter.Sift(first.JSON())
	print, _ := sifter.Fingerprint()
	if print != other {
		return ""
	}
	seen["alike"]++
	later := noon
	switch at, ever := sifter.Wake(); {
	case ever && !at.After(noon.Now):
	case ever:
		later.Now = at.Add(-1)
		seen["alike until a moment"]++
		seen["alike and later"]++
	default:
		later.Now = noon.Now.Add(time.Duration(w.Int64N(int64(48 * time.Hour))))
		seen["alike and later"]++
	}
	want, got := told(p.Eval(context.Background(), first, noon)), told(p.Eval(context.Background(), second, later))
	if got != want {
		return fmt.Sprintf("alike, and at %v\n%s\nnot\n%s\nof %s\nand %s", later.Now, got, want, first.JSON(), second.JSON())
	}
	return ""
}

// TestAFingerprintNamesWhatIsRead is what changes a fingerprint and what does not,
// for rules that between them read everything in every way.
func TestAFingerprintNamesWhatIsRead(t *testing.T) {
	const conditions = `  - {id: a, selector: 'tags.kind == "a"', when: 'reported.pct > 20 and age(reported.old) > duration("2h") and status == "enabled"', patch: {desired: {own: x, far: "${ reported.copy }"}}}
  - {id: b, on: module/m, when: 'len(tags.all) > 1', patch: {tags: {o: {own: y}}}, onExit: remove}
`
	const judged = "  - {id: c, plugin: {use: judge}, when: 'plugin.x == 1 and tags.kind == \"a\"', patch: {desired: {own: \"${ reported.copy }\"}}}\n"
	const base = `{"deviceId":"d","etag":"e","version":3,"status":"enabled","connectionState":"Connected","lastActivityTime":"2026-11-20T11:00:00Z","tags":{"kind":"a","all":{"x":1},"next":"b"},"properties":{"desired":{"own":"x","$version":4},"reported":{"pct":7,"old":1,"copy":2,"deep":{"er":1},"$metadata":{"old":{"$lastUpdated":"2026-11-20T11:00:00Z"},"pct":{"$lastUpdated":"2026-11-20T11:00:00Z"}}}}}`
	for name, c := range map[string]struct {
		from, to                           string
		conditions, declared, whole, other bool // whether it changes the fingerprint
	}{
		"nothing":                    {``, ``, false, false, false, false},
		"the id":                     {`"deviceId":"d"`, `"deviceId":"e"`, true, true, true, true},
		"the module":                 {`"deviceId":"d"`, `"deviceId":"d","moduleId":"m"`, true, true, true, true},
		"white space":                {`"etag"`, ` "etag"`, false, false, true, false},
		"the etag":                   {`"e"`, `"f"`, false, false, true, false},
		"the version":                {`"version":3`, `"version":4`, false, false, true, false},
		"a last word":                {`"lastActivityTime":"2026-11-20T11`, `"lastActivityTime":"2026-11-20T12`, false, true, true, false},
		"a connection":               {`"Connected"`, `"Disconnected"`, false, false, true, false},
		"a status that is read":      {`"enabled"`, `"disabled"`, true, false, true, false},
		"a tag of a selector":        {`"kind":"a"`, `"kind":"b"`, true, true, true, true},
		"a tag that nobody reads":    {`"next":"b"`, `"next":"c"`, false, false, true, false},
		"below an object":            {`{"x":1}`, `{"x":2}`, true, false, true, false},
		"a number":                   {`"pct":7`, `"pct":8`, true, false, true, false},
		"a value that goes":          {`"pct":7,`, ``, true, false, true, false},
		"a value that is null":       {`"pct":7`, `"pct":null`, true, false, true, false},
		"an age":                     {`"old":{"$lastUpdated":"2026-11-20T11`, `"old":{"$lastUpdated":"2026-11-20T12`, true, false, true, false},
		"another age":                {`"pct":{"$lastUpdated":"2026-11-20T11`, `"pct":{"$lastUpdated":"2026-11-20T12`, false, false, true, false},
		"what has an age":            {`"old":1`, `"old":2`, false, false, true, false},
		"what is copied":             {`"copy":2`, `"copy":3`, true, true, true, true},
		"a place that is written":    {`"own":"x"`, `"own":"y"`, true, true, true, true},
		"one that was not there":     {`"own":"x"`, `"own":"x","far":1`, true, false, true, false},
		"what a plugin declares":     {`"er":1`, `"er":2`, false, true, true, false},
		"what is on the way there":   {`"deep":{"er":1}`, `"deep":{}`, false, true, true, false},
		"an object that leads there": {`"deep":{"er":1}`, `"deep":7`, false, true, true, false},
		"what a plugin may write":    {`"own":"x"`, `"own":"x","wish":1`, false, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, d := range []struct {
				name, body string
				plugin     fakePlugin
				want       bool
			}{
				{"conditions", conditions, fakePlugin{}, c.conditions},
				{"declared reads", judged, fakePlugin{reads: []string{"reported.deep.er", "lastActivityTime"}, writes: []string{"desired.wish"}}, c.declared},
				{"a whole twin", judged, fakePlugin{}, c.whole},
				{"no reads", judged, fakePlugin{reads: []string{}, writes: []string{"desired.wish"}}, c.other},
			} {
				p := program(t, "{}", d.body, fakePlugins{d.plugin})
				sifter := p.Sieve(noon, nil).Sifter()
				sifter.Sift([]byte(base))
				first, ok1 := sifter.Fingerprint()
				sifter.Sift([]byte(strings.Replace(base, c.from, c.to, 1)))
				second, ok2 := sifter.Fingerprint()
				if !ok1 || !ok2 || first != second != d.want {
					t.Errorf("%s: %v %v, changes %v, want %v", d.name, ok1, ok2, first != second, d.want)
				}
			}
		})
	}
}

// TestVolatile: what changes whenever a device speaks may be left out where nobody
// can look at it.
func TestVolatile(t *testing.T) {
	p := program(t, "{}", "  - {id: r, when: 'tags.x == 1', patch: {desired: {a: 1}}}\n", nil)
	foreign := p.Foreign([]*twin.Configuration{{ID: "f", TargetCondition: "*", Content: twin.Object{"deviceContent": twin.Object{"properties.desired.a": "2"}}}})
	judged := "  - {id: r, plugin: {use: judge}, patch: {desired: {a: 1}}}\n"
	for name, c := range map[string]struct {
		sieve *rules.Sieve
		want  string
	}{
		"no rule reads any":         {p.Sieve(noon, nil), "connectionState lastActivityTime"},
		"a configuration of others": {p.Sieve(noon, foreign), ""},
		"a state that is read":      {program(t, "{}", "  - {id: r, selector: 'connectionState == \"x\"', patch: {desired: {a: 1}}}\n", nil).Sieve(noon, nil), "lastActivityTime"},
		"a plugin of all":           {program(t, "{}", judged, fakePlugins{}).Sieve(noon, nil), ""},
		"a plugin of one":           {program(t, "{}", judged, fakePlugins{fakePlugin{reads: []string{"lastActivityTime"}}}).Sieve(noon, nil), "connectionState"},
	} {
		if got := strings.Join(c.sieve.Volatile(), " "); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestATornTwinHasNoState: what was read of the twin before it is not taken for
// its own.
func TestATornTwinHasNoState(t *testing.T) {
	sifter := program(t, "{}", "  - {id: r, when: 'tags.x == 1', patch: {desired: {a: 1}}}\n", nil).Sieve(noon, nil).Sifter()
	for _, before := range []string{"", `{"deviceId":"d"}`} {
		sifter.Sift([]byte(before))
		if judge, _ := sifter.Sift([]byte(`{"deviceId":"some-device","etag":"some-etag","version":7,"tags":`)); !judge {
			t.Error("it is not judged")
		}
		if state, ok := sifter.State(); ok {
			t.Errorf("it has the state %v", state)
		}
		if at, ever := sifter.Wake(); !ever || !at.Equal(noon.Now) {
			t.Errorf("it wakes at %v", at)
		}
	}
}

// TestNeighboursAreTold: what is missing, what is null and where values end are
// told apart, also of two that stand side by side.
func TestNeighboursAreTold(t *testing.T) {
	p := program(t, "{}", "  - {id: r, when: 'tags.a == tags.b', patch: {desired: {c: x}}}\n", nil)
	sifter, seen := p.Sieve(noon, nil).Sifter(), map[twin.Digest]string{}
	for _, tags := range []string{`{}`, `{"a":1}`, `{"b":1}`, `{"a":null}`, `{"b":null}`, `{"a":1,"b":null}`, `{"a":11}`, `{"a":1,"b":1}`, `{"a":"","b":1}`, `{"a":"1"}`, `{"a":"\u0002","b":1}`} {
		sifter.Sift([]byte(`{"deviceId":"d","tags":` + tags + `}`))
		print, ok := sifter.Fingerprint()
		if before, again := seen[print]; !ok || again {
			t.Errorf("%s and %s are alike", tags, before)
		}
		seen[print] = tags
	}
	if sifter.Sift([]byte(`{"deviceId":"d"`)); true {
		if _, ok := sifter.Fingerprint(); ok {
			t.Error("what is torn has a fingerprint")
		}
	}
}

// BenchmarkFingerprint is what a fingerprint costs beside the sieve itself, with
// the pack of BenchmarkSieve.
func BenchmarkFingerprint(b *testing.B) {
	data, err := os.ReadFile("../hub/twin/testdata/reefer.json")
	if err != nil {
		b.Fatal(err)
	}
	var body strings.Builder
	for i := range 10 {
		fmt.Fprintf(&body, "  - {id: r%d, selector: 'tags.kind == \"reefer\"', when: 'reported.battery.pct < %d and tags.site in [\"muc\", \"ber\"] or reported.network.rssi > %d and age(reported.battery.pct) > duration(\"%dh\")', patch: {desired: {x%d: 1}}}\n", i, i%60, i-60, i+1, i%20)
	}
	sifter := program(b, "{}", body.String(), nil).Sieve(noon, nil).Sifter()
	b.Run("sift", func(b *testing.B) {
		for b.Loop() {
			sifter.Sift(data)
		}
	})
	b.Run("fingerprint", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sifter.Fingerprint()
		}
	})
	b.Run("wake", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sifter.Wake()
		}
	})
}

// A fakePlugin is one of which only what it declares matters.
type fakePlugin struct{ reads, writes []string }

func (fakePlugin) Eval(context.Context, *twin.Twin, time.Time) (*rules.Finding, int64, error) {
	return nil, 0, nil
}
func (f fakePlugin) Reads() []string  { return f.reads }
func (f fakePlugin) Writes() []string { return f.writes }

type fakePlugins struct{ fakePlugin }

func (f fakePlugins) Instance(context.Context, *rules.Rule, twin.Object) (rules.Plugin, error) {
	return f.fakePlugin, nil
}
