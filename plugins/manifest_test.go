package plugins_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
	"github.com/twinrules/twinrules/rules"
)

func TestManifest(t *testing.T) {
	const start = `{"apiVersion":"twinrules/v1","kind":"Plugin","name":"a","abi":"twinrules/1"`
	tests := []struct{ name, text, want string }{ // want "" for one that is right
		{"the least", start + `}`, ""},
		{"all", start + `,"version":"1.0.0","description":"x","reads":["id","tags","reported.a.b"],"writes":["tags.a"],"limits":{"fuel":1,"memory":2},"config":{"schema":{"type":"object"}}}`, ""},
		{"no JSON", `kind: Plugin`, "invalid JSON"},
		{"misspelt member", start + `,"read":[]}`, `unknown field "read"`},
		{"repeated member", start + `,"reads":[],"reads":[]}`, "duplicate key"},
		{"another version", `{"apiVersion":"twinrules/v2","kind":"Plugin","name":"a"}`, "apiVersion"},
		{"no name", `{"apiVersion":"twinrules/v1","kind":"Plugin"}`, "no name"},
		{"the hub's spelling of a path", start + `,"reads":["properties.reported.a"]}`, "does not start with one of"},
		{"an empty part", start + `,"reads":["tags..a"]}`, "empty part"},
		{"a path into text", start + `,"reads":["id.a"]}`, "no members"},
		{"writing reported", start + `,"writes":["reported.a"]}`, "does not start with one of tags, desired"},
		{"negative fuel", start + `,"limits":{"fuel":-1}}`, "negative"},
		{"a schema of a wrong type", start + `,"config":{"schema":{"type":"objekt"}}}`, "config schema"},
		{"a schema without end", start + `,"config":{"schema":{"$ref":"#"}}}`, "$ref is not supported"},
		{"a schema from a file", start + `,"config":{"schema":{"properties":{"a":{"$ref":"file:///etc/passwd"}}}}}`, "$ref is not supported"},
		{"a schema of a schema elsewhere", start + `,"config":{"schema":{"$schema":"file:///etc/passwd"}}}`, "config schema"},
		{"a number that cannot be held", start + `,"config":{"schema":{"maximum":1e999999999}}}`, "out of range"},
		{"no schema", start + `,"config":{}}`, "config schema"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := plugins.ParseManifest([]byte(tt.text))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestConfigSchema(t *testing.T) {
	accepting := wasmtest.Plugin(none, with(wasmtest.Func{
		Export: abi.Init, Type: wasmtest.Type{Params: []byte{wasmtest.I32, wasmtest.I32}, Results: i64}, Code: none,
	}))
	binary := withManifest(t, accepting, map[string]any{"config": map[string]any{"schema": map[string]any{
		"type": "object", "additionalProperties": false, "required": []string{"window"},
		"properties": map[string]any{
			"window": map[string]any{"type": "integer", "minimum": 1, "multipleOf": 1},
			"$defs":  map[string]any{"type": "array", "items": map[string]any{"type": "string"}},
		},
	}}})
	tests := []struct{ name, config, want string }{
		{"right", `{"window":7}`, ""},
		{"right with a decimal point", `{"window":7.0,"$defs":["a"]}`, ""},
		{"nothing", `{}`, "missing property 'window'"},
		{"of another type", `{"window":"7"}`, "window: got string, want integer"},
		{"out of range", `{"window":0}`, "window: minimum"},
		{"misspelt", `{"window":7,"wimdow":7}`, "'wimdow'"},
		{"in a list", `{"window":7,"$defs":["a",1]}`, "$defs.1: got number, want string"},
		{"a number that cannot be held", `{"window":1e999999999}`, "out of range"},
		{"a number close to nothing", `{"window":1e-999999999}`, "out of range"},
	}
	m, err := newHost(t, nil).Load(t.Context(), "probe", binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config, err := twin.DecodeObject([]byte(tt.config))
			if err != nil {
				t.Fatal(err)
			}
			_, err = m.Instance(t.Context(), config)
			if tt.want == "" && err != nil || tt.want != "" && (codeOf(err) != plugins.InitConfig || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestInspect(t *testing.T) {
	good := withManifest(t, echo, map[string]any{"version": "2.1.0"})
	r, err := plugins.Inspect(good)
	if err != nil {
		t.Fatal(err)
	}
	if r.ABI != abi.Version || r.Manifest.Version != "2.1.0" || r.Functions != 2 || r.MinMemory != 131072 || len(r.Problems) != 0 {
		t.Errorf("got %+v", r)
	}
	bad := wasmtest.Plugin(none, func(m *wasmtest.Module) {
		m.Funcs[1].Export = "_start"
		m.Memory = 5000
		m.Funcs = slices.Insert(m.Funcs, 0, wasmtest.Func{Import: [2]string{"go", "debug"}})
	})
	r, err = plugins.Inspect(bad)
	if err != nil {
		t.Fatal(err)
	}
	var codes []plugins.Code
	for _, p := range r.Problems {
		codes = append(codes, p.Code)
		if p.Hint == "" && p.Code != plugins.LoadLimit {
			t.Errorf("%s has no hint", p.Code)
		}
	}
	if diff := cmp.Diff([]plugins.Code{plugins.LoadImport, plugins.LoadABI, plugins.LoadLimit}, codes); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestEmbed(t *testing.T) {
	once := withManifest(t, echo, map[string]any{"version": "1"})
	if twice := withManifest(t, once, map[string]any{"version": "1"}); !bytes.Equal(once, twice) {
		t.Error("embedding the same manifest again changes the module")
	}
	if _, err := plugins.Embed(echo, []byte(`{}`)); err == nil {
		t.Error("a manifest with mistakes is embedded")
	}
	if _, err := plugins.Embed([]byte("x"), []byte(`{"apiVersion":"twinrules/v1","kind":"Plugin","name":"a","abi":"twinrules/1"}`)); err == nil {
		t.Error("a manifest is embedded in something that is no module")
	}
}

// TestOutputMembers holds the messages of abi against what the host reads: each
// member is known, and nothing else is.
func TestOutputMembers(t *testing.T) {
	values := map[string]string{"match": "true", "facts": "{}", "patch": `{"tags":{},"desired":{}}`, "message": `"a"`, "severity": `"info"`, "labels": "{}"}
	var members []string
	for i := range reflect.TypeFor[abi.Output]().NumField() {
		name, _, _ := strings.Cut(reflect.TypeFor[abi.Output]().Field(i).Tag.Get("json"), ",")
		if name == "error" {
			continue // stands alone
		}
		members = append(members, fmt.Sprintf("%q:%s", name, values[name]))
	}
	i := load(t, newHost(t, nil), wasmtest.Answering("{"+strings.Join(members, ",")+"}", nil), nil)
	if a := judge(t, i); a.Finding == nil || a.Severity != "info" {
		t.Errorf("got %+v", a)
	}
}

func TestLog(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	talking := wasmtest.Plugin(wasmtest.Code(
		wasmtest.Const32(2), wasmtest.Const32(1024), wasmtest.Const32(5), []byte{0x10, 0},
		[]byte{0x03, 0x40}, wasmtest.Const32(99), wasmtest.Const32(1024), wasmtest.Const32(1<<30), []byte{0x10, 0},
		[]byte{0x20, 2}, wasmtest.Const32(1), []byte{0x6a, 0x22, 2}, wasmtest.Const32(100), []byte{0x49, 0x0d, 0, 0x0b},
		none,
	), func(m *wasmtest.Module) {
		logging := wasmtest.Func{Import: [2]string{abi.Host, abi.Log}, Type: wasmtest.Type{Params: []byte{wasmtest.I32, wasmtest.I32, wasmtest.I32}}}
		m.Funcs = slices.Insert(m.Funcs, 0, logging)
		m.Data = []wasmtest.Data{{At: 1024, Text: []byte("hot\n\xff")}}
	})
	a := judge(t, load(t, newHost(t, &plugins.Options{Log: log}), talking, nil))
	if len(a.Log) != abi.MaxLines {
		t.Errorf("%d lines are kept, want %d", len(a.Log), abi.MaxLines)
	}
	first, _, _ := strings.Cut(out.String(), "\n")
	if want := `level=WARN msg="hot\n�" plugin=probe twin=devices/pump-7`; first != want {
		t.Errorf("got  %s\nwant %s", first, want)
	}
}

// TestCrashSaysWhy prints to standard error in two pieces, as runtimes do, and
// gives up.
func TestCrashSaysWhy(t *testing.T) {
	crashing := wasmtest.Plugin(wasmtest.Code(
		wasmtest.Const32(2), wasmtest.Const32(1024), wasmtest.Const32(2), wasmtest.Const32(0), []byte{0x10, 0, 0x1a}, unreachable,
	), func(m *wasmtest.Module) {
		write := wasmtest.Func{Import: [2]string{"wasi_snapshot_preview1", "fd_write"}, Type: wasmtest.Type{
			Params: []byte{wasmtest.I32, wasmtest.I32, wasmtest.I32, wasmtest.I32}, Results: i32}}
		m.Funcs = slices.Insert(m.Funcs, 0, write)
		m.Data = []wasmtest.Data{{At: 1024, Text: []byte("\x00\x05\x00\x00\x07\x00\x00\x00\x07\x05\x00\x00\x06\x00\x00\x00")}, {At: 1280, Text: []byte("panic: x != y\n")}}
	})
	_, _, err := load(t, newHost(t, nil), crashing, nil).Eval(t.Context(), parse(t, pump), noon)
	if want := `plugin probe: devices/pump-7: wasm error: unreachable, having said "panic: x != y" [plugin.eval.trap]`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestAssemblyScript uses what modules of that language import.
func TestAssemblyScript(t *testing.T) {
	importing := func(name string, typ wasmtest.Type, code ...[]byte) []byte {
		return wasmtest.Plugin(wasmtest.Code(code...), func(m *wasmtest.Module) {
			m.Funcs = slices.Insert(m.Funcs, 0, wasmtest.Func{Import: [2]string{"env", name}, Type: typ})
			m.Data = []wasmtest.Data{{At: 1024, Text: []byte("\x04\x00\x00\x00n\x00o\x00")}}
		})
	}
	h := newHost(t, nil)
	abort := importing("abort", wasmtest.Type{Params: []byte{wasmtest.I32, wasmtest.I32, wasmtest.I32, wasmtest.I32}},
		wasmtest.Const32(1028), wasmtest.Const32(0), wasmtest.Const32(3), wasmtest.Const32(7), []byte{0x10, 0}, none)
	_, _, err := load(t, h, abort, nil).Eval(t.Context(), parse(t, pump), noon)
	if want := `it aborted at line 3, column 7, having said "no"`; codeOf(err) != plugins.EvalTrap || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	// It traps unless the seed is at least 0 and below 1.
	seed := importing("seed", wasmtest.Type{Results: []byte{wasmtest.F64}}, []byte{0x10, 0, 0x9c, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0x62, 0x04, 0x40, 0x00, 0x0b}, none)
	judge(t, load(t, h, seed, nil))
}

func TestSet(t *testing.T) {
	reads := 0
	modules := map[string][]byte{"echo": echo, "broken": []byte("x")}
	set := plugins.NewSet(newHost(t, nil), func(_ context.Context, name string) ([]byte, error) {
		reads++
		if binary, ok := modules[name]; ok {
			return binary, nil
		}
		return nil, fmt.Errorf("the pack names no plugin %q", name)
	})
	for range 3 {
		if _, err := set.Instance(t.Context(), using("echo"), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := set.Instance(t.Context(), using("broken"), nil); codeOf(err) != plugins.LoadFormat {
			t.Errorf("got %v", err)
		}
		if p, err := set.Instance(t.Context(), using("missing"), nil); p != nil || err == nil || !strings.Contains(err.Error(), "names no plugin") {
			t.Errorf("got %v, %v", p, err)
		}
	}
	if reads != 3 {
		t.Errorf("modules were read %d times, want once each", reads)
	}
}

func TestClosedHost(t *testing.T) {
	h, err := plugins.NewHost(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Load(t.Context(), "probe", echo); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("got %v", err)
	}
}

// using returns a rule that uses a plugin.
func using(name string) *rules.Rule { return &rules.Rule{ID: "r", Plugin: &rules.PluginUse{Use: name}} }
