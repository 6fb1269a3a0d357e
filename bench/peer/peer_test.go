package peer_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/twinrules/twinrules/bench/fleet"
	"github.com/twinrules/twinrules/bench/pack"
	"github.com/twinrules/twinrules/bench/peer"
	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/rules"
)

const (
	devices = 300
	number  = 200 // of rules
)

// Every engine finds the same devices for each rule, and those that write
// patches write the same. Go by hand shares nothing with the others.
func TestEnginesAgree(t *testing.T) {
	var twins bytes.Buffer
	if err := fleet.Write(&twins, devices, &fleet.Options{Seed: 11, Adrift: 300}); err != nil {
		t.Fatal(err)
	}
	made := pack.Make(number)
	want := ofPlan(t, made)
	for i, n := range want.Matched {
		if n == want.Devices {
			t.Errorf("rule %d holds for all devices: %s", i, pack.TwinRules(made[i].When))
		}
	}
	for _, e := range peer.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			var patches bytes.Buffer
			got, err := peer.Run(e, made, bytes.NewReader(twins.Bytes()), &patches)
			if err != nil {
				t.Fatal(err)
			}
			if got.Devices != devices {
				t.Errorf("%d devices of %d", got.Devices, devices)
			}
			compare(t, made, got.Matched, want.Matched)
			if got.Written == 0 {
				return
			}
			if wrote, err := peer.ReadPatches(&patches); err != nil || wrote.Digest != want.Digest || wrote.Written != want.Written {
				t.Errorf("writes %+v, %v; twinrules %d, %s", wrote, err, want.Written, want.Digest)
			}
		})
	}
}

func compare(t *testing.T, made []pack.Rule, got, want []int) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("rule %d holds for %d devices, in twinrules for %d: %s", i, got[i], want[i], pack.TwinRules(made[i].When))
		}
	}
}

// ofPlan is what twinrules finds in the same fleet, read back from its plan file.
func ofPlan(t *testing.T, made []pack.Rule) *peer.Result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fleet.ndjson")
	if err := fleet.Record([]string{path}, devices, &fleet.Options{Seed: 11, Adrift: 300}, func(string, snapshot.Header) {}); err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := engine.Evaluate(t.Context(), compile(t, pack.YAML(made)), s, &engine.Options{Moment: rules.Moment{Now: s.TakenAt, Hub: s.Hub}})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := engine.WritePlan(&file, plan); err != nil {
		t.Fatal(err)
	}
	r, err := peer.ReadPlan(&file, made)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func compile(t *testing.T, text string) *rules.Program {
	t.Helper()
	loaded, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	program, err := rules.Compile(t.Context(), loaded, nil)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// The programs that are no Go, where they are installed.
func TestProgramsAgree(t *testing.T) {
	made, dir := pack.Make(number), t.TempDir()
	var twins bytes.Buffer
	if err := fleet.Write(&twins, 200, &fleet.Options{Seed: 12}); err != nil {
		t.Fatal(err)
	}
	typed, err := peer.Find("typed")
	if err != nil {
		t.Fatal(err)
	}
	want, err := peer.Run(typed, made, bytes.NewReader(twins.Bytes()), &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	in := write(t, dir, "fleet.ndjson", twins.String())
	t.Run("node", func(t *testing.T) {
		out := output(t, "node", "../programs/node.cjs", write(t, dir, "pack.cjs", pack.Module(made)), in)
		if wanted := fmt.Sprintf(`{"devices":200,"matched":%s,"written":0}`, strings.ReplaceAll(fmt.Sprint(want.Matched), " ", ",")); out != wanted {
			t.Errorf("got  %s\nwant %s", out, wanted)
		}
	})
	t.Run("jq", func(t *testing.T) {
		out := output(t, "jq", "-c", "-f", write(t, dir, "pack.jq", pack.Filter(made)), in)
		got := make([]int, number)
		for _, field := range strings.FieldsFunc(out, func(c rune) bool { return strings.ContainsRune("[],\n", c) }) {
			var n int
			fmt.Sscan(field, &n)
			got[n]++
		}
		compare(t, made, got, want.Matched)
	})
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skip(name, "is not installed")
	}
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// A line that is no JSON ends a run; it is not counted as a device without hits.
func TestBadLinesAreRefused(t *testing.T) {
	for _, e := range peer.Engines() {
		if r, err := peer.Run(e, pack.Make(1), strings.NewReader("{\"deviceId\":\n"), &bytes.Buffer{}); err == nil {
			t.Errorf("%s: %+v", e.Name, r)
		}
	}
}
