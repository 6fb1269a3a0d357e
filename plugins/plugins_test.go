package plugins_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
	"github.com/twinrules/twinrules/rules"
)

// noon is the time of all runs here.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newHost(t testing.TB, o *plugins.Options) *plugins.Host {
	t.Helper()
	h, err := plugins.NewHost(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close(context.Background()) })
	return h
}

func load(t testing.TB, h *plugins.Host, binary []byte, config twin.Object) *plugins.Instance {
	t.Helper()
	m, err := h.Load(t.Context(), "probe", binary)
	if err != nil {
		t.Fatal(err)
	}
	i, err := m.Instance(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func parse(t testing.TB, text string) *twin.Twin {
	t.Helper()
	tw, err := twin.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return tw
}

// withManifest embeds a manifest with more members than the required ones.
func withManifest(t testing.TB, binary []byte, members map[string]any) []byte {
	t.Helper()
	m := map[string]any{
		"apiVersion": abi.ManifestVersion, "kind": abi.ManifestKind, "name": "probe", "abi": abi.Version,
	}
	for key, v := range members {
		m[key] = v
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	out, err := plugins.Embed(binary, text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func codeOf(err error) plugins.Code {
	if e, ok := errors.AsType[*plugins.Error](err); ok {
		return e.Code
	}
	return ""
}

const pump = `{"deviceId":"pump-7","etag":"A","version":3,"status":"enabled","tags":{"site":"muc","tier":"g\"old"},` +
	`"properties":{"desired":{"fan":1},"reported":{"position":{"lat":48.137,"lon":11.575,"alt":1e2},"battery":{"pct":80}}}}`

func TestAnswers(t *testing.T) {
	writes := map[string]any{"writes": []string{"tags.wave", "desired.fan"}}
	tests := []struct {
		name, answer string
		want         plugins.Code // "" when finding is right
		finding      *rules.Finding
	}{
		{name: "no match", answer: `{"match":false}`},
		{name: "facts", answer: `{"match":true,"facts":{"score":0.90,"big":9007199254740993}}`,
			finding: &rules.Finding{Facts: twin.Object{"score": json.Number("0.90"), "big": json.Number("9007199254740993")}}},
		{name: "all", answer: `{"match":true,"patch":{"tags":{"wave":"a"},"desired":{"fan":{"speed":null}}},"message":"hot","severity":"warning","labels":{"a":"b"}}`,
			finding: &rules.Finding{Message: "hot", Patch: twin.Patch{Tags: twin.Object{"wave": "a"}, Desired: twin.Object{"fan": twin.Object{"speed": nil}}}}},
		{name: "the plugin's own error", answer: `{"error":{"code":"x","message":"no position"}}`, want: plugins.EvalError},
		{name: "misspelt member", answer: `{"match":true,"fact":{}}`, want: plugins.EvalOutputSchema},
		{name: "misspelt member of patch", answer: `{"match":true,"patch":{"properties":{}}}`, want: plugins.EvalOutputSchema},
		{name: "no match member", answer: `{"facts":{}}`, want: plugins.EvalOutputSchema},
		{name: "facts without a match", answer: `{"match":false,"facts":{}}`, want: plugins.EvalOutputSchema},
		{name: "match of another type", answer: `{"match":"yes"}`, want: plugins.EvalOutputSchema},
		{name: "null patch", answer: `{"match":true,"patch":null}`, want: plugins.EvalOutputSchema},
		{name: "unknown severity", answer: `{"match":true,"severity":"fatal"}`, want: plugins.EvalOutputSchema},
		{name: "error beside match", answer: `{"match":true,"error":{"message":"x"}}`, want: plugins.EvalOutputSchema},
		{name: "garbage", answer: "\xff\x00 hello", want: plugins.EvalOutputInvalid},
		{name: "no object", answer: `[]`, want: plugins.EvalOutputInvalid},
		{name: "duplicate key", answer: `{"match":false,"match":true}`, want: plugins.EvalOutputInvalid},
		{name: "text after the end", answer: `{"match":true} {}`, want: plugins.EvalOutputInvalid},
		{name: "write outside of its grants", answer: `{"match":true,"patch":{"tags":{"site":"ber"}}}`, want: plugins.EvalWrite},
		{name: "delete above its grants", answer: `{"match":true,"patch":{"desired":{"fans":null}}}`, want: plugins.EvalWrite},
		{name: "empty object outside of its grants", answer: `{"match":true,"patch":{"tags":{"x":{}}}}`, want: plugins.EvalWrite},
	}
	h := newHost(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := load(t, h, withManifest(t, wasmtest.Answering(tt.answer, nil), writes), nil)
			got, _, err := i.Eval(t.Context(), parse(t, pump), noon)
			if codeOf(err) != tt.want || tt.want == "" && err != nil {
				t.Fatalf("got error %v, want code %q", err, tt.want)
			}
			if diff := cmp.Diff(tt.finding, got); diff != "" {
				t.Errorf("finding (-want +got):\n%s", diff)
			}
		})
	}
}

// echo answers with its own input as a fact.
var echo = wasmtest.Plugin(wasmtest.Code(
	// copy the input behind the head, then write the tail
	wasmtest.Const32(headAt+int32(len(head))), []byte{0x20, 0, 0x20, 1, 0xfc, 10, 0, 0},
	wasmtest.Const32(headAt+int32(len(head))), []byte{0x20, 1, 0x6a},
	wasmtest.Const32('}'|'}'<<8), []byte{0x3b, 0, 0},
	wasmtest.Const64(headAt<<32|int64(len(head)+2)), []byte{0x20, 1, 0xad, 0x7c},
), func(m *wasmtest.Module) { m.Data = []wasmtest.Data{{At: headAt, Text: []byte(head)}} })

const (
	head   = `{"match":true,"facts":{"input":`
	headAt = 65536
)

func TestInput(t *testing.T) {
	whole := `{"now":1772366400000,"twin":{"id":"pump-7","moduleId":"","status":"enabled","connectionState":"","lastActivityTime":"","modelId":"","edge":false,` +
		`"tags":{"site":"muc","tier":"g\"old"},"desired":{"fan":1},"reported":{"battery":{"pct":80},"position":{"alt":1e2,"lat":48.137,"lon":11.575}}}}`
	tests := []struct {
		name  string
		reads any
		want  string
	}{
		{"undeclared", nil, whole},
		{"nothing", []string{}, `{"twin":{}}`},
		{"the time", []string{"now"}, `{"now":1772366400000,"twin":{}}`},
		{"the time and more", []string{"tags.site", "now"}, `{"now":1772366400000,"twin":{"tags":{"site":"muc"}}}`},
		{"leaves", []string{"tags.site", "reported.battery.pct", "id"}, `{"twin":{"tags":{"site":"muc"},"reported":{"battery":{"pct":80}},"id":"pump-7"}}`},
		{"an object", []string{"reported.position"}, `{"twin":{"reported":{"position":{"alt":1e2,"lat":48.137,"lon":11.575}}}}`},
		{"escapes", []string{"tags.tier"}, `{"twin":{"tags":{"tier":"g\"old"}}}`},
		{"a section and its part", []string{"tags.site", "tags"}, `{"twin":{"tags":{"site":"muc","tier":"g\"old"}}}`},
		{"missing", []string{"reported.a.b", "reported.battery.x.y"}, `{"twin":{"reported":{"battery":{}}}}`},
		{"through a scalar", []string{"tags.site.name"}, `{"twin":{"tags":{}}}`},
	}
	h := newHost(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			binary := echo
			if tt.reads != nil {
				binary = withManifest(t, echo, map[string]any{"reads": tt.reads})
			}
			f, _, err := load(t, h, binary, nil).Eval(t.Context(), parse(t, pump), noon)
			if err != nil {
				t.Fatal(err)
			}
			want, err := twin.Decode([]byte(tt.want))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, f.Facts["input"]); diff != "" {
				t.Errorf("input (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInputFollowsAPatch(t *testing.T) {
	i := load(t, newHost(t, nil), echo, nil)
	f, _, err := i.Eval(t.Context(), parse(t, pump).With(twin.Patch{Tags: twin.Object{"site": "ber"}}), noon)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := f.Facts.Lookup("input", "twin", "tags", "site"); got != "ber" {
		t.Errorf("got site %v, want that of the patch", got)
	}
}
