package hubtest

import (
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// refuses checks that the hub takes no patch of these desired properties.
func refuses(desired string) func(*T) {
	return func(t *T) {
		ref := t.device()
		before := t.read(ref)
		_, err := t.Client.PatchTwin(t.Context(), ref, twin.Patch{Desired: t.object(desired)}, "*")
		t.wantError(err, nil, "ArgumentInvalid")
		t.wantMoves(before, t.read(ref), "etag same, version +0, desired +0, reported +0")
	}
}

// nested returns an object of so many levels.
func nested(levels int) string {
	return strings.Repeat(`{"a":`, levels-1) + `{"b":1}` + strings.Repeat("}", levels-1)
}

// refusalCases are about what a hub does not do.
var refusalCases = []*Case{
	{
		Name:  "no device is not found",
		About: "Devices_GetTwin Devices_UpdateTwin", Evidence: "REC: 404 DeviceNotFound",
		Run: func(t *T) {
			ref := twin.Ref{Device: "tr-hubtest-no-such-device"}
			_, err := t.Client.Twin(t.Context(), ref)
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
			_, err = t.Client.PatchTwin(t.Context(), ref, twin.Patch{Tags: t.object(`{"a":1}`)}, "*")
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
		},
	},
	{
		Name:  "no module is not found, as a device",
		About: "Modules_GetTwin", Evidence: "LIVE: 404 DeviceNotFound for a module's twin too",
		Run: func(t *T) {
			_, err := t.Client.Twin(t.Context(), twin.Ref{Device: t.Module.Device, Module: "tr-hubtest-no-such-module"})
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
		},
	},
	{Name: "a key with a dot is refused", About: "Devices_UpdateTwin", Evidence: "DOC; LIVE", Run: refuses(`{"a.b":1}`)},
	{Name: "a key with a space is refused", About: "Devices_UpdateTwin", Evidence: "DOC; LIVE", Run: refuses(`{"a b":1}`)},
	{Name: "a null in an array is refused", About: "Devices_UpdateTwin", Evidence: "LIVE", Run: refuses(`{"a":[null]}`)},
	{Name: "a long string is refused", About: "Devices_UpdateTwin", Evidence: "DOC; LIVE: 4096 bytes", Run: refuses(`{"a":"` + strings.Repeat("x", 4097) + `"}`)},
	{Name: "deep nesting is refused", About: "Devices_UpdateTwin", Evidence: "DOC; LIVE: 10 levels", Run: refuses(nested(11))},
	{Name: "a large integer is refused", About: "Devices_UpdateTwin", Evidence: "DOC: 52 bits", Run: refuses(`{"a":4503599627370497}`)},
	{
		Name:  "ten levels are taken",
		About: "Devices_UpdateTwin", Evidence: "LIVE",
		Run: func(t *T) { t.patch(t.device(), "", nested(10)) },
	},
	{
		Name:  "a query that is none is refused",
		About: "Query_GetTwins", Evidence: "LIVE: 400 ArgumentInvalid",
		Run: func(t *T) {
			for _, err := range t.Client.Twins(t.Context(), "SELECT * FROM devices WHERE tags. = ") {
				t.wantError(err, nil, "ArgumentInvalid")
			}
		},
	},
}
