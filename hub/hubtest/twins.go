package hubtest

import (
	"encoding/json"
	"strings"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// twinCases are about what a twin is when it is new, and what stands in it.
var twinCases = []*Case{
	{
		Name:  "a new device has a new twin",
		About: "Devices_GetTwin", Evidence: "REC: etag AAAAAAAAAAE=, version 2, both $versions 1",
		Run: func(t *T) {
			t.wantNew(t.read(twin.Ref{Device: t.newDevice("new").ID}))
		},
	},
	{
		Name:  "a new module has a new twin",
		About: "Modules_GetTwin", Evidence: "REC",
		Run: func(t *T) {
			m := t.newModule(t.newDevice("new").ID, "m")
			t.wantNew(t.read(twin.Ref{Device: m.DeviceID, Module: m.ID}))
		},
	},
	{
		Name:  "a twin shows the etag of its identity",
		About: "Devices_GetTwin Devices_CreateOrUpdateIdentity", Evidence: "REC; LIVE: an identity's write leaves etag and version of the twin",
		Run: func(t *T) {
			d := t.newDevice("etags")
			before := t.read(twin.Ref{Device: d.ID})
			if before.DeviceETag != strings.Trim(string(d.ETag), `"`) {
				t.Errorf("the twin has %s, the identity %s", before.DeviceETag, d.ETag)
			}
			t.update(d)
			after := t.read(twin.Ref{Device: d.ID})
			t.wantMoves(before, after, "etag same, version +0, desired +0, reported +0")
			if after.DeviceETag == before.DeviceETag {
				t.Errorf("the identity's etag is still %s", after.DeviceETag)
			}
		},
	},
	{
		Name:  "a twin shows whether its device is enabled",
		About: "Devices_GetTwin Devices_CreateOrUpdateIdentity", Evidence: "REC",
		Run: func(t *T) {
			d := t.newDevice("status")
			d.Status, d.StatusReason = "disabled", "for a test"
			t.update(d)
			o := t.document(t.read(twin.Ref{Device: d.ID}))
			if o["status"] != "disabled" || o["statusReason"] != "for a test" {
				t.Errorf("got %v, %v", o["status"], o["statusReason"])
			}
		},
	},
	{
		Name:  "all writes but reports leave reported properties",
		About: "Devices_ReplaceTwin Devices_UpdateTwin", Evidence: "REC: SDKs send whole twins, of which the hub takes tags and desired",
		Run: func(t *T) {
			t.need(t.Report != nil, "a device that reports")
			ref := t.device()
			t.ok(t.Report(ref, t.object(`{"kept":1.50}`)))
			t.patch(ref, "", `{"a":1}`)
			out, err := t.Client.NewRegistryClient().ReplaceTwin(t.Context(), ref.Device, hub.TwinContent{}, nil)
			t.ok(err)
			if got := out.Reported()["kept"]; got != json.Number("1.50") {
				t.Errorf("got %v in %s", got, out.JSON())
			}
		},
	},
	{
		Name:  "each desired value says in which version it was written",
		About: "Devices_UpdateTwin", Evidence: "REC: $lastUpdatedVersion",
		Run: func(t *T) {
			ref := t.device()
			first := t.patch(ref, "", `{"a":{"b":1},"c":[{"d":1}]}`)
			tw := t.patch(ref, "", `{"a":{"e":2}}`)
			t.wantWritten(tw, first.DesiredVersion(), "a", "b")
			t.wantWritten(tw, tw.DesiredVersion(), "a", "e")
			t.wantWritten(tw, tw.DesiredVersion(), "a")
			if got := t.metadata(tw, "c", "d"); got != nil {
				t.Errorf("metadata inside an array: %v", got)
			}
		},
	},
	{
		Name:  "what a client sends beside tags and desired is ignored",
		About: "Devices_UpdateTwin", Evidence: "REC: SDKs send whole twins",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			ref := t.device()
			before := t.read(ref)
			body := `{"deviceId":"other","etag":"x","version":99,"status":"disabled","tags":{"a":1},
				"properties":{"desired":{"$version":99,"$metadata":{"x":1}},"reported":{"r":1}}}`
			if got := t.raw("PATCH", path("twins", ref.Device), nil, body); got.status != 200 {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			after := t.read(ref)
			t.wantTags(after, `{"a":1}`)
			if after.Status != before.Status || after.Version != before.Version+1 || after.Reported()["r"] != nil {
				t.Errorf("got %s", after.JSON())
			}
		},
	},
	{
		Name:  "a twin has no ETag header",
		About: "Devices_GetTwin Devices_UpdateTwin", Evidence: "REC: its etag is in the body only",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			at := path("twins", t.device().Device)
			for _, got := range []reply{t.raw("GET", at, nil, ""), t.raw("PATCH", at, nil, `{"tags":{"a":1}}`)} {
				if got.status != 200 || got.header.Get("ETag") != "" {
					t.Errorf("got %d, %q", got.status, got.header.Get("ETag"))
				}
			}
		},
	},
	{
		Name:  "two quotes are no If-Match",
		About: "Devices_UpdateTwin", Evidence: "REC: so the .NET client says none",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			got := t.raw("PATCH", path("twins", t.device().Device), header("If-Match", `""`), `{"tags":{"a":1}}`)
			if got.status != 200 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		},
	},
	{
		Name:  "a star in quotes is any etag",
		About: "Devices_UpdateTwin", Evidence: "MEAS: so Node and Python say any",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			got := t.raw("PATCH", path("twins", t.device().Device), header("If-Match", `"*"`), `{"tags":{"a":1}}`)
			if got.status != 200 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		},
	},
	{
		Name:  "an old etag stops a replacement",
		About: "Devices_ReplaceTwin", Evidence: "REC: 412 PreconditionFailed",
		Run: func(t *T) {
			ref := t.device()
			old := t.read(ref).ETag
			t.patch(ref, `{"a":1}`, "")
			_, err := t.Client.NewRegistryClient().ReplaceTwin(t.Context(), ref.Device, hub.TwinContent{},
				&hub.RegistryClientUpdateTwinOptions{MatchConditions: ifMatch(etagOf(old))})
			t.wantError(err, twin.ErrChanged, "PreconditionFailed")
			t.wantTags(t.read(ref), `{"a":1}`)
		},
	},
	{
		Name:  "what is not there cannot be written",
		About: "Devices_ReplaceTwin Modules_ReplaceTwin Modules_UpdateTwin", Evidence: "LIVE: 404 DeviceNotFound for modules too",
		Run: func(t *T) {
			c, m := t.Client.NewRegistryClient(), twin.Ref{Device: t.Module.Device, Module: "tr-hubtest-none"}
			_, err := c.ReplaceTwin(t.Context(), "tr-hubtest-none", hub.TwinContent{}, nil)
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
			_, err = c.ReplaceModuleTwin(t.Context(), m.Device, m.Module, hub.TwinContent{}, nil)
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
			_, err = t.Client.PatchTwin(t.Context(), m, twin.Patch{Tags: t.object(`{"a":1}`)}, "*")
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
		},
	},
	{
		Name:  "a device made anew has a new twin",
		About: "Devices_GetTwin Devices_UpdateTwin Devices_DeleteIdentity", Evidence: "REC; LIVE: generationId tells the two apart",
		Run: func(t *T) {
			before := t.newDevice("again")
			old := t.patch(twin.Ref{Device: before.ID}, `{"a":1}`, "").ETag
			after := t.newDevice("again")
			if after.GenerationID == before.GenerationID || after.GenerationID == "" {
				t.Errorf("the generation was %s and is %s", before.GenerationID, after.GenerationID)
			}
			t.wantNew(t.read(twin.Ref{Device: after.ID}))
			_, err := t.Client.PatchTwin(t.Context(), twin.Ref{Device: after.ID}, twin.Patch{Tags: t.object(`{"a":2}`)}, old)
			t.wantError(err, twin.ErrChanged, "PreconditionFailed")
		},
	},
	{
		Name:  "a new twin has no scopes",
		About: "Devices_GetTwin", Evidence: "LIVE: left out when there are none",
		Run: func(t *T) {
			o := t.document(t.read(twin.Ref{Device: t.newDevice("scopes").ID}))
			for _, name := range []string{"deviceScope", "parentScopes", "tags", "statusReason"} {
				if _, exists := o[name]; exists {
					t.Errorf("%s is %v", name, o[name])
				}
			}
		},
	},
	{
		Name:  "sections of a new twin say when they were made",
		About: "Devices_GetTwin Modules_GetTwin", Evidence: "REC: of a module it is the year one",
		Run: func(t *T) {
			m := t.newModule(t.newDevice("sections").ID, "m")
			if at, ok := t.read(twin.Ref{Device: m.DeviceID}).Updated("desired"); !ok || at.IsZero() {
				t.Errorf("the device's is of %v", at)
			}
			if at, _ := t.read(twin.Ref{Device: m.DeviceID, Module: m.ID}).Updated("desired"); !at.IsZero() {
				t.Errorf("the module's is of %v", at)
			}
		},
	},
	{
		Name:  "keys may be empty or of any letters",
		About: "Devices_UpdateTwin", Evidence: "LIVE",
		Run: func(t *T) {
			ref := t.device()
			t.patch(ref, `{"":1,"größe":2,"温度":3}`, `{"":1,"größe":2}`)
			t.wantTags(t.read(ref), `{"":1,"größe":2,"温度":3}`)
		},
	},
	{
		Name:  "a text of 4096 bytes is taken",
		About: "Devices_UpdateTwin", Evidence: "DOC; LIVE",
		Run: func(t *T) { t.patch(t.device(), "", `{"a":"`+strings.Repeat("x", 4096)+`"}`) },
	},
	{
		Name:  "sections have sizes",
		About: "Devices_UpdateTwin", Evidence: "DOC: tags 8 KB, desired 32 KB",
		Run: func(t *T) {
			text := `":"` + strings.Repeat("x", 4000) + `"`
			t.patch(t.device(), "", `{"a`+text+`,"b`+text+`,"c`+text+`}`)
			t.need(t.Raw != nil, "requests of any kind")
			got := t.raw("PATCH", path("twins", t.Devices[0]), nil, `{"tags":{"a`+text+`,"b`+text+`,"c`+text+`}}`)
			t.wantRefusal(got, 400, "ArgumentInvalid")
		},
	},
}

func (t *T) wantNew(tw *twin.Twin) {
	t.Helper()
	if tw.ETag != "AAAAAAAAAAE=" || tw.Version != 2 || tw.DesiredVersion() != 1 || reportedVersion(tw) != 1 || t.document(tw)["tags"] != nil {
		t.Errorf("got %s", tw.JSON())
	}
}

// document returns the twin with the members that [twin.Twin] has no fields for.
func (t *T) document(tw *twin.Twin) twin.Object {
	t.Helper()
	return t.object(string(tw.JSON()))
}

func (t *T) metadata(tw *twin.Twin, path ...string) any {
	t.Helper()
	v, _ := t.document(tw).Lookup(append([]string{"properties", "desired", "$metadata"}, path...)...)
	return v
}

func (t *T) wantWritten(tw *twin.Twin, version int64, path ...string) {
	t.Helper()
	if meta, _ := t.metadata(tw, path...).(twin.Object); meta["$lastUpdatedVersion"] != number(version) {
		t.Errorf("%s: got %v, want version %d", strings.Join(path, "."), meta, version)
	}
}
