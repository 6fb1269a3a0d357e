package examples_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/rules"
)

// stories returns the folders that hold a pack and a fleet.
func stories(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*/pack.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("got %q, %v, want three stories at least", files, err)
	}
	var list []string
	for _, f := range files {
		list = append(list, filepath.Dir(f))
	}
	return list
}

// forEach runs a test for every story, side by side.
func forEach(t *testing.T, test func(t *testing.T, story string)) {
	for _, story := range stories(t) {
		t.Run(story, func(t *testing.T) {
			t.Parallel()
			test(t, story)
		})
	}
}

// compile loads the pack in a folder with its plugins.
func compile(t *testing.T, dir string) *rules.Program {
	t.Helper()
	pack, err := rules.Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	host, err := plugins.NewHost(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close(context.Background()) })
	set := plugins.NewSet(host, func(_ context.Context, name string) ([]byte, error) { return readPlugin(pack, name) })
	program, err := rules.Compile(t.Context(), pack, &rules.Options{Plugins: set})
	if err != nil {
		t.Fatal(err)
	}
	return program
}

func readPlugin(pack *rules.Pack, name string) ([]byte, error) {
	i := slices.IndexFunc(pack.Plugins, func(p *rules.PluginSource) bool { return p.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("no plugin %s", name)
	}
	p := pack.Plugins[i]
	data, err := fs.ReadFile(pack.FS, p.Source)
	if digest := fmt.Sprintf("sha256:%x", sha256.Sum256(data)); err == nil && digest != p.Digest {
		err = fmt.Errorf("%s: %s was built anew: write %s", p.Pos, p.Source, digest)
	}
	return data, err
}

func openFleet(t *testing.T, path string) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plan computes the plan of a pack on a fleet, or on another source with the
// same twins.
func plan(t *testing.T, p *rules.Program, s *snapshot.Snapshot, from engine.Source, workers int) *engine.Plan {
	t.Helper()
	if from == nil {
		from = s
	}
	out, err := engine.Evaluate(t.Context(), p, from, &engine.Options{
		Workers: workers, Moment: rules.Moment{Now: s.TakenAt, Hub: s.Hub}, Incomplete: !s.Complete,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// compare holds got against a file; UPDATE=1 rewrites it.
func compare(t *testing.T, path, got string) {
	t.Helper()
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), UPDATE=1 go test rewrites it:\n%s", path, diff)
	}
}

// TestStories runs the tests of each story's pack, computes its plan, and makes
// the changes of that on a hub. The pack is compiled once: of one with a plugin that
// takes longest.
func TestStories(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, dir string) {
		if watched && dir == "geofence" {
			t.Skip("2 MB of WebAssembly take a minute to compile; the plugins of pumps are small")
		}
		s := story{dir, compile(t, dir), openFleet(t, filepath.Join(dir, "fleet.ndjson.zst"))}
		t.Run("tests", func(t *testing.T) { testPack(t, s.program) })
		one := plan(t, s.program, s.fleet, nil, 2)
		t.Run("plan", func(t *testing.T) { s.holdPlan(t, one) })
		t.Run("apply", func(t *testing.T) { s.apply(t, one) })
	})
}

// A story is a pack with its fleet.
type story struct {
	dir     string
	program *rules.Program
	fleet   *snapshot.Snapshot
}

// TestNextPack runs the tests of the pack that TestDifference compares with.
func TestNextPack(t *testing.T) {
	t.Parallel()
	testPack(t, compile(t, "cold-chain/next"))
}

// testPack runs the tests of a pack, and sees to it that each rule has one in
// which it matches and one in which it does not.
func testPack(t *testing.T, p *rules.Program) {
	t.Helper()
	matches, misses := map[string]bool{}, map[string]bool{}
	for _, r := range p.Test(t.Context(), rules.Moment{}) {
		if r.Problem != "" {
			t.Errorf("%s: %s: %s", r.Rule.ID, r.Case.Name, r.Problem)
		}
		for _, v := range p.Eval(t.Context(), r.Case.Twin, rules.Moment{}) {
			if v.Rule.ID == r.Rule.ID {
				matches[r.Rule.ID] = matches[r.Rule.ID] || v.Matched && !r.Got.Empty()
				misses[r.Rule.ID] = misses[r.Rule.ID] || !v.Matched
			}
		}
	}
	for _, r := range p.Pack.Rules {
		if !matches[r.ID] || !misses[r.ID] {
			t.Errorf("%s: a test in which it matches: %v, one in which it does not: %v", r.ID, matches[r.ID], misses[r.ID])
		}
	}
}

// holdPlan holds the plan of a story against its want.txt, and sees to it that it
// is the same, byte for byte, with more workers and the twins in another order.
func (s story) holdPlan(t *testing.T, one *engine.Plan) {
	if s.fleet.Header.Twins < 500 || one.Empty() || one.Obstacle() != "" || len(one.Errors) > 0 {
		t.Errorf("%d twins, obstacle %q, %d errors: the story shows nothing, or something else", s.fleet.Header.Twins, one.Obstacle(), len(one.Errors))
	}
	var text bytes.Buffer
	if err := report.Text.Plan(&text, one, nil); err != nil {
		t.Fatal(err)
	}
	compare(t, filepath.Join(s.dir, "want.txt"), text.String())
	if !bytes.Equal(encode(t, one), encode(t, plan(t, s.program, s.fleet, shuffled{s.fleet, 1}, 8))) {
		t.Error("another plan with 8 workers and twins in another order")
	}
}

func encode(t *testing.T, p *engine.Plan) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := engine.WritePlan(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A shuffled source has the twins of a snapshot in another order.
type shuffled struct {
	*snapshot.Snapshot
	seed uint64
}

func (s shuffled) Twins(ctx context.Context, query string) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		var list []*twin.Twin
		for t, err := range s.Snapshot.Twins(ctx, query) {
			if err != nil {
				yield(nil, err)
				return
			}
			list = append(list, t)
		}
		rand.New(rand.NewPCG(s.seed, 0)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		for _, t := range list {
			if !yield(t, nil) {
				return
			}
		}
	}
}
