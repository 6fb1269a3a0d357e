package plugins_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// counted is how many of some twins a plugin matches and fails for, by code.
func counted(t *testing.T, binary []byte, o *plugins.Options) map[plugins.Code]int {
	t.Helper()
	i := load(t, newHost(t, o), binary, nil)
	said := map[plugins.Code]int{}
	for n := range 2000 {
		a, err := i.Judge(t.Context(), parse(t, fmt.Sprintf(`{"deviceId":"d%d"}`, n)), noon)
		switch {
		case err != nil:
			said[codeOf(err)]++
		case a.Finding != nil:
			said["match"]++
		default:
			said["none"]++
		}
	}
	return said
}

// TestPerRun: what a call leaves is there in the next one, which is found out.
func TestPerRun(t *testing.T) {
	said := counted(t, forgetful, &plugins.Options{Instances: 1})
	if said["none"] != 2000 {
		t.Errorf("with memory that is put back: %v, want no match", said)
	}
	said = counted(t, forgetful, &plugins.Options{Instances: 1, PerRun: true})
	impure := said[plugins.EvalImpure]
	// Each that was found out was put back to find it out, and is followed by one more call.
	if impure == 0 || impure > 20 || said["match"] != 2000-said["none"]-impure || said["none"] > 1 {
		t.Errorf("with memory that stays: %v", said)
	}
}

// TestPerRunOfThePure: nothing changes for plugins that keep nothing.
func TestPerRunOfThePure(t *testing.T) {
	if said := counted(t, wasmtest.Answering(`{"match":true}`, nil), &plugins.Options{PerRun: true}); said["match"] != 2000 {
		t.Errorf("got %v", said)
	}
	if said := counted(t, wasmtest.Plugin([]byte{0x00}, nil), &plugins.Options{PerRun: true}); said[plugins.EvalTrap] != 2000 {
		t.Errorf("a trap: got %v", said)
	}
}

// TestPerRunOfSpenders: who runs out of something in the end is asked again with
// memory put back, and so never does.
func TestPerRunOfSpenders(t *testing.T) {
	// It has ten answers in memory, and takes one with each call.
	bump := func(spent []byte) []byte {
		return wasmtest.Plugin(wasmtest.Code(
			[]byte{0x23, 0}, wasmtest.Const32(1), []byte{0x6a, 0x24, 0}, []byte{0x23, 0}, wasmtest.Const32(10), []byte{0x4b, 0x04, 0x40}, spent, []byte{0x0b},
			place(1024, 14),
		), func(m *wasmtest.Module) {
			m.Globals = []wasmtest.Global{{}}
			m.Data = []wasmtest.Data{{At: 1024, Text: []byte(`{"match":true}`)}, {At: 2048, Text: []byte(`{"error":{"message":"no room"}}`)}}
		})
	}
	for name, spent := range map[string][]byte{
		"it traps":    {0x00},
		"it grows":    wasmtest.Code(wasmtest.Const32(1), []byte{0x40, 0, 0x1a}),
		"it says so":  wasmtest.Code(place(2048, 31), []byte{0x0f}),
		"it is stuck": {0x03, 0x40, 0x0c, 0, 0x0b},
	} {
		t.Run(name, func(t *testing.T) {
			if said := counted(t, bump(spent), &plugins.Options{Instances: 1, PerRun: true, Fuel: 10_000}); said["match"] != 2000 {
				t.Errorf("got %v", said)
			}
		})
	}
}

// TestImpureFailure: it says what to do, and of which twin it is.
func TestImpureFailure(t *testing.T) {
	i := load(t, newHost(t, &plugins.Options{Instances: 1, PerRun: true}), forgetful, nil)
	for n := range 2000 {
		_, err := i.Judge(t.Context(), parse(t, fmt.Sprintf(`{"deviceId":"d%d"}`, n)), noon)
		if e, ok := err.(*plugins.Error); ok {
			if e.Ref.Device != fmt.Sprintf("d%d", n) || !strings.Contains(e.Error(), "keeps something of earlier calls") || e.Hint == "" {
				t.Errorf("got %v, %q", e, e.Hint)
			}
			return
		}
	}
	t.Error("nothing was found out")
}
