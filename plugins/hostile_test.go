package plugins_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// Instructions of the hostile modules below.
var (
	loop        = []byte{0x03, 0x40, 0x0c, 0, 0x0b}
	unreachable = []byte{0x00}
	drop        = []byte{0x1a}
	none        = wasmtest.Const64(0)
	i32, i64    = []byte{wasmtest.I32}, []byte{wasmtest.I64}
)

func repeat(code []byte, n int) []byte { return bytes.Repeat(code, n) }

// with adds functions to a plugin; the first one has the number 2.
func with(funcs ...wasmtest.Func) func(*wasmtest.Module) {
	return func(m *wasmtest.Module) { m.Funcs = append(m.Funcs, funcs...) }
}

// place returns an answer of n bytes at an address.
func place(at, n int64) []byte { return wasmtest.Const64(at<<32 | n) }

// exponential is a tree of calls: each function calls the next one twice.
func exponential(depth int) (list []wasmtest.Func) {
	for n := range depth {
		var code []byte
		if n < depth-1 {
			code = []byte{0x10, byte(n + 3), 0x10, byte(n + 3)}
		}
		list = append(list, wasmtest.Func{Code: code})
	}
	return list
}

// stride reads memory where no cache has it, at a place that depends on what it
// read before.
var stride = wasmtest.Code(
	[]byte{0x20, 2}, wasmtest.Const32(1103515245), []byte{0x6c}, wasmtest.Const32(12345), []byte{0x6a, 0x22, 2},
	wasmtest.Const32(0x3fffffc), []byte{0x71, 0x28, 2, 0, 0x20, 2, 0x6a, 0x21, 2},
)

func TestHostileCalls(t *testing.T) {
	call := []byte{0x10, 2}
	tests := []struct {
		name   string
		binary []byte
		want   plugins.Code
		text   string
	}{
		{"endless loop", wasmtest.Plugin(wasmtest.Code(loop, none), nil), plugins.EvalFuel, "budget of 1000000"},
		{"endless loop of long turns", wasmtest.Plugin(wasmtest.Code([]byte{0x03, 0x40}, repeat([]byte{0x01}, 60_000), []byte{0x0c, 0, 0x0b}, none), nil), plugins.EvalFuel, ""},
		{"exponential calls", wasmtest.Plugin(wasmtest.Code(call, none), with(exponential(40)...)), plugins.EvalFuel, ""},
		{"recursion", wasmtest.Plugin(wasmtest.Code(call, none), with(wasmtest.Func{Code: call})), plugins.EvalFuel, ""},
		{"trap", wasmtest.Plugin(unreachable, nil), plugins.EvalTrap, "unreachable"},
		{"division by zero", wasmtest.Plugin(wasmtest.Code(wasmtest.Const32(1), wasmtest.Const32(0), []byte{0x6d}, drop, none), nil), plugins.EvalTrap, "divide by zero"},
		{"read beyond memory", wasmtest.Plugin(wasmtest.Code(wasmtest.Const32(-4), []byte{0x28, 2, 0}, drop, none), nil), plugins.EvalTrap, "out of bounds"},
		{"fill beyond memory", wasmtest.Plugin(wasmtest.Code(wasmtest.Const32(0), wasmtest.Const32(1), wasmtest.Const32(-1), []byte{0xfc, 11, 0}, none), nil), plugins.EvalFuel, ""},
		{"fill for ever", wasmtest.Plugin(wasmtest.Code([]byte{0x03, 0x40}, wasmtest.Const32(0), wasmtest.Const32(1), wasmtest.Const32(131072), []byte{0xfc, 11, 0, 0x0c, 0, 0x0b}, none), nil), plugins.EvalFuel, ""},
		{"walk through memory", wasmtest.Plugin(wasmtest.Code([]byte{0x03, 0x40}, repeat(stride, 6), []byte{0x0c, 0, 0x0b}, none), func(m *wasmtest.Module) { m.Memory = 1024 }), plugins.EvalFuel, ""},
		{"grow for ever", wasmtest.Plugin(wasmtest.Code([]byte{0x03, 0x40}, wasmtest.Const32(1), []byte{0x40, 0}, drop, []byte{0x0c, 0, 0x0b}, none), nil), plugins.EvalFuel, ""},
		{"answer beyond memory", wasmtest.Plugin(place(131072, 10), nil), plugins.EvalOutputInvalid, "not in its memory"},
		{"answer across the end of memory", wasmtest.Plugin(place(131071, 2), nil), plugins.EvalOutputInvalid, "not in its memory"},
		{"answer that wraps around", wasmtest.Plugin(place(0xffff_ffff, 60_000), nil), plugins.EvalOutputInvalid, "not in its memory"},
		{"answer of 4 GiB", wasmtest.Plugin(place(0, 0xffff_ffff), nil), plugins.EvalOutputSize, "65536"},
		{"answer of one byte too many", wasmtest.Plugin(place(0, abi.MaxOutput+1), nil), plugins.EvalOutputSize, "65536"},
		{"empty answer", wasmtest.Plugin(place(16, 0), nil), plugins.EvalOutputInvalid, "the text ends"},
		{"answer of zeros", wasmtest.Plugin(place(16, 100), nil), plugins.EvalOutputInvalid, "its answer"},
		{"deeply nested answer", wasmtest.Answering(strings.Repeat(`{"a":`, 500), nil), plugins.EvalOutputInvalid, "nested"},
		{"no room", wasmtest.Plugin(none, func(m *wasmtest.Module) { m.Funcs[0].Code = wasmtest.Const32(0) }), plugins.EvalMemory, "no room"},
		{"room beyond memory", wasmtest.Plugin(none, func(m *wasmtest.Module) { m.Funcs[0].Code = wasmtest.Const32(-100) }), plugins.EvalMemory, "no room"},
		{"exit", wasmtest.Plugin(none, func(m *wasmtest.Module) {
			exit := wasmtest.Func{Import: [2]string{"wasi_snapshot_preview1", "proc_exit"}, Type: wasmtest.Type{Params: i32}}
			m.Funcs = slices.Insert(m.Funcs, 0, exit)
			m.Funcs[2].Code = wasmtest.Code(wasmtest.Const32(3), []byte{0x10, 0}, none)
		}), plugins.EvalTrap, "exited with code 3"},
		{"random numbers for ever", wasmtest.Plugin(none, func(m *wasmtest.Module) {
			random := wasmtest.Func{Import: [2]string{"wasi_snapshot_preview1", "random_get"}, Type: wasmtest.Type{Params: []byte{wasmtest.I32, wasmtest.I32}, Results: i32}}
			m.Funcs = slices.Insert(m.Funcs, 0, random)
			m.Funcs[2].Code = wasmtest.Code([]byte{0x03, 0x40}, wasmtest.Const32(0), wasmtest.Const32(131072), []byte{0x10, 0}, drop, []byte{0x0c, 0, 0x0b}, none)
		}), plugins.EvalFuel, ""},
	}
	h := newHost(t, &plugins.Options{Fuel: 1_000_000})
	good := load(t, h, wasmtest.Answering(`{"match":true}`, nil), nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := load(t, h, tt.binary, nil)
			first := callBadly(t, i)
			if first.Code != tt.want || !strings.Contains(first.Error(), tt.text) {
				t.Fatalf("got %v, want %s with %q", first, tt.want, tt.text)
			}
			if first.Plugin != "probe" || first.Ref.Device != "pump-7" {
				t.Errorf("the error is about plugin %q and %s", first.Plugin, first.Ref)
			}
			if second := callBadly(t, i); second.Error() != first.Error() || second.Fuel != first.Fuel {
				t.Errorf("the next call says %v after %d, the first %v after %d", second, second.Fuel, first, first.Fuel)
			}
			if f, _, err := good.Eval(t.Context(), parse(t, pump), noon); err != nil || f == nil {
				t.Errorf("another plugin then answers %v, %v", f, err)
			}
		})
	}
}

// TestStackOverflow calls deeper than the stack of the machine, which a budget of
// a tenth would have ended.
func TestStackOverflow(t *testing.T) {
	binary := wasmtest.Plugin(wasmtest.Code([]byte{0x10, 2}, none), with(wasmtest.Func{Code: []byte{0x10, 2}}))
	i := load(t, newHost(t, nil), binary, nil)
	for range 2 {
		if e := callBadly(t, i); e.Code != plugins.EvalTrap || !strings.Contains(e.Error(), "stack overflow") {
			t.Errorf("got %v", e)
		}
	}
}

func callBadly(t *testing.T, i *plugins.Instance) *plugins.Error {
	t.Helper()
	f, _, err := i.Eval(t.Context(), parse(t, pump), noon)
	e, ok := err.(*plugins.Error)
	if !ok {
		t.Fatalf("got %v, %v, want a *plugins.Error", f, err)
	}
	return e
}

func TestHostileModules(t *testing.T) {
	function := func(code []byte) []byte {
		return wasmtest.Plugin(none, with(wasmtest.Func{Locals: i32, Code: code}))
	}
	imports := func(module, name string, typ wasmtest.Type) []byte {
		return wasmtest.Plugin(none, func(m *wasmtest.Module) {
			m.Funcs = slices.Insert(m.Funcs, 0, wasmtest.Func{Import: [2]string{module, name}, Type: typ})
		})
	}
	globals := make([]wasmtest.Global, 10_001)
	tests := []struct {
		name   string
		binary []byte
		want   plugins.Code
		text   string
	}{
		{"nothing", nil, plugins.LoadFormat, "header"},
		{"a text file", []byte("apiVersion: twinrules/v1"), plugins.LoadFormat, "header"},
		{"a component", []byte("\x00asm\x0d\x00\x01\x00"), plugins.LoadFormat, "header"},
		{"cut off", echo[:len(echo)-3], plugins.LoadFormat, "ends early"},
		{"a big file", append(slices.Clone(echo), make([]byte, 16<<20)...), plugins.LoadLimit, "16777216"},
		{"foreign import", imports("wasi_snapshot_preview1", "path_open", wasmtest.Type{}), plugins.LoadImport, "with other types"},
		{"sockets", imports("wasi:sockets", "connect", wasmtest.Type{}), plugins.LoadImport, "wasi:sockets.connect"},
		{"missing evaluate", wasmtest.Plugin(none, func(m *wasmtest.Module) { m.Funcs[1].Export = "twinrules_v2_evaluate" }), plugins.LoadABI, "does not export twinrules_v1_evaluate"},
		{"alloc of another type", wasmtest.Plugin(none, func(m *wasmtest.Module) {
			m.Funcs[0].Type.Results, m.Funcs[0].Code = i64, none
		}), plugins.LoadABI, "twinrules_v1_alloc has another type"},
		{"private memory", wasmtest.Plugin(none, func(m *wasmtest.Module) { m.PrivateMemory = true }), plugins.LoadABI, "memory"},
		{"no memory", wasmtest.Plugin(none, func(m *wasmtest.Module) { m.NoMemory = true }), plugins.LoadABI, "memory"},
		{"4 GiB of memory", wasmtest.Plugin(none, func(m *wasmtest.Module) { m.Memory = 65_536 }), plugins.LoadLimit, "65536 pages of memory"},
		{"2 GiB of table", wasmtest.Plugin(none, func(m *wasmtest.Module) { m.Table = 1 << 28 }), plugins.LoadLimit, "table entries"},
		{"table.grow", function(wasmtest.Code([]byte{0xd0, 0x70}, wasmtest.Const32(1<<26), []byte{0xfc, 15, 0}, drop)), plugins.LoadLimit, "table.grow"},
		{"table.set", function(wasmtest.Code(wasmtest.Const32(0), []byte{0xd0, 0x70, 0x26, 0})), plugins.LoadLimit, "table.set"},
		{"many globals", wasmtest.Plugin(none, func(m *wasmtest.Module) { m.Globals = globals }), plugins.LoadLimit, "10001 globals"},
		{"many locals", wasmtest.Plugin(none, with(wasmtest.Func{Locals: repeat(i32, 1001)})), plugins.LoadLimit, "1001 locals"},
		{"more locals than can be counted", wasmtest.Plugin(none, with(wasmtest.Func{Locals: repeat(i32, 60_000)})), plugins.LoadFormat, "60000 locals"},
		{"compile bomb of ifs", function(repeat([]byte{0x20, 0, 0x04, 0x40, 0x0b}, 8_000)), plugins.LoadLimit, "blocks"},
		{"compile bomb of nesting", function(wasmtest.Code(repeat([]byte{0x02, 0x40}, 40_000), repeat([]byte{0x0b}, 40_000))), plugins.LoadLimit, "nested blocks"},
		{"compile bomb of fills", function(repeat([]byte{0x20, 0, 0x20, 0, 0x20, 0, 0xfc, 11, 0}, 10_000)), plugins.LoadLimit, "blocks"},
		{"compile bomb of length", function(repeat([]byte{0x20, 0, 0x1a}, 50_000)), plugins.LoadLimit, "bytes of code"},
		{"many middling bombs", wasmtest.Plugin(none, with(slices.Repeat([]wasmtest.Func{{Locals: i32, Code: repeat([]byte{0x03, 0x40, 0x0b}, 2_000)}}, 60)...)), plugins.LoadLimit, "effort"},
		{"compile bomb of calls", passing(1, wasmtest.Code(repeat([]byte{0x20, 0}, 100), repeat([]byte{0x10, 2}, 6_000))), plugins.LoadLimit, "values passed on in one function"},
		{"compile bomb of branches", passing(1, wasmtest.Code(repeat([]byte{0x20, 0}, 100), repeat([]byte{0x02, 2}, 50), []byte{0x20, 0, 0x0e, 0xe0, 0x5d}, make([]byte, 12_001), repeat([]byte{0x0b}, 50))), plugins.LoadLimit, "values passed on in one function"},
		{"many bombs of loops", passing(80, wasmtest.Code(repeat([]byte{0x20, 0}, 100), repeat([]byte{0x03, 2, 0x0b}, 400))), plugins.LoadLimit, "effort"},
		{"threads", function([]byte{0xfe, 0x03, 0}), plugins.LoadFormat, "unknown instruction 0xfe"},
		{"tail call", function([]byte{0x12, 0}), plugins.LoadFormat, "unknown instruction 0x12"},
		{"ill-typed", function([]byte{0x42, 0, 0x21, 0}), plugins.LoadFormat, "compile"},
		{"refuels itself", function(wasmtest.Code(wasmtest.Const64(1<<40), []byte{0x24, 0})), plugins.LoadFormat, "there is no global 0"},
		{"reads the charge's local", function([]byte{0x20, 1, 0x1a}), plugins.LoadFormat, "there is no local 1"},
		{"exports the fuel", wasmtest.Plugin(none, with(wasmtest.Func{Export: "twinrules-fuel"})), plugins.LoadLimit, "a name that the host needs"},
		{"two manifests", withTwoManifests(t), plugins.LoadManifest, "two custom sections"},
		{"a manifest of noise", wasmtest.Plugin(none, func(m *wasmtest.Module) {
			m.Customs = map[string][]byte{abi.Section: {0xff}}
		}), plugins.LoadManifest, "read manifest"},
		{"another ABI", withManifest(t, echo, map[string]any{"abi": "twinrules/9"}), plugins.LoadABI, "twinrules/9"},
	}
	h := newHost(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := h.Load(t.Context(), "probe", tt.binary)
			if codeOf(err) != tt.want || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %s with %q", err, tt.want, tt.text)
			}
		})
	}
	load(t, h, echo, nil) // the host is fine
}

// passing returns a plugin with functions that take and leave a hundred values; the
// first one has the number 2, and its type that.
func passing(functions int, code []byte) []byte {
	f := wasmtest.Func{Type: wasmtest.Type{Params: repeat(i32, 100), Results: repeat(i32, 100)}, Code: code}
	return wasmtest.Plugin(none, with(slices.Repeat([]wasmtest.Func{f}, functions)...))
}

// withTwoManifests returns a module on whose manifest readers would disagree.
func withTwoManifests(t *testing.T) []byte {
	one := withManifest(t, echo, map[string]any{"writes": []string{"tags"}})
	return append(slices.Clone(one), one[len(echo):]...)
}

func TestHostileInit(t *testing.T) {
	initializing := func(code []byte) []byte {
		return wasmtest.Plugin(none, with(wasmtest.Func{Export: abi.Init, Type: wasmtest.Type{Params: []byte{wasmtest.I32, wasmtest.I32}, Results: i64}, Code: code}))
	}
	starting := func(code []byte) []byte {
		return wasmtest.Plugin(none, func(m *wasmtest.Module) {
			m.Funcs = append(m.Funcs, wasmtest.Func{Code: code})
			two := 2
			m.Start = &two
		})
	}
	answering := func(text string) []byte {
		return wasmtest.Answering("", func(m *wasmtest.Module) {
			m.Data = []wasmtest.Data{{At: 1024, Text: []byte(text)}}
			m.Funcs = append(m.Funcs, wasmtest.Func{Export: abi.Init, Type: wasmtest.Type{Params: []byte{wasmtest.I32, wasmtest.I32}, Results: i64}, Code: place(1024, int64(len(text)))})
		})
	}
	tests := []struct {
		name   string
		binary []byte
		config twin.Object
		want   plugins.Code
		text   string
	}{
		{"endless init", initializing(wasmtest.Code(loop, none)), nil, plugins.InitFuel, "budget of 200000000"},
		{"endless start", starting(loop), nil, plugins.InitFuel, "budget"},
		{"exponential start", wasmtest.Plugin(none, func(m *wasmtest.Module) {
			two := 2
			m.Funcs, m.Start = append(m.Funcs, exponential(40)...), &two
			m.Funcs[2].Code = []byte{0x10, 3, 0x10, 3}
		}), nil, plugins.InitFuel, "budget"},
		{"init that calls itself", initializing(wasmtest.Code([]byte{0x20, 0, 0x20, 1, 0x10, 2})), nil, plugins.InitTrap, "stack overflow"},
		{"start that traps", starting(unreachable), nil, plugins.InitTrap, "unreachable"},
		{"init that traps", initializing(unreachable), nil, plugins.InitTrap, "unreachable"},
		{"refuses", answering(`{"error":{"message":"no sites"}}`), nil, plugins.InitError, "it says: no sites"},
		{"answers something else", answering(`{"match":true}`), nil, plugins.InitError, "other than an error"},
		{"answers garbage", answering("\x01"), nil, plugins.InitError, "no JSON"},
		{"answers beyond memory", initializing(place(1<<31, 5)), nil, plugins.InitError, "not in its memory"},
		{"takes no configuration", echo, twin.Object{"a": true}, plugins.InitConfig, "takes no configuration"},
	}
	h := newHost(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := h.Load(t.Context(), "probe", tt.binary)
			if err != nil {
				t.Fatal(err)
			}
			_, err = m.Instance(t.Context(), tt.config)
			if codeOf(err) != tt.want || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %s with %q", err, tt.want, tt.text)
			}
		})
	}
}
