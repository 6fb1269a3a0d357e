package sdk_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/sdk"
	"github.com/twinrules/twinrules/plugins/sdk/sdktest"
)

// behindExtism is the sample in C as a plugin of Extism.
var behindExtism = sdktest.Plugin{Language: sdk.C, Source: "testdata/extism.c", Manifest: "testdata/extism.json", Module: "testdata/extism.wasm"}

// TestExtism finds that the sample says the same, whichever way it is asked.
func TestExtism(t *testing.T) {
	asExtism(t, sdktest.Read(t, behindExtism.Module))
}

// TestExtismBuild holds the committed module against what its source makes.
func TestExtismBuild(t *testing.T) { behindExtism.Hold(t, asExtism) }

func asExtism(t *testing.T, binary []byte) {
	m := load(t, binary, nil)
	if m.Report().ABI != abi.Extism {
		t.Fatalf("it is %s", m.Report().ABI)
	}
	i := configure(t, m, `{"low":20}`)
	interpreted := configure(t, load(t, binary, &plugins.Options{Interpreter: true}), `{"low":20}`)
	for _, tt := range cases {
		tw := device(t, tt.owner, tt.reported)
		got, fuel := judge(t, i, tw)
		if diff := cmp.Diff(plain(t, tt.want), plain(t, got)); diff != "" {
			t.Errorf("%s: answer (-want +got):\n%s", tt.name, diff)
		}
		for _, other := range []*plugins.Instance{i, interpreted} {
			if again, fuelAgain := judge(t, other, tw); got != again || fuel != fuelAgain {
				t.Errorf("%s: got %v for %d, then %v for %d", tt.name, got, fuel, again, fuelAgain)
			}
		}
	}
	wrong, _ := judge(t, configure(t, m, `{"low":"x"}`), device(t, "", low("11", "")))
	if want := (found{Error: "low is not a number"}); wrong != want {
		t.Errorf("a wrong limit: got %v", wrong)
	}
}

// BenchmarkExtism is BenchmarkGuests for the sample in C as a plugin of Extism.
func BenchmarkExtism(b *testing.B) {
	i := configure(b, load(b, sdktest.Read(b, behindExtism.Module), nil), `{"low":20}`)
	tw := device(b, "", low("11.50", ""))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := i.Judge(b.Context(), tw, noon); err != nil {
			b.Fatal(err)
		}
	}
}
