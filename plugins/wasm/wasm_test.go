package wasm_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/plugins/wasm"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

var (
	i32    = []byte{wasmtest.I32}
	i64    = []byte{wasmtest.I64}
	unary  = wasmtest.Type{Params: i32, Results: i32}
	budget = int64(1_000_000)
)

// one returns a module that exports the function f with a parameter in local 0, a
// local 1, and code.
func one(code ...[]byte) []byte {
	m := &wasmtest.Module{Funcs: []wasmtest.Func{{Export: "f", Type: unary, Locals: i32, Code: wasmtest.Code(code...)}}}
	return m.Bytes()
}

func meter(t failer, binary []byte, fuel int64) *wasm.Metered {
	t.Helper()
	m, err := wasm.Parse(binary)
	if err != nil {
		t.Fatalf("%v", err)
	}
	metered, err := m.Meter(binary, fuel)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return metered
}

// A failer is a test or one of rapid's.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// run instantiates binary and calls its f. The fuel left is -1 when it has none.
func run(t failer, binary []byte, x uint64) (result uint64, left int64, err error) {
	t.Helper()
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer rt.Close(ctx)
	mod, err := rt.Instantiate(ctx, binary)
	if err != nil {
		t.Fatalf("not valid: %v", err)
	}
	results, err := mod.ExportedFunction("f").Call(ctx, x)
	left = -1
	if g, ok := mod.ExportedGlobal(wasm.FuelExport).(api.MutableGlobal); ok {
		left = int64(g.Get())
	}
	if err != nil {
		return 0, left, err
	}
	return results[0], left, nil
}

func TestPrices(t *testing.T) {
	get := []byte{0x20, 0}
	countDown := wasmtest.Code([]byte{0x03, 0x40, 0x20, 0}, wasmtest.Const32(1), []byte{0x6b, 0x22, 0, 0x0d, 0, 0x0b})
	nops := func(n int) []byte { return bytes.Repeat([]byte{0x01}, n) }
	fill := wasmtest.Code(wasmtest.Const32(0), wasmtest.Const32(0), get, []byte{0xfc, 11, 0})
	tests := []struct {
		name string
		code []byte
		x    uint64
		want int64
	}{
		{"nothing", get, 1, 1},
		{"a loop of ten turns", wasmtest.Code(countDown, get), 10, 10},
		{"filling 32 bytes", wasmtest.Code(fill, get), 32, 2},
		{"filling 64 KiB", wasmtest.Code(fill, get), 65536, 2049},
		{"a long way", wasmtest.Code(nops(640), get), 0, 11},
		{"a long way that is not taken", wasmtest.Code(get, []byte{0x04, 0x40}, nops(640), []byte{0x0b}, get), 0, 1},
		{"a long way that is taken", wasmtest.Code(get, []byte{0x04, 0x40}, nops(640), []byte{0x0b}, get), 1, 11},
		{"a long way out of a block", wasmtest.Code([]byte{0x02, 0x40}, nops(60), get, []byte{0x0d, 0}, nops(60), []byte{0x0b}, nops(10), get), 1, 2},
		{"a long way past a charge", wasmtest.Code([]byte{0x02, 0x40}, nops(60), get, []byte{0x0d, 0}, nops(10), []byte{0x0b}, nops(50), get), 1, 2},
		{"many short ways", wasmtest.Code(bytes.Repeat([]byte{0x20, 0, 0x04, 0x40, 0x01, 0x05, 0x01, 0x0b}, 100), get), 0, 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, left, err := run(t, meter(t, one(tt.code), budget).Binary, tt.x)
			if err != nil {
				t.Fatal(err)
			}
			if got := budget - left; got != tt.want {
				t.Errorf("it costs %d, want %d", got, tt.want)
			}
		})
	}
}

// TestEveryWayIsCharged builds functions out of random blocks and compares what
// they cost with what they do. However they jump, no more than a bounded number of
// instructions is done for a unit.
func TestEveryWayIsCharged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Each nop is an addition to local 1, which so counts what was done.
		count := wasmtest.Code([]byte{0x20, 1}, wasmtest.Const32(1), []byte{0x6a, 0x21, 1})
		code := blocks(t, count, 0, 4)
		binary := one(code, []byte{0x20, 1})
		x := rapid.Uint64Range(0, 1<<32-1).Draw(t, "x")
		m, err := wasm.Parse(binary)
		if err != nil {
			t.Fatal(err)
		}
		metered, err := m.Meter(binary, budget)
		if err != nil {
			t.Fatal(err)
		}
		want, _, err1 := run(t, binary, x)
		got, left, err2 := run(t, metered.Binary, x)
		if err1 != nil || err2 != nil || got != want {
			t.Fatalf("got %d, %v from the metered module, %d, %v from the plain one", got, err2, want, err1)
		}
		if used := budget - left; int64(want)*4 > used*64 {
			t.Fatalf("%d units paid for %d times 4 instructions", used, want)
		}
	})
}

// blocks draws code that leaves the stack as it is.
func blocks(t *rapid.T, count []byte, open, depth int) []byte {
	var code []byte
	for range rapid.IntRange(0, 5).Draw(t, "n") {
		code = append(code, bytes.Repeat(count, rapid.IntRange(0, 20).Draw(t, "work"))...)
		if depth == 0 {
			continue
		}
		bit := wasmtest.Code([]byte{0x20, 0}, wasmtest.Const32(1<<rapid.IntRange(0, 30).Draw(t, "bit")), []byte{0x71})
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			code = append(append(append(code, 0x02, 0x40), blocks(t, count, open+1, depth-1)...), 0x0b)
		case 1:
			code = append(append(append(append(code, bit...), 0x04, 0x40), blocks(t, count, open+1, depth-1)...), 0x0b)
		case 2:
			code = append(append(append(code, bit...), 0x04, 0x40), blocks(t, count, open+1, depth-1)...)
			code = append(append(append(code, 0x05), blocks(t, count, open+1, depth-1)...), 0x0b)
		case 3:
			if open > 0 {
				code = append(append(code, bit...), 0x0d, byte(rapid.IntRange(0, open-1).Draw(t, "label")))
			}
		}
	}
	return code
}

// TestEveryTurnIsCharged draws functions that call each other, with loops that count
// their turns, and the entries, in a global. There is no way to have more of them
// than fuel was used, whatever is called, left or returned from in between.
func TestEveryTurnIsCharged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const functions = 4
		m := &wasmtest.Module{Globals: []wasmtest.Global{{}}}
		for n := range functions {
			code := wasmtest.Code(counted, turns(t, n, 0, 3), []byte{0x23, 0})
			m.Funcs = append(m.Funcs, wasmtest.Func{Type: unary, Locals: i32, Code: code})
		}
		m.Funcs[0].Export = "f"
		binary := m.Bytes()
		metered := meter(t, binary, budget)
		x := rapid.Uint64Range(0, 1<<32-1).Draw(t, "x")
		want, _, err1 := run(t, binary, x)
		got, left, err2 := run(t, metered.Binary, x)
		if err1 != nil || err2 != nil || got != want {
			t.Fatalf("got %d, %v from the metered module, %d, %v from the plain one", got, err2, want, err1)
		}
		if used := budget - left; used < int64(want) {
			t.Fatalf("%d units paid for %d turns and entries", used, want)
		}
	})
}

// counted adds 1 to global 0.
var counted = wasmtest.Code([]byte{0x23, 0}, wasmtest.Const32(1), []byte{0x6a, 0x24, 0})

// turns draws code of function n, which leaves the stack as it is.
func turns(t *rapid.T, n, open, depth int) []byte {
	var code []byte
	// again is 1 while a bit of x says so, and there have been few turns.
	again := func() []byte {
		return wasmtest.Code([]byte{0x20, 0}, wasmtest.Const32(int32(rapid.IntRange(0, 30).Draw(t, "bit"))), []byte{0x76}, wasmtest.Const32(1), []byte{0x71},
			[]byte{0x23, 0}, wasmtest.Const32(300), []byte{0x48, 0x71, 0x22, 1})
	}
	for range rapid.IntRange(0, 4).Draw(t, "n") {
		inner := func(more int) []byte { return turns(t, n, open+more, depth-1) }
		switch kind := rapid.IntRange(0, 6).Draw(t, "kind"); {
		case kind == 0:
			code = append(code, bytes.Repeat([]byte{0x01}, rapid.IntRange(0, 100).Draw(t, "nops"))...)
		case kind == 1 && n < 3: // a call
			code = append(code, 0x20, 0, 0x10, byte(n+1), 0x1a)
		case kind == 2: // a return
			code = append(append(append(code, again()...), 0x04, 0x40), 0x23, 0, 0x0f, 0x0b)
		case depth == 0:
		case kind == 3: // a loop that goes back by br_if
			code = append(append(append(code, 0x03, 0x40), inner(1)...), wasmtest.Code(again(), []byte{0x1a, 0x23, 0, 0x20, 1, 0x6a, 0x24, 0, 0x20, 1, 0x0d, 0, 0x0b})...)
		case kind == 4: // a loop that goes back by br
			code = append(append(append(code, 0x03, 0x40), inner(1)...), wasmtest.Code(again(), []byte{0x04, 0x40}, counted, []byte{0x0c, 1, 0x0b, 0x0b})...)
		case kind == 5: // a loop that goes back by br_table
			code = append(append(append(code, 0x02, 0x40, 0x03, 0x40), inner(2)...), wasmtest.Code(again(), []byte{0x1a, 0x23, 0, 0x20, 1, 0x6a, 0x24, 0, 0x20, 1, 0x0e, 1, 1, 0, 0x0b, 0x0b})...)
		default:
			code = append(append(append(code, again()...), 0x04, 0x40), inner(1)...)
			code = append(append(append(code, 0x05), inner(1)...), 0x0b)
		}
	}
	return code
}

func TestParse(t *testing.T) {
	m, err := wasm.Parse(wasmtest.Plugin(wasmtest.Const64(0), func(m *wasmtest.Module) {
		m.Funcs = slices.Insert(m.Funcs, 0, wasmtest.Func{Import: [2]string{"env", "now"}, Type: wasmtest.Type{Results: i64}})
		m.Table = 3
		m.Customs = map[string][]byte{"note": []byte("hi")}
	}))
	if err != nil {
		t.Fatal(err)
	}
	wantImports := []wasm.Import{{Module: "env", Name: "now", Type: wasm.FuncType{Results: []wasm.ValType{wasm.I64}}}}
	if diff := cmp.Diff(wantImports, m.Imports); diff != "" {
		t.Errorf("imports (-want +got):\n%s", diff)
	}
	e, ok := m.Export("twinrules_v1_evaluate")
	want := wasm.Export{Name: "twinrules_v1_evaluate", Index: 2, Type: wasm.FuncType{Params: []wasm.ValType{wasm.I32, wasm.I32}, Results: []wasm.ValType{wasm.I64}}}
	if diff := cmp.Diff(want, e); !ok || diff != "" {
		t.Errorf("evaluate (-want +got):\n%s", diff)
	}
	if note, err := m.Custom("note"); string(note) != "hi" || err != nil {
		t.Errorf("custom section: got %q, %v", note, err)
	}
	if m.Tables[0].Min != 3 || m.Memories[0].Min != 2 || len(m.Bodies) != 2 {
		t.Errorf("got tables %v, memories %v, %d bodies", m.Tables, m.Memories, len(m.Bodies))
	}
}

func TestParseRefuses(t *testing.T) {
	whole := wasmtest.Plugin(wasmtest.Const64(0), nil)
	tests := []struct {
		name   string
		binary []byte
		want   string
	}{
		{"no header", []byte("\x00asm"), "header"},
		{"sections out of order", append(slices.Clone(whole), 1, 1, 0), "out of order"},
		{"an unknown section", append(slices.Clone(whole), 99, 0), "unknown"},
		{"a section that is too long", append(slices.Clone(whole), 0, 0xff, 0xff, 0x03), "ends early"},
		{"a number of 40 bits", append(slices.Clone(whole), 0, 0xff, 0xff, 0xff, 0xff, 0x7f), "32 bits"},
		{"a missing body", whole[:len(whole)-13], ""},
		{"a branch out of nothing", one([]byte{0x0c, 9, 0x20, 0}), "a branch out of 9 blocks"},
		{"a missing function", one([]byte{0x10, 9}), "there is no function 9"},
		{"a reference to what is declared nowhere", (&wasmtest.Module{Funcs: []wasmtest.Func{{Type: wasmtest.Type{}, Code: []byte{0xd2, 0, 0x1a}}}}).Bytes(), "declared nowhere"},
		{"a missing global", one([]byte{0x23, 0}), "there is no global 0"},
		{"a missing local", one([]byte{0x20, 2}), "there is no local 2"},
		{"code after the end", one([]byte{0x20, 0, 0x0b}), "after the end"},
		{"code without an end", one([]byte{0x02, 0x40}), "ends early"},
		{"a second memory", one([]byte{0x3f, 1}), "a second memory"},
		{"a strange alignment", one([]byte{0x20, 0, 0x28, 0x42, 0, 0}), "alignment"},
		{"a block of a type that is not there", one([]byte{0x02, 9, 0x0b}), "there is no type 9"},
		{"a start function with parameters", (&wasmtest.Module{Start: new(int), Funcs: []wasmtest.Func{{Type: unary, Code: []byte{0x20, 0}}}}).Bytes(), "start function"},
		{"relaxed SIMD", one([]byte{0xfd, 0x80, 0x02}), "unknown instruction 0xfd 0x80"},
		{"more elements than bytes", section(9, 0xb8, 0xb8, 0xb8, 0x18, 0, 0x41, 0, 0x0b), "early"},
		{"more functions in elements than bytes", section(9, 1, 1, 0, 0xb8, 0xb8, 0xb8, 0x18), "early"},
		{"an element that is no function", section(9, 1, 1, 0, 1, 0), "no function 0"},
		{"a name that is not UTF-8", section(0, 1, 0xff), "not UTF-8"},
		{"elements of a strange type", section(9, 1, 5, 0x7f, 0), "elements of type 0x7f"},
		{"elements of a strange kind", section(9, 1, 8), "a segment of kind 8"},
		{"more data segments than bytes", section(11, 0xb8, 0xb8, 0xb8, 0x18, 1, 0), "early"},
		{"more data than bytes", section(11, 1, 1, 0xb8, 0xb8, 0xb8, 0x18), "early"},
		{"data of a strange kind", section(11, 1, 3), "a segment of kind 3"},
		{"instructions hidden in a constant", one([]byte{0xfd, 0x8c, 0x00}, bytes.Repeat([]byte{0x03, 0x40, 0x0c, 0}, 4)), "unknown instruction 0xfd 0x8c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := wasm.Parse(tt.binary)
			if err == nil {
				t.Fatalf("it was read as %d functions", len(m.Bodies))
			}
			if _, ok := err.(*wasm.FormatError); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want something with %q", err, tt.want)
			}
		})
	}
}

// section is a module of one section and no code.
func section(id byte, content ...byte) []byte {
	return append([]byte("\x00asm\x01\x00\x00\x00"), append([]byte{id, byte(len(content))}, content...)...)
}

// TestNamesAreChecked: the compiler would set memory aside for as many names as
// a section says it has.
func TestNamesAreChecked(t *testing.T) {
	module := (&wasmtest.Module{Funcs: []wasmtest.Func{{Type: unary, Code: []byte{0x20, 0}}}}).Bytes()
	tests := []struct {
		name    string
		section []byte
		kept    bool
	}{
		{"as it should be", []byte{0, 2, 1, 'm', 1, 4, 1, 0, 1, 'f', 2, 1, 0}, true},
		{"more names than bytes", []byte{1, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}, false},
		{"more after the names", []byte{1, 5, 1, 0, 1, 'f', 0}, false},
		{"longer than the section", []byte{1, 9, 1, 0, 1, 'f'}, false},
		{"not UTF-8", []byte{1, 4, 1, 0, 1, 0xff}, false},
		{"of locals only", []byte{2, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			named, err := wasm.AppendCustom(module, "name", tt.section)
			if err != nil {
				t.Fatal(err)
			}
			m, err := wasm.Parse(named)
			if err != nil {
				t.Fatal(err)
			}
			metered, err := m.Meter(named, budget)
			if err != nil {
				t.Fatal(err)
			}
			if kept := bytes.Contains(metered.Binary, []byte("\x04name\x01\x04\x01\x00\x01f")); kept != tt.kept {
				t.Errorf("the names are kept: %t, want %t", kept, tt.kept)
			}
		})
	}
}

func TestAppendCustom(t *testing.T) {
	plain := one([]byte{0x20, 0})
	first, err := wasm.AppendCustom(plain, "note", []byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := wasm.AppendCustom(first, "note", []byte("b"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := wasm.AppendCustom(plain, "note", []byte("b"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(second, want) {
		t.Error("a second section does not replace the first")
	}
	if got, _, err := run(t, second, 7); got != 7 || err != nil {
		t.Errorf("it then answers %d, %v", got, err)
	}
}

// FuzzParse reads anything. What it accepts and wazero too, it can meter, and
// wazero accepts the result: rewriting breaks nothing that was valid, and makes
// nothing valid that was not.
func FuzzParse(f *testing.F) {
	f.Add(one([]byte{0x20, 0}))
	f.Add(one([]byte{0x03, 0x40, 0x0c, 0, 0x0b, 0x20, 0}))
	f.Add(one([]byte{0x02, 0x40, 0x20, 0, 0x0e, 1, 0, 1, 0x0b, 0x20, 0}))
	f.Add(one([]byte{0x41, 0, 0x41, 0, 0x20, 0, 0xfc, 11, 0, 0x20, 0}))
	f.Add(one([]byte{0x41, 0, 0xfd, 0, 0, 0, 0xfd, 21, 3}))
	f.Add(wasmtest.Plugin(wasmtest.Const64(0), func(m *wasmtest.Module) {
		m.Table, m.Globals, m.Start = 2, []wasmtest.Global{{Value: 5}}, nil
		m.Data = []wasmtest.Data{{At: 4, Text: []byte("x")}}
		m.Customs = map[string][]byte{"name": {0, 2, 1, 'x'}}
	}))
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(16))
	f.Fuzz(func(t *testing.T, binary []byte) {
		m, err := wasm.Parse(binary)
		if err != nil || len(m.Over(16)) > 0 {
			return
		}
		metered, err := m.Meter(binary, budget)
		if err != nil {
			return
		}
		nameless, err := wasm.AppendCustom(binary, "name", nil) // wazero trusts the counts in it
		if err != nil {
			t.Fatal(err)
		}
		before, err1 := rt.CompileModule(ctx, nameless)
		after, err2 := rt.CompileModule(ctx, metered.Binary)
		if err1 == nil {
			defer before.Close(ctx)
		}
		if err2 == nil {
			defer after.Close(ctx)
		}
		if err1 == nil && err2 != nil {
			t.Fatalf("a valid module became invalid: %v", err2)
		}
		if err1 != nil && err2 == nil {
			t.Fatalf("a module that is not valid became so: %v", err1)
		}
	})
}
