package fleet_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/bench/fleet"
	"github.com/twinrules/twinrules/hub/snapshot"
)

// The same options make the same bytes on every machine; after a change that
// is meant, ratios of earlier races no longer compare.
func TestFleetsAreTheSameEverywhere(t *testing.T) {
	h := fnv.New64a()
	if err := fleet.Write(h, 500, &fleet.Options{Seed: 7, Churn: 20, Adrift: 150}); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%016x", h.Sum64()), "eafaad5b4438ebdc"; got != want {
		t.Errorf("the fleet is %s, was %s", got, want)
	}
}

// What makes a fleet hard to read is in it.
func TestAFleetHasEverything(t *testing.T) {
	text, sizes := lines(2000, &fleet.Options{Seed: 1, Adrift: 150})
	all := strings.Join(text, "")
	for _, want := range []string{
		`"moduleId":"$edgeAgent"`, `"level":null`, `"type":null`, `\u00e9`, `\"A\"`, `"lastActivityTime":"0001-01-01T00:00:00Z"`,
		`"$lastUpdatedVersion":`, `"disabled"`, `-rc.1"`, `"reported":{"$metadata"`, `"iotEdge":true`, `"faults":[`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in 2000 devices", want)
		}
	}
	for _, kind := range fleet.Kinds {
		if !strings.Contains(all, `"kind":"`+kind+`"`) {
			t.Errorf("no %s", kind)
		}
	}
	slices.Sort(sizes)
	if mean := len(all) / len(text); mean < 2300 || mean > 2900 || sizes[len(sizes)/10] < 1400 || sizes[len(sizes)-1] > 4000 {
		t.Errorf("mean %d, tenth %d, largest %d bytes", mean, sizes[len(sizes)/10], sizes[len(sizes)-1])
	}
}

func lines(n int, o *fleet.Options) (text []string, sizes []int) {
	for i := range n {
		for line := range bytes.Lines(fleet.Append(nil, o, i)) {
			text, sizes = append(text, string(line)), append(sizes, len(line))
		}
	}
	return text, sizes
}

// Metadata has the members of its section, at every level.
func TestMetadataMirrorsItsSection(t *testing.T) {
	text, _ := lines(50, &fleet.Options{Seed: 3})
	for _, line := range text {
		var doc struct{ Properties map[string]map[string]any }
		if err := json.Unmarshal([]byte(line), &doc); err != nil {
			t.Fatal(err)
		}
		for name, section := range doc.Properties {
			metadata := section["$metadata"].(map[string]any)
			delete(section, "$metadata")
			delete(section, "$version")
			mirrors(t, name, section, metadata)
		}
	}
}

func mirrors(t *testing.T, place string, value, metadata map[string]any) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(value)) {
		below, ok := metadata[key].(map[string]any)
		if !ok || below["$lastUpdated"] == nil {
			t.Fatalf("%s.%s has no metadata", place, key)
		}
		if o, ok := value[key].(map[string]any); ok && key != "position" {
			mirrors(t, place+"."+key, o, below)
		}
	}
}

func TestChurnIsOfAShareOfDevices(t *testing.T) {
	before, _ := lines(3000, &fleet.Options{Seed: 1})
	after, _ := lines(3000, &fleet.Options{Seed: 1, Churn: 50})
	changed := 0
	for i := range before {
		if before[i] != after[i] {
			changed++
		}
	}
	if changed < 90 || changed > 220 {
		t.Errorf("%d of %d twins changed, 50 in 1000 were asked for", changed, len(before))
	}
}

// Both ways of writing hold the same twins, and twinrules reads them.
func TestRecord(t *testing.T) {
	dir, o := t.TempDir(), &fleet.Options{Seed: 5, Adrift: 150}
	paths := []string{filepath.Join(dir, "f.ndjson"), filepath.Join(dir, "f.ndjson.zst")}
	var headers []snapshot.Header
	if err := fleet.Record(paths, 100, o, func(_ string, h snapshot.Header) { headers = append(headers, h) }); err != nil {
		t.Fatal(err)
	}
	want, _ := lines(100, o)
	if len(headers) != 2 || headers[0].Digest != headers[1].Digest || headers[0].Twins != len(want) {
		t.Fatalf("got %+v", headers)
	}
	for _, path := range paths {
		s, err := snapshot.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for tw, err := range s.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if string(tw.JSON())+"\n" != want[i] {
				t.Fatalf("%s: twin %d is %s", path, i, tw.JSON())
			}
			i++
		}
	}
	if err := fleet.Record([]string{filepath.Join(dir, "none", "f")}, 1, o, func(string, snapshot.Header) {}); err == nil {
		t.Error("a folder that is not there: no error")
	}
}
