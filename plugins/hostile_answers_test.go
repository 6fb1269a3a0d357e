package plugins_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// saying returns a plugin that answers text, of any length.
func saying(text string) []byte {
	const at = 1 << 17
	return wasmtest.Plugin(place(at, int64(len(text))), func(m *wasmtest.Module) {
		m.Memory = 4
		m.Data = []wasmtest.Data{{At: at, Text: []byte(text)}}
	})
}

// TestHostileAnswers: what is no JSON of a hub is no answer, however it is dressed.
func TestHostileAnswers(t *testing.T) {
	fact := func(value string) string { return `{"match":true,"facts":{"x":` + value + `}}` }
	fill := func(head, each, tail string) string {
		return head + strings.Repeat(each, (abi.MaxOutput-len(head)-len(tail))/len(each)) + tail
	}
	tests := []struct {
		name, answer string
		want         plugins.Code // "" when it is an answer
		text         string
	}{
		{"not a number", fact("NaN"), plugins.EvalOutputInvalid, "offset"},
		{"a negative one", fact("-NaN"), plugins.EvalOutputInvalid, "offset"},
		{"infinity", fact("Infinity"), plugins.EvalOutputInvalid, "offset"},
		{"a number beyond floats", fact("1e999"), "", ""},
		{"a number of all that there is room for", fill(`{"match":true,"facts":{"x":`, "9", "}}"), "", ""},
		{"hexadecimal", fact("0x10"), plugins.EvalOutputInvalid, "offset"},
		{"a leading zero", fact("007"), plugins.EvalOutputInvalid, "offset"},
		{"a bare point", fact("1."), plugins.EvalOutputInvalid, "offset"},
		{"no UTF-8 in text", fact("\"\xc3\x28\""), plugins.EvalOutputInvalid, "UTF-8"},
		{"UTF-8 in more bytes than it needs", fact("\"\xc0\x80\""), plugins.EvalOutputInvalid, "UTF-8"},
		{"half of a pair in UTF-8", fact("\"\xed\xa0\x80\""), plugins.EvalOutputInvalid, "UTF-8"},
		{"no UTF-8 in a key", "{\"match\":true,\"facts\":{\"\xff\":1}}", plugins.EvalOutputInvalid, "UTF-8"},
		{"a control character in text", fact("\"\x01\""), plugins.EvalOutputInvalid, "offset"},
		{"a byte order mark", "\ufeff" + `{"match":true}`, plugins.EvalOutputInvalid, "offset"},
		{"one key twice, spelled otherwise", `{"match":false,"m\u0061tch":true}`, plugins.EvalOutputInvalid, "match"},
		{"one key twice, deep inside", fact(`{"a":{"b":1,"b":2}}`), plugins.EvalOutputInvalid, "b"},
		{"lists in lists", fill(fact("")[:27], "[", ""), plugins.EvalOutputInvalid, "nested"},
		{"objects in objects", fill(fact("")[:27], `{"a":`, ""), plugins.EvalOutputInvalid, "nested"},
		{"a list of all that there is room for", fill(`{"match":true,"facts":{"x":[0`, ",0", "]}}"), "", ""},
		{"text of all that there is room for", fill(`{"match":true,"message":"`, `\u0000`, `"}`), "", ""},
		{"spaces of all that there is room for", fill(`{"match":true`, " ", "}"), "", ""},
		{"a text that does not end", fill(`{"match":true,"message":"`, "x", ""), plugins.EvalOutputInvalid, "ends"},
		{"a comment", `{"match":true/**/}`, plugins.EvalOutputInvalid, "offset"},
		{"a comma too many", `{"match":true,}`, plugins.EvalOutputInvalid, "offset"},
		{"an error that is text", `{"error":"no"}`, plugins.EvalOutputSchema, "error is not an object"},
	}
	h := newHost(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := load(t, h, saying(tt.answer), nil).Judge(t.Context(), parse(t, pump), noon)
			if tt.want == "" {
				if err != nil || a.Finding == nil {
					t.Errorf("got %+v, %v, want an answer", a, err)
				}
				return
			}
			if codeOf(err) != tt.want || !strings.Contains(err.Error(), tt.text) || !utf8.ValidString(err.Error()) {
				t.Errorf("got %.300v, want %s with %q", err, tt.want, tt.text)
			}
		})
	}
}

// TestHostileLog: what a plugin says is cut to what may be said, is text, and cannot
// be read from where it has no memory.
func TestHostileLog(t *testing.T) {
	logging := func(text string, level, at, n int32, times int) []byte {
		say := wasmtest.Code(wasmtest.Const32(level), wasmtest.Const32(at), wasmtest.Const32(n), []byte{0x10, 0})
		return wasmtest.Plugin(nil, func(m *wasmtest.Module) {
			m.Funcs = append([]wasmtest.Func{{Import: [2]string{abi.Host, abi.Log}, Type: wasmtest.Type{Params: []byte{wasmtest.I32, wasmtest.I32, wasmtest.I32}}}}, m.Funcs...)
			m.Funcs[2].Code = wasmtest.Code(repeat(say, times), none)
			m.Data = []wasmtest.Data{{At: 1024, Text: []byte(text)}}
		})
	}
	for name, c := range map[string]struct {
		binary []byte
		want   string
	}{
		"text":                   {logging("hot", 1, 1024, 3, 1), "[{INFO hot}]"},
		"no UTF-8":               {logging("\xff\xfehot", 2, 1024, 5, 1), "[{WARN \ufffdhot}]"},
		"half of a character":    {logging("é", 1, 1024, 1, 1), "[{INFO \ufffd}]"},
		"beyond memory":          {logging("", 1, 131070, 100, 1), "[]"},
		"before memory":          {logging("", 1, -1, 100, 1), "[]"},
		"4 GiB":                  {logging("hot", 1, 1024, -1, 1), "[{INFO hot" + strings.Repeat("\x00", abi.MaxLine-3) + "}]"},
		"a level that is none":   {logging("hot", 99, 1024, 3, 1), "[{ERROR hot}]"},
		"a level below":          {logging("hot", -1, 1024, 3, 1), "[{ERROR hot}]"},
		"more lines than it may": {logging("x", 0, 1024, 1, 100), "[" + strings.TrimSpace(strings.Repeat("{DEBUG x} ", abi.MaxLines)) + "]"},
	} {
		t.Run(name, func(t *testing.T) {
			a := judge(t, load(t, newHost(t, nil), c.binary, nil))
			if got := fmt.Sprint(a.Log); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestNaN shows the bits of results that are no number, which processors may choose:
// the compiler and the interpreter have to choose the same here, or a plugin's answer
// would depend on which of them ran it.
func TestNaN(t *testing.T) {
	f64 := func(bits uint64) []byte {
		return []byte{0x44, byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24), byte(bits >> 32), byte(bits >> 40), byte(bits >> 48), byte(bits >> 56)}
	}
	const one, minus, inf, payload = 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000, 0xfff8dead00000000
	for name, code := range map[string][]byte{
		"0/0":                     wasmtest.Code(f64(0), f64(0), []byte{0xa3}),
		"∞-∞":                     wasmtest.Code(f64(inf), f64(inf), []byte{0xa1}),
		"0·∞":                     wasmtest.Code(f64(0), f64(inf), []byte{0xa2}),
		"√-1":                     wasmtest.Code(f64(minus), []byte{0x9f}),
		"1+NaN":                   wasmtest.Code(f64(one), f64(payload), []byte{0xa0}),
		"NaN+1":                   wasmtest.Code(f64(payload), f64(one), []byte{0xa0}),
		"min(1, NaN)":             wasmtest.Code(f64(one), f64(payload), []byte{0xa4}),
		"max(NaN, 1)":             wasmtest.Code(f64(payload), f64(one), []byte{0xa5}),
		"-NaN":                    wasmtest.Code(f64(payload), []byte{0x9a}),
		"floor(NaN)":              wasmtest.Code(f64(payload), []byte{0x9c}),
		"NaN to 32 bits and back": wasmtest.Code(f64(payload), []byte{0xb6, 0xbb}),
		"copysign":                wasmtest.Code(f64(payload), f64(one), []byte{0xa6}),
	} {
		t.Run(name, func(t *testing.T) {
			var said []string
			for _, interpreter := range []bool{false, true} {
				i := load(t, newHost(t, &plugins.Options{Interpreter: interpreter}), spellingBits(code), nil)
				for range 2 {
					a := judge(t, i)
					said = append(said, fmt.Sprint(a.Finding.Message, a.Fuel))
				}
			}
			for _, again := range said[1:] {
				if again != said[0] {
					t.Errorf("it is %q", said)
					break
				}
			}
		})
	}
}

// spellingBits returns a plugin whose message is the bits of a number, as letters.
func spellingBits(code []byte) []byte {
	const at = 1024 + len(`{"match":true,"message":"`)
	return wasmtest.Plugin(wasmtest.Code(
		code, []byte{0xbd, 0x21, 3}, wasmtest.Const32(16), []byte{0x21, 2, 0x03, 0x40}, // for each of 16 digits, from the last
		[]byte{0x20, 2}, wasmtest.Const32(1), []byte{0x6b, 0x22, 2}, wasmtest.Const32(int32(at)), []byte{0x6a},
		[]byte{0x20, 3, 0xa7}, wasmtest.Const32(15), []byte{0x71}, wasmtest.Const32('a'), []byte{0x6a, 0x3a, 0, 0},
		[]byte{0x20, 3}, wasmtest.Const64(4), []byte{0x88, 0x21, 3, 0x20, 2, 0x0d, 0, 0x0b},
		place(1024, int64(at-1024+16+2)),
	), func(m *wasmtest.Module) {
		m.Data = []wasmtest.Data{{At: 1024, Text: []byte(`{"match":true,"message":"................"}`)}}
	})
}
