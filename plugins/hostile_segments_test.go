package plugins_test

import (
	"strings"
	"testing"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// The ids of sections that the modules below spell themselves.
const (
	importSection  = 2
	globalSection  = 6
	exportSection  = 7
	elementSection = 9
	dataSection    = 11
)

// spelling returns a plugin that never matches, with a section of its own spelling.
func spelling(id byte, content []byte, change func(*wasmtest.Module)) []byte {
	return wasmtest.Plugin(none, func(m *wasmtest.Module) {
		m.Raw = map[byte][]byte{id: content}
		if change != nil {
			change(m)
		}
	})
}

// The exports that every plugin has, for those that spell more of them, and a count
// of them.
var exports = wasmtest.Code(
	[]byte("\x15twinrules_v1_evaluate\x00\x01"), []byte("\x12twinrules_v1_alloc\x00\x00"), []byte("\x06memory\x02\x00"))

const exportCount = 3

// TestHostileIndexes: what is rewritten gives a meaning to indexes that had none, so
// those are refused before. The plugin's own global is number 0, the fuel would be 1.
func TestHostileIndexes(t *testing.T) {
	own := func(m *wasmtest.Module) { m.Globals = []wasmtest.Global{{Value: 7}} }
	tests := []struct {
		name   string
		binary []byte
		text   string
	}{
		{"exports the fuel by its number", spelling(exportSection, wasmtest.Code([]byte{exportCount + 1}, exports, []byte("\x01f\x03\x01")), own), "global 1, which does not exist"},
		{"a global that begins as the fuel", spelling(globalSection, []byte{1, wasmtest.I64, 1, 0x23, 1, 0x0b}, nil), "there is no global 1"},
		{"a global that begins as itself", spelling(globalSection, []byte{1, wasmtest.I32, 1, 0x23, 0, 0x0b}, nil), "there is no global 0"},
		{"data that stands where the fuel says", spelling(dataSection, []byte{1, 0, 0x23, 1, 0x0b, 1, 'x'}, own), "there is no global 1"},
		{"data that stands where a changing global says", spelling(dataSection, []byte{1, 0, 0x23, 0, 0x0b, 1, 'x'}, own), "compile"},
		{"elements that stand where the fuel says", spelling(elementSection, []byte{1, 0, 0x23, 1, 0x0b, 1, 0}, func(m *wasmtest.Module) { own(m); m.Table = 2 }), "there is no global 1"},
		{"writes the fuel", wasmtest.Plugin(wasmtest.Code(wasmtest.Const64(1<<40), []byte{0x24, 1}, none), own), "there is no global 1"},
		{"reads the fuel", wasmtest.Plugin(wasmtest.Code([]byte{0x23, 1}, drop, none), own), "there is no global 1"},
		{"writes the length that is charged for", wasmtest.Plugin(wasmtest.Code(wasmtest.Const32(0), []byte{0x21, 5}, none), nil), "there is no local 5"},
		{"a number of a global in more bytes than it needs", wasmtest.Plugin(wasmtest.Code(wasmtest.Const64(1<<40), []byte{0x24, 0x81, 0x80, 0}, none), own), "there is no global 1"},
		{"two sections of globals", append(wasmtest.Plugin(none, own), globalSection, 6, 1, wasmtest.I32, 1, 0x41, 0, 0x0b), "unknown or out of order"},
		{"calls its start as an export", spelling(exportSection, wasmtest.Code([]byte{exportCount + 1}, exports, []byte("\x01f\x00\x63")), own), "function 99, which does not exist"},
		{"a table of functions that are not there", spelling(elementSection, []byte{1, 0, 0x41, 0, 0x0b, 1, 0x63}, func(m *wasmtest.Module) { m.Table = 2 }), "there is no function 99"},
		{"more elements than bytes", spelling(elementSection, []byte{1, 0, 0x41, 0, 0x0b, 0xff, 0xff, 0xff, 0xff, 0x0f}, func(m *wasmtest.Module) { m.Table = 2 }), "ends early"},
		{"more data than bytes", spelling(dataSection, []byte{1, 0, 0x41, 0, 0x0b, 0xff, 0xff, 0xff, 0xff, 0x0f}, nil), "ends early"},
	}
	h := newHost(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := h.Load(t.Context(), "probe", tt.binary)
			if codeOf(err) != plugins.LoadFormat || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %s with %q", err, plugins.LoadFormat, tt.text)
			}
		})
	}
}

// TestSegments puts data and functions over each other and beyond the end. What
// stands last counts, in every call; what has no place ends the init.
func TestSegments(t *testing.T) {
	table := func(m *wasmtest.Module) { m.Table = 2 }
	// It calls through the table, which has its evaluate's own type only by mistake.
	through := func(entry int32) []byte {
		return wasmtest.Code(wasmtest.Const32(0), wasmtest.Const32(0), wasmtest.Const32(entry), []byte{0x11, 1, 0})
	}
	over := wasmtest.Plugin(place(1024, 14), func(m *wasmtest.Module) {
		m.Data = []wasmtest.Data{{At: 1024, Text: []byte(`{"match":false}`)}, {At: 1024, Text: []byte(`{"match":true}`)}, {At: 1030, Text: []byte(`h":true}`)}}
	})
	i := load(t, newHost(t, nil), over, nil)
	for range 3 {
		if a := judge(t, i); a.Finding == nil {
			t.Error("what stands last does not count")
		}
	}
	tests := []struct {
		name   string
		binary []byte
		want   plugins.Code
		text   string
	}{
		{"data beyond memory", wasmtest.Plugin(none, func(m *wasmtest.Module) { m.Data = []wasmtest.Data{{At: 131070, Text: []byte("xyz")}} }), plugins.InitTrap, "data"},
		{"data before memory", wasmtest.Plugin(none, func(m *wasmtest.Module) { m.Data = []wasmtest.Data{{At: -1, Text: []byte("x")}} }), plugins.InitTrap, "data"},
		// wazero 1.12 leaves out elements that do not fit, where the standard traps.
		{"elements beyond a table", wasmtest.Plugin(through(1), func(m *wasmtest.Module) {
			table(m)
			m.Raw = map[byte][]byte{elementSection: {1, 0, 0x41, 1, 0x0b, 2, 1, 1}}
		}), plugins.EvalTrap, "invalid table access"},
		{"a call of an entry that is empty", wasmtest.Plugin(through(1), table), plugins.EvalTrap, "invalid table access"},
		{"a call beyond a table", wasmtest.Plugin(through(2), table), plugins.EvalTrap, "invalid table access"},
		{"a call before a table", wasmtest.Plugin(through(-1), table), plugins.EvalTrap, "invalid table access"},
		{"a call of another type", wasmtest.Plugin(through(0), func(m *wasmtest.Module) {
			table(m)
			m.Raw = map[byte][]byte{elementSection: {1, 0, 0x41, 0, 0x0b, 1, 0}}
		}), plugins.EvalTrap, "indirect call type mismatch"},
		{"itself through overlapping elements", wasmtest.Plugin(through(0), func(m *wasmtest.Module) {
			table(m)
			m.Raw = map[byte][]byte{elementSection: {2, 0, 0x41, 0, 0x0b, 2, 0, 0, 0, 0x41, 0, 0x0b, 1, 1}}
		}), plugins.EvalFuel, "budget"},
	}
	h := newHost(t, &plugins.Options{Fuel: 1000})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := h.Load(t.Context(), "probe", tt.binary)
			if err != nil {
				t.Fatal(err)
			}
			i, err := m.Instance(t.Context(), nil)
			if err == nil {
				_, _, err = i.Eval(t.Context(), parse(t, pump), noon)
			}
			if codeOf(err) != tt.want || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %s with %q", err, tt.want, tt.text)
			}
		})
	}
}
