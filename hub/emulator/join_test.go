package emulator_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// A slow device answers every method after three seconds.
type slowDevice struct{}

func (slowDevice) Invoke(name string, payload json.RawMessage) emulator.MethodResult {
	return emulator.MethodResult{Status: 200, Payload: payload, After: 3 * time.Second}
}

func (slowDevice) Update(twin.Object) twin.Object { return nil }

// TestMethodJobOnDevices calls a method on one device that is there and on one
// that is not: the job runs until the slower has answered.
func TestMethodJobOnDevices(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Twins: numbered(2)})
	if err := e.Connect(twin.Ref{Device: "d000"}, slowDevice{}); err != nil {
		t.Fatal(err)
	}
	c := connect(t, e, 0)
	c.do("PUT", "/jobs/v2/j", `{"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"m","payload":{"a":1}},"queryCondition":"*"}`).want(200, "")
	clock.pass(4 * time.Second)
	c.do("GET", "/jobs/v2/j", "").contains(`"status":"running"`).contains(`"failedCount":1,"succeededCount":0,"runningCount":1`)
	clock.pass(2 * time.Second)
	c.do("GET", "/jobs/v2/j", "").contains(`"status":"completed"`).contains(`"failedCount":1,"succeededCount":1`)
	c.ask("SELECT * FROM devices.jobs WHERE status = 'completed'").contains(`"outcome":{"deviceMethodResponse":{"status":200,"payload":{"a":1}}}`)
}

// TestIdentitiesSurvive keeps keys and generations over a restart, and never
// gives a generation twice.
func TestIdentitiesSurvive(t *testing.T) {
	o := emulator.Options{State: t.TempDir()}
	e, stop := keeper(t, o)
	c := connect(t, e, 0)
	made := c.do("PUT", "/devices/a", `{"deviceId":"a"}`).want(200, "")
	first := c.do("GET", "/devices/a", "").body
	c.do("PUT", "/devices/b", `{"deviceId":"b"}`).want(200, "")
	gone := c.do("GET", "/devices/b", "").object()["generationId"]
	c.do("DELETE", "/devices/b", "", "If-Match", "*").want(204, "")
	c.http.CloseIdleConnections()
	stop()
	e, stop = keeper(t, o)
	defer stop()
	c = connect(t, e, 0)
	if got := c.do("GET", "/devices/a", "").body; got != first {
		t.Errorf("got %s, want %s (made as %s)", got, first, made.body)
	}
	c.do("GET", "/devices/b", "").want(404, "DeviceNotFound")
	c.do("PUT", "/devices/b", `{"deviceId":"b"}`).want(200, "")
	if again := c.do("GET", "/devices/b", "").object()["generationId"]; again == gone {
		t.Errorf("two devices have the generation %v", again)
	}
}
