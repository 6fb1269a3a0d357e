package main

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	plugin "github.com/twinrules/twinrules/plugins/sdk/go"
)

const sites = `{"sites":[
	{"name":"muc","lat":48.3538,"lon":11.7861,"radiusM":3000},
	{"name":"fiji","polygon":[{"lat":-17,"lon":179},{"lat":-17,"lon":-179},{"lat":-18,"lon":-179},{"lat":-18,"lon":179}]}
]}`

var judgements = []struct {
	name, tags, reported string
	want                 twin.Object // nil for no match
}{
	{"at the centre", `{"site":"muc"}`, `{"position":{"lat":48.3538,"lon":11.7861}}`, twin.Object{"inside": true, "distanceM": json.Number("0"), "site": "muc"}},
	{"a degree north", `{"site":"muc"}`, `{"position":{"lat":49.3538,"lon":11.7861}}`, twin.Object{"inside": false, "distanceM": json.Number("108195"), "site": "muc"}},
	{"in a polygon on the date line", `{"site":"fiji"}`, `{"position":{"lat":-17.5,"lon":-179.99}}`, twin.Object{"inside": true, "distanceM": json.Number("0"), "site": "fiji"}},
	{"north of the polygon", `{"site":"fiji"}`, `{"position":{"lat":-16,"lon":180}}`, twin.Object{"inside": false, "distanceM": json.Number("111195"), "site": "fiji"}},
	{"numbers with exponents", `{"site":"muc"}`, `{"position":{"lat":4.83538e1,"lon":117861e-4}}`, twin.Object{"inside": true, "distanceM": json.Number("0"), "site": "muc"}},
	{"a position with a long note", `{"site":"muc"}`, `{"position":{"note":"` + strings.Repeat("{\\\"", 9000) + `","lat":48.3538,"lon":11.7861}}`, twin.Object{"inside": true, "distanceM": json.Number("0"), "site": "muc"}},
	{"a site with a long name", `{"site":"` + strings.Repeat("{\\\"", 9000) + `"}`, `{"position":{"lat":48.3538,"lon":11.7861}}`, nil},
	{"no position", `{"site":"muc"}`, `{}`, nil},
	{"a position of text", `{"site":"muc"}`, `{"position":{"lat":"48.3","lon":"11.7"}}`, nil},
	{"half a position", `{"site":"muc"}`, `{"position":{"lat":48.3}}`, nil},
	{"a position that is a list", `{"site":"muc"}`, `{"position":[48.3,11.7]}`, nil},
	{"a position beyond the pole", `{"site":"muc"}`, `{"position":{"lat":148.3,"lon":11.7}}`, nil},
	{"a number too big for a float", `{"site":"muc"}`, `{"position":{"lat":1e999,"lon":11.7}}`, nil},
	{"no site", `{}`, `{"position":{"lat":48.3,"lon":11.7}}`, nil},
	{"an unknown site", `{"site":"ber"}`, `{"position":{"lat":48.3,"lon":11.7}}`, nil},
	{"a site that is a number", `{"site":7}`, `{"position":{"lat":48.3,"lon":11.7}}`, nil},
}

// TestSource tests the judge on this platform, without WebAssembly.
func TestSource(t *testing.T) {
	for _, tt := range judgements {
		t.Run(tt.name, func(t *testing.T) {
			out, err := plugin.Run(configure, sites, `{"now":0,"twin":{"tags":`+tt.tags+`,"reported":`+tt.reported+`}}`)
			if err != nil {
				t.Fatal(err)
			}
			var got twin.Object
			if out != "" {
				doc, err := twin.DecodeObject([]byte(out))
				if err != nil {
					t.Fatal(err)
				}
				got, _ = doc["facts"].(twin.Object)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestModule tests the committed module in the host.
func TestModule(t *testing.T) {
	m := load(t)
	i, err := instance(t, m, sites)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range judgements {
		t.Run(tt.name, func(t *testing.T) {
			f, _, err := i.Eval(t.Context(), truck(t, tt.tags, tt.reported), time.Unix(0, 0))
			if err != nil {
				t.Fatal(err)
			}
			var got twin.Object
			if f != nil {
				got = f.Facts
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := instance(t, m, tt.config); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want something with %q", err, tt.want)
			}
		})
	}
}

// refusals are configurations that are wrong, as the schema or the plugin says.
var refusals = []struct{ name, config, want string }{
	{"schema: nothing", `{}`, "missing property 'sites'"},
	{"schema: misspelt", `{"sites":[{"name":"muc","lat":1,"lon":1,"radius":5}]}`, "'radius'"},
	{"schema: both", `{"sites":[{"name":"muc","radiusM":5,"polygon":[{"lat":1,"lon":1},{"lat":1,"lon":1},{"lat":1,"lon":1}]}]}`, "sites.0"},
	{"plugin: twice", `{"sites":[{"name":"muc","lat":1,"lon":1,"radiusM":5},{"name":"muc","lat":1,"lon":1,"radiusM":5}]}`, "two sites are called muc"},
}

func truck(t testing.TB, tags, reported string) *twin.Twin {
	t.Helper()
	tw, err := twin.Parse([]byte(`{"deviceId":"truck-1","tags":` + tags + `,"properties":{"reported":` + reported + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	return tw
}

func load(t testing.TB) *plugins.Module {
	t.Helper()
	host, err := plugins.NewHost(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close(context.Background()) })
	m, err := host.Load(t.Context(), "geofence", read(t, module))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func instance(t testing.TB, m *plugins.Module, config string) (*plugins.Instance, error) {
	t.Helper()
	doc, err := twin.DecodeObject([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	return m.Instance(t.Context(), doc)
}

// TestDistance compares with distances of known places, from tables.
func TestDistance(t *testing.T) {
	tests := []struct {
		name string
		a, b point
		want float64 // metres
	}{
		{"a degree on the equator", point{0, 0}, point{0, 1}, 111_195},
		{"across the date line", point{0, 179.5}, point{0, -179.5}, 111_195},
		{"pole to pole", point{90, 0}, point{-90, 77}, 20_015_115},
		{"Munich to Hamburg", point{48.137, 11.575}, point{53.551, 9.994}, 612_000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := between(tt.a, tt.b); math.Abs(got-tt.want) > tt.want/500 {
				t.Errorf("got %.0f, want about %.0f", got, tt.want)
			}
		})
	}
}

// BenchmarkModule is what the plugin costs for one device.
func BenchmarkModule(b *testing.B) {
	i, err := instance(b, load(b), sites)
	if err != nil {
		b.Fatal(err)
	}
	t := truck(b, `{"site":"muc"}`, `{"position":{"lat":48.4,"lon":11.7}}`)
	b.ReportAllocs()
	var fuel int64
	for b.Loop() {
		a, err := i.Judge(b.Context(), t, time.Unix(0, 0))
		if err != nil {
			b.Fatal(err)
		}
		fuel = a.Fuel
	}
	b.ReportMetric(float64(fuel), "fuel/op")
}
