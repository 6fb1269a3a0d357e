package main

import (
	"bytes"
	"os"
	"runtime"
	"testing"

	"github.com/twinrules/twinrules/plugins/sdk"
	"github.com/twinrules/twinrules/plugins/sdk/sdktest"
	"github.com/twinrules/twinrules/plugins/wasm"
)

// module is the plugin as it is committed, so that the example runs in a fresh
// clone.
const module = "../geofence.wasm"

// TestBuild builds the plugin as an author does and finds that the committed
// module is what comes out. UPDATE=1 commits what comes out.
func TestBuild(t *testing.T) {
	update := os.Getenv("UPDATE") != ""
	var committed []byte
	if !update {
		committed = read(t, module)
		if !bytes.Contains(producers(t, committed), []byte(runtime.Version())) {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s was not built by %s: run UPDATE=1 go test ./examples/rules/geofence/plugin", module, runtime.Version())
			}
			t.Skipf("%s was built by another toolchain than %s", module, runtime.Version())
		}
	}
	built := build(t)
	if update {
		if err := os.WriteFile(module, built, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(built, committed) {
		t.Errorf("%s is out of date: run UPDATE=1 go test ./examples/rules/geofence/plugin", module)
	}
}

func build(t *testing.T) []byte {
	return sdktest.Plugin{Language: sdk.Go, Source: ".", Manifest: "plugin.json"}.Build(t)
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// producers returns the section in which a toolchain writes its version.
func producers(t *testing.T, binary []byte) []byte {
	t.Helper()
	m, err := wasm.Parse(binary)
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.Custom("producers")
	if err != nil {
		t.Fatal(err)
	}
	return text
}
