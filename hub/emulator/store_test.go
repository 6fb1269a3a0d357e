package emulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// keeper runs an emulator with a state, until the function it returns is called.
func keeper(t *testing.T, o emulator.Options) (*emulator.Emulator, func()) {
	t.Helper()
	o.SigningKey = signingKey()
	e, err := emulator.Start(context.Background(), &o)
	if err != nil {
		t.Fatal(err)
	}
	return e, func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// describe returns all that an emulator shows of itself.
func describe(e *emulator.Emulator) string {
	var b strings.Builder
	fmt.Fprintln(&b, e.Tenant(), e.Client(), e.Secret(), e.ConnectionString(), e.HubAddr(), e.Authority(), string(e.CA()))
	for tw := range e.Twins() {
		fmt.Fprintln(&b, string(tw.JSON()))
	}
	for _, c := range e.Configurations() {
		text, _ := json.Marshal(c)
		fmt.Fprintln(&b, string(text))
	}
	return b.String()
}

// TestStateSurvives starts an emulator a second time: it is the same one, counts
// on, and goes on with what it was doing.
func TestStateSurvives(t *testing.T) {
	clock, dir, blobs := newClock(), filepath.Join(t.TempDir(), "state"), t.TempDir()
	o := emulator.Options{Now: clock.now, State: dir, Seed: 5, Twins: numbered(5), Containers: emulator.Folders(blobs), Tier: "S2"}
	e, stop := keeper(t, o)
	c := connect(t, e, 0)
	c.do("PATCH", "/twins/d001", `{"tags":{"a":1.50},"properties":{"desired":{"x":1}}}`).want(200, "")
	if err := e.Report(twin.Ref{Device: "d002"}, twin.Object{"ok": true}); err != nil {
		t.Fatal(err)
	}
	e.Delete(twin.Ref{Device: "d004"})
	c.do("PUT", "/configurations/c1", fanConfiguration).want(200, "")
	c.do("PUT", "/configurations/gone", fanConfiguration).want(200, "")
	c.do("DELETE", "/configurations/gone", "").want(204, "")
	c.do("PUT", "/jobs/v2/done", `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"j":1}},"queryCondition":"deviceId = 'd003'"}`).want(200, "")
	clock.pass(10 * time.Second)
	c.do("PUT", "/jobs/v2/later", `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"k":1}},"queryCondition":"deviceId = 'd003'","startTime":"2026-03-01T13:00:00Z"}`).want(200, "")
	first := c.do("POST", "/jobs/create", `{"type":"export","outputBlobContainerUri":"`+signed+`"}`).want(200, "").object()
	etag := c.do("GET", "/configurations/c1", "").header.Get("ETag")
	before := describe(e)
	c.http.CloseIdleConnections()
	stop()

	o.Seed, o.Twins = 99, numbered(50) // not for a second start
	e, stop = keeper(t, o)
	defer stop()
	if diff := cmp.Diff(before, describe(e)); diff != "" {
		t.Error(diff)
	}
	old := &client{t: t, e: e, http: e.HTTPClient(), token: c.token}
	defer old.http.CloseIdleConnections()
	old.do("GET", "/twins/d001", "").want(200, "").contains(`"a":1.50`) // with yesterday's token
	c = connect(t, e, 0)
	if got := c.do("PATCH", "/twins/d001", `{"tags":{"a":2}}`).twin(); got.ETag != "AAAAAAAAAAQ=" { // 1, the patch, the configuration
		t.Errorf("got etag %s", got.ETag)
	}
	c.do("PUT", "/configurations/c1", fanConfiguration, "If-Match", etag).want(200, "").contains(`"etag":"Mg=="`)
	c.do("GET", "/configurations/gone", "").want(404, "ConfigurationNotFound")
	c.do("GET", "/jobs/v2/done", "").contains(`"status":"completed","deviceJobStatistics":{"deviceCount":1,"failedCount":0,"succeededCount":1`)
	clock.pass(2 * time.Second)
	c.do("GET", fmt.Sprint("/jobs/", first["jobId"]), "").contains(`"status":"completed"`)
	second := c.do("POST", "/jobs/create", `{"type":"export","outputBlobContainerUri":"`+signed+`"}`).want(200, "").object()
	if first["jobId"] == second["jobId"] {
		t.Error("two jobs have one id")
	}
	clock.pass(59 * time.Minute)
	c.do("GET", "/jobs/v2/later", "").contains(`"status":"scheduled"`)
	clock.pass(2 * time.Minute)
	connect(t, e, 0).do("GET", "/jobs/v2/later", "").contains(`"status":"completed"`)
	if got, err := e.Twin(twin.Ref{Device: "d003"}); err != nil || string(twin.Encode(got.Tags())) != `{"j":1,"k":1,"n":3}` {
		t.Errorf("got tags %s (%v)", twin.Encode(got.Tags()), err)
	}
}

// TestStateInTheMiddleOfAJob stops while a job runs: the rest is done afterwards,
// and nothing twice.
func TestStateInTheMiddleOfAJob(t *testing.T) {
	clock := newClock()
	o := emulator.Options{Now: clock.now, State: t.TempDir(), Tier: "S1", Twins: numbered(35)}
	e, stop := keeper(t, o)
	c := connect(t, e, 0)
	c.do("PUT", "/jobs/v2/j", `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"x":1}},"queryCondition":"*"}`).want(200, "")
	clock.pass(4 * time.Second)
	c.do("GET", "/jobs/v2/j", "").contains(`"succeededCount":20,"runningCount":0,"pendingCount":15`)
	c.http.CloseIdleConnections()
	stop()
	e, stop = keeper(t, o)
	defer stop()
	c = connect(t, e, 0)
	c.do("GET", "/jobs/v2/j", "").contains(`"status":"running"`).contains(`"succeededCount":20,"runningCount":0,"pendingCount":15`)
	clock.pass(5 * time.Second)
	c.do("GET", "/jobs/v2/j", "").contains(`"status":"completed"`).contains(`"deviceCount":35,"failedCount":0,"succeededCount":35`)
	for tw := range e.Twins() {
		if tw.Version != 3 {
			t.Errorf("%s was written %d times", tw.Ref, tw.Version-2)
		}
	}
}

func TestTwoEmulatorsOnOneState(t *testing.T) {
	o := emulator.Options{State: t.TempDir()}
	_, stop := keeper(t, o)
	defer stop()
	second, err := emulator.Start(context.Background(), &o)
	if err == nil {
		second.Close()
		t.Fatal("it started")
	}
	if want := "another emulator keeps its state in " + o.State; !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestTornState cuts the file at every byte of what came after the start: what is
// left is some prefix of the writes, and none of them by half.
func TestTornState(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hub.state")
	o := emulator.Options{State: dir, Twins: numbered(1)}
	e, stop := keeper(t, o)
	begun, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, e, 0)
	born := c.do("PUT", "/devices/new", `{"deviceId":"new"}`).want(200, "").body // its twin, its keys, and that it was born
	if err := e.Patch(twin.Ref{Device: "new"}, twin.Patch{Tags: twin.Object{"x": json.Number("1")}}); err != nil {
		t.Fatal(err)
	}
	if err := e.Send("new", emulator.Message{Body: []byte("hello")}); err != nil {
		t.Fatal(err)
	}
	stop()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for n := len(begun); n <= len(whole); n += 37 {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		got := whatIsThere(t, o, born)
		if want := []string{"nothing", "born", "written", "sent to"}[unitsIn(whole[len(begun):n])]; got != want {
			t.Errorf("cut at %d: got %s, want %s", n, got, want)
		}
		seen[got] = true
	}
	if len(seen) < 3 {
		t.Errorf("seen only %v", seen)
	}
}

// whatIsThere says how far the device "new" is, which was created with the answer
// born.
func whatIsThere(t *testing.T, o emulator.Options, born string) string {
	t.Helper()
	e, stop := keeper(t, o)
	defer stop()
	got, err := e.Twin(twin.Ref{Device: "new"})
	if err != nil {
		return "nothing"
	}
	c := connect(t, e, 0)
	device := c.do("GET", "/devices/new", "").want(200, "").object()
	for _, member := range []string{"generationId", "etag"} {
		if !strings.Contains(born, fmt.Sprintf(`"%s":"%s"`, member, device[member])) {
			t.Errorf("%s is %s, at its creation it was %s", member, device[member], born)
		}
	}
	if key, _ := device.Lookup("authentication", "symmetricKey", "primaryKey"); !strings.Contains(born, fmt.Sprintf(`"primaryKey":"%s"`, key)) {
		t.Errorf("it has the key %s, at its creation it was %s", key, born)
	}
	purged := c.do("DELETE", "/devices/new/commands", "").want(200, "").object()["totalMessagesPurged"]
	switch {
	case fmt.Sprint(device["cloudToDeviceMessageCount"]) != fmt.Sprint(purged):
		t.Errorf("the twin counts %v messages, there are %v", device["cloudToDeviceMessageCount"], purged)
	case fmt.Sprint(purged) == "1":
		return "sent to"
	case got.Tags()["x"] != nil:
		return "written"
	}
	return "born"
}

// unitsIn counts the units of a log that are whole.
func unitsIn(log []byte) (n int) {
	for line := range bytes.Lines(log) {
		if bytes.HasSuffix(line, []byte("\n")) && !bytes.HasSuffix(line, []byte(`,"more":true}`+"\n")) {
			n++
		}
	}
	return n
}

func TestDamagedState(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hub.state")
	o := emulator.Options{State: dir, Twins: numbered(3)}
	_, stop := keeper(t, o)
	stop()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	third := len(lines[0]) + len(lines[1])
	flipped := slices.Clone(whole)
	flipped[third+60] ^= 1
	for name, test := range map[string]struct{ content, want string }{
		"flipped bit":   {string(flipped), "hub.state:3: damaged: the line and its checksum disagree"},
		"lost line end": {string(bytes.Replace(whole, []byte("\n"), []byte(" "), 2)), "hub.state:1: not a state"},
		"another file":  {"PK\x03\x04\n", "hub.state:1: not a state that this version reads"},
		"newer":         {"twinrules emulator state 2\n", "hub.state:1: not a state that this version reads"},
		"empty":         {"", "hub.state:1: the file is cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			e, err := emulator.Start(context.Background(), &o)
			if err == nil {
				e.Close()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if left, err := os.ReadFile(path); err != nil || string(left) != test.content {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

// TestStateIsPrivate looks at who may read it.
func TestStateIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "state")
	_, stop := keeper(t, emulator.Options{State: dir})
	stop()
	for _, name := range []string{".", "hub.state", "lock"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: got mode %v (%v)", name, info.Mode(), err)
		}
	}
}

// TestStateThatCannotBeWritten answers with an error once the file is gone bad.
func TestStateThatCannotBeWritten(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full")
	}
	dir := t.TempDir()
	if err := os.Symlink("/dev/full", filepath.Join(dir, "hub.state.new")); err != nil {
		t.Fatal(err)
	}
	e, err := emulator.Start(context.Background(), &emulator.Options{State: dir, SigningKey: signingKey()})
	if err == nil {
		e.Close()
		t.Fatal("it started")
	}
	if !strings.Contains(err.Error(), "keep state: ") {
		t.Errorf("got %v", err)
	}
}
