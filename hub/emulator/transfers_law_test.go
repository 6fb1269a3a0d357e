package emulator

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/hub/twin"
)

// TestExportAndImport is a law: what is exported and imported into an empty hub
// has the same devices with the same tags and desired properties.
func TestExportAndImport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := bareHub(10), bareHub(10)
		for _, id := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c-1", "d+%_"}), rapid.ID).Draw(t, "ids") {
			entry := twin.Object{"id": id, "status": "enabled", "tags": twin.Merge(nil, sections().Draw(t, "tags")),
				"properties": twin.Object{"desired": twin.Merge(nil, sections().Draw(t, "desired"))}}
			_ = from.importLine(entry, morning) // some are refused for their keys
		}
		for line := range from.deviceLines(rapid.Bool().Draw(t, "without keys")) {
			o, err := twin.DecodeObject(line)
			if err != nil {
				continue // the warning
			}
			if failures := to.importLine(o, morning); len(failures) > 0 {
				t.Fatalf("%s: %v", line, failures)
			}
		}
		have, want := to.fleet.all(), from.fleet.all()
		if len(have) != len(want) {
			t.Fatalf("got %d twins, want %d", len(have), len(want))
		}
		for i, d := range want {
			a, b := d.parse(), have[i].parse()
			if a.Ref != b.Ref || !twin.Equal(a.Tags(), b.Tags()) || !twin.Equal(withoutHubKeys(a.Desired()), withoutHubKeys(b.Desired())) {
				t.Fatalf("got %s, want %s", have[i].json, d.json)
			}
		}
	})
}
