package conform_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/conform"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// battery reads a sample that is right.
func battery(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("../sdk/testdata/battery.c.wasm")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func load(t *testing.T, binary []byte) *plugins.Module {
	t.Helper()
	host, err := plugins.NewHost(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close(context.Background()) })
	m, err := host.Load(t.Context(), "probe", binary)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func parse(t *testing.T, text string) *conform.Suite {
	t.Helper()
	s, err := conform.ParseSuite([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// manifest embeds a manifest with some members.
func manifest(t *testing.T, binary []byte, members map[string]any) []byte {
	t.Helper()
	m := map[string]any{"apiVersion": abi.ManifestVersion, "kind": abi.ManifestKind, "name": "probe", "abi": abi.Version}
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

// problems returns the names of the checks that found something, and what.
func problems(t *testing.T, binary []byte, suite string) (checks []string, text string) {
	t.Helper()
	r, err := conform.Run(t.Context(), load(t, binary), parse(t, suite))
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range r.Results {
		if result.Problem != "" {
			checks = append(checks, result.Check)
			text += fmt.Sprintln(result.Name, result.Problem, strings.Join(result.Detail, "\n"))
		}
	}
	for _, note := range r.Notes {
		text += "note " + note + "\n"
	}
	return slices.Compact(checks), text
}

// forgetful counts its calls in its memory and matches from the second on.
var forgetful = wasmtest.Plugin(wasmtest.Code(
	wasmtest.Const32(0), []byte{0x28, 2, 0, 0x21, 2}, // what it kept
	wasmtest.Const32(0), wasmtest.Const32(1), []byte{0x36, 2, 0},
	wasmtest.Const64(0), wasmtest.Const64(1024<<32|14), []byte{0x20, 2, 0x45, 0x1b},
), func(m *wasmtest.Module) { m.Data = []wasmtest.Data{{At: 1024, Text: []byte(`{"match":true}`)}} })

// around returns a plugin that answers with its input between two texts.
func around(head, tail string) []byte {
	const at = 65536
	code := wasmtest.Code(
		wasmtest.Const32(at+int32(len(head))), []byte{0x20, 0, 0x20, 1, 0xfc, 10, 0, 0},
		wasmtest.Const32(at+int32(len(head))), []byte{0x20, 1, 0x6a}, wasmtest.Const32(1024), wasmtest.Const32(int32(len(tail))), []byte{0xfc, 10, 0, 0},
		wasmtest.Const64(at<<32|int64(len(head)+len(tail))), []byte{0x20, 1, 0xad, 0x7c},
	)
	return wasmtest.Plugin(code, func(m *wasmtest.Module) {
		m.Memory = 3
		m.Data = []wasmtest.Data{{At: 1024, Text: []byte(tail)}, {At: at, Text: []byte(head)}}
	})
}

// choosy traps when its input is longer than n bytes.
func choosy(n int32) []byte {
	return wasmtest.Plugin(wasmtest.Code([]byte{0x20, 1}, wasmtest.Const32(n), []byte{0x4a, 0x04, 0x40, 0x00, 0x0b}, wasmtest.Const64(0)), nil)
}

// turning costs a unit of fuel for each byte of its input.
var turning = wasmtest.Plugin(wasmtest.Code(
	[]byte{0x03, 0x40, 0x20, 1}, wasmtest.Const32(1), []byte{0x6b, 0x22, 1, 0x0d, 0, 0x0b}, wasmtest.Const64(0),
), nil)

// wide has many members.
var wide = `{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10,"k":11,"l":12}`

const pct = `{"cases":[{"name":"low","twin":{"tags":{"owner":"ann"},"reported":{"pct":7}},"want":`

func TestRun(t *testing.T) {
	tests := []struct {
		name   string
		binary []byte
		suite  string
		checks []string // that find something
		want   string   // a part of what they say
	}{
		{"nothing to say", wasmtest.Plugin(wasmtest.Const64(0), nil), pct + `{"match":false}}]}`, nil, "declares no reads"},
		{"no cases", wasmtest.Plugin(wasmtest.Const64(0), nil), `{}`, nil, "there are no cases"},
		{"a sample", battery(t), `{"config":{"low":20},"cases":[{"name":"low","twin":{"reported":{"battery":{"pct":7}}},"want":{"error":"x"}}]}`, []string{"cases"}, `"pct":7`},
		{"a case without a want", wasmtest.Plugin(wasmtest.Const64(0), nil), `{"cases":[{"name":"low"}]}`, []string{"cases"}, "--update"},
		{"another answer", wasmtest.Plugin(wasmtest.Const64(0), nil), pct + `{"match":true}}]}`, []string{"cases"}, "want {\"match\":true}\ngot  {\"match\":false}"},
		{"a configuration that is not refused", battery(t), `{"cases":[{"name":"x","config":{"low":1},"want":{"refused":"low"}}]}`, []string{"cases"}, "got  "},
		{"one that is", battery(t), `{"cases":[{"name":"x","config":{"low":"1"},"want":{"refused":"low is not"}}]}`, nil, ""},
		{"without the configuration it needs", battery(t), `{}`, []string{"cases"}, "missing property 'low'"},
		{"a trap on long twins", choosy(3000), pct + `{"match":false}}]}`, []string{"odd"}, "is long of \"low\": wasm error: unreachable [plugin.eval.trap]"},
		{"it never ends", manifest(t, wasmtest.Plugin([]byte{0x03, 0x40, 0x0c, 0x00, 0x0b, 0x00}, nil), map[string]any{"limits": map[string]any{"fuel": 100_000}}), `{"cases":[{"name":"low","twin":{"tags":` + wide + `},"want":{"error":"budget"}}]}`, []string{"odd", "headroom"}, "50 times otherwise"},
		{"an answer that breaks on odd text", around(`{"match":true,"message":"`, `"}`), pct + `{"error":"its answer"}}]}`, []string{"odd"}, "plugin.eval.output_invalid"},
		{"it remembers", forgetful, pct + `{"match":false}}]}`, []string{"hidden"}, "decide from the twin alone"},
		{"it reads what it does not declare", manifest(t, around(`{"match":true,"facts":{"in":`, `}}`), map[string]any{"reads": []string{"reported.pct"}}),
			pct + `{"match":true,"facts":{"in":{"twin":{"reported":{"pct":7}}}}}}]}`, []string{"reads"}, "it reads tags.owner, which it does not declare"},
		{"it reads the time that it does not declare", manifest(t, around(`{"match":true,"facts":{"in":`, `}}`), map[string]any{"reads": []string{"reported", "tags", "desired"}}),
			`{"cases":[{"name":"low","want":{"match":true,"facts":{"in":{"twin":{"reported":{},"tags":{},"desired":{}}}}}}]}`, []string{"reads"}, "it reads now, which it does not declare"},
		{"it declares the time and does not read it", manifest(t, wasmtest.Plugin(wasmtest.Const64(0), nil), map[string]any{"reads": []string{"reported.pct", "now"}}), pct + `{"match":false}}]}`, nil, "no case shows what it reads now for"},
		{"it declares what it does not read", manifest(t, wasmtest.Plugin(wasmtest.Const64(0), nil), map[string]any{"reads": []string{"reported.pct", "tags.x"}}), pct + `{"match":false}}]}`, nil, "no case shows what it reads tags.x for"},
		{"it writes more than it may", wasmtest.Answering(`{"match":true,"patch":{"tags":{"b":1}}}`, nil), pct + `{"error":"tags.b"}}]}`, []string{"odd", "writes"}, "tags.b, which is not among its writes"},
		{"it may write what it does not", manifest(t, wasmtest.Answering(`{"match":true,"patch":{"tags":{"b":1}}}`, nil), map[string]any{"writes": []string{"tags", "desired.x"}}),
			pct + `{"match":true,"patch":{"tags":{"b":1}}}}]}`, nil, "it may write desired.x, and no case shows"},
		{"it is never content", manifest(t, around(`{"match":true,"patch":{"tags":{"in":`, `}}}`), map[string]any{"writes": []string{"tags"}, "reads": []string{"now", "tags.in"}}),
			`{"cases":[{"name":"low","want":{"match":true,"patch":{"tags":{"in":{"now":1767225600000,"twin":{"tags":{}}}}}}}]}`, []string{"settled"}, "it then changes tags.in"},
		{"it lives on the edge", manifest(t, turning, map[string]any{"limits": map[string]any{"fuel": 40_000}, "reads": []string{"reported"}}), pct + `{"match":false}}]}`, []string{"headroom"}, "more than half of 40000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checks, text := problems(t, tt.binary, tt.suite)
			if !slices.Equal(checks, tt.checks) || !strings.Contains(text, tt.want) {
				t.Errorf("got %v, want %v, with %q in\n%s", checks, tt.checks, tt.want, text)
			}
		})
	}
}

// TestFill: what --update writes is what the next run wants.
func TestFill(t *testing.T) {
	s := parse(t, `{"config":{"low":20},"cases":[{"name":"low","twin":{"tags":{},"reported":{"battery":{"pct":11.50}}}},{"name":"none","now":"2026-03-01T12:00:00Z"},
		{"name":"text","twin":{"reported":{"battery":{"pct":"x"}}},"want":{"error":"not a number"}},{"name":"refused","config":{}}]}`)
	m := load(t, battery(t))
	if n, err := s.Fill(t.Context(), m); n != 3 || err != nil {
		t.Fatalf("it set %d, %v", n, err)
	}
	text := s.Format()
	again := parse(t, string(text))
	if n, err := again.Fill(t.Context(), m); n != 0 || err != nil {
		t.Errorf("then it set %d, %v", n, err)
	}
	if got := string(again.Format()); got != string(text) {
		t.Errorf("written again it is another file: %s", cmp.Diff(string(text), got))
	}
	if !strings.Contains(string(text), `"want": {"error":"not a number"}`) || !strings.Contains(string(text), `"pct":11.50`) {
		t.Errorf("got %s", text)
	}
	r, err := conform.Run(t.Context(), m, again)
	if err != nil || r.Failed() > 0 {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestSameEachTime(t *testing.T) {
	m, s := load(t, battery(t)), `{"config":{"low":20},"cases":[{"name":"a","twin":{"reported":{"battery":{"pct":7}}}},{"name":"b"}]}`
	one, err1 := conform.Run(t.Context(), m, parse(t, s))
	two, err2 := conform.Run(t.Context(), m, parse(t, s))
	if diff := cmp.Diff(one, two); diff != "" || err1 != nil || err2 != nil {
		t.Errorf("two runs differ: %s, %v, %v", diff, err1, err2)
	}
}

func TestMistakesInSuites(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                                              "read cases: ",
		`{"case":[]}`:                                     `unknown member "case"`,
		`{"cases":{}}`:                                    "cases is not a list",
		`{"cases":[1]}`:                                   "case 1: not an object",
		`{"cases":[{"name":"a","wants":1}]}`:              `case 1: unknown member "wants"`,
		`{"cases":[{"name":"a"},{"name":"a"}]}`:           "case 2: it has no name of its own",
		`{"cases":[{}]}`:                                  "case 1: it has no name of its own",
		`{"cases":[{"name":"a","now":"noon"}]}`:           "now is no time",
		`{"cases":[{"name":"a","twin":{"tag":{}}}]}`:      `case 1: twin: unknown member "tag"`,
		`{"cases":[{"name":"a","twin":{"tags":7}}]}`:      "tags is not an object",
		`{"cases":[{"name":"a","twin":{"id":"\u0000"}}]}`: "deviceId",
		`{"now":7}`:                                       "now is not text",
	} {
		if _, err := conform.ParseSuite([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want something with %q", text, err, want)
		}
	}
}

// FuzzParseSuite: a suite that is read is written and read as itself.
func FuzzParseSuite(f *testing.F) {
	f.Add([]byte(`{"expr":"a < 1","config":{"low":1e2},"now":"2026-03-01T12:00:00.5+02:00","cases":[{"name":"a","config":{},"now":"2026-03-01T12:00:00Z","twin":{"id":"x","tags":{"a":null}},"want":{"match":false}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := conform.ParseSuite(text)
		if err != nil {
			return
		}
		once := s.Format()
		again, err := conform.ParseSuite(once)
		if err != nil {
			t.Fatalf("%v in\n%s", err, once)
		}
		if twice := again.Format(); string(once) != string(twice) {
			t.Errorf("it was written as\n%s, and then as\n%s", once, twice)
		}
	})
}
