package snapshot_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
)

const exportedDevice = `{"id":"pump-1","eTag":"MTIz","status":"enabled","authentication":{"symmetricKey":{"primaryKey":"SECRET"}},` +
	`"twinETag":"AAAAAAAAAAE=","tags":{"site":"muc"},"properties":{"desired":{"fan":3,"$metadata":{"$lastUpdated":"2026-11-20T01:02:03.1234567Z"},"$version":4},` +
	`"reported":{"$metadata":{"$lastUpdated":"2026-11-21T01:02:03Z"},"$version":9}},"capabilities":{"iotEdge":true},"modelId":null}`

const exportedTwin = `{"capabilities":{"iotEdge":true},"deviceEtag":"MTIz","deviceId":"pump-1","etag":"AAAAAAAAAAE=",` +
	`"properties":{"desired":{"$metadata":{"$lastUpdated":"2026-11-20T01:02:03.1234567Z"},"$version":4,"fan":3},` +
	`"reported":{"$metadata":{"$lastUpdated":"2026-11-21T01:02:03Z"},"$version":9}},"status":"enabled","tags":{"site":"muc"}}`

const exportedModule = `{"id":"pump-1","moduleId":"meter","twinETag":"AAAAAAAAAAI=","tags":null}`

func TestDevicesTxt(t *testing.T) {
	const warning = "The export was made with excludeKeysInExport: keys are left out, \"id\": 1.\n"
	module := `{"deviceId":"pump-1","etag":"AAAAAAAAAAI=","moduleId":"meter"}`
	tests := []struct {
		name, content string
		want          []string
	}{
		{"devices", exportedDevice + "\n", []string{exportedTwin}},
		{"no line end", exportedDevice, []string{exportedTwin}},
		{"a warning first", warning + exportedDevice + "\n", []string{exportedTwin}},
		{"modules on lines of their own", exportedDevice + "\n" + exportedModule + "\n", []string{exportedTwin, module}},
		{"line ends of Windows", warning + exportedDevice + "\r\n" + exportedModule + "\r\n\r\n", []string{exportedTwin, module}},
		{"blank lines in the end", exportedModule + "\n\n\n", []string{module}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "devices.txt")
			write(t, path, test.content)
			s := open(t, path)
			if diff := cmp.Diff(documents(t, s.All(t.Context())), test.want); diff != "" {
				t.Errorf("got (-) want (+):\n%s", diff)
			}
			if s.Format != "devices.txt" || s.Header.Twins != len(test.want) || !s.Complete || s.Hub != "" {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestTheNewestTimeOfAnExportIsWhenItWasTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "devices.txt")
	write(t, path, exportedDevice+"\n"+exportedModule+"\n")
	if got, want := open(t, path).TakenAt, time.Date(2026, 11, 21, 1, 2, 3, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	write(t, path, exportedModule)
	if got := open(t, path).TakenAt; !got.IsZero() {
		t.Errorf("nothing says when, got %v", got)
	}
}

func TestDevicesTxtThatIsWrong(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"cut off", exportedDevice + "\n" + exportedDevice[:200], "devices.txt:2: the file is cut off"},
		{"two ids", `{"id":"a","id":"b"}` + "\n", `devices.txt:1: read exported device: invalid JSON at offset 10: duplicate key "id"`},
		{"id in capitals", `{"id":"a"}` + "\n" + `{"ID":"b"}` + "\n", `devices.txt:2: read twin: deviceId "": `},
		{"text between", `{"id":"a"}` + "\n" + "warning\n", "devices.txt:2: read exported device: "},
		{"tags that are none", `{"id":"a","tags":[]}` + "\n", "devices.txt:1: read twin: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "devices.txt")
			write(t, path, test.content)
			if err := readAll(t, path); !contains(err, test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// state is a document as "az iot hub state export" writes it.
const state = `{
  "arm": {"resources": [{"name": "contoso", "properties": {"connectionString": "SECRET"}}]},
  "configurations": {
    "admConfigurations": {"fan": {
      "id": "fan", "etag": "MQ==", "labels": null, "priority": 10, "targetCondition": "tags.site='muc'",
      "content": {"deviceContent": {"properties.desired.fan": 3}},
      "metrics": {"queries": {"done": "SELECT"}, "results": {}},
      "systemMetrics": {"queries": {"targetedCount": "select"}, "results": {"targetedCount": 5}}}},
    "edgeDeployments": {}
  },
  "devices": {
    "pump-2": {"identity": {"status": "disabled", "connectionState": "Disconnected", "modelId": ""},
               "twin": {"properties": {"desired": {}}}},
    "pump-1": {
      "identity": {"authentication": {"symmetricKey": {"primaryKey": "SECRET"}}, "capabilities": {"iotEdge": true},
                   "status": "enabled", "modelId": "dtmi:contoso:Pump;1"},
      "modules": {
        "meter": {"identity": {"connectionState": "Connected"},
                  "twin": {"modelId": "dtmi:contoso:Meter;1", "status": "enabled", "tags": {"k": "4"}, "properties": {"desired": {"n": 1.0}}}},
        "$edgeHub": {"identity": {}, "twin": {}}},
      "parent": "edge-1",
      "twin": {"tags": {"site": "muc"}, "properties": {"desired": {"fan": 3}}}}
  }
}
`

func TestStateExport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	write(t, path, state)
	s := open(t, path)
	if s.Format != "az state export" || s.Header.Twins != 4 || s.Header.Configurations != 1 || !s.Complete {
		t.Errorf("got %+v", s)
	}
	want := []string{
		`{"connectionState":"Disconnected","deviceId":"pump-2","properties":{"desired":{}},"status":"disabled"}`,
		`{"capabilities":{"iotEdge":true},"deviceId":"pump-1","modelId":"dtmi:contoso:Pump;1","parentScopes":["ms-azure-iot-edge://edge-1-0"],"properties":{"desired":{"fan":3}},"status":"enabled","tags":{"site":"muc"}}`,
		`{"deviceId":"pump-1","moduleId":"$edgeHub"}`,
		`{"connectionState":"Connected","deviceId":"pump-1","modelId":"dtmi:contoso:Meter;1","moduleId":"meter","properties":{"desired":{"n":1.0}},"status":"enabled","tags":{"k":"4"}}`,
	}
	if diff := cmp.Diff(documents(t, s.All(t.Context())), want); diff != "" {
		t.Errorf("twins got (-) want (+):\n%s", diff)
	}
	configurations, err := collect(s.Configurations(t.Context()))
	wantConfigurations := []*twin.Configuration{{
		ID: "fan", ETag: "MQ==", Priority: 10, TargetCondition: "tags.site='muc'", Counts: map[string]int64{"targetedCount": 5},
		Metrics: map[string]string{"done": "SELECT"},
		Content: twin.Object{"deviceContent": twin.Object{"properties.desired.fan": json.Number("3")}},
	}}
	if diff := cmp.Diff(configurations, wantConfigurations); err != nil || diff != "" {
		t.Errorf("configurations %v, got (-) want (+):\n%s", err, diff)
	}
	for range s.All(t.Context()) {
		break
	}
}

func TestStateExportThatIsWrong(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"cut off", state[:len(state)-5], "state.json: the file is cut off"},
		{"cut off after a key", `{"devices":`, "state.json: the file is cut off"},
		{"text behind", state + "x", "state.json: at byte "},
		{"a list of devices", `{"devices":["` + "\x1b" + `"]}`, "state.json: at byte 12: something else where an object should stand"},
		{"device without a twin", `{"devices":{"a":3}}`, `device "a": `},
		{"bad id", `{"devices":{"a b":{}}}`, `device "a b": read twin: deviceId "a b": an id must not contain " "`},
		{"bad module", `{"devices":{"a":{"modules":{"m/":{}}}}}`, `device "a": read twin: moduleId "m/"`},
		{"duplicate key", `{"devices":{"a":{"twin":{"tags":{"x":1,"x":2}}}}}`, `device "a": `},
		{"bad configuration", `{"configurations":{"admConfigurations":{"a":{}}}}`, "read configuration: the id"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.json")
			write(t, path, test.content)
			if _, err := snapshot.Open(path); !contains(err, test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
