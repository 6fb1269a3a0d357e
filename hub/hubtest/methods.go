package hubtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// echo is a device that answers with what it was asked.
func echo(method string, payload json.RawMessage) (int, json.RawMessage) {
	if payload == nil {
		payload = json.RawMessage("null")
	}
	return 207, json.RawMessage(fmt.Sprintf(`{"method":%q,"payload":%s}`, method, payload))
}

// played returns a device that is online and echoes.
func (t *T) played(name string) twin.Ref {
	t.Helper()
	t.need(t.Play != nil, "a device that answers")
	ref := twin.Ref{Device: t.newDevice(name).ID}
	t.Play(t.T, ref, echo)
	return ref
}

func (t *T) wantEcho(status int, payload json.RawMessage, method, sent string) {
	t.Helper()
	want := fmt.Sprintf(`{"method":%q,"payload":%s}`, method, sent)
	if status != 207 || string(payload) != want {
		t.Errorf("got %d %s, want 207 %s", status, payload, want)
	}
}

func refusesMethod(code string, m hub.Method) func(*T) {
	return func(t *T) {
		t.need(t.Raw != nil, "requests of any kind")
		body := fmt.Sprintf(`{"methodName":%q,"responseTimeoutInSeconds":%d,"connectTimeoutInSeconds":%d}`,
			m.Name, m.ResponseTimeout/time.Second, m.ConnectTimeout/time.Second)
		t.wantRefusal(t.raw("POST", path("twins", t.device().Device, "methods"), nil, body), 400, code)
	}
}

// methodCases are about direct methods and the commands of models.
var methodCases = []*Case{
	{
		Name:  "a device answers a method",
		About: "Devices_InvokeMethod", Evidence: "DOC; SDK",
		Run: func(t *T) {
			ref := t.played("method")
			got, err := t.Client.NewRegistryClient().InvokeMethod(t.Context(), ref.Device, hub.Method{Name: "reboot", Payload: json.RawMessage(`{"in":[1.0]}`)}, nil)
			t.ok(err)
			t.wantEcho(got.Status, got.Payload, "reboot", `{"in":[1.0]}`)
		},
	},
	{
		Name:  "a method needs no payload",
		About: "Devices_InvokeMethod", Evidence: "DOC; SDK",
		Run: func(t *T) {
			ref := t.played("null")
			got, err := t.Client.NewRegistryClient().InvokeMethod(t.Context(), ref.Device, hub.Method{Name: "reboot", ResponseTimeout: 5 * time.Second}, nil)
			t.ok(err)
			t.wantEcho(got.Status, got.Payload, "reboot", "null")
		},
	},
	{
		Name:  "a module answers a method",
		About: "Modules_InvokeMethod", Evidence: "DOC; SDK",
		Run: func(t *T) {
			t.need(t.Play != nil, "a device that answers")
			m := t.newModule(t.newDevice("module").ID, "m")
			t.Play(t.T, twin.Ref{Device: m.DeviceID, Module: m.ID}, echo)
			got, err := t.Client.NewRegistryClient().InvokeModuleMethod(t.Context(), m.DeviceID, m.ID, hub.Method{Name: "reboot"}, nil)
			t.ok(err)
			t.wantEcho(got.Status, got.Payload, "reboot", "null")
		},
	},
	{
		Name:  "a device that is offline answers nothing",
		About: "Devices_InvokeMethod Modules_InvokeMethod", Evidence: "LIVE: 404 DeviceNotOnline, an envelope in an envelope",
		Run: func(t *T) {
			m := t.newModule(t.newDevice("offline").ID, "m")
			_, err := t.Client.NewRegistryClient().InvokeMethod(t.Context(), m.DeviceID, hub.Method{Name: "reboot"}, nil)
			t.wantError(err, nil, "DeviceNotOnline")
			_, err = t.Client.NewRegistryClient().InvokeModuleMethod(t.Context(), m.DeviceID, m.ID, hub.Method{Name: "reboot"}, nil)
			t.wantError(err, nil, "DeviceNotOnline")
		},
	},
	{
		Name:  "no device answers nothing",
		About: "Devices_InvokeMethod Modules_InvokeMethod", Evidence: "LIVE: 404 DeviceNotFound",
		Run: func(t *T) {
			id := t.freeDevice("none")
			_, err := t.Client.NewRegistryClient().InvokeMethod(t.Context(), id, hub.Method{Name: "reboot"}, nil)
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
			_, err = t.Client.NewRegistryClient().InvokeModuleMethod(t.Context(), id, "m", hub.Method{Name: "reboot"}, nil)
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
		},
	},
	{Name: "a method takes at least five seconds", About: "Devices_InvokeMethod", Evidence: "DOC: 5 to 300", Run: refusesMethod("ArgumentInvalid", hub.Method{Name: "m", ResponseTimeout: 4 * time.Second})},
	{Name: "a method takes at most five minutes", About: "Devices_InvokeMethod", Evidence: "DOC: 5 to 300", Run: refusesMethod("ArgumentInvalid", hub.Method{Name: "m", ResponseTimeout: 301 * time.Second})},
	{
		Name:  "connecting takes no longer than the method",
		About: "Devices_InvokeMethod", Evidence: "LIVE: 400 ArgumentInvalid",
		Run: refusesMethod("ArgumentInvalid", hub.Method{Name: "m", ResponseTimeout: 10 * time.Second, ConnectTimeout: 11 * time.Second}),
	},
	{
		Name:  "a payload of 128 KB is the most",
		About: "Devices_InvokeMethod", Evidence: "DOC",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			ref := t.played("large")
			body := `{"methodName":"m","payload":"` + strings.Repeat("x", 128<<10) + `"}`
			if got := t.raw("POST", path("twins", ref.Device, "methods"), nil, body); got.status < 400 {
				t.Errorf("got %d", got.status)
			}
		},
	},
	{
		Name:  "a command is a method",
		About: "DigitalTwin_InvokeRootLevelCommand", Evidence: "LIVE; DOC: under a shared access signature",
		Run: func(t *T) {
			ref := t.played("command")
			got, err := t.shared("iothubowner").NewDigitalTwinClient().InvokeCommand(t.Context(), ref.Device, "reboot", json.RawMessage(`5`), nil)
			t.ok(err)
			t.wantEcho(got.Status, got.Payload, "reboot", "5")
		},
	},
	{
		Name:  "a command of a component is a method with a star",
		About: "DigitalTwin_InvokeComponentCommand", Evidence: "LIVE; DOC: <component>*<command>",
		Run: func(t *T) {
			ref := t.played("component")
			got, err := t.shared("iothubowner").NewDigitalTwinClient().InvokeComponentCommand(t.Context(), ref.Device, "thermostat", "reboot", nil,
				&hub.DigitalTwinClientCommandOptions{ResponseTimeout: 10 * time.Second, ConnectTimeout: 5 * time.Second})
			t.ok(err)
			t.wantEcho(got.Status, got.Payload, "thermostat*reboot", "null")
		},
	},
	{
		Name:  "commands are refused to Entra",
		About: "DigitalTwin_InvokeRootLevelCommand DigitalTwin_InvokeComponentCommand", Evidence: "LIVE: 401 whatever the role; the method works",
		Run: func(t *T) {
			ref, c := t.played("entra"), t.Client.NewDigitalTwinClient()
			_, err := c.InvokeCommand(t.Context(), ref.Device, "reboot", nil, nil)
			t.wantError(err, twin.ErrDenied, "")
			_, err = c.InvokeComponentCommand(t.Context(), ref.Device, "thermostat", "reboot", nil, nil)
			t.wantError(err, twin.ErrDenied, "")
			got, err := t.Client.NewRegistryClient().InvokeMethod(t.Context(), ref.Device, hub.Method{Name: "thermostat*reboot"}, nil)
			t.ok(err)
			t.wantEcho(got.Status, got.Payload, "thermostat*reboot", "null")
		},
	},
	{
		Name:  "a device that is offline has no commands",
		About: "DigitalTwin_InvokeRootLevelCommand DigitalTwin_InvokeComponentCommand", Evidence: "INF: as for methods",
		Run: func(t *T) {
			c, id := t.shared("iothubowner").NewDigitalTwinClient(), t.newDevice("offline").ID
			_, err := c.InvokeCommand(t.Context(), id, "reboot", nil, nil)
			t.wantError(err, nil, "DeviceNotOnline")
			_, err = c.InvokeComponentCommand(t.Context(), id, "thermostat", "reboot", nil, nil)
			t.wantError(err, nil, "DeviceNotOnline")
		},
	},
}
