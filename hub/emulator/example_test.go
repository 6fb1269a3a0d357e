package emulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
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

// A hub of tier S1 takes twenty queries a minute, the next is refused. Nothing
// listens on the network, so this also works in a bubble of testing/synctest,
// where an hour takes no time.
func ExampleEmulator_HTTPClient() {
	e, err := emulator.Start(context.Background(), &emulator.Options{Tier: "S1", InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	client := e.HTTPClient()
	defer client.CloseIdleConnections()

	token, err := signIn(client, e)
	if err != nil {
		log.Fatal(err)
	}
	for n := 1; ; n++ {
		req, err := http.NewRequest("POST", "https://"+e.HubName()+"/devices/query?api-version=2021-04-12",
			strings.NewReader(`{"query":"SELECT * FROM devices"}`))
		if err != nil {
			log.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			fmt.Println(n, resp.StatusCode, resp.Header.Get("iothub-errorcode"))
			return
		}
	}
	// Output: 21 429 ThrottlingBacklogTimeout
}

// signIn gets a token as a credential library does.
func signIn(client *http.Client, e *emulator.Emulator) (string, error) {
	resp, err := client.PostForm(e.Authority()+"/"+e.Tenant()+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "scope": {"https://iothubs.azure.net/.default"},
		"client_id": {e.Client()}, "client_secret": {e.Secret()},
	})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	return answer.Token, json.NewDecoder(resp.Body).Decode(&answer)
}
