package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/sdk"
	"github.com/twinrules/twinrules/plugins/sdk/sdktest"
)

// noon is the time of all runs here.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// sample returns where the sample of a language is, and what it makes.
func sample(l *sdk.Language) sdktest.Plugin {
	return sdktest.Plugin{
		Language: l, Source: l.Sample, Manifest: l.Manifest,
		Module: filepath.Join("testdata", "battery."+l.Name+".wasm"),
	}
}

// module returns the committed module of a language's sample. That of Go is too
// large to be committed and is built.
func module(t testing.TB, l *sdk.Language) []byte {
	t.Helper()
	if l == sdk.Go {
		return sample(l).Build(t)
	}
	return sdktest.Read(t, sample(l).Module)
}

func load(t testing.TB, binary []byte, o *plugins.Options) *plugins.Module {
	t.Helper()
	host, err := plugins.NewHost(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close(context.Background()) })
	m, err := host.Load(t.Context(), "battery", binary)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func configure(t testing.TB, m *plugins.Module, config string) *plugins.Instance {
	t.Helper()
	doc, err := twin.DecodeObject([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	i, err := m.Instance(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// device returns a twin with an owner, unless that is "", and what it reports.
func device(t testing.TB, owner, reported string) *twin.Twin {
	t.Helper()
	if owner != "" {
		owner = `"owner":` + owner + `,`
	}
	tw, err := twin.Parse([]byte(`{"deviceId":"pump-7","tags":{` + owner + `"site":"muc"},"properties":{"reported":` + reported + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	return tw
}

// low is a report of a battery, with a note unless that is "".
func low(charge, note string) string {
	if note != "" {
		note = `,"note":` + note
	}
	return `{"battery":{"cells":[1,{"pct":5}],"pct":` + charge + `}` + note + `}`
}

// found is what a sample says of a device.
type found struct {
	Facts, Tags, Desired string // as JSON, "" for none
	Message, Owner       string
	Error                string
}

// say is what the samples answer for a low battery.
func say(charge, missing, note, owner string) found {
	if note != "" {
		note = `"note":` + note + `,`
	}
	return found{
		Facts:   `{"at":1772366400000,"missing":` + missing + `,` + note + `"pct":` + charge + `}`,
		Tags:    `{"full":null,"power":"saver"}`,
		Desired: `{"report":{"brief":true,"everyMin":60}}`,
		Message: owner + " should charge it", Owner: owner,
	}
}

// expect returns what the sample of a language says where the others say f. That in
// WAT knows no exponents and says less.
func expect(t *testing.T, l *sdk.Language, f found) found {
	charge := object(t, f.Facts)["pct"]
	switch {
	case l != sdk.WAT || f == found{}:
		return f
	case charge == nil || strings.ContainsAny(string(charge.(json.Number)), "eE"):
		return found{Error: "the charge is not a number"}
	}
	return found{Facts: string(twin.Encode(twin.Object{"pct": charge})), Tags: `{"power":"saver"}`}
}

func object(t *testing.T, text string) twin.Object {
	if text == "" {
		return nil
	}
	doc, err := twin.DecodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// plain spells what f says in one way: languages write a float that they computed
// in several.
func plain(t *testing.T, f found) found {
	facts := object(t, f.Facts)
	if n, ok := facts["missing"].(json.Number); ok {
		x, err := n.Float64()
		if err != nil {
			t.Fatal(err)
		}
		facts["missing"] = json.Number(strconv.FormatFloat(x, 'g', 15, 64))
	}
	return found{text(facts), text(object(t, f.Tags)), text(object(t, f.Desired)), f.Message, f.Owner, f.Error}
}

// text returns o as JSON, "" when there is none.
func text(o twin.Object) string {
	if o == nil {
		return ""
	}
	return string(twin.Encode(o))
}

// judge returns what a sample says of t, and the fuel that it used.
func judge(t *testing.T, i *plugins.Instance, tw *twin.Twin) (found, int64) {
	t.Helper()
	a, err := i.Judge(t.Context(), tw, noon)
	if failed, ok := errors.AsType[*plugins.Error](err); ok && failed.Code == plugins.EvalError {
		return found{Error: strings.TrimPrefix(failed.Err.Error(), "it says: ")}, failed.Fuel
	}
	if err != nil {
		t.Fatal(err)
	}
	if a.Finding == nil {
		return found{}, a.Fuel
	}
	f := a.Finding
	return found{text(f.Facts), text(f.Patch.Tags), text(f.Patch.Desired), f.Message, a.Labels["owner"], ""}, a.Fuel
}

// deep is a value as deep as the hub takes, and wide is a long one.
var (
	deep = strings.Repeat(`{"a":[`, 4) + `"]}\"{["` + strings.Repeat(`]}`, 4)
	wide = `"` + strings.Repeat("x{[\\\"", 1200) + `"`
)

// cases are what every sample makes of a device, with low at 20.
var cases = []struct {
	name, owner, reported string
	want                  found
}{
	{"enough", ``, low(`80`, ``), found{}},
	{"at the limit", ``, low(`20.0`, ``), found{}},
	{"low", `"ann"`, low(`11`, ``), say(`11`, `9`, ``, "ann")},
	{"nobody's", ``, low(`11`, ``), say(`11`, `9`, ``, "somebody")},
	{"an owner who is no text", `{"x":"\"tags\""}`, low(`11`, ``), say(`11`, `9`, ``, "somebody")},
	{"a number as it is spelled", ``, low(`11.50`, ``), say(`11.50`, `8.5`, ``, "somebody")},
	{"below zero", ``, low(`-0.25`, ``), say(`-0.25`, `20.25`, ``, "somebody")},
	{"many digits", ``, low(`0.1000000000000000055511151231257827`, ``), say(`0.1000000000000000055511151231257827`, `19.9`, ``, "somebody")},
	{"an exponent", ``, low(`1.15e1`, ``), say(`1.15e1`, `8.5`, ``, "somebody")},
	{"an exponent that makes it smaller", ``, low(`125E-2`, ``), say(`125E-2`, `18.75`, ``, "somebody")},
	{"hardly anything", ``, low(`1e-320`, ``), say(`1e-320`, `20`, ``, "somebody")},
	{"far below zero", ``, low(`-3e300`, ``), say(`-3e300`, `3e300`, ``, "somebody")},
	{"escapes", `"a\"\\\/\b\f\n\r\t\u0001\u00e9\ud83d\ude00€😀"`, low(`11`, ``), say(`11`, `9`, ``, "a\"\\/\b\f\n\r\t\x01é😀€😀")},
	{"no text at all", `""`, low(`11`, ``), say(`11`, `9`, ``, "")},
	{"a note", ``, low(`11`, `[1.10,"\ud83d\ude00\n",{"a":null},true]`), say(`11`, `9`, `[1.10,"\ud83d\ude00\n",{"a":null},true]`, "somebody")},
	{"a null note", ``, low(`11`, `null`), say(`11`, `9`, `null`, "somebody")},
	{"a deep note", ``, low(`11`, deep), say(`11`, `9`, deep, "somebody")},
	{"a wide note", ``, low(`11`, wide), say(`11`, `9`, wide, "somebody")},
	{"nothing reported", ``, `{}`, found{}},
	{"no battery", ``, `{"note":{"battery":{"pct":1}}}`, found{}},
	{"a battery that is a number", ``, `{"battery":7}`, found{}},
	{"a charge that is text", ``, low(`"lo\"w"`, ``), found{Error: `the charge is not a number: "lo\"w"`}},
	{"a charge that is null", ``, low(`null`, ``), found{Error: `the charge is not a number: null`}},
	{"a charge that is a list", ``, low(`[1]`, ``), found{Error: `the charge is not a number: [1]`}},
	{"more than a float holds", ``, low(`1e999`, ``), found{Error: `the charge is not a number: 1e999`}},
}

// TestSamples holds the committed samples against what all of them say.
func TestSamples(t *testing.T) {
	for _, l := range sdk.Languages {
		if l == sdk.Go && (testing.Short() || raceDetector) {
			continue // its runtime is a hundred times as much code to compile
		}
		t.Run(l.Name, func(t *testing.T) {
			t.Parallel()
			conform(t, l, module(t, l))
		})
	}
}

// TestBuild builds the samples with their compilers and holds the committed ones
// against what comes out.
func TestBuild(t *testing.T) {
	for _, l := range sdk.Languages {
		if l == sdk.Go {
			continue // it is built for each test
		}
		t.Run(l.Name, func(t *testing.T) {
			t.Parallel()
			sample(l).Hold(t, func(t *testing.T, built []byte) { conform(t, l, built) })
		})
	}
}

// conform holds a sample against what all of them say, and sees to it that what
// it costs is the same each time and whether it is compiled or interpreted.
func conform(t *testing.T, l *sdk.Language, binary []byte) {
	compiled, interpreted := load(t, binary, nil), load(t, binary, &plugins.Options{Interpreter: true})
	one, other := configure(t, compiled, `{"low":20}`), configure(t, interpreted, `{"low":20}`)
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			tw := device(t, tt.owner, tt.reported)
			got, fuel := judge(t, one, tw)
			if diff := cmp.Diff(plain(t, expect(t, l, tt.want)), plain(t, got)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			again, fuelAgain := judge(t, one, tw)
			elsewhere, fuelElsewhere := judge(t, other, tw)
			if got != again || got != elsewhere {
				t.Errorf("got %v, then %v, and %v interpreted", got, again, elsewhere)
			}
			if fuel != fuelAgain || fuel != fuelElsewhere || fuel <= 0 {
				t.Errorf("it used %d units of fuel, then %d, and %d interpreted", fuel, fuelAgain, fuelElsewhere)
			}
		})
	}
	t.Run("in any order", func(t *testing.T) { shuffled(t, one, other) })
	t.Run("a configuration that it refuses", func(t *testing.T) {
		_, err := compiled.Instance(t.Context(), twin.Object{"low": "20"})
		if err == nil || !strings.Contains(err.Error(), "low is not a number [plugin.init.error]") {
			t.Errorf("got %v", err)
		}
	})
}

// shuffled asks one about all cases again and again in any order, and other a few
// times, and finds the answers and the fuel that each had at first.
func shuffled(t *testing.T, one, other *plugins.Instance) {
	type said struct {
		found
		fuel int64
	}
	calls := 10_000
	if raceDetector || testing.Short() {
		calls = 200
	}
	twins, first := make([]*twin.Twin, len(cases)), make([]said, len(cases))
	for i, tt := range cases {
		twins[i] = device(t, tt.owner, tt.reported)
		first[i].found, first[i].fuel = judge(t, one, twins[i])
	}
	g := rand.New(rand.NewPCG(1, 10_000))
	for n := range calls {
		i, by := g.IntN(len(cases)), one
		if n%2500 == 2499 {
			by = other
		}
		var now said
		if now.found, now.fuel = judge(t, by, twins[i]); now != first[i] {
			t.Fatalf("call %d, %s: got %v, at first it was %v", n, cases[i].name, now, first[i])
		}
	}
}
