package emulator_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/emulator"
)

// pnp is a device of a model with a component.
const pnp = `{"deviceId":"d1","modelId":"dtmi:com:example:TemperatureController;1","properties":{` +
	`"desired":{"target":21,"thermostat1":{"__t":"c","targetTemperature":20.4},"$version":4,"$metadata":{"$lastUpdated":"2026-01-01T00:00:00Z","$lastUpdatedVersion":4,` +
	`"target":{"$lastUpdated":"2026-01-01T00:00:00Z","$lastUpdatedVersion":4},"thermostat1":{"$lastUpdated":"2026-01-01T00:00:00Z","$lastUpdatedVersion":4,` +
	`"__t":{"$lastUpdated":"2026-01-01T00:00:00Z","$lastUpdatedVersion":4},"targetTemperature":{"$lastUpdated":"2026-01-01T00:00:00Z","$lastUpdatedVersion":4}}}},` +
	`"reported":{"serialNumber":"alw","thermostat1":{"__t":"c","max":25.3,"targetTemperature":{"value":20.4,"ac":200,"av":4,"ad":"done"}},"$version":9,` +
	`"$metadata":{"$lastUpdated":"2026-01-02T00:00:00Z","serialNumber":{"$lastUpdated":"2026-01-02T00:00:00Z"},"thermostat1":{"$lastUpdated":"2026-01-03T00:00:00Z",` +
	`"__t":{"$lastUpdated":"2026-01-03T00:00:00Z"},"max":{"$lastUpdated":"2026-01-03T00:00:00Z"},"targetTemperature":{"$lastUpdated":"2026-01-03T00:00:00Z"}}}}}}`

func TestDigitalTwin(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(pnp, `{"deviceId":"plain"}`)})
	c := connect(t, e, 0)
	r := c.do("GET", "/digitaltwins/d1", "").want(200, "")
	want := `{"$dtId":"d1","$metadata":{"$model":"dtmi:com:example:TemperatureController;1","serialNumber":{"lastUpdateTime":"2026-01-02T00:00:00Z"},` +
		`"target":{"desiredValue":21,"desiredVersion":4,"lastUpdateTime":"2026-01-01T00:00:00Z"}},"serialNumber":"alw",` +
		`"thermostat1":{"$metadata":{"max":{"lastUpdateTime":"2026-01-03T00:00:00Z"},"targetTemperature":{"ackCode":200,"ackDescription":"done","ackVersion":4,` +
		`"desiredValue":20.4,"desiredVersion":4,"lastUpdateTime":"2026-01-03T00:00:00Z"}},"max":25.3,"targetTemperature":20.4}}`
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Error(diff)
	}
	if got := r.header.Get("ETag"); got != `"AAAAAAAAAAE="` {
		t.Errorf("got ETag %s", got)
	}
	c.do("GET", "/digitaltwins/plain", "").want(200, "").contains(`{"$dtId":"plain","$metadata":{"$model":""}}`)
	c.do("GET", "/digitaltwins/none", "").want(404, "DeviceNotFound")
}

func TestDigitalTwinPatch(t *testing.T) {
	for _, test := range []struct {
		name, body string
		status     int
		code, want string // in the desired properties, or in the refusal
	}{
		{"add", `[{"op":"add","path":"/fan","value":3}]`, 202, "", `{"fan":3,"target":21,"thermostat1":{"__t":"c","targetTemperature":20.4},`},
		{"replace", `[{"op":"replace","path":"/target","value":3}]`, 202, "", `{"target":3,`},
		{"replace what is only reported", `[{"op":"replace","path":"/serialNumber","value":"x"}]`, 202, "", `{"serialNumber":"x","target":21,`},
		{"remove", `[{"op":"remove","path":"/target"}]`, 202, "", `{"thermostat1":{"__t":"c","targetTemperature":20.4},`},
		{"in a component", `[{"op":"replace","path":"/thermostat1/targetTemperature","value":1}]`, 202, "", `"thermostat1":{"__t":"c","targetTemperature":1}`},
		{"remove in a component", `[{"op":"remove","path":"/thermostat1/targetTemperature"}]`, 202, "", `"thermostat1":{"__t":"c"}`},
		{"a new component", `[{"op":"add","path":"/t2","value":{"x":1,"$metadata":{}}}]`, 202, "", `"t2":{"__t":"c","x":1}`},
		{"in a component that is not there", `[{"op":"add","path":"/t2/x","value":1}]`, 202, "", `"t2":{"__t":"c","x":1}`},
		{"replacing an object leaves nothing of it", `[{"op":"add","path":"/o","value":{"a":1}},{"op":"replace","path":"/o","value":{"b":2}}]`, 202, "", `{"o":{"b":2},`},
		{"nothing", `[]`, 202, "", `{"target":21,`},
		{"all or none", `[{"op":"add","path":"/fan","value":3},{"op":"remove","path":"/none"}]`, 400, "InvalidDigitalTwinPatch", ""},
		{"no array", `{}`, 400, "InvalidDigitalTwinJsonPatch", ""},
		{"no JSON", `[`, 400, "IotHubFormatError", ""},
		{"no object", `[7]`, 400, "InvalidDigitalTwinJsonPatch", ""},
		{"other operation", `[{"op":"move","path":"/a","from":"/b"}]`, 400, "InvalidDigitalTwinJsonPatch", "move"},
		{"no value", `[{"op":"add","path":"/a"}]`, 400, "InvalidDigitalTwinJsonPatch", ""},
		{"no slash", `[{"op":"add","path":"a","value":1}]`, 400, "InvalidDigitalTwinPatchPath", ""},
		{"root", `[{"op":"add","path":"","value":1}]`, 400, "InvalidDigitalTwinPatchPath", ""},
		{"hub's name", `[{"op":"add","path":"/$metadata","value":1}]`, 400, "InvalidDigitalTwinPatchPath", ""},
		{"deep path", `[{"op":"add","path":"/a/b/c/d/e/f","value":1}]`, 400, "InvalidDigitalTwinPatchPath", ""},
		{"long name", `[{"op":"add","path":"/` + strings.Repeat("a", 65) + `","value":1}]`, 400, "InvalidDigitalTwinPatchPath", ""},
		{"wrong name inside", `[{"op":"add","path":"/a","value":{"b-c":1}}]`, 400, "InvalidDigitalTwinPatchPath", ""},
		{"array", `[{"op":"add","path":"/a","value":[1]}]`, 400, "InvalidDigitalTwinPatch", ""},
		{"array inside", `[{"op":"add","path":"/a","value":{"b":[1]}}]`, 400, "InvalidDigitalTwinPatch", ""},
		{"null inside", `[{"op":"add","path":"/a","value":{"b":null}}]`, 400, "InvalidDigitalTwinPatch", ""},
		{"deep value", `[{"op":"add","path":"/a","value":{"b":{"c":{"d":{"e":{"f":1}}}}}}]`, 400, "InvalidDigitalTwinPatch", ""},
		{"metadata in a property", `[{"op":"add","path":"/thermostat1/a","value":{"$metadata":{}}}]`, 400, "InvalidDigitalTwinPatch", ""},
		{"metadata that is not empty", `[{"op":"add","path":"/a","value":{"$metadata":{"x":1}}}]`, 400, "InvalidDigitalTwinPatch", ""},
		{"below a property", `[{"op":"add","path":"/target/a","value":1}]`, 400, "ArgumentInvalid", `'target' exists within the device twin and is not digital twin conformant property. Please refer to aka.ms/dtpatch`},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := start(t, &emulator.Options{Twins: fleet(pnp)})
			c := connect(t, e, 0)
			r := c.do("PATCH", "/digitaltwins/d1", test.body).want(test.status, test.code)
			if test.status != 202 {
				r.contains(test.want)
				c.do("GET", "/twins/d1", "").contains(`"etag":"AAAAAAAAAAE="`)
				return
			}
			if r.header.Get("ETag") != `"AAAAAAAAAAI="` || r.header.Get("Location") != "https://emu.azure-devices.net/digitaltwins/d1" || r.body != "" {
				t.Errorf("got %v %s", r.header, r.body)
			}
			c.do("GET", "/twins/d1", "").contains(test.want).contains(`"etag":"AAAAAAAAAAI="`)
		})
	}
}

func TestDigitalTwinIfMatch(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(pnp)})
	c := connect(t, e, 0)
	const body = `[{"op":"add","path":"/fan","value":3}]`
	c.do("PATCH", "/digitaltwins/d1", body, "If-Match", `"AAAAAAAAAAI="`).want(412, "PreconditionFailed")
	c.do("PATCH", "/digitaltwins/d1", body, "If-Match", `"AAAAAAAAAAE="`).want(202, "")
	c.do("PATCH", "/digitaltwins/d1", body, "If-Match", `*`).want(202, "")
	c.do("PATCH", "/digitaltwins/none", body).want(404, "DeviceNotFound")
}
