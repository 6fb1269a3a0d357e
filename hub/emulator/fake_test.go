package emulator_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// deviceOf returns the first fake device that behaves so.
func deviceOf(t *testing.T, e *emulator.Emulator, b *emulator.Behaviour) string {
	t.Helper()
	for d := range e.Twins() {
		if d.Ref.Module == "" && e.BehaviourOf(d.Ref.Device) == b {
			return d.Ref.Device
		}
	}
	t.Fatalf("no device is %s", b.Name)
	return ""
}

func TestBehaviours(t *testing.T) {
	for _, test := range []struct {
		behaviour      *emulator.Behaviour
		at             time.Duration // after the write
		reported       string        // "" for as it was
		ping, dance    int           // status of methods; 0 for none
		messageOutcome string
	}{
		{emulator.Prompt, 5 * time.Second, `{"ack":{"version":2},"telemetry":{"intervalSec":5}}`, 200, 404, "Success"},
		{emulator.Prompt, 500 * time.Millisecond, ``, 200, 404, "Success"},
		{emulator.Slow, 59 * time.Second, ``, 200, 404, "Success"},
		{emulator.Slow, 5 * time.Minute, `{"ack":{"version":2},"telemetry":{"intervalSec":5}}`, 200, 404, "Success"},
		{emulator.Failing, 10 * time.Second, `{"lastError":{"code":500,"message":"the settings could not be applied","version":2},"telemetry":{"intervalSec":60}}`, 500, 404, "Rejected"},
		{emulator.Flapping, 10 * time.Second, `{"ack":{"version":2},"telemetry":{"intervalSec":5}}`, 200, 404, "Success"},
		{emulator.Silent, time.Hour, ``, 0, 0, ""},
	} {
		t.Run(fmt.Sprintf("%s after %s", test.behaviour.Name, test.at), func(t *testing.T) {
			clock := newClock()
			e := start(t, &emulator.Options{Now: clock.now, TokenLifetime: 24 * time.Hour, Devices: 300})
			c := connect(t, e, 0)
			id := deviceOf(t, e, test.behaviour)
			before := reported(t, e, id)
			c.do("PATCH", "/twins/"+id, `{"properties":{"desired":{"telemetry":{"intervalSec":5}}}}`).want(200, "")
			e.CatchUp()
			c.invoke(id, "ping", test.ping)
			c.invoke(id, "dance", test.dance)
			if err := e.Send(id, emulator.Message{Feedback: emulator.FeedbackFull}); err != nil {
				t.Fatal(err)
			}
			e.CatchUp()
			clock.pass(test.at)
			e.CatchUp()
			want := test.reported
			if want == "" {
				want = before
			}
			if got := reported(t, e, id); got != want {
				t.Errorf("got reported %s, want %s", got, want)
			}
			clock.pass(15 * time.Second)
			feedback := c.do("GET", "/messages/serviceBound/feedback", "")
			if test.messageOutcome != "" {
				feedback.contains(`"statusCode":"` + test.messageOutcome + `"`)
			}
		})
	}
}

// invoke fails the test unless the method has this status, 0 for no answer.
func (c *client) invoke(id, method string, status int) {
	c.t.Helper()
	r := c.do("POST", "/twins/"+id+"/methods", `{"methodName":"`+method+`"}`)
	if status == 0 {
		r.want(504, "GatewayTimeout")
		return
	}
	r.want(200, "").contains(fmt.Sprintf(`{"status":%d,`, status))
}

// reported returns what a fake device reported, without what it was made with.
func reported(t *testing.T, e *emulator.Emulator, id string) string {
	t.Helper()
	d, err := e.Twin(twin.Ref{Device: id})
	if err != nil {
		t.Fatal(err)
	}
	return string(twin.Encode(twin.Merge(d.Reported(), twin.Object{"$metadata": nil, "$version": nil, "firmware": nil, "battery": nil})))
}

// TestObedience: what is desired no more is reported no more, but what a device
// reported by itself stays, and an error that is over goes.
func TestObedience(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Devices: 1, Twins: fleet(
		`{"deviceId":"d1","properties":{"desired":{"fan":{"max":3}},"reported":{"fan":{"speed":7},"lastError":{"code":1}}}}`)})
	if e.BehaviourOf("d1") != emulator.Prompt {
		t.Fatal("the seed has another device")
	}
	for _, test := range []struct{ desired, want string }{
		{`{}`, `{"ack":{"version":2},"fan":{"max":3,"speed":7}}`},
		{`{"fan":{"max":4,"min":1}}`, `{"ack":{"version":3},"fan":{"max":4,"min":1,"speed":7}}`},
		{`{"fan":{"max":null}}`, `{"ack":{"version":4},"fan":{"min":1,"speed":7}}`},
		{`{"fan":null,"list":[1,{"a":2}]}`, `{"ack":{"version":5},"list":[1,{"a":2}]}`},
	} {
		patch, err := twin.DecodeObject([]byte(test.desired))
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Patch(d1, twin.Patch{Desired: patch}); err != nil {
			t.Fatal(err)
		}
		e.CatchUp()
		clock.pass(5 * time.Second)
		e.CatchUp()
		if got := reported(t, e, "d1"); got != test.want {
			t.Errorf("after %s: got %s, want %s", test.desired, got, test.want)
		}
	}
}

func TestFlappingAndReboot(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, TokenLifetime: 24 * time.Hour, Devices: 300})
	c := connect(t, e, 0)
	state := func(id string) string {
		d, err := e.Twin(twin.Ref{Device: id})
		if err != nil {
			t.Fatal(err)
		}
		return d.ConnectionState
	}
	flapping, prompt := deviceOf(t, e, emulator.Flapping), deviceOf(t, e, emulator.Prompt)
	c.invoke(prompt, "reboot", 200)
	clock.pass(2 * time.Second)
	e.CatchUp()
	if got := state(prompt); got != "Disconnected" {
		t.Errorf("a rebooting device is %s", got)
	}
	clock.pass(28 * time.Second)
	e.CatchUp()
	if got := state(prompt); got != "Connected" {
		t.Errorf("a device that has rebooted is %s", got)
	}
	seen := map[string]int{}
	for range 2 * 60 {
		clock.pass(time.Minute)
		e.CatchUp()
		seen[state(flapping)]++
		if got := state(prompt); got != "Connected" {
			t.Fatalf("a prompt device is %s", got)
		}
	}
	if seen["Connected"] < 60 || seen["Disconnected"] < 5 {
		t.Errorf("in two hours a flapping device was %v minutes", seen)
	}
}

// TestFakesLearnWhatTheyMissed writes to a device that is offline.
func TestFakesLearnWhatTheyMissed(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Devices: 300})
	id := deviceOf(t, e, emulator.Flapping)
	ref := twin.Ref{Device: id}
	for online := true; online; {
		clock.pass(10 * time.Second)
		e.CatchUp()
		d, _ := e.Twin(ref)
		online = d.ConnectionState == "Connected"
	}
	if err := e.Patch(ref, twin.Patch{Desired: twin.Object{"x": number(1)}}); err != nil {
		t.Fatal(err)
	}
	clock.pass(6 * time.Minute)
	e.CatchUp()
	if got := reported(t, e, id); !strings.Contains(got, `"x":1`) {
		t.Errorf("got %s", got)
	}
}

// TestFakesGoOn: a device that says how far it has come does the rest.
func TestFakesGoOn(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Devices: 1, Twins: fleet(
		`{"deviceId":"d1","properties":{"desired":{"fan":{"max":3},"$version":7},"reported":{"ack":{"version":6}}}}`)})
	e.CatchUp()
	clock.pass(5 * time.Second)
	e.CatchUp()
	if got, want := reported(t, e, "d1"), `{"ack":{"version":7},"fan":{"max":3}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestFakesComeBackWhenEnabled disables a device for a while.
func TestFakesComeBackWhenEnabled(t *testing.T) {
	e := start(t, &emulator.Options{Devices: 1, Now: newClock().now})
	c := connect(t, e, 0)
	const path = "/devices/device-000001"
	for _, test := range []struct{ status, want string }{{"disabled", "Disconnected"}, {"enabled", "Connected"}} {
		c.do("PUT", path, `{"deviceId":"device-000001","status":"`+test.status+`"}`, "If-Match", "*").want(200, "")
		c.do("GET", path, "").contains(`"connectionState":"` + test.want + `"`)
	}
}

// TestFleetIsTakenOver: devices of a fleet live, and nothing is written to them
// until somebody else does.
func TestFleetIsTakenOver(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Devices: 2, Twins: fleet(
		`{"deviceId":"a","properties":{"desired":{"x":1}}}`, `{"deviceId":"a","moduleId":"m"}`, `{"deviceId":"b"}`, `{"deviceId":"c"}`)})
	clock.pass(30 * time.Second)
	e.CatchUp()
	for d := range e.Twins() {
		want := map[string]string{"devices/a": "Connected", "devices/b": "Connected"}[d.Ref.String()]
		if want == "" {
			want = "Disconnected"
		}
		if d.ConnectionState != want || d.Version != 2 {
			t.Errorf("%s is %s at version %d", d.Ref, d.ConnectionState, d.Version)
		}
	}
}

// TestFakesAreDeterministic: the same seed and clock make the same bytes,
// however often the hub is looked at.
func TestFakesAreDeterministic(t *testing.T) {
	devices := 200
	if watched {
		devices = 40
	}
	live := func(seed uint64, steps int) string {
		var events bytes.Buffer
		clock := newClock()
		e := start(t, &emulator.Options{Now: clock.now, Devices: devices, Seed: seed, Events: &events})
		for d := range e.Twins() {
			if err := e.Patch(d.Ref, twin.Patch{Desired: twin.Object{"x": number(1)}}); err != nil {
				t.Fatal(err)
			}
		}
		for range steps {
			clock.pass(time.Hour / time.Duration(steps))
			e.CatchUp()
		}
		sum := sha256.New()
		for d := range e.Twins() {
			sum.Write(d.JSON())
		}
		sum.Write(events.Bytes())
		return fmt.Sprintf("%x", sum.Sum(nil))
	}
	first := live(7, 1)
	if again := live(7, 60); again != first {
		t.Error("it depends on when it is looked at")
	}
	if other := live(8, 1); other == first {
		t.Error("another seed lives the same life")
	}
}

func TestSharesOfBehaviours(t *testing.T) {
	e := start(t, nil)
	counts := map[*emulator.Behaviour]int{}
	const n = 20_000
	for i := range n {
		counts[e.BehaviourOf(fmt.Sprintf("device-%06d", i))]++
	}
	for _, b := range emulator.Behaviours {
		if share := 100 * float64(counts[b]) / n; share < float64(b.Percent)-1 || share > float64(b.Percent)+1 {
			t.Errorf("%s: %.1f %% of the devices, want about %d %%", b.Name, share, b.Percent)
		}
	}
}
