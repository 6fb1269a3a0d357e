package estimate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/estimate"
)

var (
	smallest = estimate.Hub{Tier: hub.TierS1, Units: 1}
	tenUnits = estimate.Hub{Tier: hub.TierS1, Units: 10}
	largest  = estimate.Hub{Tier: hub.TierS3, Units: 1}
)

// TestReading holds the ways of reading against figures made by hand from the
// documented limits: 20 pages of 100 twins a minute and unit, and so on, a minute
// being 61.2 s and a second 1.02 s, as package hub counts them.
func TestReading(t *testing.T) {
	million := estimate.Fleet{Devices: 1_000_000, Selected: 500_000, Narrowed: 20_000, Counts: 2}
	for _, test := range []struct {
		name  string
		hub   estimate.Hub
		fleet estimate.Fleet
		way   string
		calls int
		takes time.Duration
	}{
		{"everybody", smallest, million, "query of everybody", 10_001, 499 * 61200 * time.Millisecond},
		{"everybody, ten units", tenUnits, million, "query of everybody", 10_001, 49 * 61200 * time.Millisecond},
		{"everybody, the largest", largest, million, "query of everybody", 10_001, 9 * 61200 * time.Millisecond},
		{"selected", smallest, million, "query of what rules select", 5001, 249 * 61200 * time.Millisecond},
		{"narrowed", smallest, million, "narrowed query", 203, 10 * 61200 * time.Millisecond},
		{"point reads", smallest, million, "point reads of a known inventory", 1_000_001, 9999 * 1020 * time.Millisecond},
		{"point reads, the largest", largest, million, "point reads of a known inventory", 1_000_001, 1999 * 1020 * time.Millisecond},
		{"pages one after the other", estimate.Hub{Tier: hub.TierS3, Latency: 100 * time.Millisecond}, million, "query of everybody", 10_001,
			9*100*time.Second + 100*time.Second + 100*time.Millisecond},
		{"modules, too", smallest, estimate.Fleet{Devices: 250, Selected: 250, Narrowed: -1, Modules: true}, "query of everybody", 5, 0},
		{"modules alone", smallest, estimate.Fleet{Devices: 250, Selected: -1, Narrowed: -1, Modules: true}, "query of everybody", 2, 0},
		{"nobody", smallest, estimate.Fleet{}, "query of everybody", 2, 0},
		{"a tier that is not known", estimate.Hub{}, million, "narrowed query", 203, 10 * 61200 * time.Millisecond},
		{"an export that is known", smallest, estimate.Fleet{Export: time.Hour}, "export job", 3, time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := way(t, estimate.Reading(test.hub, test.fleet), test.way)
			if got.Calls != test.calls || got.Takes != test.takes {
				t.Errorf("got %d calls in %s, want %d in %s", got.Calls, got.Takes, test.calls, test.takes)
			}
		})
	}
}

// TestWriting does the same of the ways to write.
func TestWriting(t *testing.T) {
	for _, test := range []struct {
		name  string
		hub   estimate.Hub
		twins int
		way   string
		calls int
		takes time.Duration
	}{
		{"patches", smallest, 10_000, "patch each twin under its etag", 10_003, 199 * 1020 * time.Millisecond},
		{"patches, ten units", tenUnits, 10_000, "patch each twin under its etag", 10_003, 199 * 1020 * time.Millisecond},
		{"patches, the largest", largest, 10_000, "patch each twin under its etag", 10_003, 39 * 1020 * time.Millisecond},
		{"bulk", smallest, 10_000, "bulk update of the registry, with etags", 100, 99 * 61200 * time.Millisecond},
		{"bulk, the largest", largest, 10_000, "bulk update of the registry, with etags", 100, 61200 * time.Millisecond},
		{"a job", smallest, 10_000, "twin update job", 2, 999 * time.Second},
		{"no job", smallest, 0, "twin update job", 0, 0},
		{"nothing", smallest, 0, "patch each twin under its etag", 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := way(t, estimate.Writing(test.hub, estimate.Changes{Twins: test.twins, AtOnce: 8}), test.way)
			if got.Calls != test.calls || got.Takes != test.takes {
				t.Errorf("got %d calls in %s, want %d in %s", got.Calls, got.Takes, test.calls, test.takes)
			}
		})
	}
}

// TestPick looks which way is picked, and why.
func TestPick(t *testing.T) {
	for _, test := range []struct {
		name      string
		hub       estimate.Hub
		fleet     estimate.Fleet
		want, why string
	}{
		{"what concerns somebody", smallest, estimate.Fleet{Devices: 100_000, Selected: 100_000, Narrowed: 2000, Counts: 2}, "narrowed query", "takes 49 min 59 s"},
		{"narrowing that costs more calls", smallest, estimate.Fleet{Devices: 100, Selected: 90, Narrowed: 80, Counts: 2}, "query of what rules select", "the next, query of everybody, takes 0 s"},
		{"a long query", smallest, estimate.Fleet{Devices: 1_000_000, Selected: 1_000_000, Narrowed: -1}, "export job", "query of what rules select, takes 8 h 29 min"},
		{"an export that does not tell enough", smallest, estimate.Fleet{Devices: 1_000_000, Selected: 1_000_000, Narrowed: -1, Unexported: []string{"connectionState"}},
			"query of what rules select", "the next, query of everybody, takes 8 h 29 min"},
		{"an export known to be slow", smallest, estimate.Fleet{Devices: 100_000, Selected: 100_000, Narrowed: -1, Export: 2 * time.Hour}, "query of what rules select", "the next, query of everybody"},
		{"an export known to be quick", smallest, estimate.Fleet{Devices: 100_000, Selected: 100_000, Narrowed: -1, Export: 2 * time.Minute}, "export job", "takes 49 min 59 s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ways := estimate.Reading(test.hub, test.fleet)
			best, why := estimate.Pick(ways)
			if ways[best].Name != test.want || !strings.Contains(why, test.why) {
				t.Errorf("got %s: %s, want %s: …%s…", ways[best].Name, why, test.want, test.why)
			}
		})
	}
	if best, why := estimate.Pick([]estimate.Way{{Barred: "x"}}); best >= 0 || why != "no way is complete enough" {
		t.Errorf("of none got %d: %s", best, why)
	}
	ways := estimate.Writing(smallest, estimate.Changes{Twins: 10_000})
	if best, _ := estimate.Pick(ways); ways[best].Command != "apply" {
		t.Errorf("writes are made by %s", ways[best].Name)
	}
}

func TestShow(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", time.Millisecond: "1 s", 59 * time.Second: "59 s", time.Minute: "1 min 00 s", 61200 * time.Millisecond: "1 min 02 s",
		59*time.Minute + 59*time.Second: "59 min 59 s", time.Hour: "1 h 00 min", time.Hour + time.Second: "1 h 01 min", 167 * time.Hour: "167 h 00 min",
	} {
		if got := estimate.Show(d); got != want {
			t.Errorf("%s is shown as %s, want %s", d, got, want)
		}
	}
}

func way(t *testing.T, ways []estimate.Way, name string) estimate.Way {
	for _, w := range ways {
		if w.Name == name {
			return w
		}
	}
	t.Fatalf("there is no way %q", name)
	return estimate.Way{}
}
