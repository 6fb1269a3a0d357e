package plugins_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// TestNearMisses: a name that is almost one of those that plugins get is not one, and
// neither is such a name for a function of another type.
func TestNearMisses(t *testing.T) {
	three := wasmtest.Type{Params: []byte{wasmtest.I32, wasmtest.I32, wasmtest.I32}}
	tests := []struct {
		name, module, function string
		typ                    wasmtest.Type
		text                   string
	}{
		{"another case", "twinrules", "Log", three, "twinrules.Log"},
		{"a space behind", "twinrules", "log ", three, "twinrules.log "},
		{"a zero behind", "twinrules", "log\x00", three, "twinrules.log"},
		{"letters that look alike", "twinrule\u0455", "log", three, "twinrule\u0455.log"},
		{"nothing", "", "log", three, " .log"},
		{"both in one", "twinrules.log", "log", three, "twinrules.log.log"},
		{"the names swapped", "log", "twinrules", three, "log.twinrules"},
		{"fewer parameters", abi.Host, abi.Log, wasmtest.Type{Params: []byte{wasmtest.I32, wasmtest.I32}}, "twinrules.log with other types"},
		{"wider parameters", abi.Host, abi.Log, wasmtest.Type{Params: []byte{wasmtest.I64, wasmtest.I32, wasmtest.I32}}, "twinrules.log with other types"},
		{"a result", abi.Host, abi.Log, wasmtest.Type{Params: three.Params, Results: i32}, "twinrules.log with other types"},
		{"an older WASI", "wasi_unstable", "proc_exit", wasmtest.Type{Params: i32}, "wasi_unstable.proc_exit"},
		{"a newer WASI", "wasi:cli/exit@0.2.0", "exit", wasmtest.Type{Params: i32}, "wasi:cli/exit@0.2.0.exit"},
		{"a file that WASI does not have", "wasi_snapshot_preview1", "path_open2", wasmtest.Type{}, "path_open2"},
		{"Extism's without its manifest", "twinrules:host/env", "alloc", wasmtest.Type{Params: i64, Results: i64}, "twinrules:host/env.alloc"},
		{"Go's for browsers", "gojs", "runtime.wasmExit", wasmtest.Type{Params: i32}, "GOOS=wasip1"},
		{"Emscripten's", "env", "emscripten_memcpy_js", three, "Emscripten"},
	}
	h := newHost(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			binary := wasmtest.Plugin(none, func(m *wasmtest.Module) {
				m.Funcs = slices.Insert(m.Funcs, 0, wasmtest.Func{Import: [2]string{tt.module, tt.function}, Type: tt.typ})
			})
			_, err := h.Load(t.Context(), "probe", binary)
			refusedImport(t, err, tt.text)
		})
	}
}

// refusedImport holds an error to be about an import, with text in it or its hint.
func refusedImport(t *testing.T, err error, text string) {
	t.Helper()
	e, ok := err.(*plugins.Error)
	if !ok || e.Code != plugins.LoadImport || !strings.Contains(e.Error()+e.Hint, text) || e.Hint == "" {
		t.Errorf("got %v, want %s with %q and a hint", err, plugins.LoadImport, text)
	}
}

// TestImportsOfOtherKinds: a plugin brings its memory, tables and globals, also under
// names of functions that it would get.
func TestImportsOfOtherKinds(t *testing.T) {
	spelled := func(name string, kind ...byte) []byte {
		content := append([]byte{1, byte(len(abi.Host))}, abi.Host...)
		content = append(append(content, byte(len(name))), name...)
		return spelling(importSection, append(content, kind...), func(m *wasmtest.Module) { m.NoMemory = kind[0] == 2 })
	}
	h := newHost(t, nil)
	for name, c := range map[string]struct {
		binary []byte
		text   string
	}{
		"a memory":                {spelled("memory", 2, 0, 1), "memory twinrules.memory"},
		"a memory called log":     {spelled(abi.Log, 2, 0, 1), "memory twinrules.log"},
		"a table":                 {spelled("table", 1, 0x70, 0, 1), "table twinrules.table"},
		"a global":                {spelled("fuel", 3, wasmtest.I64, 1), "global twinrules.fuel"},
		"a global called log":     {spelled(abi.Log, 3, wasmtest.I64, 1), "global twinrules.log"},
		"a global called as fuel": {spelled("twinrules-fuel", 3, wasmtest.I64, 1), "global twinrules.twinrules-fuel"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.Load(t.Context(), "probe", c.binary)
			refusedImport(t, err, c.text)
		})
	}
	_, err := h.Load(t.Context(), "probe", spelled("tag", 4, 0, 0))
	if codeOf(err) != plugins.LoadFormat {
		t.Errorf("a tag: got %v", err)
	}
}
