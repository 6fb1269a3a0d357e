package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// command returns the command as a process of its own.
func command(t *testing.T, dir string, env map[string]string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TWINRULES_TEST_AS_COMMAND=1", "HOME="+dir, "XDG_STATE_HOME=", "NO_COLOR=1")
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// mustRun runs the command to its end and returns what it printed.
func mustRun(t *testing.T, cmd *exec.Cmd, code int) string {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	exit, _ := errors.AsType[*exec.ExitError](err)
	if got := cmd.ProcessState.ExitCode(); got != code || err != nil && exit == nil {
		t.Fatalf("%v: exit code %d, want %d: %v\n%s", cmd.Args[1:], got, code, err, out.String())
	}
	return out.String()
}

const everyTwin = `apiVersion: twinrules/v1
kind: RulePack
metadata: {name: p}
limits: {maxPercent: 100}
defaults: {limits: {maxPercent: 100}}
schedule: {every: 1s}
rules:
  - {id: r, patch: {desired: {interval: 900}, tags: {power: saver}}}
`

// devices yields n plain devices.
func devices(n int) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		for i := range n {
			t, err := twin.Parse(fmt.Appendf(nil, `{"deviceId":"d%04d","properties":{"desired":{"interval":60},"reported":{}}}`, i))
			if !yield(t, err) {
				return
			}
		}
	}
}

// loopback starts a hub for processes, and a folder with a pack for them.
func loopback(t *testing.T, o *emulator.Options) (*emulator.Emulator, string, map[string]string) {
	t.Helper()
	o.Seed, o.SigningKey = 1, signingKey()
	e, err := emulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	dir := t.TempDir()
	ready, err := e.WriteReady(filepath.Join(dir, "hub"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pack.yaml"), []byte(everyTwin), 0o644); err != nil {
		t.Fatal(err)
	}
	env := signIn(ready)
	env["TWINRULES_HUB"] = e.HubAddr()
	return e, dir, env
}

// A tripwire is a request log that stops the hub at the n-th patch, taken and
// not yet answered, until it is let go.
type tripwire struct {
	n        int // only the log's writer counts
	hit, let chan struct{}
}

func newTripwire(n int) *tripwire {
	return &tripwire{n: n, hit: make(chan struct{}), let: make(chan struct{})}
}

func (w *tripwire) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(`"PATCH"`)) {
		if w.n--; w.n == 0 {
			close(w.hit)
			<-w.let
		}
	}
	return len(line), nil
}

// signalAt runs cmd, signals it at the tripwire, and returns its exit code and
// what it printed.
func signalAt(t *testing.T, wire *tripwire, cmd *exec.Cmd, s os.Signal) (code int, out string) {
	t.Helper()
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-wire.hit:
	case <-ended:
		t.Fatalf("it ended before the tripwire: %s", printed.String())
	}
	if err := cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	if s == syscall.SIGKILL {
		<-ended // before the hub goes on
		ended <- nil
	}
	close(wire.let)
	<-ended
	return cmd.ProcessState.ExitCode(), printed.String()
}

// TestKillNine kills an apply with SIGKILL at several points and applies the
// plan again: the end is the same, and no twin was written twice.
func TestKillNine(t *testing.T) {
	const twins = 120
	for _, at := range []int{1, 2, 7, 40, 119} {
		t.Run(fmt.Sprint("at patch ", at), func(t *testing.T) {
			wire := newTripwire(at)
			e, dir, env := loopback(t, &emulator.Options{Twins: devices(twins), RequestLog: wire})
			mustRun(t, command(t, dir, env, "plan", ".", "--out", "plan.twp"), 0)
			if code, out := signalAt(t, wire, command(t, dir, env, "apply", "plan.twp", "--yes"), syscall.SIGKILL); code != -1 {
				t.Fatalf("the apply was not killed: %s", out)
			}
			out := mustRun(t, command(t, dir, env, "apply", "plan.twp", "--yes"), 0)
			if strings.Contains(out, "not tried") {
				t.Errorf("the second apply left something: %s", out)
			}
			n := 0
			for tw := range e.Twins() {
				n++
				if v, _ := tw.Desired().Lookup("interval"); v != json.Number("900") || tw.DesiredVersion() != 2 {
					t.Errorf("%s has %v at desired version %d, want 900 at 2", tw.Ref, v, tw.DesiredVersion())
				}
			}
			if n != twins {
				t.Errorf("%d twins", n)
			}
			if out := mustRun(t, command(t, dir, env, "plan", ".", "--detailed-exitcode"), 0); !strings.Contains(out, "Nothing to write") {
				t.Errorf("still to do: %s", out)
			}
		})
	}
}

// TestInterruptSettles ends an apply with SIGINT: what was sent settles, the
// exit code says so, and the next apply goes on.
func TestInterruptSettles(t *testing.T) {
	wire := newTripwire(10)
	e, dir, env := loopback(t, &emulator.Options{Twins: devices(200), RequestLog: wire})
	mustRun(t, command(t, dir, env, "plan", ".", "--out", "plan.twp"), 0)
	code, out := signalAt(t, wire, command(t, dir, env, "apply", "plan.twp", "--yes", "--writes", "2"), os.Interrupt)
	if code != exitInterrupted || !strings.Contains(out, "not tried") || !strings.Contains(out, "call apply with the same plan to go on") {
		t.Errorf("got %s", out)
	}
	mustRun(t, command(t, dir, env, "apply", "plan.twp", "--yes"), 0)
	for tw := range e.Twins() {
		if tw.DesiredVersion() != 2 {
			t.Errorf("%s is at desired version %d", tw.Ref, tw.DesiredVersion())
		}
	}
}

// TestServe runs a pack on its schedule: passes are counted, a second instance
// refuses the lock, and SIGTERM ends it clean.
func TestServe(t *testing.T) {
	e, dir, env := loopback(t, &emulator.Options{Twins: devices(5)})
	server := command(t, dir, env, "serve", ".", "--listen", "127.0.0.1:0")
	stderr, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	address := ""
	for passes := 0; passes < 3 && lines.Scan(); {
		var line struct{ Msg, Listen, Result string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		if line.Msg == "serving" {
			address = line.Listen
		}
		if line.Msg == "pass" {
			passes++
			if line.Result != "ok" {
				t.Errorf("got %s", lines.Text())
			}
			// Somebody changes a twin back; the next pass mends it.
			if err := e.Patch(twin.Ref{Device: "d0000"}, twin.Patch{Tags: twin.Object{"power": nil}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	metrics := get(t, "http://"+address+"/metrics")
	for _, want := range []string{`twinrules_runs_total{hub="` + e.HubAddr() + `",pack="p",result="ok"} `, `twinrules_patches_total{hub="` + e.HubAddr() + `",pack="p",result="written"} `, "twinrules_build_info"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in %s", want, metrics)
		}
	}
	if got := get(t, "http://"+address+"/healthz"); got != "ok\n" {
		t.Errorf("got %q", got)
	}
	if out := mustRun(t, command(t, dir, env, "serve", ".", "--listen", "127.0.0.1:0"), exitGuard); !strings.Contains(out, "another twinrules writes to this hub") {
		t.Errorf("got %s", out)
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(stderr)
	if err := server.Wait(); err != nil {
		t.Errorf("it did not end clean: %v\n%s", err, rest)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return string(body)
}

// TestEmulatorCommand uses the emulator from another process with nothing but
// standard variables, as its help says.
func TestEmulatorCommand(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pack.yaml"), []byte(everyTwin), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "fleet.txt"), []byte(`{"id":"d1","twinETag":"AAAAAAAAAAE=","status":"enabled","properties":{"desired":{},"reported":{}}}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, dir, nil, "emulator", "--listen", "127.0.0.1:0", "--fleet", "fleet.txt", "--dir", "emu", "--request-log", "requests.jsonl")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(filepath.Join(dir, "emu", "ready.json"))
	if err != nil || !bytes.Equal(written, line) {
		t.Errorf("ready.json is %s (%v), printed was %s", written, err, line)
	}
	var ready emulator.Ready
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatal(err)
	}
	out := mustRun(t, command(t, dir, signIn(&ready), "apply", ".", "--hub", ready.HubAddr, "--yes"), 0)
	if !strings.Contains(out, "1 written.") {
		t.Errorf("got %s", out)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, "requests.jsonl"))
	if err != nil || !bytes.Contains(log, []byte(`"method":"PATCH"`)) {
		t.Errorf("the request log is %s (%v)", log, err)
	}
}

// TestDemo prints a plan and three commands, and these work as printed.
func TestDemo(t *testing.T) {
	dir := t.TempDir()
	out := mustRun(t, command(t, dir, nil, "demo"), 0)
	_, next, found := strings.Cut(out, "Next:\n")
	if !found || !strings.Contains(out, "to write") {
		t.Fatalf("got %s", out)
	}
	commands := strings.Split(strings.TrimSpace(next), "\n")
	if len(commands) != 3 {
		t.Fatalf("%d next commands: %s", len(commands), next)
	}
	for i, line := range commands {
		text, _, _ := strings.Cut(strings.TrimSpace(line), "#")
		_, text, _ = strings.Cut(text, "twinrules ") // behind how to call it
		out = mustRun(t, command(t, dir, nil, strings.Fields(text)...), 0)
		if i == 2 && !strings.Contains(out, "Nothing to write") {
			t.Errorf("%s: %s", line, out)
		}
	}
	if out := mustRun(t, command(t, dir, nil, "demo", "--reset"), 0); strings.Contains(out, "Nothing to write") {
		t.Errorf("after --reset: %s", out)
	}
}
