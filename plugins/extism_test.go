package plugins_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// kernel spells the types of Extism's functions: parameters, colon, results.
var kernel = map[string]string{
	"alloc": "I:I", "free": "I:", "length": "I:I", "load_u8": "I:i", "load_u64": "I:I", "store_u8": "Ii:", "store_u64": "II:",
	"input_offset": ":I", "input_length": ":I", "input_load_u8": "I:i", "input_load_u64": "I:I", "output_set": "II:", "error_set": "I:",
	"config_get": "I:I", "var_get": "I:I", "var_set": "II:", "http_request": "II:I", "http_status_code": ":i", "log_warn": "I:", "get_log_level": ":i",
}

func spelled(types string) (list []byte) {
	for _, r := range types {
		list = append(list, map[rune]byte{'i': wasmtest.I32, 'I': wasmtest.I64}[r])
	}
	return list
}

// An assembler collects the functions that code calls.
type assembler struct{ imports []wasmtest.Func }

// call returns the instruction that calls a function of Extism.
func (a *assembler) call(name string) []byte {
	params, results, ok := strings.Cut(kernel[name], ":")
	if !ok {
		panic(name)
	}
	for i, f := range a.imports {
		if f.Import[1] == name {
			return []byte{0x10, byte(i)}
		}
	}
	a.imports = append(a.imports, wasmtest.Func{Import: [2]string{abi.ExtismHost, name}, Type: wasmtest.Type{Params: spelled(params), Results: spelled(results)}})
	return []byte{0x10, byte(len(a.imports) - 1)}
}

// key leaves the address of a block with eight letters in local 0.
func (a *assembler) key(text string) []byte {
	return wasmtest.Code(wasmtest.Const64(8), a.call("alloc"), set0, get0, wasmtest.Const64(int64(binary.LittleEndian.Uint64([]byte(text)))), a.call("store_u64"))
}

// config leaves the address of the setting with a name of eight letters in local 1.
func (a *assembler) config(name string) []byte {
	return wasmtest.Code(a.key(name), get0, a.call("config_get"), set1)
}

// output makes the block in local 1 the output.
func (a *assembler) output() []byte {
	return wasmtest.Code(get1, get1, a.call("length"), a.call("output_set"))
}

var (
	get0, set0, get1, set1 = []byte{0x20, 0}, []byte{0x21, 0}, []byte{0x20, 1}, []byte{0x21, 1}
	zero, ifNotZero, end   = wasmtest.Const32(0), []byte{0x50, 0x45, 0x04, 0x40}, []byte{0x0b}
)

// plugin returns a module whose evaluate has code, and two locals of 64 bits.
func (a *assembler) plugin(code []byte) []byte {
	m := &wasmtest.Module{Memory: 1, Funcs: append(a.imports, wasmtest.Func{
		Export: abi.ExtismEvaluate, Type: wasmtest.Type{Results: i32}, Locals: []byte{wasmtest.I64, wasmtest.I64}, Code: code,
	})}
	return m.Bytes()
}

// extism returns a module whose code build writes.
func extism(build func(a *assembler) []byte) []byte {
	a := &assembler{}
	return a.plugin(build(a))
}

var configured = extism(func(a *assembler) []byte { return wasmtest.Code(a.config("answer__"), a.output(), zero) })

func TestExtism(t *testing.T) {
	h := newHost(t, nil)
	i := load(t, h, configured, twin.Object{"answer__": `{"match":true,"facts":{"a":1}}`})
	a, err := i.Judge(t.Context(), parse(t, pump), noon)
	if err != nil || a.Finding == nil || fmt.Sprint(a.Finding.Facts["a"]) != "1" {
		t.Errorf("got %+v, %v", a, err)
	}
	i = load(t, h, configured, nil)
	if f, _, err := i.Eval(t.Context(), parse(t, pump), noon); f != nil || err != nil {
		t.Errorf("without a setting: got %v, %v, want no match", f, err)
	}
	i = load(t, h, configured, twin.Object{"answer__": twin.Object{"match": false}})
	if f, _, err := i.Eval(t.Context(), parse(t, pump), noon); f != nil || err != nil {
		t.Errorf("a setting that is no text: got %v, %v, want no match", f, err)
	}
	patch := twin.Object{"answer__": `{"match":true,"patch":{"tags":{"wave":1}}}`}
	if _, _, err := load(t, h, configured, patch).Eval(t.Context(), parse(t, pump), noon); codeOf(err) != plugins.EvalWrite {
		t.Errorf("a patch that is not declared: got %v", err)
	}
	declared := withManifest(t, configured, map[string]any{"abi": abi.Extism, "writes": []string{"tags.wave"}, "config": map[string]any{"schema": map[string]any{}}})
	if f, _, err := load(t, h, declared, patch).Eval(t.Context(), parse(t, pump), noon); err != nil || f.Patch.Tags["wave"] == nil {
		t.Errorf("a patch that is declared: got %v, %v", f, err)
	}
}

// TestExtismInput echoes the input as the reason of an error, in both ways in which
// kits read it.
func TestExtismInput(t *testing.T) {
	h := newHost(t, nil)
	whole := extism(func(a *assembler) []byte {
		return wasmtest.Code(a.call("input_offset"), a.call("error_set"), wasmtest.Const32(7))
	})
	eight := extism(func(a *assembler) []byte {
		return wasmtest.Code(wasmtest.Const64(8), a.call("alloc"), set0, get0, wasmtest.Const64(1), a.call("input_load_u64"), a.call("store_u64"),
			get0, wasmtest.Const64(0), a.call("input_load_u8"), a.call("store_u8"), get0, a.call("error_set"), wasmtest.Const32(1))
	})
	for want, binary := range map[string][]byte{
		`it says: {"now":1772366400000,"twin":{"id":"pump-1"}}`: whole,
		`it says: {now":17`: eight,
	} {
		declared := withManifest(t, binary, map[string]any{"abi": abi.Extism, "reads": []string{"now", "id"}})
		_, _, err := load(t, h, declared, nil).Eval(t.Context(), parse(t, `{"deviceId":"pump-1"}`), noon)
		if codeOf(err) != plugins.EvalError || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestExtismRemembersNothing: what a call keeps in a variable, in a block or in its
// own memory is not there in the next one.
func TestExtismRemembersNothing(t *testing.T) {
	binary := extism(func(a *assembler) []byte {
		return wasmtest.Code(
			a.key("variable"), get0, a.call("var_get"), ifNotZero, unreachable, end,
			get0, get0, a.call("var_set"), get0, a.call("var_get"), []byte{0x50, 0x04, 0x40}, unreachable, end, // but in this one it is
			wasmtest.Const64(4096), a.call("alloc"), set1, get1, a.call("load_u64"), ifNotZero, unreachable, end,
			get1, wasmtest.Const64(-1), a.call("store_u64"),
			zero, []byte{0x28, 2, 0, 0x04, 0x40}, unreachable, end,
			zero, wasmtest.Const32(1), []byte{0x36, 2, 0}, zero)
	})
	i := load(t, newHost(t, &plugins.Options{Instances: 1}), binary, nil)
	var fuel int64
	for n := range 5 {
		a, err := i.Judge(t.Context(), parse(t, pump), noon)
		if err != nil {
			t.Fatalf("call %d: %v", n, err)
		}
		if fuel = max(fuel, a.Fuel); fuel != a.Fuel {
			t.Errorf("call %d: fuel %d, before it was %d", n, a.Fuel, fuel)
		}
	}
}

// TestExtismRuntimes starts what languages want started, once each.
func TestExtismRuntimes(t *testing.T) {
	h := newHost(t, nil)
	add := func(n int32) []byte {
		return wasmtest.Code(zero, zero, []byte{0x28, 2, 0}, wasmtest.Const32(n), []byte{0x6a, 0x36, 2, 0})
	}
	two := wasmtest.Type{Params: []byte{wasmtest.I32, wasmtest.I32}}
	for name, c := range map[string]struct {
		funcs []wasmtest.Func
		want  string
	}{
		"none":         {nil, ""},
		"constructors": {[]wasmtest.Func{{Export: abi.Constructors, Code: add(1)}}, "returns 1"},
		"a reactor":    {[]wasmtest.Func{{Export: abi.Initialize, Code: add(2)}, {Export: abi.Constructors, Code: add(1)}}, "returns 2"},
		"Haskell":      {[]wasmtest.Func{{Export: abi.Initialize, Code: add(2)}, {Export: abi.Haskell, Type: two, Code: add(4)}}, "returns 6"},
		"crashes":      {[]wasmtest.Func{{Export: abi.Initialize, Code: unreachable}}, "plugin.init.trap"},
		"loops":        {[]wasmtest.Func{{Export: abi.Constructors, Code: loop}}, "plugin.init.fuel"},
	} {
		m := &wasmtest.Module{Memory: 1, Funcs: append(c.funcs, wasmtest.Func{Export: abi.ExtismEvaluate, Type: wasmtest.Type{Results: i32}, Code: wasmtest.Code(zero, []byte{0x28, 2, 0})})}
		loaded, err := h.Load(t.Context(), "probe", withManifest(t, m.Bytes(), map[string]any{"abi": abi.Extism}))
		if err != nil {
			t.Fatal(err)
		}
		i, err := loaded.Instance(t.Context(), nil)
		for range 2 {
			if i != nil {
				_, _, err = i.Eval(t.Context(), parse(t, pump), noon)
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", name, err, c.want)
			}
		}
	}
}

// TestExtismFreed: what was set as output or error may be freed, as the kit for Go
// does.
func TestExtismFreed(t *testing.T) {
	h := newHost(t, nil)
	output := extism(func(a *assembler) []byte {
		return wasmtest.Code(a.config("answer__"), a.output(), get1, a.call("free"), get0, a.call("free"), a.key("another_"), zero)
	})
	i := load(t, h, output, twin.Object{"answer__": `{"match":true,"message":"still here"}`})
	if f, _, err := i.Eval(t.Context(), parse(t, pump), noon); err != nil || f == nil || f.Message != "still here" {
		t.Errorf("got %v, %v", f, err)
	}
	failed := extism(func(a *assembler) []byte {
		return wasmtest.Code(a.key("too cold"), get0, a.call("error_set"), get0, a.call("free"), a.key("another_"), get0, a.call("free"), wasmtest.Const32(1))
	})
	_, _, err := load(t, h, failed, nil).Eval(t.Context(), parse(t, pump), noon)
	if codeOf(err) != plugins.EvalError || !strings.Contains(err.Error(), "it says: too cold [") {
		t.Errorf("got %v", err)
	}
}

// forever does something again and again.
func forever(code []byte) []byte {
	return wasmtest.Code([]byte{0x03, 0x40}, code, []byte{0x0c, 0, 0x0b}, zero)
}

func TestExtismHostile(t *testing.T) {
	tests := []struct {
		name  string
		build func(a *assembler) []byte
		want  plugins.Code
		text  string
	}{
		{"returns an error", func(*assembler) []byte { return wasmtest.Const32(-3) }, plugins.EvalError, "it returns -3 and does not say why"},
		{"says where nothing is", func(a *assembler) []byte {
			return wasmtest.Code(wasmtest.Const64(-1), a.call("error_set"), wasmtest.Const32(1))
		}, plugins.EvalError, "does not say why"},
		{"loops", func(*assembler) []byte { return forever(nil) }, plugins.EvalFuel, "budget"},
		{"allocates forever", func(a *assembler) []byte {
			return forever(wasmtest.Code(wasmtest.Const64(1<<20), a.call("alloc"), drop))
		}, plugins.EvalFuel, "budget"},
		{"allocates and frees forever", func(a *assembler) []byte {
			return forever(wasmtest.Code(wasmtest.Const64(1<<20), a.call("alloc"), a.call("free")))
		}, plugins.EvalFuel, "budget"},
		{"allocates little forever", func(a *assembler) []byte { return forever(wasmtest.Code(wasmtest.Const64(1), a.call("alloc"), drop)) }, plugins.EvalFuel, "budget"},
		{"allocates everything", func(a *assembler) []byte {
			return wasmtest.Code(wasmtest.Const64(-1), a.call("alloc"), ifNotZero, unreachable, end, wasmtest.Const64(1<<62), a.call("alloc"), wasmtest.Const64(1), a.call("store_u64"), zero)
		}, plugins.EvalTrap, "8 bytes at 0 of Extism's memory"},
		{"logs forever", func(a *assembler) []byte {
			return wasmtest.Code(a.key("a line__"), forever(wasmtest.Code(get0, a.call("log_warn"))))
		}, plugins.EvalFuel, "budget"},
		{"keeps forever", func(a *assembler) []byte {
			return wasmtest.Code(wasmtest.Const64(1<<20), a.call("alloc"), set1, forever(wasmtest.Code(a.call("input_length"), a.call("alloc"), set0, get0, get1, a.call("var_set"))))
		}, plugins.EvalFuel, "budget"},
		{"keeps more than there is", func(a *assembler) []byte {
			return wasmtest.Code(wasmtest.Const64(9<<20), a.call("alloc"), set1, a.key("one_____"), get0, get1, a.call("var_set"),
				a.key("two_____"), get0, get1, a.call("var_set"), zero)
		}, plugins.EvalTrap, "more in variables"},
		{"reads behind the input", func(a *assembler) []byte {
			return wasmtest.Code(wasmtest.Const64(-8), a.call("input_load_u64"), drop, zero)
		}, plugins.EvalTrap, "of the input"},
		{"reads before memory", func(a *assembler) []byte { return wasmtest.Code(wasmtest.Const64(0), a.call("load_u8"), drop, zero) }, plugins.EvalTrap, "1 bytes at 0"},
		{"writes behind memory", func(a *assembler) []byte {
			return wasmtest.Code(wasmtest.Const64(-4), wasmtest.Const64(1), a.call("store_u64"), zero)
		}, plugins.EvalTrap, "8 bytes at 18446744073709551612"},
		{"frees the input twice", func(a *assembler) []byte {
			return wasmtest.Code(a.call("input_offset"), a.call("free"), a.call("input_offset"), a.call("free"), wasmtest.Const64(-1), a.call("free"), wasmtest.Const32(1))
		}, plugins.EvalError, "returns 1"},
		{"asks the network", func(a *assembler) []byte {
			return wasmtest.Code(wasmtest.Const64(0), wasmtest.Const64(0), a.call("http_request"), drop, zero)
		}, plugins.EvalTrap, "no plugin gets the network"},
		{"answers from nowhere", func(a *assembler) []byte {
			return wasmtest.Code(wasmtest.Const64(-2), wasmtest.Const64(2), a.call("output_set"), zero)
		}, plugins.EvalOutputInvalid, "not in its memory"},
		{"answers too much", func(a *assembler) []byte {
			return wasmtest.Code(wasmtest.Const64(64), wasmtest.Const64(1<<40), a.call("output_set"), zero)
		}, plugins.EvalOutputSize, "more than"},
		{"answers the input", func(a *assembler) []byte {
			return wasmtest.Code(a.call("input_offset"), a.call("input_length"), a.call("output_set"), zero)
		}, plugins.EvalOutputSchema, "lacks match"},
		{"crashes", func(*assembler) []byte { return unreachable }, plugins.EvalTrap, "unreachable"},
	}
	h := newHost(t, &plugins.Options{Fuel: 1_500_000})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := load(t, h, withManifest(t, extism(tt.build), map[string]any{"abi": abi.Extism}), nil)
			var fuel []int64
			for range 2 { // the second call is as the first
				_, _, err := i.Eval(t.Context(), parse(t, pump), noon)
				if codeOf(err) != tt.want || !strings.Contains(err.Error(), tt.text) {
					t.Fatalf("got %v, want %s with %q", err, tt.want, tt.text)
				}
				e, _ := errors.AsType[*plugins.Error](err)
				fuel = append(fuel, e.Fuel)
			}
			if fuel[0] != fuel[1] {
				t.Errorf("fuel %d, then %d", fuel[0], fuel[1])
			}
		})
	}
}

func TestExtismRefusals(t *testing.T) {
	foreign := func(module, name string) []byte {
		a := &assembler{imports: []wasmtest.Func{{Import: [2]string{module, name}}, {Import: [2]string{abi.ExtismHost, "alloc"}, Type: wasmtest.Type{Params: i64, Results: i64}}}}
		return a.plugin(zero)
	}
	other := &assembler{imports: []wasmtest.Func{{Import: [2]string{abi.ExtismHost, "alloc"}, Type: wasmtest.Type{Params: i32, Results: i32}}}}
	named := withManifest(t, configured, nil)
	memoryless := (&wasmtest.Module{NoMemory: true, Funcs: []wasmtest.Func{{Export: "evaluate", Type: wasmtest.Type{Results: i32}, Code: zero}}}).Bytes()
	tests := []struct {
		name   string
		binary []byte
		want   plugins.Code
		text   string
	}{
		{"functions of one host", foreign("extism:host/user", "shell"), plugins.LoadImport, "extism:host/user.shell"},
		{"what Extism does not have", foreign(abi.ExtismHost, "open"), plugins.LoadImport, "extism:host/env.open"},
		{"other types", other.plugin(zero), plugins.LoadImport, "with other types"},
		{"another manifest", named, plugins.LoadImport, "extism:host/env.alloc"},
		{"no evaluate", withManifest(t, echo, map[string]any{"abi": abi.Extism}), plugins.LoadABI, "does not export evaluate"},
		{"no memory", withManifest(t, memoryless, map[string]any{"abi": abi.Extism}), plugins.LoadABI, "memory"},
	}
	h := newHost(t, nil)
	for _, tt := range tests {
		_, err := h.Load(t.Context(), "probe", tt.binary)
		if codeOf(err) != tt.want || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: got %v, want %s with %q", tt.name, err, tt.want, tt.text)
		}
	}
	m, err := h.Load(t.Context(), "probe", extism(func(*assembler) []byte { return zero }))
	if codeOf(err) != plugins.LoadABI {
		t.Errorf("a module that nothing says is one of Extism: got %v, %v", m, err)
	}
}

// TestExtismWithLittleRoom: a twin for which there is none is an error about it.
func TestExtismWithLittleRoom(t *testing.T) {
	small := withManifest(t, configured, map[string]any{"abi": abi.Extism, "limits": map[string]any{"memory": 64 << 10}})
	i := load(t, newHost(t, nil), small, nil)
	long := parse(t, `{"deviceId":"a","tags":{"x":"`+strings.Repeat("x", 66_000)+`"}}`)
	if _, _, err := i.Eval(t.Context(), long, noon); codeOf(err) != plugins.EvalMemory {
		t.Errorf("got %v", err)
	}
}

func BenchmarkExtism(b *testing.B) {
	i := load(b, newHost(b, nil), configured, nil)
	tw := parse(b, pump)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := i.Judge(b.Context(), tw, noon); err != nil {
			b.Fatal(err)
		}
	}
}
