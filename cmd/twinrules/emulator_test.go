package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/emulator"
)

// startEmulator runs the command until it is ready. The caller ends it.
func startEmulator(t *testing.T, dir string, args ...string) (*exec.Cmd, *emulator.Ready) {
	t.Helper()
	cmd := command(t, dir, nil, append([]string{"emulator", "--listen", "127.0.0.1:0", "--dir", "emu"}, args...)...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	ready := &emulator.Ready{}
	if err := json.Unmarshal(line, ready); err != nil {
		t.Fatal(err)
	}
	return cmd, ready
}

// TestEmulatorStateSurvivesKillNine kills an emulator while it is being written
// to, and starts it anew: a client with the ready.json of before finds all that
// it was told was written, and finds it once.
func TestEmulatorStateSurvivesKillNine(t *testing.T) {
	dir := t.TempDir()
	var fleet strings.Builder
	for i := range 300 {
		fmt.Fprintf(&fleet, `{"id":"d%03d","twinETag":"AAAAAAAAAAE=","status":"enabled","properties":{"desired":{},"reported":{}}}`+"\n", i)
	}
	for name, text := range map[string]string{"pack.yaml": everyTwin, "fleet.txt": fleet.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd, ready := startEmulator(t, dir, "--state", "state", "--fleet", "fleet.txt", "--tier", "S1", "--request-log", "requests.jsonl")
	env := signIn(ready)
	mustRun(t, command(t, dir, env, "plan", ".", "--hub", ready.HubAddr, "--out", "plan.twp"), 0)
	apply := command(t, dir, env, "apply", "plan.twp", "--hub", ready.HubAddr, "--yes", "--writes", "4")
	if err := apply.Start(); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < 40; {
		n = answeredPatches(t, filepath.Join(dir, "requests.jsonl"))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if err := apply.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = apply.Wait()

	answered := answeredPatches(t, filepath.Join(dir, "requests.jsonl"))
	second := command(t, dir, nil, "emulator", "--listen", "127.0.0.1:0", "--state", "state", "--dir", "emu2")
	stdout, err := second.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Process.Kill(); _ = second.Wait() })
	if _, err := bufio.NewReader(stdout).ReadBytes('\n'); err != nil {
		t.Fatal(err)
	}
	// The first instance's variables, CA file and address.
	mustRun(t, command(t, dir, env, "snapshot", "pull", "--hub", ready.HubAddr, "--out", "after.ndjson"), 0)
	text, err := os.ReadFile(filepath.Join(dir, "after.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	written := strings.Count(string(text), `"power":"saver"`)
	if twice := strings.Count(string(text), `"etag":"AAAAAAAAAAM="`); twice > 0 {
		t.Errorf("%d twins were written twice", twice)
	}
	if devices := strings.Count(string(text), `"deviceId":`); devices != 300 || written < answered || written == 300 {
		t.Errorf("%d devices, %d written, %d answered", devices, written, answered)
	}
	out := mustRun(t, command(t, dir, env, "apply", "plan.twp", "--hub", ready.HubAddr, "--yes"), 0)
	if strings.Contains(out, "not tried") {
		t.Errorf("got %s", out)
	}
	if out := mustRun(t, command(t, dir, env, "plan", ".", "--hub", ready.HubAddr), 0); !strings.Contains(out, "Nothing to write") {
		t.Errorf("still to do: %s", out)
	}
}

// answeredPatches counts them in a request log. An entry is written when its
// state is kept, just before its answer is sent.
func answeredPatches(t *testing.T, path string) (n int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var r emulator.Request
		if json.Unmarshal([]byte(line), &r) == nil && r.Method == "PATCH" && r.Status == 200 {
			n++
		}
	}
	return n
}

// TestEmulatorStateIsTaken starts a second process on the state of the first.
func TestEmulatorStateIsTaken(t *testing.T) {
	dir := t.TempDir()
	startEmulator(t, dir, "--state", "state")
	out := mustRun(t, command(t, dir, nil, "emulator", "--listen", "127.0.0.1:0", "--state", "state", "--dir", "other"), exitFailed)
	if !strings.Contains(out, "another emulator keeps its state in state") {
		t.Errorf("got %s", out)
	}
}
