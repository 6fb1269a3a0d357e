package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// TestMain lets the test binary be the command: in scripts as "twinrules", and
// for other tests when asked by a variable.
func TestMain(m *testing.M) {
	if os.Getenv("TWINRULES_TEST_AS_COMMAND") != "" {
		main()
	}
	os.Setenv("GORACE", raceOptions)
	testscript.Main(m, map[string]func(){"twinrules": main})
}

// raceOptions is for the processes that tests start. The race detector lets one
// sleep for a second before it ends, in case a goroutine that is still at work
// shows a race; there are some 300 of them, and a race that was seen ends one
// with 66 in any case.
const raceOptions = "atexit_sleep_ms=10"

// signingKey is shared by the emulators of all tests: making one takes a while.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// TestScripts runs the command as it is used. UPDATE=1 rewrites what is
// expected. Besides testscript's own commands there is "hub", a hub on loopback
// with real TLS and real tokens, see hubCommand.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, UpdateScripts: os.Getenv("UPDATE") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("NO_COLOR", "1")
			e.Setenv("GORACE", raceOptions)
			root, err := filepath.Abs("../..")
			e.Setenv("ROOT", root)
			e.Values[hubKey{}] = &scriptHub{}
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"hub": hubCommand, "status": statusCommand},
	})
}

type hubKey struct{}

// A scriptHub is the hub of one script.
type scriptHub struct{ *emulator.Emulator }

// hubCommand is the script command "hub":
//
//	hub start [fleet=FILE] [role=FLAG] [faults=FILE] [storage=DIR]
//	                                                   run a hub; sets $HUB and what signs in there; with storage, see
//	                                                   storageServer, also $STORAGE, a URL to put a container's name behind
//	hub patch DEVICE SECTION JSON                      as somebody else
//	hub report DEVICE JSON                             as the device
//	hub anew DEVICE                                    delete the device and register it again
//	hub twin DEVICE                                    print tags, desired without the hub's members, and desired $version
//	hub writes                                         print how many writes were asked for and taken
func hubCommand(ts *testscript.TestScript, neg bool, args []string) {
	h := ts.Value(hubKey{}).(*scriptHub)
	switch args[0] {
	case "start":
		startHub(ts, h, args[1:])
	case "patch":
		var p twin.Patch
		o, err := twin.DecodeObject([]byte(args[3]))
		ts.Check(err)
		if args[2] == "tags" {
			p.Tags = o
		} else {
			p.Desired = o
		}
		ts.Check(h.Patch(twin.Ref{Device: args[1]}, p))
	case "report":
		o, err := twin.DecodeObject([]byte(args[2]))
		ts.Check(err)
		ts.Check(h.Report(twin.Ref{Device: args[1]}, o))
	case "anew":
		ref := twin.Ref{Device: args[1]}
		h.Delete(ref)
		t, err := twin.Parse(twin.Encode(twin.Object{"deviceId": ref.Device}))
		ts.Check(err)
		ts.Check(h.Put(t))
	case "twin":
		t, err := h.Twin(twin.Ref{Device: args[1]})
		ts.Check(err)
		desired := twin.Merge(t.Desired(), twin.Object{"$metadata": nil, "$version": nil})
		fmt.Fprintf(ts.Stdout(), "%s %s %d\n", twin.Encode(t.Tags()), twin.Encode(desired), t.DesiredVersion())
	case "writes":
		asked, taken := h.writes()
		fmt.Fprintf(ts.Stdout(), "%d asked, %d taken\n", asked, taken)
	default:
		ts.Fatalf("hub %s: no such thing", args[0])
	}
}

func (h *scriptHub) writes() (asked, taken int) {
	for _, r := range h.Requests() {
		if slices.Contains([]string{"PATCH", "PUT", "DELETE"}, r.Method) {
			asked++
			if r.Status/100 == 2 {
				taken++
			}
		}
	}
	return asked, taken
}

func startHub(ts *testscript.TestScript, h *scriptHub, args []string) {
	given := map[string]string{"role": "data-contributor"}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		given[key] = value
	}
	fleet, faults := given["fleet"], given["faults"]
	if fleet != "" {
		fleet = ts.MkAbs(fleet)
	}
	if faults != "" {
		faults = ts.MkAbs(faults)
	}
	o, err := emulatorOptions(context.Background(), emulator.Options{Seed: 1, SigningKey: signingKey()}, fleet, faults, given["role"])
	ts.Check(err)
	var accounts *storageServer
	if dir := given["storage"]; dir != "" {
		accounts = newStorageServer(ts.MkAbs(dir))
		ts.Defer(accounts.Close)
		o.Containers = accounts.containers()
		ts.Setenv("STORAGE", accounts.container(""))
	}
	h.Emulator, err = emulator.Start(context.Background(), o)
	ts.Check(err)
	ts.Defer(func() { h.Close() })
	ready, err := h.WriteReady(ts.MkAbs("hub"))
	ts.Check(err)
	if accounts != nil {
		ts.Check(accounts.trust(ready.CA))
	}
	for name, value := range signIn(ready) {
		ts.Setenv(name, value)
	}
}

// signIn returns the variables that let the command use a hub.
func signIn(r *emulator.Ready) map[string]string {
	return map[string]string{
		"HUB": r.HubAddr, "TWINRULES_CREDENTIAL": "client-secret",
		"SSL_CERT_FILE": r.CA, "AZURE_AUTHORITY_HOST": r.Authority,
		"AZURE_TENANT_ID": r.Tenant, "AZURE_CLIENT_ID": r.Client, "AZURE_CLIENT_SECRET": r.Secret,
		"CONNECTION_STRING": r.ConnectionString,
	}
}

// statusCommand is "status CODE COMMAND [ARG...]": run and compare the exit code.
func statusCommand(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := err.(interface{ ExitCode() int }); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}
