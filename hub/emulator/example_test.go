package emulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// A test changes a twin behind the back of what it tests, which fails when the
// answer to its third write is lost.
func Example() {
	fleet := func(yield func(*twin.Twin, error) bool) {
		yield(twin.Parse([]byte(`{"deviceId":"pump-7","tags":{"site":"muc"}}`)))
	}
	e, err := emulator.Start(context.Background(), &emulator.Options{
		Twins:        fleet,
		Applications: []emulator.Application{{Roles: []*emulator.Role{emulator.TwinContributor}}},
		Faults:       []emulator.Fault{{Method: "PATCH", Nth: 3, Times: 1, Reset: true, After: true}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()

	pump := twin.Ref{Device: "pump-7"}
	if err := e.Patch(pump, twin.Patch{Desired: twin.Object{"fan": "on"}}); err != nil {
		log.Fatal(err)
	}
	if err := e.Report(pump, twin.Object{"fan": "on"}); err != nil {
		log.Fatal(err)
	}
	for t := range e.Twins() {
		fmt.Println(t.Ref, t.ETag, t.Version, t.DesiredVersion())
	}
	// Output: devices/pump-7 AAAAAAAAAAI= 4 2
}

// A valve opens as it is told and says so, and answers a method.
type valve struct{}

func (valve) Update(desired twin.Object) twin.Object {
	return twin.Object{"open": desired["open"]}
}

func (valve) Invoke(method string, _ json.RawMessage) emulator.MethodResult {
	if method != "flush" {
		return emulator.MethodResult{Status: 404}
	}
	return emulator.MethodResult{Status: 200, Payload: json.RawMessage(`"flushed"`), After: time.Second}
}

// A device is whatever has two methods.
func ExampleEmulator_Connect() {
	e, err := emulator.Start(context.Background(), &emulator.Options{Twins: func(yield func(*twin.Twin, error) bool) {
		yield(twin.Parse([]byte(`{"deviceId":"valve-1","properties":{"desired":{"open":true}}}`)))
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	if err := e.Connect(twin.Ref{Device: "valve-1"}, valve{}); err != nil {
		log.Fatal(err)
	}
	e.CatchUp()
	t, err := e.Twin(twin.Ref{Device: "valve-1"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.ConnectionState, t.Reported()["open"])
	// Output: Connected true
}

// Another process needs one directory: ready.json says where everything is.
func ExampleEmulator_WriteReady() {
	e, err := emulator.Start(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	dir, err := os.MkdirTemp("", "emulator")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ready, err := e.WriteReady(dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ready.HubName, filepath.Base(ready.CA))
	// Output: emu.azure-devices.net ca.pem
}
