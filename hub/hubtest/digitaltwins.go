package hubtest

import (
	"encoding/json"
	"strings"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

func (t *T) digital(id string) twin.Object {
	t.Helper()
	got, err := t.Client.NewDigitalTwinClient().Get(t.Context(), id, nil)
	t.ok(err)
	return t.object(string(got.Twin))
}

// refusesDigital checks that a digital twin takes no such patch.
func refusesDigital(patch *hub.JSONPatch) func(*T) {
	return func(t *T) {
		ref := t.device()
		before := t.read(ref)
		_, err := t.Client.NewDigitalTwinClient().Update(t.Context(), ref.Device, *patch, nil)
		t.wantError(err, nil, "")
		t.wantMoves(before, t.read(ref), "etag same, version +0, desired +0, reported +0")
	}
}

func newPatch() *hub.JSONPatch { return &hub.JSONPatch{} }

// digitalTwinCases are about twins in the form of their models.
var digitalTwinCases = []*Case{
	{
		Name:  "every device has a digital twin",
		About: "DigitalTwin_GetDigitalTwin", Evidence: "LIVE; SDK: also without a model",
		Run: func(t *T) {
			ref := t.device()
			got, err := t.Client.NewDigitalTwinClient().Get(t.Context(), ref.Device, nil)
			t.ok(err)
			o := t.object(string(got.Twin))
			model, _ := o.Lookup("$metadata", "$model")
			if o["$dtId"] != ref.Device || model != "" || got.ETag != etagOf(t.read(ref).ETag) {
				t.Errorf("got ETag %s, %s", got.ETag, got.Twin)
			}
		},
	},
	{
		Name:  "no device has no digital twin",
		About: "DigitalTwin_GetDigitalTwin DigitalTwin_UpdateDigitalTwin", Evidence: "SDK: 404 DeviceNotFound",
		Run: func(t *T) {
			c, id := t.Client.NewDigitalTwinClient(), t.freeDevice("none")
			_, err := c.Get(t.Context(), id, nil)
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
			_, err = c.Update(t.Context(), id, *newPatch().Add(1, "a"), nil)
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
		},
	},
	{
		Name:  "a digital twin writes desired properties",
		About: "DigitalTwin_UpdateDigitalTwin Devices_GetTwin", Evidence: "DOC; SDK: 202, with ETag",
		Run: func(t *T) {
			ref := t.device()
			out, err := t.Client.NewDigitalTwinClient().Update(t.Context(), ref.Device, *newPatch().Add(json.Number("21.50"), "limit"), nil)
			t.ok(err)
			tw := t.read(ref)
			if out.ETag != etagOf(tw.ETag) {
				t.Errorf("got ETag %s, the twin has %s", out.ETag, tw.ETag)
			}
			t.wantDesired(ref, `{"limit":21.50}`)
			if v, _ := t.digital(ref.Device).Lookup("$metadata", "limit", "desiredValue"); v != json.Number("21.50") {
				t.Errorf("the digital twin says %v", v)
			}
		},
	},
	{
		Name:  "a component is marked in the device twin",
		About: "DigitalTwin_UpdateDigitalTwin DigitalTwin_GetDigitalTwin", Evidence: `DOC: "__t":"c", and "$metadata":{} in the patch`,
		Run: func(t *T) {
			ref := t.device()
			c := t.Client.NewDigitalTwinClient()
			value := map[string]any{"limit": 1, "$metadata": map[string]any{}}
			_, err := c.Update(t.Context(), ref.Device, *newPatch().Add(value, "thermostat"), nil)
			t.ok(err)
			_, err = c.Update(t.Context(), ref.Device, *newPatch().Replace(2, "thermostat", "limit"), nil)
			t.ok(err)
			t.wantDesired(ref, `{"thermostat":{"__t":"c","limit":2}}`)
			if _, ok := t.digital(ref.Device).Lookup("thermostat", "$metadata", "limit"); !ok {
				t.Error("the digital twin has no such component")
			}
		},
	},
	{
		Name:  "a property is removed from a digital twin",
		About: "DigitalTwin_UpdateDigitalTwin", Evidence: "DOC",
		Run: func(t *T) {
			ref := t.device()
			t.patch(ref, "", `{"limit":1,"kept":2}`)
			_, err := t.Client.NewDigitalTwinClient().Update(t.Context(), ref.Device, *newPatch().Remove("limit"), nil)
			t.ok(err)
			t.wantDesired(ref, `{"kept":2}`)
		},
	},
	{
		Name:  "what a device reports stands in its digital twin",
		About: "DigitalTwin_GetDigitalTwin", Evidence: "DOC: value, with ackCode and ackVersion in the metadata",
		Run: func(t *T) {
			t.need(t.Report != nil, "a device that reports")
			ref := t.device()
			t.ok(t.Report(ref, t.object(`{"limit":{"value":3,"ac":200,"av":1,"ad":"done"}}`)))
			o := t.digital(ref.Device)
			code, _ := o.Lookup("$metadata", "limit", "ackCode")
			if o["limit"] != number(3) || code != number(200) {
				t.Errorf("got %s", twin.Encode(o))
			}
			t.ok(t.Report(ref, t.object(`{"limit":null}`)))
		},
	},
	{
		Name:  "an old etag stops a write to a digital twin",
		About: "DigitalTwin_UpdateDigitalTwin", Evidence: "SWAG; MEAS: Node sends If-Match; INF: 412",
		Run: func(t *T) {
			ref := t.device()
			old := etagOf(t.read(ref).ETag)
			t.patch(ref, `{"a":1}`, "")
			_, err := t.Client.NewDigitalTwinClient().Update(t.Context(), ref.Device, *newPatch().Add(1, "limit"), &hub.DigitalTwinClientUpdateOptions{MatchConditions: ifMatch(old)})
			t.wantError(err, twin.ErrChanged, "PreconditionFailed")
		},
	},
	{Name: "a digital twin takes no arrays", About: "DigitalTwin_UpdateDigitalTwin", Evidence: "DOC", Run: refusesDigital(newPatch().Add([]int{1}, "a"))},
	{Name: "a digital twin takes letters, digits and underscores", About: "DigitalTwin_UpdateDigitalTwin", Evidence: "DOC", Run: refusesDigital(newPatch().Add(1, "a-b"))},
	{Name: "a digital twin takes names of 64 characters", About: "DigitalTwin_UpdateDigitalTwin", Evidence: "DOC", Run: refusesDigital(newPatch().Add(1, strings.Repeat("a", 65)))},
	{
		Name:  "a digital twin nests five deep",
		About: "DigitalTwin_UpdateDigitalTwin", Evidence: "DOC",
		Run: refusesDigital(newPatch().Add(json.RawMessage(`{"b":{"c":{"d":{"e":{"f":1}}}}}`), "a")),
	},
	{
		Name:  "a digital twin writes below components only",
		About: "DigitalTwin_UpdateDigitalTwin", Evidence: "DOC: 400 ArgumentInvalid, aka.ms/dtpatch",
		Run: func(t *T) {
			ref := t.device()
			t.patch(ref, "", `{"plain":{"a":1}}`)
			_, err := t.Client.NewDigitalTwinClient().Update(t.Context(), ref.Device, *newPatch().Add(1, "plain", "b"), nil)
			t.wantError(err, nil, "ArgumentInvalid")
		},
	},
	{
		Name:  "a digital twin knows three operations",
		About: "DigitalTwin_UpdateDigitalTwin", Evidence: "DOC: add, replace and remove",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			ref := t.device()
			t.wantRefusal(t.raw("PATCH", path("digitaltwins", ref.Device), nil, `[{"op":"test","path":"/a","value":1}]`), 400, "")
		},
	},
	{
		Name:  "an update of a digital twin says where it is",
		About: "DigitalTwin_UpdateDigitalTwin", Evidence: "SWAG: 202, with ETag and Location",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			ref := t.device()
			got := t.raw("PATCH", path("digitaltwins", ref.Device), nil, `[{"op":"add","path":"/limit","value":1}]`)
			if got.status != 202 || !strings.HasSuffix(got.header.Get("Location"), path("digitaltwins", ref.Device)) || got.header.Get("ETag") == "" {
				t.Errorf("got %d, %v", got.status, got.header)
			}
		},
	},
}
