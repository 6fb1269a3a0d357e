// Package pumps_test tests the plugins of the story, each written in its own
// language: what they say of pumps that are well, worn, idle or odd, and which
// configurations they refuse.
package pumps_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/sdk"
	"github.com/twinrules/twinrules/plugins/sdk/sdktest"
)

// A judgement is what a plugin says of a device at a time.
type judgement struct {
	name, now, twin string
	want            string // its facts, "" for no match
	fails           string // a part of its error
}

// A refusal is a configuration that a plugin, or its schema, refuses.
type refusal struct{ name, config, want string }

// guests lists the plugins, with what each says.
var guests = []struct {
	name       string
	language   *sdk.Language
	source     string
	config     string
	judgements []judgement
	refusals   []refusal
}{
	{"anomaly", sdk.Rust, "plugin.rs", `{"minSpread":0.02,"minSamples":5}`, anomalies, []refusal{
		{"plugin: too few samples", `{"minSpread":1,"minSamples":2}`, "minSamples from 3 to 511"},
		{"schema: a spread of text", `{"minSpread":"1"}`, "minSpread"},
	}},
	{"duty", sdk.AssemblyScript, "plugin.ts", duties, onDuty, []refusal{
		{"plugin: too few fields", `{"cycles":{"a":{"start":"0 1 * *","minutes":5}}}`, "cycle a: a start has five fields: 0 1 * *"},
		{"plugin: beyond the clock", `{"cycles":{"a":{"start":"0 1,24 * * *","minutes":5}}}`, "cycle a: 24 is not within 0-23"},
		{"plugin: no number", `{"cycles":{"a":{"start":"0 x * * *","minutes":5}}}`, "cycle a: x is not within 0-23"},
		{"plugin: no step", `{"cycles":{"a":{"start":"*/0 * * * *","minutes":5}}}`, "cycle a: */0 is not within 0-59"},
		{"schema: longer than a day", `{"cycles":{"a":{"start":"0 1 * * *","minutes":1441}}}`, "minutes"},
	}},
	{"blob", sdk.C, "plugin.c", `{"ignore":["uptime"]}`, blobs, []refusal{
		{"schema: misspelt", `{"ignored":[]}`, "ignored"},
	}},
}

var anomalies = []judgement{
	{name: "as ever", twin: window(`4.1,4.2,4.1,4.0,4.1,4.1`), want: `{"median":4.1,"newest":4.1,"samples":5,"score":0}`},
	{name: "burst", twin: window(`4.1,4.2,4.1,4.0,4.2,4.0,1.1`), want: `{"median":4.1,"newest":1.1,"samples":6,"score":20.2}`},
	{name: "one wild value before does not hide the next", twin: window(`4.1,4.2,99,4.0,4.1,1.1`), want: `{"median":4.1,"newest":1.1,"samples":5,"score":20.2}`},
	{name: "a sensor that stood still", twin: window(`4,4,4,4,4,4,4.01`), want: `{"median":4,"newest":4.01,"samples":6,"score":0.5}`},
	{name: "what is no number", twin: window(`4,null,4,"x",4,[1],4,true,4,1e999,5`), want: `{"median":4,"newest":5,"samples":5,"score":50}`},
	{name: "too few", twin: window(`4,4,4,4,9`)},
	{name: "no window", twin: `{}`},
	{name: "a window that is an object", twin: `{"reported":{"pressure":{"window":{"a":1}}}}`},
	{name: "a long one", twin: window(strings.Repeat(`1e300,`, 700) + strings.Repeat(`4,`, 512) + `4`), want: `{"median":4,"newest":4,"samples":511,"score":0}`},
}

func window(list string) string { return `{"reported":{"pressure":{"window":[` + list + `]}}}` }

const duties = `{"cycles":{
	"night": {"start":"0 22 * * 1-5","minutes":90,"utcOffsetMin":60},
	"often": {"start":"*/20 6-8 * * *","minutes":5},
	"day or weekday": {"start":"0 0 1 * 0","minutes":60},
	"spring": {"start":"0 12 29 2 *","minutes":1}
}}`

var onDuty = []judgement{
	{name: "before it starts", now: "2026-11-20T20:59:59Z", twin: duty("night"), want: `{"active":false,"cycle":"night","leftMin":0}`},
	{name: "when it starts", now: "2026-11-20T21:00:00Z", twin: duty("night"), want: `{"active":true,"cycle":"night","leftMin":90}`},
	{name: "its last minute", now: "2026-11-20T22:29:59Z", twin: duty("night"), want: `{"active":true,"cycle":"night","leftMin":1}`},
	{name: "when it ends", now: "2026-11-20T22:30:00Z", twin: duty("night"), want: `{"active":false,"cycle":"night","leftMin":0}`},
	{name: "on a Saturday", now: "2026-11-21T21:30:00Z", twin: duty("night"), want: `{"active":false,"cycle":"night","leftMin":0}`},
	{name: "steps", now: "2026-11-21T08:42:00Z", twin: duty("often"), want: `{"active":true,"cycle":"often","leftMin":3}`},
	{name: "between steps", now: "2026-11-21T08:45:00Z", twin: duty("often"), want: `{"active":false,"cycle":"often","leftMin":0}`},
	{name: "the first of a month, a Tuesday", now: "2026-12-01T00:30:00Z", twin: duty("day or weekday"), want: `{"active":true,"cycle":"day or weekday","leftMin":30}`},
	{name: "a Sunday", now: "2026-11-22T00:59:00Z", twin: duty("day or weekday"), want: `{"active":true,"cycle":"day or weekday","leftMin":1}`},
	{name: "neither", now: "2026-11-24T00:30:00Z", twin: duty("day or weekday"), want: `{"active":false,"cycle":"day or weekday","leftMin":0}`},
	{name: "a leap day", now: "2028-02-29T12:00:30Z", twin: duty("spring"), want: `{"active":true,"cycle":"spring","leftMin":1}`},
	{name: "before 1970", now: "1968-02-29T12:00:30Z", twin: duty("spring"), want: `{"active":true,"cycle":"spring","leftMin":1}`},
	{name: "an unknown cycle", twin: duty("day")},
	{name: "no cycle", twin: `{}`},
}

func duty(cycle string) string { return `{"tags":{"duty":"` + cycle + `"}}` }

var blobs = []judgement{
	{name: "the same by meaning", twin: both(`P1=4.5; mode=auto; LIM=10,20`, `LIM=10.0,020;MODE=Auto;P1=4.50;UPTIME=1234;`), want: `{"count":0,"differs":""}`},
	{name: "another number", twin: both(`P1=4.5;P2=1`, `P1=4.51;P2=1`), want: `{"count":1,"differs":"P1"}`},
	{name: "a longer list", twin: both(`LIM=10,20`, `LIM=10,20,30`), want: `{"count":1,"differs":"LIM"}`},
	{name: "missing, and too much", twin: both(`P1=4.5;P2=1`, `P2=1;P3=`), want: `{"count":2,"differs":"P1 P3"}`},
	{name: "a word that looks like a number", twin: both(`v=1.2.3`, `v=1.2.30`), want: `{"count":1,"differs":"v"}`},
	{name: "below zero", twin: both(`a=-0.50;b=0`, `a=-00.5;b=-0`), want: `{"count":0,"differs":""}`},
	{name: "the last counts", twin: both(`a=2`, `a=1;A=2`), want: `{"count":0,"differs":""}`},
	{name: "an equals sign in a value", twin: both(`a=b=c`, `a=B=C`), want: `{"count":0,"differs":""}`},
	{name: "letters of others", twin: both(`name=Łódź`, `name= Łódź `), want: `{"count":0,"differs":""}`},
	{name: "nothing wanted", twin: both(``, `a=1`), want: `{"count":1,"differs":"a"}`},
	{name: "not such a text", twin: both(`a=1`, `{}`), fails: "it says: reported.controller.settings is not a list of settings"},
	{name: "too many", twin: both(many(129), `a=1`), fails: "it says: desired.controller.settings is not a list of settings"},
	{name: "as many as it takes", twin: both(many(128), many(128)), want: `{"count":0,"differs":""}`},
	{name: "no report", twin: `{"desired":{"controller":{"settings":"a=1"}}}`},
	{name: "a report of another type", twin: `{"desired":{"controller":{"settings":"a=1"}},"reported":{"controller":{"settings":{"a":1}}}}`},
}

func both(desired, reported string) string {
	return `{"desired":{"controller":{"settings":"` + desired + `"}},"reported":{"controller":{"settings":"` + reported + `"}}}`
}

// many returns n settings.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("k" + strings.Repeat("x", i) + "=1;")
	}
	return b.String()
}

// TestPlugins holds the committed modules against the tables.
func TestPlugins(t *testing.T) {
	for _, g := range guests {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			binary := sdktest.Read(t, g.name+".wasm")
			hold(t, g.name, binary, g.config, g.judgements, g.refusals)
		})
	}
}

// TestBuild builds the plugins and holds the committed modules against what comes
// out.
func TestBuild(t *testing.T) {
	for _, g := range guests {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			p := sdktest.Plugin{
				Language: g.language, Source: g.name + "/" + g.source, SDK: "../../../plugins/sdk/" + g.language.SDK,
				Manifest: g.name + "/plugin.json", Module: g.name + ".wasm",
			}
			p.Hold(t, func(t *testing.T, built []byte) { hold(t, g.name, built, g.config, g.judgements, g.refusals) })
		})
	}
}

func hold(t *testing.T, name string, binary []byte, config string, judgements []judgement, refusals []refusal) {
	host, err := plugins.NewHost(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close(context.Background()) })
	m, err := host.Load(t.Context(), name, binary)
	if err != nil {
		t.Fatal(err)
	}
	i, err := m.Instance(t.Context(), object(t, config))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range judgements {
		t.Run(tt.name, func(t *testing.T) { tt.hold(t, i) })
	}
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := m.Instance(t.Context(), object(t, tt.config)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want something with %q", err, tt.want)
			}
		})
	}
}

func (j judgement) hold(t *testing.T, i *plugins.Instance) {
	doc := object(t, j.twin)
	full := twin.Object{"deviceId": "pump-1", "tags": doc["tags"], "properties": twin.Object{"desired": doc["desired"], "reported": doc["reported"]}}
	tw, err := twin.Parse(twin.Encode(full))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(0, 0)
	if j.now != "" {
		if now, err = time.Parse(time.RFC3339, j.now); err != nil {
			t.Fatal(err)
		}
	}
	f, _, err := i.Eval(t.Context(), tw, now)
	if j.fails != "" || err != nil {
		if err == nil || j.fails == "" || !strings.Contains(err.Error(), j.fails) {
			t.Errorf("got error %v, want one with %q", err, j.fails)
		}
		return
	}
	got := ""
	if f != nil {
		got = string(twin.Encode(f.Facts))
	}
	if diff := cmp.Diff(j.want, got); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

func object(t *testing.T, text string) twin.Object {
	t.Helper()
	doc, err := twin.DecodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
