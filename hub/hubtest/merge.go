package hubtest

import (
	"strings"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// merges checks what becomes of tags that patches are merged into.
func merges(want string, patches ...string) func(*T) {
	return func(t *T) {
		ref := t.device()
		for _, p := range patches {
			t.patch(ref, p, "")
		}
		t.wantTags(t.read(ref), want)
	}
}

// mergeCases are about what a patch does.
var mergeCases = []*Case{
	{Name: "objects merge", About: "Devices_UpdateTwin", Evidence: "LIVE", Run: merges(`{"a":{"b":1,"c":2}}`, `{"a":{"b":1}}`, `{"a":{"c":2}}`)},
	{Name: "null deletes at any depth", About: "Devices_UpdateTwin", Evidence: "LIVE", Run: merges(`{"a":{"b":{"d":1}}}`, `{"a":{"b":{"c":1,"d":1}},"x":1}`, `{"a":{"b":{"c":null}},"x":null}`)},
	{Name: "an object that loses its last key stays", About: "Devices_UpdateTwin", Evidence: "LIVE", Run: merges(`{"a":{}}`, `{"a":{"b":1}}`, `{"a":{"b":null}}`)},
	{Name: "deleting what is not there leaves its object", About: "Devices_UpdateTwin", Evidence: "LIVE", Run: merges(`{"a":{}}`, `{"a":{"b":null}}`)},
	{Name: "arrays are replaced whole", About: "Devices_UpdateTwin", Evidence: "LIVE", Run: merges(`{"a":[3]}`, `{"a":[1,2]}`, `{"a":[3]}`)},
	{Name: "types may change", About: "Devices_UpdateTwin", Evidence: "LIVE", Run: merges(`{"a":{"b":1},"c":"x"}`, `{"a":1,"c":{"d":1}}`, `{"a":{"b":1},"c":"x"}`)},
	{Name: "numbers keep their spelling", About: "Devices_UpdateTwin", Evidence: "LIVE", Run: merges(`{"a":1.0,"b":1,"c":4503599627370495}`, `{"a":1.0,"b":1,"c":4503599627370495}`)},
	{Name: "text survives", About: "Devices_UpdateTwin", Evidence: "LIVE", Run: merges(`{"a":"ü 😀 \" \\ <b>&"}`, `{"a":"ü 😀 \" \\ <b>&"}`)},
	{
		Name:  "no tags is no member",
		About: "Devices_UpdateTwin", Evidence: "REC; INT (az iot)",
		Run: func(t *T) {
			ref := t.device()
			t.patch(ref, `{"a":1}`, "")
			if tw := t.patch(ref, `{"a":null}`, ""); strings.Contains(string(tw.JSON()), `"tags"`) {
				t.Errorf("got %s", tw.JSON())
			}
		},
	},
	{
		Name:  "a replacement empties what it lacks",
		About: "Devices_ReplaceTwin", Evidence: "LIVE: wipes everything else",
		Run: func(t *T) {
			ref := t.device()
			t.patch(ref, `{"a":1}`, `{"b":1}`)
			out, err := t.Client.NewRegistryClient().ReplaceTwin(t.Context(), ref.Device, hub.TwinContent{Tags: t.object(`{"c":1}`)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.wantTags(out.Twin, `{"c":1}`)
			if _, stays := out.Desired()["b"]; stays {
				t.Errorf("desired is still %s", twin.Encode(out.Desired()))
			}
		},
	},
	{
		Name:  "a module has a twin of its own",
		About: "Modules_GetTwin Modules_UpdateTwin Modules_ReplaceTwin", Evidence: "REC",
		Run: func(t *T) {
			device := t.emptied(t.Module.Device)
			_, err := t.Client.NewRegistryClient().ReplaceModuleTwin(t.Context(), t.Module.Device, t.Module.Module, hub.TwinContent{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.patch(t.Module, `{"a":1}`, "")
			t.wantTags(t.read(t.Module), `{"a":1}`)
			t.wantTags(t.read(device), `{}`)
		},
	},
	{
		Name:  "ids of all characters work",
		About: "Devices_GetTwin Devices_ReplaceTwin Devices_UpdateTwin", Evidence: "DOC; MEAS: the alphabet of ids",
		Run: func(t *T) {
			for _, id := range t.Devices {
				ref := t.emptied(id)
				t.patch(ref, `{"me":true}`, "")
				if got := t.read(ref).Ref; got != ref {
					t.Errorf("asked for %s, got %s", ref, got)
				}
			}
		},
	},
}
