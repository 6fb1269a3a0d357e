package plugins_test

import (
	"slices"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// BenchmarkJudge is what one twin costs with fuel and restoring, for a module that
// never matches and for one that answers with all it has read.
func BenchmarkJudge(b *testing.B) {
	tests := []struct {
		name   string
		binary []byte
	}{
		{"never", wasmtest.Plugin(none, nil)},
		{"declared", withManifest(b, wasmtest.Plugin(none, nil), map[string]any{"reads": []string{"tags.site", "reported.battery.pct"}})},
		{"echo", echo},
	}
	h := newHost(b, nil)
	for _, tt := range tests {
		b.Run(tt.name, func(b *testing.B) {
			i := load(b, h, tt.binary, nil)
			t := parse(b, pump)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := i.Judge(b.Context(), t, noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkExhausted is how long a call goes on that does nothing but use its budget,
// which is the default one.
func BenchmarkExhausted(b *testing.B) {
	tests := []struct {
		name   string
		binary []byte
	}{
		{"loop", wasmtest.Plugin(wasmtest.Code(loop, none), nil)},
		{"calls", wasmtest.Plugin(wasmtest.Code([]byte{0x10, 2}, none), with(exponential(40)...))},
		{"walk", wasmtest.Plugin(wasmtest.Code([]byte{0x03, 0x40}, repeat(stride, 6), []byte{0x0c, 0, 0x0b}, none), func(m *wasmtest.Module) { m.Memory = 1024 })},
		{"grow", wasmtest.Plugin(asking(wasmtest.Const32(0), []byte{0x40, 0}), nil)},
		{"log", hosting("twinrules", "log", 3, 0, 1, 1024, 512)},
		{"sched_yield", hosting("wasi_snapshot_preview1", "sched_yield", 0, 1)},
		{"fd_fdstat_get", hosting("wasi_snapshot_preview1", "fd_fdstat_get", 2, 1, 0, 8)},
		{"fd_write", hosting("wasi_snapshot_preview1", "fd_write", 4, 1, 2, 256, 64, 8)},
		{"poll_oneoff", hosting("wasi_snapshot_preview1", "poll_oneoff", 4, 1, 4096, 8192, 1, 8)},
		{"random_get", hosting("wasi_snapshot_preview1", "random_get", 2, 1, 0, 1)},
		{"random_get, much", hosting("wasi_snapshot_preview1", "random_get", 2, 1, 0, 65536)},
		{"extism load_u64", extism(func(a *assembler) []byte {
			return forever(wasmtest.Code(a.call("input_offset"), a.call("load_u64"), drop))
		})},
		{"extism length", extism(func(a *assembler) []byte {
			return forever(wasmtest.Code(a.call("input_offset"), a.call("length"), drop))
		})},
		{"extism alloc and free", extism(func(a *assembler) []byte {
			return forever(wasmtest.Code(wasmtest.Const64(8), a.call("alloc"), a.call("free")))
		})},
		{"extism config_get", extism(func(a *assembler) []byte {
			return forever(wasmtest.Code(a.call("input_offset"), a.call("config_get"), drop))
		})},
	}
	h := newHost(b, nil)
	for _, tt := range tests {
		b.Run(tt.name, func(b *testing.B) {
			i := load(b, h, tt.binary, nil)
			t := parse(b, pump)
			for b.Loop() {
				if _, err := i.Judge(b.Context(), t, noon); codeOf(err) != plugins.EvalFuel {
					b.Fatal(err)
				}
			}
		})
	}
}

// asking is an endless loop of code that leaves one value.
func asking(code ...[]byte) []byte {
	return wasmtest.Code([]byte{0x03, 0x40}, wasmtest.Code(code...), drop, []byte{0x0c, 0, 0x0b}, none)
}

// hosting is a plugin that calls a function of the host for ever.
func hosting(module, name string, params, results int, args ...int32) []byte {
	return wasmtest.Plugin(none, func(m *wasmtest.Module) {
		typ := wasmtest.Type{Params: repeat(i32, params), Results: repeat(i32, results)}
		m.Funcs = slices.Insert(m.Funcs, 0, wasmtest.Func{Import: [2]string{module, name}, Type: typ})
		var code []byte
		for _, v := range args {
			code = append(code, wasmtest.Const32(v)...)
		}
		code = append(code, 0x10, 0)
		if results == 0 {
			code = append(code, wasmtest.Const32(0)...)
		}
		m.Funcs[2].Code = asking(code)
		m.Data = []wasmtest.Data{{At: 256, Text: repeat([]byte{0, 4, 0, 0, 1, 0, 0, 0}, 64)}, {At: 1024, Text: repeat([]byte("\xff\n"), 300)}}
	})
}

// BenchmarkLoad is what it costs to check, rewrite and compile a small module.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		h, err := plugins.NewHost(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := h.Load(b.Context(), "probe", echo); err != nil {
			b.Fatal(err)
		}
		_ = h.Close(b.Context())
	}
}

// FuzzOutput gives the host any answer that fits a segment. It is an answer or one
// of the errors for answers, and the next call says the same.
func FuzzOutput(f *testing.F) {
	f.Add(`{"match":true,"facts":{"a":1},"patch":{"tags":{"a":null},"desired":{}},"message":"","severity":"info","labels":{"a":"b"}}`)
	f.Add(`{"error":{"code":"a","message":"b"}}`)
	f.Add(`{"error":{}}`)
	f.Add(`{"match":false}`)
	f.Add("\x00")
	known := map[plugins.Code]bool{
		"": true, plugins.EvalError: true, plugins.EvalOutputInvalid: true, plugins.EvalOutputSchema: true, plugins.EvalWrite: true,
	}
	h := newHost(f, &plugins.Options{Interpreter: true})
	// Its answer is spelled in its input, with two letters for each byte.
	i := load(f, h, withManifest(f, echoing, map[string]any{"reads": []string{"modelId"}, "writes": []string{"tags.a"}}), nil)
	f.Fuzz(func(t *testing.T, answer string) {
		if len(answer) > 1000 {
			return
		}
		text := encode(answer)
		tw, err := twin.Parse([]byte(`{"deviceId":"a","modelId":"` + text + `"}`))
		if err != nil {
			t.Fatal(err)
		}
		_, err1 := i.Judge(t.Context(), tw, time.Unix(0, 0))
		_, err2 := i.Judge(t.Context(), tw, time.Unix(0, 0))
		if !known[codeOf(err1)] || (err1 == nil) != (err2 == nil) || err1 != nil && err1.Error() != err2.Error() {
			t.Errorf("got %v, then %v", err1, err2)
		}
	})
}

// echoing decodes its answer from its input: two letters from a to p for each
// byte, from inputHead on to two closing braces and a quote.
var echoing = wasmtest.Plugin(wasmtest.Code(
	[]byte{0x03, 0x40}, // for each byte, at local 2 of the answer
	[]byte{0x20, 2}, wasmtest.Const32(1), []byte{0x74, 0x20, 0, 0x6a, 0x2d, 0, inputHead}, wasmtest.Const32('a'), []byte{0x6b}, wasmtest.Const32(4), []byte{0x74, 0x21, 1},
	[]byte{0x20, 2}, wasmtest.Const32(65536), []byte{0x6a},
	[]byte{0x20, 1, 0x20, 2}, wasmtest.Const32(1), []byte{0x74, 0x20, 0, 0x6a, 0x2d, 0, inputHead + 1}, wasmtest.Const32('a'), []byte{0x6b, 0x6a, 0x3a, 0, 0},
	[]byte{0x20, 2}, wasmtest.Const32(1), []byte{0x6a, 0x22, 2},
	wasmtest.Const32(1), []byte{0x74, 0x20, 0, 0x6a, 0x2d, 0, inputHead}, wasmtest.Const32('"'), []byte{0x47, 0x0d, 0, 0x0b},
	wasmtest.Const64(65536<<32), []byte{0x20, 2, 0xad, 0x7c},
), nil)

// inputHead is the length of the input before the text of modelId.
const inputHead = byte(len(`{"twin":{"modelId":"`))

// encode spells text, and a newline when there is none, for echoing.
func encode(text string) string {
	if text == "" {
		text = "\n"
	}
	b := make([]byte, 0, 2*len(text))
	for i := range len(text) {
		b = append(b, 'a'+text[i]>>4, 'a'+text[i]&15)
	}
	return string(b)
}

func TestEchoing(t *testing.T) {
	i := load(t, newHost(t, nil), withManifest(t, echoing, map[string]any{"reads": []string{"modelId"}}), nil)
	a, err := i.Judge(t.Context(), parse(t, `{"deviceId":"a","modelId":"`+encode(`{"match":true,"message":"é"}`)+`"}`), time.Unix(0, 0))
	if err != nil || a.Finding.Message != "é" {
		t.Errorf("got %+v, %v", a, err)
	}
}
