package hubtest

import (
	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// bulk does items and returns what came of them.
func (t *T) bulk(items ...hub.RegistryUpdate) hub.RegistryClientUpdateRegistryResponse {
	t.Helper()
	out, err := t.Client.NewRegistryClient().UpdateRegistry(t.Context(), items, nil)
	t.ok(err)
	return out
}

// wantDone checks that all of the items were done.
func (t *T) wantDone(out hub.RegistryClientUpdateRegistryResponse) {
	t.Helper()
	if !out.Successful || len(out.Errors) != 0 {
		t.Errorf("got %+v", out)
	}
}

// bulkCases are about many identities in one request.
var bulkCases = []*Case{
	{
		Name:  "devices are created together, with their twins",
		About: "BulkRegistry_UpdateRegistry", Evidence: "REC: desired $version 1, $lastUpdatedVersion 1 and $lastUpdated the year one",
		Run: func(t *T) {
			a, b := twin.Ref{Device: t.freeDevice("bulk-a")}, twin.Ref{Device: t.freeDevice("bulk-b")}
			t.wantDone(t.bulk(
				hub.RegistryUpdate{Mode: hub.ImportModeCreate, Ref: a, Tags: t.object(`{"a":1.0}`), Desired: t.object(`{"b":{"c":2}}`)},
				hub.RegistryUpdate{Mode: hub.ImportModeCreate, Ref: b, Status: "disabled", StatusReason: "spare"},
				hub.RegistryUpdate{Mode: hub.ImportModeCreate, Ref: twin.Ref{Device: a.Device, Module: "m"}, Tags: t.object(`{"m":true}`)}))
			tw := t.read(a)
			t.wantTags(tw, `{"a":1.0}`)
			t.wantWritten(tw, 1, "b", "c")
			if at, ok := tw.Updated("desired", "b", "c"); !ok || !at.IsZero() {
				t.Errorf("it was written at %v", at)
			}
			if tw.DesiredVersion() != 1 {
				t.Errorf("desired has version %d", tw.DesiredVersion())
			}
			t.wantTags(t.read(twin.Ref{Device: a.Device, Module: "m"}), `{"m":true}`)
			if status := t.read(b).Status; status != "disabled" {
				t.Errorf("the second is %s", status)
			}
		},
	},
	{
		Name:  "one that fails leaves the others done",
		About: "BulkRegistry_UpdateRegistry", Evidence: "REC: 400 with the body of a success",
		Run: func(t *T) {
			there, free := t.newDevice("bulk-there"), t.freeDevice("bulk-free")
			out := t.bulk(
				hub.RegistryUpdate{Mode: hub.ImportModeCreate, Ref: twin.Ref{Device: there.ID}},
				hub.RegistryUpdate{Mode: hub.ImportModeCreate, Ref: twin.Ref{Device: free}})
			if out.Successful || len(out.Errors) != 1 || out.Errors[0].Ref.Device != there.ID || out.Errors[0].Code != "DeviceAlreadyExists" {
				t.Errorf("got %+v", out)
			}
			t.wantNew(t.read(twin.Ref{Device: free}))
		},
	},
	{
		Name:  "twins are merged into together",
		About: "BulkRegistry_UpdateRegistry Devices_GetTwin", Evidence: "LIVE: updateTwin merges as PATCH does",
		Run: func(t *T) {
			ref := t.device()
			before := t.patch(ref, `{"a":{"b":1,"c":1}}`, `{"d":1}`)
			t.wantDone(t.bulk(hub.RegistryUpdate{Mode: hub.ImportModeUpdateTwin, Ref: ref, Tags: t.object(`{"a":{"b":null}}`), Desired: t.object(`{"e":2}`)}))
			after := t.read(ref)
			t.wantTags(after, `{"a":{"c":1}}`)
			t.wantMoves(before, after, "etag new, version +1, desired +1, reported +0")
		},
	},
	{
		Name:  "an old etag stops one twin of many",
		About: "BulkRegistry_UpdateRegistry", Evidence: "DOC: updateTwinIfMatchETag",
		Run: func(t *T) {
			one, other := t.emptied(t.Devices[0]), t.emptied(t.Devices[1])
			old := t.read(one).ETag
			t.patch(one, `{"a":1}`, "")
			out := t.bulk(
				hub.RegistryUpdate{Mode: hub.ImportModeUpdateTwinIfMatchETag, Ref: one, TwinETag: etagOf(old), Tags: t.object(`{"a":2}`)},
				hub.RegistryUpdate{Mode: hub.ImportModeUpdateTwinIfMatchETag, Ref: other, TwinETag: etagOf(t.read(other).ETag), Tags: t.object(`{"a":3}`)})
			if out.Successful || len(out.Errors) != 1 || out.Errors[0].Ref != one || out.Errors[0].Code != "PreconditionFailed" {
				t.Errorf("got %+v", out)
			}
			t.wantTags(t.read(one), `{"a":1}`)
			t.wantTags(t.read(other), `{"a":3}`)
		},
	},
	{
		Name:  "identities are updated together",
		About: "BulkRegistry_UpdateRegistry", Evidence: "MEAS: the modes that Node's client sends",
		Run: func(t *T) {
			d := t.newDevice("bulk-update")
			t.wantDone(t.bulk(hub.RegistryUpdate{Mode: hub.ImportModeUpdateIfMatchETag, Ref: twin.Ref{Device: d.ID}, ETag: d.ETag, Status: "disabled"}))
			out := t.bulk(hub.RegistryUpdate{Mode: hub.ImportModeUpdateIfMatchETag, Ref: twin.Ref{Device: d.ID}, ETag: d.ETag})
			if out.Successful || len(out.Errors) != 1 || out.Errors[0].Code != "PreconditionFailed" {
				t.Errorf("got %+v", out)
			}
			t.wantDone(t.bulk(hub.RegistryUpdate{Mode: hub.ImportModeUpdate, Ref: twin.Ref{Device: d.ID}}))
			if status := t.read(twin.Ref{Device: d.ID}).Status; status != "enabled" {
				t.Errorf("it is %s", status)
			}
		},
	},
	{
		Name:  "devices are deleted together",
		About: "BulkRegistry_UpdateRegistry Devices_GetTwin", Evidence: "REC: deleteIfMatchETag without an etag deletes too",
		Run: func(t *T) {
			a, b := twin.Ref{Device: t.newDevice("bulk-c").ID}, twin.Ref{Device: t.newDevice("bulk-d").ID}
			t.wantDone(t.bulk(hub.RegistryUpdate{Mode: hub.ImportModeDelete, Ref: a}, hub.RegistryUpdate{Mode: hub.ImportModeDeleteIfMatchETag, Ref: b}))
			for _, ref := range []twin.Ref{a, b} {
				_, err := t.Client.Twin(t.Context(), ref)
				t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
			}
		},
	},
	{
		Name:  "modes may be written in any case",
		About: "BulkRegistry_UpdateRegistry", Evidence: "MEAS: Node writes Delete, and the etag as etag",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			d := t.newDevice("bulk-case")
			got := t.raw("POST", "/devices", nil, `[{"id":"`+d.ID+`","importMode":"Delete","status":"enabled"}]`)
			if got.status != 200 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		},
	},
	{
		Name:  "more than a hundred are refused",
		About: "BulkRegistry_UpdateRegistry", Evidence: "DOC: 100 items",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			list := "["
			for range 101 {
				list += `{"id":"tr-hubtest-none","importMode":"delete","status":"enabled"},`
			}
			if got := t.raw("POST", "/devices", nil, list[:len(list)-1]+"]"); got.status < 400 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		},
	},
}
