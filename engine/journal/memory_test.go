package journal_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/journal"
	"github.com/twinrules/twinrules/hub/twin"
)

const contoso = "contoso.azure-devices.net"

// run writes the folder of one run, the n-th, in which rule r wrote edits to pump.
func run(t testing.TB, dir string, n int, hub string, status engine.Status, born int64, edits ...engine.Edit) string {
	t.Helper()
	at := time.Date(2026, 11, 1, n, 0, 0, 0, time.UTC)
	plan := &engine.Plan{
		Header:  engine.Header{Schema: engine.PlanSchema, Pack: engine.PackInfo{Name: "p"}, Hub: hub, TakenAt: at},
		Changes: engine.ChangesOf(engine.Change{Ref: pump, DesiredVersion: born, Edits: edits}),
	}
	folder := filepath.Join(dir, fmt.Sprint("run", n))
	j, err := journal.Open(folder, journal.Begin{Plan: digest(plan), Hub: hub, At: at})
	must(t, err)
	f, err := os.Create(filepath.Join(folder, journal.PlanName))
	must(t, err)
	must(t, engine.WritePlan(f, plan))
	must(t, f.Close())
	must(t, j.Intend(pump))
	if status != engine.InDoubt {
		must(t, j.Record(engine.Outcome{Ref: pump, Status: status}))
	}
	must(t, j.Close())
	return folder
}

// wrote is an edit of desired.x by rule r.
func wrote(before, after any) engine.Edit {
	return engine.Edit{Section: "desired", Path: []string{"x"}, Before: before, After: after, Rules: []string{"r"}}
}

func left(before, after any) engine.Edit {
	e := wrote(before, after)
	e.Why = "left: restored"
	return e
}

func num(n int) any { return json.Number(fmt.Sprint(n)) }

func pumpNow(t testing.TB, version int) *twin.Twin {
	t.Helper()
	tw, err := twin.Parse(fmt.Appendf(nil, `{"deviceId":"pump-1","properties":{"desired":{"x":9,"$version":%d},"reported":{}}}`, version))
	must(t, err)
	return tw
}

// TestMemory is what earlier runs say stood at desired.x, where 9 stands now.
func TestMemory(t *testing.T) {
	x := twin.Leaf{Section: "desired", Path: []string{"x"}, Value: num(9)}
	for name, c := range map[string]struct {
		runs func(dir string)
		want string
	}{
		"no run":              {func(string) {}, "not known"},
		"one write":           {func(dir string) { run(t, dir, 1, contoso, engine.Written, 1, wrote(num(5), num(9))) }, "5"},
		"where nothing was":   {func(dir string) { run(t, dir, 1, contoso, engine.Written, 1, wrote(nil, num(9))) }, "null"},
		"an answer was lost":  {func(dir string) { run(t, dir, 1, contoso, engine.InDoubt, 1, wrote(num(5), num(9))) }, "5"},
		"it was as wanted":    {func(dir string) { run(t, dir, 1, contoso, engine.Converged, 1, wrote(num(5), num(9))) }, "5"},
		"it was refused":      {func(dir string) { run(t, dir, 1, contoso, engine.Rejected, 1, wrote(num(5), num(9))) }, "not known"},
		"it was another hub":  {func(dir string) { run(t, dir, 1, "other.azure-devices.net", engine.Written, 1, wrote(num(5), num(9))) }, "not known"},
		"another device then": {func(dir string) { run(t, dir, 1, contoso, engine.Written, 99, wrote(num(5), num(9))) }, "not known"},
		"another value since": {func(dir string) { run(t, dir, 1, contoso, engine.Written, 1, wrote(num(5), num(8))) }, "not known"},
		"the rule was changed while at work": {func(dir string) {
			run(t, dir, 1, contoso, engine.Written, 1, wrote(num(5), num(7)))
			run(t, dir, 2, contoso, engine.Written, 1, wrote(num(7), num(9)))
		}, "5"},
		"others wrote in between": {func(dir string) {
			run(t, dir, 1, contoso, engine.Written, 1, wrote(num(5), num(7)))
			run(t, dir, 2, contoso, engine.Written, 1, wrote(num(6), num(9)))
		}, "6"},
		"it had left in between": {func(dir string) {
			run(t, dir, 1, contoso, engine.Written, 1, wrote(num(5), num(9)))
			run(t, dir, 2, contoso, engine.Written, 1, left(num(9), num(5)))
			run(t, dir, 3, contoso, engine.Written, 1, wrote(num(6), num(9)))
		}, "6"},
		"it left": {func(dir string) {
			run(t, dir, 1, contoso, engine.Written, 1, wrote(num(5), num(9)))
			run(t, dir, 2, contoso, engine.Written, 1, left(num(9), num(5)))
		}, "not known"},
		"killed before it began": {func(dir string) {
			run(t, dir, 1, contoso, engine.Written, 1, wrote(num(5), num(9)))
			must(t, os.Mkdir(filepath.Join(dir, "killed"), 0o700))
		}, "5"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.runs(dir)
			m, err := journal.Remember(dir, contoso, []string{"r"})
			must(t, err)
			got := "not known"
			if v, known := m.Before(pumpNow(t, 5), "r", x); known {
				got = string(twin.Encode(v))
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if _, known := m.Before(pumpNow(t, 5), "other", x); known {
				t.Error("another rule remembers it, too")
			}
		})
	}
}

// TestMemoryOfObjects: an object that a scalar took the place of is remembered
// whole, and of one that grew only what was there.
func TestMemoryOfObjects(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, 1, contoso, engine.Written, 1,
		engine.Edit{Section: "desired", Path: []string{"o"}, Before: num(5), After: twin.Object{"a": num(1)}, Rules: []string{"r"}},
		engine.Edit{Section: "desired", Path: []string{"x"}, Before: twin.Object{"a": num(1)}, After: num(9), Rules: []string{"q", "r"}})
	m, err := journal.Remember(dir, contoso, []string{"r"})
	must(t, err)
	if v, known := m.Before(pumpNow(t, 5), "r", twin.Leaf{Section: "desired", Path: []string{"x"}, Value: num(9)}); !known || string(twin.Encode(v)) != `{"a":1}` {
		t.Errorf("got %v, %v", v, known)
	}
	if v, known := m.Before(pumpNow(t, 5), "r", twin.Leaf{Section: "desired", Path: []string{"o", "a"}, Value: num(1)}); !known || v != nil {
		t.Errorf("got %v, %v", v, known)
	}
}

// TestADamagedRunIsNotForgotten: values that it holds would be taken for none.
func TestADamagedRunIsNotForgotten(t *testing.T) {
	dir := t.TempDir()
	folder := run(t, dir, 1, contoso, engine.Written, 1, wrote(num(5), num(9)))
	must(t, os.WriteFile(filepath.Join(folder, journal.PlanName), []byte("x"), 0o600))
	if _, err := journal.Remember(dir, contoso, []string{"r"}); err == nil || !strings.HasPrefix(err.Error(), "remember earlier runs: ") {
		t.Errorf("got %v", err)
	}
	if _, err := journal.Remember(dir, contoso, nil); err != nil {
		t.Errorf("nobody asks, and %v", err)
	}
}

// TestMemoryFollowsTheWrites is the law of memories: whatever a rule, which may be
// changed while it is at work, and others write in turn, what is remembered is the
// last value that was not the rule's.
func TestMemoryFollowsTheWrites(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		must(t, err)
		value, before, at := 0, -1, false
		for n := range rapid.IntRange(1, 6).Draw(rt, "steps") {
			next := 10*(n+1) + rapid.IntRange(0, 1).Draw(rt, "value")
			switch rapid.IntRange(0, 2).Draw(rt, "who") {
			case 0: // the rule
				if !at {
					before, at = value, true
				}
				run(t, dir, n, contoso, engine.Written, 1, wrote(num(value), num(next)))
				value = next
			case 1: // others
				value, at = next, false
			case 2: // the rule leaves
				if at {
					run(t, dir, n, contoso, engine.Written, 1, left(num(value), num(before)))
					value, at = before, false
				}
			}
		}
		m, err := journal.Remember(dir, contoso, []string{"r"})
		must(t, err)
		got, known := m.Before(pumpNow(t, 5), "r", twin.Leaf{Section: "desired", Path: []string{"x"}, Value: num(value)})
		if known != at || at && got != num(before) {
			rt.Fatalf("got %v, %v, want %v, %v", got, known, before, at)
		}
	})
}

// digest returns that of a plan whose changes are in memory.
func digest(p *engine.Plan) string {
	d, err := p.Digest()
	if err != nil {
		panic(err)
	}
	return d
}
