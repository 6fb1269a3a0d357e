package plugins

import (
	"testing"
	"time"

	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// BenchmarkCall is what one call of an empty evaluate costs, with its input written
// and its fuel counted: alone, and with everything put back before, in a memory of
// 128 KiB.
func BenchmarkCall(b *testing.B) {
	h, err := NewHost(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	m, err := h.Load(b.Context(), "probe", wasmtest.Plugin(wasmtest.Const64(0), nil))
	if err != nil {
		b.Fatal(err)
	}
	i, err := m.Instance(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	input := []byte(`{"now":1772366400000,"twin":{"tags":{"owner":"ann"},"properties":{"reported":{"battery":{"pct":93}}}}}`)
	for _, whole := range []bool{false, true} {
		g, err := i.guest()
		if err != nil {
			b.Fatal(err)
		}
		b.Run(map[bool]string{false: "alone", true: "put back"}[whole], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				g.env.begin(time.Time{}, input)
				if whole {
					g.restore(i.snapshot)
				}
				g.fuel.Set(uint64(m.options.Fuel))
				if answer, err := g.judge(input); answer != nil || err != nil {
					b.Fatal(answer, err)
				}
			}
		})
	}
}
