package emulator_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

func TestEvents(t *testing.T) {
	var log bytes.Buffer
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Events: &log, Twins: fleet(`{"deviceId":"old"}`)})
	c := connect(t, e, 0)
	const at = "2026-03-01T12:00:00.1234567Z"
	old := twin.Ref{Device: "old"}
	for _, test := range []struct {
		name string
		do   func()
		want []string // source, opType, device, module, and a part of the body
	}{
		{"a device is made", func() { c.do("PUT", "/devices/d1", deviceD1).want(200, "") },
			[]string{"deviceLifecycleEvents createDeviceIdentity d1 ", `{"deviceId":"d1","etag":"AAAAAAAAAAE=","properties":{"desired":{"$metadata":{"$lastUpdated":"` + at + `"},"$version":1},`}},
		{"a module is made", func() { c.do("PUT", "/devices/d1/modules/m", `{"deviceId":"d1","moduleId":"m"}`).want(200, "") },
			[]string{"deviceLifecycleEvents createModuleIdentity d1 m", `"moduleId":"m"`}},
		{"tags and desired", func() {
			c.do("PATCH", "/twins/d1", `{"tags":{"site":"muc"},"properties":{"desired":{"a":{"b":1}}}}`).want(200, "")
		}, []string{"twinChangeEvents updateTwin d1 ", `{"properties":{"desired":{"$metadata":{"$lastUpdated":"` + at + `","$lastUpdatedVersion":2,"a":{"$lastUpdated":"` + at +
			`","$lastUpdatedVersion":2,"b":{"$lastUpdated":"` + at + `","$lastUpdatedVersion":2}}},"$version":2,"a":{"b":1}}},"tags":{"site":"muc"},"version":3}`}},
		{"a key goes", func() { c.do("PATCH", "/twins/d1", `{"tags":{"site":null}}`).want(200, "") },
			[]string{"twinChangeEvents updateTwin d1 ", `{"tags":{"site":null},"version":4}`}},
		{"a device reports", func() {
			if err := e.Report(d1, twin.Object{"x": true}); err != nil {
				t.Fatal(err)
			}
		}, []string{"twinChangeEvents updateTwin d1 ", `{"properties":{"reported":{"$metadata":{"$lastUpdated":"` + at + `","x":{"$lastUpdated":"` + at + `"}},"$version":2,"x":true}},"version":5}`}},
		{"a twin is replaced", func() { c.do("PUT", "/twins/d1", `{"tags":{"n":1}}`).want(200, "") },
			[]string{"twinChangeEvents replaceTwin d1 ", `"tags":{"n":1},"version":6}`}},
		{"the identity alone", func() {
			c.do("PUT", "/devices/old", `{"deviceId":"old","statusReason":"x"}`, "If-Match", "*").want(200, "")
		}, nil},
		{"a device comes", func() { online(t, e, old, &pump{}) },
			[]string{"deviceConnectionStateEvents deviceConnected old ", `{"sequenceNumber":"0000000000000000000000000000000000000001"}`}},
		{"a device goes", func() { e.Disconnect(old) },
			[]string{"deviceConnectionStateEvents deviceDisconnected old ", `{"sequenceNumber":"0000000000000000000000000000000000000002"}`}},
		{"a module comes", func() { online(t, e, d1m, &pump{}) }, []string{"deviceConnectionStateEvents moduleConnected d1 m", ""}},
		{"a device is deleted", func() { c.do("DELETE", "/devices/d1", "", "If-Match", "*").want(204, "") },
			[]string{"deviceLifecycleEvents deleteModuleIdentity d1 m", "", "deviceLifecycleEvents deleteDeviceIdentity d1 ", `"tags":{"n":1}`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			log.Reset()
			test.do()
			lines := strings.Split(strings.TrimSpace(log.String()), "\n")
			if log.Len() == 0 {
				lines = nil
			}
			if len(lines) != len(test.want)/2 {
				t.Fatalf("got %d events, want %d: %s", len(lines), len(test.want)/2, log.String())
			}
			for i, line := range lines {
				var got emulator.Event
				if err := json.Unmarshal([]byte(line), &got); err != nil {
					t.Fatal(err)
				}
				want := emulator.Event{
					System:     emulator.EventSystem{ContentType: "application/json", ContentEncoding: "utf-8", Enqueued: at, User: "emu.azure-devices.net"},
					Properties: emulator.EventProperties{Hub: "emu.azure-devices.net", Time: at},
				}
				what := strings.Split(test.want[2*i], " ")
				want.System.Source, want.Properties.Operation = what[0], what[1]
				want.System.Device, want.Properties.Device, want.System.Module, want.Properties.Module = what[2], what[2], what[3], what[3]
				want.Properties.Schema = map[string]string{"twinChangeEvents": "twinChangeNotification", "deviceLifecycleEvents": "deviceLifecycleNotification",
					"deviceConnectionStateEvents": "deviceConnectionStateNotification"}[what[0]]
				body := string(got.Body)
				got.Body = nil
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				if !strings.Contains(body, test.want[2*i+1]) {
					t.Errorf("got body %s, want in it %s", body, test.want[2*i+1])
				}
			}
		})
	}
}

func TestCloseTellsOfALostEventLog(t *testing.T) {
	e, err := emulator.Start(t.Context(), &emulator.Options{SigningKey: signingKey(), Events: brokenWriter{}, Twins: numbered(1)})
	if err != nil {
		t.Fatal(err)
	}
	e.Delete(twin.Ref{Device: "d000"})
	if err := e.Close(); err == nil || !strings.Contains(err.Error(), "write event log: disk full") {
		t.Errorf("got %v, want the log's error", err)
	}
}

// TestEventsAreInOrder follows the versions of one twin through everything.
func TestEventsAreInOrder(t *testing.T) {
	var log bytes.Buffer
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Events: &log, Devices: 20, Seed: 4})
	c := connect(t, e, 0)
	for range 20 {
		c.do("PATCH", "/twins/device-000001", `{"properties":{"desired":{"telemetry":{"intervalSec":5}}}}`).want(200, "")
		clock.pass(20 * time.Second)
		e.CatchUp()
	}
	version := 2
	for line := range strings.Lines(log.String()) {
		var got struct {
			Properties emulator.EventProperties
			Body       struct{ Version int }
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if got.Properties.Device == "device-000001" && got.Properties.Operation == "updateTwin" {
			if version++; got.Body.Version != version {
				t.Fatalf("got version %d after %d", got.Body.Version, version-1)
			}
		}
	}
	if version < 22 {
		t.Errorf("the events end with version %d", version)
	}
}
