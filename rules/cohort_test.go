package rules_test

import (
	"bufio"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

var manyUnits = flag.Bool("million", false, "lay a million units out in waves")

// rolloutOf returns the rollout of a pack's only rule.
func rolloutOf(t testing.TB, pack, rule, rollout string) *rules.Rollout {
	t.Helper()
	p, err := rules.Load(onePack("apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: " + pack + "}\nrules:\n" +
		"  - {id: " + rule + ", on: device, patch: {desired: {a: 1}}, rollout: {" + rollout + ", gate: {ok: reported.a == 1}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return p.Rules[0].Rollout
}

func twinWith(t testing.TB, doc twin.Object) *twin.Twin {
	t.Helper()
	parsed, err := twin.Parse(twin.Encode(doc))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestCohortsAreTheSameForEver holds cohorts to vectors that another program made:
// a rollout that is under way must not change its waves with a version.
func TestCohortsAreTheSameForEver(t *testing.T) {
	f, err := os.Open("testdata/cohorts.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		seen++
		v := strings.Split(lines.Text(), "\t")
		pack, rule, _ := strings.Cut(v[0], "/")
		by, doc := "", twin.Object{"deviceId": "x"}
		if device, ok := strings.CutPrefix(v[2], "devices/"); ok {
			device, module, _ := strings.Cut(device, "/modules/")
			if doc["deviceId"] = device; module != "" {
				doc["moduleId"] = module
			}
		} else {
			path, value, _ := strings.Cut(v[2], "=")
			decoded, err := twin.Decode([]byte(value))
			if err != nil {
				t.Fatal(err)
			}
			by, doc["tags"] = "by: "+path+", ", twin.Object{strings.TrimPrefix(path, "tags."): decoded}
		}
		got := rolloutOf(t, pack, rule, by+"waves: [100%]").Cohort(twinWith(t, doc), strings.ToUpper(v[1]))
		if got.Unit != v[2] || got.Place() != v[3] {
			t.Errorf("got %s %s, want %s %s", got.Unit, got.Place(), v[2], v[3])
		}
	}
	if seen != 256 {
		t.Errorf("%d vectors", seen)
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct{ name, by, twin, want string }{
		{"nothing", "", `{"deviceId": "d"}`, "devices/d"},
		{"a module", "", `{"deviceId": "d", "moduleId": "m"}`, "devices/d/modules/m"},
		{"a text", "tags.site", `{"deviceId": "d", "tags": {"site": "muc"}}`, `tags.site="muc"`},
		{"a text with its own quotes", "tags.site", `{"deviceId": "d", "tags": {"site": "a\" b"}}`, `tags.site="a\" b"`},
		{"a number", "tags.ring", `{"deviceId": "d", "tags": {"ring": 1}}`, `tags.ring=1`},
		{"an equal number", "tags.ring", `{"deviceId": "d", "tags": {"ring": 1.0}}`, `tags.ring=1`},
		{"the same again", "tags.ring", `{"deviceId": "d", "tags": {"ring": 10e-1}}`, `tags.ring=1`},
		{"a text that looks like it", "tags.ring", `{"deviceId": "d", "tags": {"ring": "1"}}`, `tags.ring="1"`},
		{"zero", "tags.ring", `{"deviceId": "d", "tags": {"ring": -0.0}}`, `tags.ring=0`},
		{"a truth", "tags.ring", `{"deviceId": "d", "tags": {"ring": true}}`, `tags.ring=true`},
		{"missing", "tags.site", `{"deviceId": "d"}`, "devices/d"},
		{"null", "tags.site", `{"deviceId": "d", "tags": {"site": null}}`, "devices/d"},
		{"an object", "tags.site", `{"deviceId": "d", "tags": {"site": {"a": 1}}}`, "devices/d"},
		{"a list", "tags.site", `{"deviceId": "d", "tags": {"site": ["muc"]}}`, "devices/d"},
		{"below a text", "tags.site.x", `{"deviceId": "d", "tags": {"site": "muc"}}`, "devices/d"},
		{"the device of a module", "id", `{"deviceId": "d", "moduleId": "m"}`, `id="d"`},
		{"no parent", "parent", `{"deviceId": "d"}`, "devices/d"},
		{"a parent", "parent", `{"deviceId": "d", "parentScopes": ["ms-azure-iot-edge://gw-637"]}`, `parent="gw"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			by := ""
			if c.by != "" {
				by = "by: " + c.by + ", "
			}
			doc, err := twin.Parse([]byte(c.twin))
			if err != nil {
				t.Fatal(err)
			}
			if got := rolloutOf(t, "p", "r", by+"waves: [100%]").Cohort(doc, "h").Unit; got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestWavesHoldTheOnesBefore is I12, for random waves over random populations, and
// that a number of units is that number, or all there are.
func TestWavesHoldTheOnesBefore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := &rules.Rollout{}
		counts := rapid.SliceOfNDistinct(rapid.IntRange(1, 60), 0, 4, rapid.ID).Draw(rt, "counts")
		slices.Sort(counts)
		for _, n := range counts {
			r.Waves = append(r.Waves, rules.Wave{Count: n})
		}
		shares := rapid.SliceOfNDistinct(rapid.IntRange(1, 9999), 0, 4, rapid.ID).Draw(rt, "shares")
		slices.Sort(shares)
		for _, n := range append(shares, 10_000) {
			r.Waves = append(r.Waves, rules.Wave{Share: rules.Share(n)})
		}
		units := rapid.SliceOfNDistinct(rapid.Uint64(), 0, 80, rapid.ID).Draw(rt, "units")
		least := slices.Sorted(slices.Values(units))
		least = least[:min(len(least), r.Counted())]
		bounds := r.Bounds(least)
		for i, b := range bounds {
			held := 0
			for _, u := range units {
				c := rules.Cohort{Hash: u}
				if b.Holds(c) {
					held++
				}
				if i > 0 && bounds[i-1].Holds(c) && !b.Holds(c) {
					rt.Fatalf("wave %d does not hold %s of wave %d", i+1, c.Place(), i)
				}
				if first := rules.WaveOf(bounds, c); b.Holds(c) != (first <= i+1) {
					rt.Fatalf("%s is first in wave %d, and wave %d holds it: %v", c.Place(), first, i+1, b.Holds(c))
				}
			}
			if n := r.Waves[i].Count; n > 0 && held != min(n, len(units)) {
				rt.Fatalf("wave %d of %d units holds %d of %d", i+1, n, held, len(units))
			}
		}
		if len(units) > 0 && !bounds[len(bounds)-1].Holds(rules.Cohort{Hash: slices.Max(units)}) {
			rt.Fatal("the last wave is not everybody")
		}
	})
}

// TestSharesAreExact: a share ends below ⌊2^64·s⌋, at the last unit of a whole
// number, and no calculation with fractions is near.
func TestSharesAreExact(t *testing.T) {
	for _, c := range []struct {
		share rules.Share
		last  string
	}{
		{1, "00068db8bac710ca"}, {500, "0ccccccccccccccb"}, {2500, "3fffffffffffffff"}, {5000, "7fffffffffffffff"},
		{9999, "fff972474538ef33"}, {10_000, "ffffffffffffffff"},
	} {
		r := &rules.Rollout{Waves: []rules.Wave{{Share: c.share}}}
		if got := r.Bounds(nil)[0]; string(got) != c.last {
			t.Errorf("%s: got %s, want %s", c.share, got, c.last)
		}
	}
}

// TestSharesOfAFleet: waves over many ids hold each other, and are as large as
// they say within half of a percent. The flag -million takes a million.
func TestSharesOfAFleet(t *testing.T) {
	units := 100_000
	if testing.Short() {
		units = 20_000
	}
	if *manyUnits {
		units = 1_000_000
	}
	r := rolloutOf(t, "p", "r", "waves: [1%, 5%, 25%, 50%, 99%, 100%]")
	bounds, held := r.Bounds(nil), make([]int, 6)
	ref := &twin.Twin{}
	for i := range units {
		ref.Ref.Device = fmt.Sprintf("reefer-%07d", i)
		c := r.Cohort(ref, "contoso.azure-devices.net")
		for w := range bounds {
			if bounds[w].Holds(c) {
				held[w]++
			} else if w > 0 && bounds[w-1].Holds(c) {
				t.Fatalf("%s leaves wave %d", c.Unit, w)
			}
		}
	}
	for w, n := range held {
		got, want := float64(n)/float64(units)*100, float64(r.Waves[w].Share)/100
		if slack := 0.5 * math.Sqrt(100_000/float64(min(units, 100_000))); math.Abs(got-want) > slack {
			t.Errorf("wave %d holds %.2f %% of the fleet, not %g", w+1, got, want)
		}
	}
}

func TestSharesAreSpelledAsInAPack(t *testing.T) {
	for share, want := range map[rules.Share]string{1: "0.01%", 10: "0.1%", 105: "1.05%", 250: "2.5%", 500: "5%", 10_000: "100%"} {
		if got := share.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
