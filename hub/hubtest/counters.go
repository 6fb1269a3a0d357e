package hubtest

import (
	"encoding/json"

	"github.com/twinrules/twinrules/hub/twin"
)

func reportedVersion(t *twin.Twin) int64 {
	n, _ := t.Reported()["$version"].(json.Number)
	v, _ := n.Int64()
	return v
}

func (t *T) wantMoves(before, after *twin.Twin, want string) {
	t.Helper()
	if got := moves(before, after); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// counterCases are about etags and versions, on which the safety of writes rests.
var counterCases = []*Case{
	{
		Name:  "tags move etag and version",
		About: "Devices_UpdateTwin", Evidence: "REC; INT (az iot): a patch of tags leaves desired's version",
		Run: func(t *T) {
			ref := t.device()
			before := t.read(ref)
			t.wantMoves(before, t.patch(ref, `{"a":1}`, ""), "etag new, version +1, desired +0, reported +0")
		},
	},
	{
		Name:  "desired moves etag and both versions",
		About: "Devices_UpdateTwin", Evidence: "REC",
		Run: func(t *T) {
			ref := t.device()
			before := t.read(ref)
			t.wantMoves(before, t.patch(ref, "", `{"a":1}`), "etag new, version +1, desired +1, reported +0")
		},
	},
	{
		Name:  "the same values again still move versions",
		About: "Devices_UpdateTwin", Evidence: "INT (az iot): repeating a desired patch counts",
		Run: func(t *T) {
			ref := t.device()
			before := t.patch(ref, "", `{"a":1}`)
			t.wantMoves(before, t.patch(ref, "", `{"a":1}`), "etag new, version +1, desired +1, reported +0")
		},
	},
	{
		Name:  "a report moves versions but not the etag",
		About: "Devices_GetTwin Devices_UpdateTwin", Evidence: "SDK: a fixture of az iot central, against a possible reading of the documentation",
		Run: func(t *T) {
			t.need(t.Report != nil, "a device that reports")
			ref := t.device()
			before := t.read(ref)
			if err := t.Report(ref, t.object(`{"a":1}`)); err != nil {
				t.Fatal(err)
			}
			after := t.read(ref)
			t.wantMoves(before, after, "etag same, version +1, desired +0, reported +1")
			if _, err := t.Client.PatchTwin(t.Context(), ref, twin.Patch{Tags: t.object(`{"a":1}`)}, before.ETag); err != nil {
				t.Errorf("a write guarded by the etag from before the report: %v", err)
			}
		},
	},
	{
		Name:  "the answer to a write is the twin as read",
		About: "Devices_UpdateTwin Devices_GetTwin", Evidence: "REC",
		Run: func(t *T) {
			ref := t.device()
			after, again := t.patch(ref, `{"a":{"b":[1,"x"]}}`, `{"c":null,"d":2}`), t.read(ref)
			if after.ETag != again.ETag || after.Version != again.Version || !twin.Equal(after.Tags(), again.Tags()) || !twin.Equal(after.Desired(), again.Desired()) {
				t.Errorf("answered %s\nread     %s", after.JSON(), again.JSON())
			}
		},
	},
	{
		Name:  "desired values know when they changed",
		About: "Devices_UpdateTwin", Evidence: "REC",
		Run: func(t *T) {
			ref := t.device()
			tw := t.patch(ref, "", `{"a":{"b":1}}`)
			at, ok := tw.Updated("desired", "a", "b")
			if !ok || at.IsZero() {
				t.Errorf("no time for desired.a.b in %s", tw.JSON())
			}
		},
	},
}
