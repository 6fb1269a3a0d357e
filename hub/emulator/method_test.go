package emulator_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// A pump is a device that keeps what it is told. It answers methods as the
// method's name says.
type pump struct {
	told    []string
	reports twin.Object
	got     []string
	settle  emulator.Settlement
}

func (p *pump) Invoke(method string, payload json.RawMessage) emulator.MethodResult {
	p.got = append(p.got, fmt.Sprintf("%s %s", method, payload))
	switch method {
	case "late":
		return emulator.MethodResult{Status: 200, After: 6 * time.Second}
	case "mute":
		return emulator.MethodResult{After: emulator.Never}
	case "huge":
		return emulator.MethodResult{Status: 200, Payload: []byte(`"` + strings.Repeat("x", 128<<10) + `"`)}
	case "odd":
		return emulator.MethodResult{Status: -7, Payload: []byte("\x00 no JSON")}
	case "quiet":
		return emulator.MethodResult{Status: 204}
	}
	return emulator.MethodResult{Status: 200, Payload: payload}
}

func (p *pump) Update(desired twin.Object) twin.Object {
	p.told = append(p.told, string(twin.Encode(desired["$version"])))
	return p.reports
}

func (p *pump) Receive(m emulator.Message) emulator.Settlement {
	p.got = append(p.got, string(m.Body))
	return p.settle
}

var d1, d1m = twin.Ref{Device: "d1"}, twin.Ref{Device: "d1", Module: "m"}

func online(t testing.TB, e *emulator.Emulator, ref twin.Ref, d emulator.Device) {
	t.Helper()
	if err := e.Connect(ref, d); err != nil {
		t.Fatal(err)
	}
}

func TestMethods(t *testing.T) {
	e := start(t, &emulator.Options{Now: newClock().now, Twins: fleet(`{"deviceId":"d1"}`, `{"deviceId":"d1","moduleId":"m"}`, `{"deviceId":"off"}`)})
	c := connect(t, e, 0)
	online(t, e, d1, &pump{})
	online(t, e, d1m, &pump{})
	const path = "/twins/d1/methods"
	big := `"` + strings.Repeat("x", 128<<10) + `"`
	run(t, c.do, []step{
		{"echo", "POST", path, `{"methodName":"echo","payload":{"a":1.50},"responseTimeoutInSeconds":5,"connectTimeoutInSeconds":5}`, "", 200, "", `{"status":200,"payload":{"a":1.50}}`},
		{"of a module", "POST", "/twins/d1/modules/m/methods", `{"methodName":"echo","payload":null}`, "", 200, "", `{"status":200,"payload":null}`},
		{"no payload back", "POST", path, `{"methodName":"quiet"}`, "", 200, "", `{"status":204,"payload":null}`},
		{"no JSON back", "POST", path, `{"methodName":"odd"}`, "", 200, "", `{"status":-7,"payload":"\u0000 no JSON"}`},
		{"late but in time", "POST", path, `{"methodName":"late"}`, "", 200, "", `{"status":200`},
		{"too late", "POST", path, `{"methodName":"late","responseTimeoutInSeconds":5}`, "", 504, "GatewayTimeout", `{"Message":"{\"errorCode\":504101`},
		{"no answer", "POST", path, `{"methodName":"mute"}`, "", 504, "GatewayTimeout", ""},
		{"huge answer", "POST", path, `{"methodName":"huge"}`, "", 413, "MessageTooLarge", ""},
		{"huge payload", "POST", path, `{"methodName":"echo","payload":` + big + `}`, "", 413, "MessageTooLarge", ""},
		{"offline", "POST", "/twins/off/methods", `{"methodName":"echo"}`, "", 404, "DeviceNotOnline", `{"Message":"{\"errorCode\":404103,\"message\":\"The operation failed because the requested device isn't online.`},
		{"missing", "POST", "/twins/none/methods", `{"methodName":"echo"}`, "", 404, "DeviceNotFound", `"errorCode":404001`},
		{"no name", "POST", path, `{}`, "", 400, "ArgumentNull", ""},
		{"no JSON", "POST", path, `{`, "", 400, "IotHubFormatError", ""},
		{"wrong type", "POST", path, `{"methodName":7}`, "", 400, "ArgumentInvalid", ""},
		{"short response timeout", "POST", path, `{"methodName":"echo","responseTimeoutInSeconds":4}`, "", 400, "ArgumentInvalid", "5 to 300"},
		{"long response timeout", "POST", path, `{"methodName":"echo","responseTimeoutInSeconds":301}`, "", 400, "ArgumentInvalid", "5 to 300"},
		{"long connect timeout", "POST", path, `{"methodName":"echo","connectTimeoutInSeconds":301}`, "", 400, "ArgumentInvalid", "0 to 300"},
		{"connect longer than response", "POST", path, `{"methodName":"echo","responseTimeoutInSeconds":5,"connectTimeoutInSeconds":6}`, "", 400, "ArgumentInvalid", "cannot be longer than an overall call timeout"},
	})
	e.Disconnect(d1)
	c.do("POST", path, `{"methodName":"echo"}`).want(404, "DeviceNotOnline")
}

func TestConnections(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Twins: fleet(`{"deviceId":"d1"}`, `{"deviceId":"off","status":"disabled"}`)})
	c := connect(t, e, 0)
	born, _ := e.Twin(d1)
	p := &pump{reports: twin.Object{"fan": "on"}}
	online(t, e, d1, p)
	c.do("GET", "/twins/d1", "").contains(`"connectionState":"Connected","lastActivityTime":"2026-03-01T12:00:00.1234567Z"`)
	c.do("GET", "/devices/d1", "").contains(`"connectionState":"Connected"`).contains(`"connectionStateUpdatedTime":"2026-03-01T12:00:00.1234567Z"`)
	c.do("GET", "/statistics/service", "").contains(`{"connectedDeviceCount":1}`)
	now, _ := e.Twin(d1)
	if now.ETag != born.ETag || now.DeviceETag != born.DeviceETag || now.Version != born.Version+1 || now.Reported()["fan"] != "on" {
		t.Errorf("after connecting and one report: %s", now.JSON())
	}

	c.do("PATCH", "/twins/d1", `{"properties":{"desired":{"a":1}}}`).want(200, "")
	c.do("PATCH", "/twins/d1", `{"tags":{"a":1}}`).want(200, "")
	if err := e.Patch(d1, twin.Patch{Desired: twin.Object{"a": number(2)}}); err != nil {
		t.Fatal(err)
	}
	e.CatchUp()
	if got := strings.Join(p.told, " "); got != "1 2 3" {
		t.Errorf("the device was told of %s, want of each version once", got)
	}

	clock.pass(time.Minute)
	e.Disconnect(d1)
	c.do("GET", "/twins/d1", "").contains(`"connectionState":"Disconnected","lastActivityTime":"2026-03-01T12:00:00.1234567Z"`)
	c.do("PATCH", "/twins/d1", `{"properties":{"desired":{"a":3}}}`).want(200, "")
	c.do("GET", "/twins/d1", "")
	online(t, e, d1, p)
	e.CatchUp()
	if got := strings.Join(p.told, " "); got != "1 2 3 4" {
		t.Errorf("the device was told of %s, want of what it missed", got)
	}

	c.do("PUT", "/devices/d1", `{"deviceId":"d1","status":"disabled"}`, "If-Match", "*").want(200, "")
	c.do("GET", "/twins/d1", "").contains(`"connectionState":"Disconnected"`)
	for ref, want := range map[twin.Ref]error{d1: twin.ErrDenied, {Device: "off"}: twin.ErrDenied, {Device: "none"}: twin.ErrNotFound} {
		if err := e.Connect(ref, p); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", ref, err, want)
		}
	}
}

func number(n int) json.Number { return json.Number(fmt.Sprint(n)) }

func TestModulesOfADisabledDeviceGo(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(`{"deviceId":"d1"}`, `{"deviceId":"d1","moduleId":"m"}`)})
	c := connect(t, e, 0)
	for _, devices := range [][]twin.Ref{{d1m}, {d1, d1m}} {
		for _, ref := range devices {
			online(t, e, ref, &pump{})
		}
		c.do("PUT", "/devices/d1", `{"deviceId":"d1","status":"disabled"}`, "If-Match", "*").want(200, "")
		for _, path := range []string{"/twins/d1", "/twins/d1/modules/m"} {
			c.do("GET", path, "").contains(`"connectionState":"Disconnected"`)
		}
		c.do("PUT", "/devices/d1", `{"deviceId":"d1"}`, "If-Match", "*").want(200, "")
	}
}

// TestWrongReports are of a device that reports what a hub refuses.
func TestWrongReports(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(`{"deviceId":"d1"}`)})
	online(t, e, d1, &pump{reports: twin.Object{"a.b": true}})
	e.CatchUp()
	if got, _ := e.Twin(d1); len(got.Reported()) != 2 {
		t.Errorf("got reported %v", got.Reported())
	}
}

func TestDeletedDevicesAreGone(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(`{"deviceId":"d1"}`)})
	c := connect(t, e, 0)
	online(t, e, d1, &pump{})
	c.do("DELETE", "/devices/d1", "", "If-Match", "*").want(204, "")
	c.do("PUT", "/devices/d1", deviceD1).want(200, "")
	c.do("POST", "/twins/d1/methods", `{"methodName":"echo"}`).want(404, "DeviceNotOnline")
}

func TestCommands(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Twins: fleet(`{"deviceId":"d1"}`, `{"deviceId":"off"}`)})
	p := &pump{}
	online(t, e, d1, p)
	connect(t, e, 0).do("POST", "/digitaltwins/d1/commands/reset", "1").want(401, "IotHubUnauthorizedAccess")
	do := as(t, e, "service", clock.now()).do
	run(t, do, []step{
		{"root", "POST", "/digitaltwins/d1/commands/reset", `{"a":1}`, "", 200, "", `{"a":1}`},
		{"component", "POST", "/digitaltwins/d1/components/valve/commands/open", ``, "", 200, "", `null`},
		{"timeouts", "POST", "/digitaltwins/d1/commands/late?api-version=2021-04-12&responseTimeoutInSeconds=5&connectTimeoutInSeconds=1", ``, "", 504, "GatewayTimeout", ""},
		{"no number", "POST", "/digitaltwins/d1/commands/late?api-version=2021-04-12&responseTimeoutInSeconds=x", ``, "", 400, "ArgumentInvalid", ""},
		{"no number to connect", "POST", "/digitaltwins/d1/commands/late?api-version=2021-04-12&connectTimeoutInSeconds=x", ``, "", 400, "ArgumentInvalid", ""},
		{"no JSON", "POST", "/digitaltwins/d1/commands/reset", `{`, "", 400, "IotHubFormatError", `{"errorCode":400006`},
		{"offline", "POST", "/digitaltwins/off/commands/reset", ``, "", 404, "DeviceNotOnline", `{"errorCode":404103`},
		{"missing", "POST", "/digitaltwins/none/commands/reset", ``, "", 404, "DeviceNotFound", ""},
	})
	if got := do("POST", "/digitaltwins/d1/commands/odd", "").header.Get("x-ms-command-statuscode"); got != "-7" {
		t.Errorf("got status %q", got)
	}
	if want := "reset {\"a\":1}|valve*open "; strings.Join(p.got[:2], "|") != want {
		t.Errorf("the device got %q, want %q", p.got[:2], want)
	}
}

func TestFeedback(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Twins: fleet(`{"deviceId":"d1"}`)})
	c := connect(t, e, 0)
	const path = "/messages/serviceBound/feedback"
	send := func(m emulator.Message) {
		t.Helper()
		if err := e.Send("d1", m); err != nil {
			t.Fatal(err)
		}
	}
	send(emulator.Message{ID: "a", Body: []byte("hello"), Feedback: emulator.FeedbackFull})
	c.do("GET", "/devices/d1", "").contains(`"cloudToDeviceMessageCount":1`)
	c.do("GET", path, "").want(204, "")
	p := &pump{}
	online(t, e, d1, p)
	c.do("GET", "/devices/d1", "").contains(`"cloudToDeviceMessageCount":0`)
	c.do("GET", path, "").want(204, "") // the batch is still open
	clock.pass(15 * time.Second)
	got := c.do("GET", path, "").want(200, "")
	generation, _ := c.do("GET", "/devices/d1", "").object()["generationId"].(string)
	if want := `[{"originalMessageId":"a","enqueuedTimeUtc":"2026-03-01T12:00:00.1234567Z","statusCode":"Success","description":"Success","deviceId":"d1","deviceGenerationId":"` + generation + `"}]`; got.body != want {
		t.Errorf("got %s, want %s", got.body, want)
	}
	if kind := got.header.Get("Content-Type"); kind != "application/vnd.microsoft.iothub.feedback.json" {
		t.Errorf("got content type %s", kind)
	}
	token := strings.Trim(got.header.Get("ETag"), `"`)
	c.do("GET", path, "").want(204, "") // it is locked
	c.do("POST", path+"/"+token+"/abandon", "").want(204, "")
	again := strings.Trim(c.do("GET", path, "").want(200, "").header.Get("ETag"), `"`)
	c.do("DELETE", path+"/"+token, "").want(412, "DeviceMessageLockLost")
	clock.pass(time.Minute)
	c.do("DELETE", path+"/"+again, "").want(412, "DeviceMessageLockLost")
	last := strings.Trim(c.do("GET", path, "").want(200, "").header.Get("ETag"), `"`)
	c.do("DELETE", path+"/"+last, "").want(204, "")
	c.do("GET", path, "").want(204, "")
	c.do("POST", path+"/"+last+"/abandon", "").want(412, "DeviceMessageLockLost")
}

// TestFatesOfMessages says which feedback a message has by what the device does
// and what the service wants to hear.
func TestFatesOfMessages(t *testing.T) {
	for _, test := range []struct {
		name   string
		settle emulator.Settlement
		wants  emulator.Feedback
		then   string // what is done about a message that stays
		want   string
	}{
		{"completed", emulator.Complete, emulator.FeedbackPositive, "", "Success"},
		{"completed, not wanted", emulator.Complete, emulator.FeedbackNegative, "", ""},
		{"completed, nothing wanted", emulator.Complete, emulator.FeedbackNone, "", ""},
		{"rejected", emulator.Reject, emulator.FeedbackNegative, "", "Rejected"},
		{"rejected, not wanted", emulator.Reject, emulator.FeedbackPositive, "", ""},
		{"abandoned too often", emulator.Abandon, emulator.FeedbackFull, "", "DeliveryCountExceeded"},
		{"expired", emulator.Leave, emulator.FeedbackFull, "expire", "Expired"},
		{"purged", emulator.Leave, emulator.FeedbackFull, "purge", "Purged"},
		{"deleted with its device", emulator.Leave, emulator.FeedbackFull, "delete", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := newClock()
			e := start(t, &emulator.Options{Now: clock.now, TokenLifetime: 24 * time.Hour, Twins: fleet(`{"deviceId":"d1"}`)})
			c := connect(t, e, 0)
			online(t, e, d1, &pump{settle: test.settle})
			if err := e.Send("d1", emulator.Message{Feedback: test.wants}); err != nil {
				t.Fatal(err)
			}
			switch test.then {
			case "purge":
				c.do("DELETE", "/devices/d1/commands", "").want(200, "").contains(`{"deviceId":"d1","totalMessagesPurged":1}`)
			case "delete":
				e.Delete(d1)
				clock.pass(2 * time.Hour)
			case "expire":
				clock.pass(time.Hour)
				e.CatchUp()
			}
			e.CatchUp()
			clock.pass(15 * time.Second)
			r := c.do("GET", "/messages/serviceBound/feedback", "")
			if test.want == "" {
				r.want(204, "")
				return
			}
			r.want(200, "").contains(`"statusCode":"` + test.want + `"`)
		})
	}
}

func TestMailLimits(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Twins: fleet(`{"deviceId":"d1"}`)})
	c := connect(t, e, 0)
	for range 50 {
		if err := e.Send("d1", emulator.Message{Feedback: emulator.FeedbackFull}); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		device, want string
		message      emulator.Message
	}{
		{"d1", "DeviceMaximumQueueDepthExceeded", emulator.Message{}},
		{"d1", "MessageTooLarge", emulator.Message{Body: make([]byte, 64<<10+1)}},
		{"none", "not found", emulator.Message{}},
	} {
		if err := e.Send(test.device, test.message); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
	c.do("DELETE", "/devices/none/commands", "").want(404, "DeviceNotFound")
	c.do("DELETE", "/devices/d1/commands", "").contains(`"totalMessagesPurged":50`)
	c.do("DELETE", "/devices/d1/commands", "").contains(`"totalMessagesPurged":0`)
	for range 20 {
		if err := e.Send("d1", emulator.Message{Feedback: emulator.FeedbackFull}); err != nil {
			t.Fatal(err)
		}
	}
	c.do("DELETE", "/devices/d1/commands", "").want(200, "")
	full := c.do("GET", "/messages/serviceBound/feedback", "").want(200, "") // before its time
	if n := strings.Count(full.body, "Purged"); n != 2*64 {
		t.Errorf("got %d records in the first batch, want 64", n/2)
	}
}
