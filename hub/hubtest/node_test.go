package hubtest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/twinrules/twinrules/hub/blob/blobtest"
	"github.com/twinrules/twinrules/hub/emulator"
)

// nodeModules returns where npm has installed Microsoft's service client.
func nodeModules(t *testing.T) string {
	t.Helper()
	modules := os.Getenv(blobtest.NodeModules)
	if modules == "" {
		t.Skip(blobtest.NodeModules + " is not set: azure-iothub is not installed")
	}
	return modules
}

// TestNode drives the emulator with azure-iothub, Microsoft's client for Node,
// as it is, signed in with a shared access key and with a token of Entra that
// @azure/identity got.
func TestNode(t *testing.T) {
	modules := nodeModules(t)
	for _, how := range []string{"sas", "entra"} {
		t.Run(how, func(t *testing.T) { drive(t, modules, how) })
	}
}

func drive(t *testing.T, modules, how string) {
	e, err := emulator.Start(t.Context(), &emulator.Options{Devices: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	dir := t.TempDir()
	if _, err := e.WriteReady(dir); err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("testdata/node/drive.js")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", script, filepath.Join(dir, "ready.json"), how, prompt(t, e))
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules, "NODE_EXTRA_CA_CERTS="+filepath.Join(dir, "ca.pem"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	steps := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); steps++ {
		var line struct{ Step, Error string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		t.Run(line.Step, func(t *testing.T) {
			if line.Error != "" {
				t.Error(line.Error)
			}
		})
	}
	if steps != 18 {
		t.Errorf("%d steps", steps)
	}
}

// prompt returns a fake device that does what it is told.
func prompt(t *testing.T, e *emulator.Emulator) string {
	t.Helper()
	for d := range e.Twins() {
		if e.BehaviourOf(d.Ref.Device) == emulator.Prompt {
			return d.Ref.Device
		}
	}
	t.Fatal("no device is prompt")
	return ""
}
