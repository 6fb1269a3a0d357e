package hub_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

func TestMethodAnswers(t *testing.T) {
	var log []string
	out, err := onTransport(t, inTurn(&log, methodBody)).NewRegistryClient().InvokeMethod(t.Context(), "d1", hub.Method{Name: "reboot"}, nil)
	if err != nil || out.Status != 200 || string(out.Payload) != `{"done":true}` {
		t.Errorf("got %+v, %v", out, err)
	}
	offline := `{"Message":"{\"errorCode\":404103,\"trackingId\":\"ab\",\"message\":\"not online\"}","ExceptionMessage":""}`
	_, err = onTransport(t, func(*http.Request) (*http.Response, error) { return saying(404, offline), nil }).NewRegistryClient().InvokeMethod(t.Context(), "d1", hub.Method{Name: "reboot"}, nil)
	if !hub.HasCode(err, hub.CodeDeviceNotOnline) || !errors.Is(err, twin.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	for name, m := range map[string]hub.Method{"no name": {}, "no JSON": {Name: "m", Payload: make(chan int)}} {
		if _, err := onTransport(t, inTurn(&log, methodBody)).NewRegistryClient().InvokeMethod(t.Context(), "d1", m, nil); err == nil {
			t.Errorf("%s was sent", name)
		}
	}
}

// A device may take longer than a try may.
func TestSlowMethod(t *testing.T) {
	c := newClient(t, "contoso.azure-devices.net", fixedToken(token), optionsWith(func(req *http.Request) (*http.Response, error) {
		deadline, _ := req.Context().Deadline()
		if left := time.Until(deadline); left < 300*time.Second || left > 310*time.Second {
			t.Errorf("%s are left", left)
		}
		return saying(200, methodBody), nil
	}))
	if _, err := c.NewRegistryClient().InvokeMethod(t.Context(), "d1", hub.Method{Name: "m", ResponseTimeout: 300 * time.Second}, nil); err != nil {
		t.Error(err)
	}
}

func optionsWith(f transport) *hub.ClientOptions {
	o := &hub.ClientOptions{}
	o.Transport = f
	return o
}

func TestJSONPatch(t *testing.T) {
	var log []string
	var p hub.JSONPatch
	p.Add(twin.Object{"$metadata": twin.Object{}, "target": 21.5}, "thermostat").Replace("on", "thermostat", "a/b~c").Remove("old")
	c := onTransport(t, inTurn(&log, ``)).NewDigitalTwinClient()
	if _, err := c.Update(t.Context(), "d1", p, nil); err != nil {
		t.Fatal(err)
	}
	want := `PATCH /digitaltwins/d1 [{"op":"add","path":"/thermostat","value":{"$metadata":{},"target":21.5}},{"op":"replace","path":"/thermostat/a~1b~0c","value":"on"},{"op":"remove","path":"/old"}]`
	if log[0] != want {
		t.Errorf("got  %s\nwant %s", log[0], want)
	}
	var rootless, notJSON hub.JSONPatch
	rootless.Remove()
	notJSON.Add(make(chan int), "x")
	for _, p := range []hub.JSONPatch{{}, rootless, notJSON} {
		if _, err := c.Update(t.Context(), "d1", p, nil); err == nil || len(log) != 1 {
			t.Errorf("%+v was sent", p)
		}
	}
}

// Commands are refused to Entra tokens; the line says what to do instead.
func TestCommands(t *testing.T) {
	c := onTransport(t, func(*http.Request) (*http.Response, error) {
		return saying(200, `{"a":1}`, "x-ms-command-statuscode", "201", "x-ms-request-id", "r"), nil
	}).NewDigitalTwinClient()
	out, err := c.InvokeCommand(t.Context(), "d1", "reboot", nil, nil)
	if err != nil || out.Status != 201 || string(out.Payload) != `{"a":1}` || out.RequestID != "r" {
		t.Errorf("got %+v, %v", out, err)
	}
	c = onTransport(t, func(*http.Request) (*http.Response, error) {
		return saying(401, `{"Message":"ErrorCode:IotHubUnauthorizedAccess;Unauthorized"}`), nil
	}).NewDigitalTwinClient()
	_, err = c.InvokeComponentCommand(t.Context(), "d1", "thermostat", "report", nil, nil)
	if !errors.Is(err, twin.ErrDenied) || !strings.Contains(hub.Explain(err), "invoke the method of that name instead") {
		t.Errorf("got %s", hub.Explain(err))
	}
	if _, err := c.InvokeCommand(t.Context(), "d1", "", nil, nil); err == nil {
		t.Error("a command without a name")
	}
}

func TestDigitalTwinOfAnother(t *testing.T) {
	var log []string
	_, err := onTransport(t, inTurn(&log, dtBody)).NewDigitalTwinClient().Get(t.Context(), "d2", nil)
	if !errors.Is(err, hub.ErrBadAnswer) {
		t.Errorf("got %v", err)
	}
}

func TestFeedback(t *testing.T) {
	c := onTransport(t, func(*http.Request) (*http.Response, error) { return saying(204, ``), nil }).NewRuntimeClient()
	if out, err := c.ReceiveFeedback(t.Context(), nil); err != nil || out.LockToken != "" || out.Records != nil {
		t.Errorf("got %+v, %v for nothing", out, err)
	}
	c = onTransport(t, func(*http.Request) (*http.Response, error) {
		return saying(200, `[{"originalMessageId":"1","statusCode":"Success","deviceId":"d1"}]`, "ETag", `"a-b"`), nil
	}).NewRuntimeClient()
	if out, err := c.ReceiveFeedback(t.Context(), nil); err != nil || out.LockToken != "a-b" || len(out.Records) != 1 || out.Records[0].Status != "Success" {
		t.Errorf("got %+v, %v", out, err)
	}
	c = onTransport(t, func(*http.Request) (*http.Response, error) {
		return saying(412, `{"errorCode":412002,"message":"x"}`), nil
	}).NewRuntimeClient()
	if _, err := c.CompleteFeedback(t.Context(), "a-b", nil); !hub.HasCode(err, hub.CodeDeviceMessageLockLost) {
		t.Errorf("got %v", err)
	}
	if _, err := c.AbandonFeedback(t.Context(), "", nil); err == nil {
		t.Error("no lock token")
	}
}

func TestQueryMistakes(t *testing.T) {
	var log []string
	c := onTransport(t, inTurn(&log, `{"targetConditionError":"bad","customMetricQueryErrors":{"m":"worse","n":""}}`)).NewConfigurationClient()
	out, err := c.TestQueries(t.Context(), "*", nil, nil)
	if err != nil || out.ConditionError != "bad" || len(out.MetricErrors) != 1 || log[0] != `POST /configurations/testQueries {"customMetricQueries":{},"targetCondition":"*"}` {
		t.Errorf("got %+v, %v after %s", out, err, log[0])
	}
}
