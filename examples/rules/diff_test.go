package examples_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/snapshot"
)

// difference computes what the next version of the cold chain's pack changes.
func difference(t *testing.T, s *snapshot.Snapshot) *engine.Difference {
	t.Helper()
	base, head := compile(t, "cold-chain"), compile(t, "cold-chain/next")
	d, err := engine.Compare(plan(t, base, s, nil, 4), plan(t, head, s, nil, 4))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func render(t *testing.T, f *report.Format, d *engine.Difference) string {
	t.Helper()
	var b bytes.Buffer
	if err := f.Difference(&b, d, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestDifference holds what a pull request would show against want-diff.txt.
func TestDifference(t *testing.T) {
	t.Parallel()
	d := difference(t, openFleet(t, "cold-chain/fleet.ndjson.zst"))
	classes := map[engine.Class]int{}
	for c, err := range d.Changes.All() {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range c.Edits {
			classes[e.Class]++
		}
	}
	if classes[engine.Introduced] == 0 || classes[engine.Withdrawn] == 0 || classes[engine.Altered] == 0 || d.Pending == 0 {
		t.Errorf("got %v and %d pending, want all of them", classes, d.Pending)
	}
	compare(t, "cold-chain/next/want-diff.txt", render(t, report.Text, d))
}

// TestLargeDifference sees to it that the comment on a pull request keeps within
// its limit for ten thousand twins, and is the same each time it is written. That
// the difference is, TestDifference tells, and TestStories of plans.
func TestLargeDifference(t *testing.T) {
	if watched {
		t.Skip("TestDifference does the same, with fewer twins")
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "large.ndjson.zst")
	run(t, build(t, "./examples/rules/generate"), "-twins", "10000", "-family", "all", "-out", path)
	s := openFleet(t, path)
	if s.Header.Twins != 10_000 {
		t.Fatalf("got %d twins", s.Header.Twins)
	}
	d := difference(t, s)
	if d.Changes.Len() < 300 {
		t.Errorf("it concerns %d twins only", d.Changes.Len())
	}
	first, second := render(t, report.Markdown, d), render(t, report.Markdown, d)
	if first != second {
		t.Errorf("two comments for one difference:\n%s\n%s", first, second)
	}
	if len(first) >= report.MaxMarkdown {
		t.Errorf("%d bytes, a comment takes %d", len(first), report.MaxMarkdown)
	}
}

// root is the folder in which people call the commands.
const root = "../.."

// build builds a command of the module.
func build(t *testing.T, pkg string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), filepath.Base(pkg))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", out, pkg)
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, text)
	}
	return out
}

// run calls a command at the root and returns what it prints. Its state goes to
// a folder of the test.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, &stdout, &stderr
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir(), "NO_COLOR=1")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s%s", filepath.Base(name), args, err, &stdout, &stderr)
	}
	return stdout.String()
}
