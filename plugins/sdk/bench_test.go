package sdk_test

import (
	"testing"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/twinrules/twinrules/plugins/sdk"
)

// BenchmarkGuest is what the samples cost for a device with enough charge, which is
// their condition alone, and for one with a low battery, which is the whole
// answer; with declared reads, fuel and restoring. expr is the same condition on
// its own machine, with the twin decoded.
func BenchmarkGuest(b *testing.B) {
	b.Run("expr", benchmarkExpr)
	for _, l := range sdk.Languages {
		binary := module(b, l)
		i := configure(b, load(b, binary, nil), `{"low":20}`)
		for name, charge := range map[string]string{"enough": `80`, "low": `11`} {
			tw := device(b, `"ann"`, low(charge, ``))
			b.Run(l.Name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				var fuel int64
				for b.Loop() {
					a, err := i.Judge(b.Context(), tw, noon)
					if err != nil {
						b.Fatal(err)
					}
					fuel = a.Fuel
				}
				b.ReportMetric(float64(fuel), "fuel/op")
				b.ReportMetric(float64(len(binary)), "module-bytes")
			})
		}
	}
}

func benchmarkExpr(b *testing.B) {
	twin := map[string]any{
		"tags":     map[string]any{"owner": "ann", "site": "muc"},
		"reported": map[string]any{"battery": map[string]any{"pct": 80.0}},
	}
	program, err := expr.Compile(`reported.battery?.pct != nil and reported.battery.pct < 20`, expr.AsBool())
	if err != nil {
		b.Fatal(err)
	}
	var machine vm.VM
	b.ReportAllocs()
	for b.Loop() {
		if match, err := machine.Run(program, twin); err != nil || match == true {
			b.Fatal(match, err)
		}
	}
}
