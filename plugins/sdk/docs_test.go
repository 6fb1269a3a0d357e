package sdk_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/plugins/sdk"
	"github.com/twinrules/twinrules/plugins/sdk/sdktest"
)

// TestDocs runs the commands that docs/plugins.md shows for each language, in a
// folder that looks like a clone, and finds the sample at work in the plan.
func TestDocs(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("what it runs are processes of their own, without the race detector")
	}
	const root = "../.."
	sections := strings.Split(string(sdktest.Read(t, root+"/docs/plugins.md")), "\n### ")
	build := commands(sections[0])
	if len(sections) != len(sdk.Languages)+1 || len(build) != 1 {
		t.Fatalf("it has %d sections and %d commands before them", len(sections), len(build))
	}
	bin := filepath.Join(t.TempDir(), "twinrules")
	run(t, root, strings.Replace(build[0], "-o twinrules", "-o "+bin, 1), nil)
	for i, l := range sdk.Languages {
		t.Run(l.Name, func(t *testing.T) {
			if name, _, _ := strings.Cut(sections[i+1], "\n"); !strings.EqualFold(name, l.Name) {
				t.Fatalf("it is about %s", name)
			}
			env := []string{"XDG_STATE_HOME=" + t.TempDir(), "NO_COLOR=1", "PATH=" + filepath.Dir(sdktest.Tool(t, l)) + ":" + os.Getenv("PATH")}
			dir := clone(t, root, bin)
			list := commands(sections[i+1])
			if len(list) != 4 {
				t.Fatalf("got %q", list)
			}
			var out string
			for n, command := range list {
				if out = run(t, dir, command, env); n == 2 && !strings.Contains(out, `"pct":11.50`) {
					t.Errorf("%s: %s", command, out)
				}
			}
			if l != sdk.WAT && !strings.Contains(out, block(sections[0])) {
				t.Errorf("the plan is\n%s, and not what is shown", out)
			}
			if !strings.Contains(out, "low-battery") || !strings.Contains(out, "saver") || strings.Contains(out, "cannot be applied") {
				t.Errorf("the plan is\n%s", out)
			}
		})
	}
}

// clone returns a folder that has the repository's plugins, and the command.
func clone(t *testing.T, root, bin string) string {
	t.Helper()
	dir := t.TempDir()
	whole, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"plugins": filepath.Join(whole, "plugins"), "twinrules": bin} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// block returns what stands in the first block of text that is no console's.
func block(text string) string {
	_, rest, _ := strings.Cut(text, "\n```\n  ")
	inner, _, _ := strings.Cut(rest, "```")
	return "  " + inner
}

var shown = regexp.MustCompile(`(?m)^\$ (.*)$`)

// commands returns what stands behind the prompts of text.
func commands(text string) (list []string) {
	for _, m := range shown.FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	return list
}

func run(t *testing.T, dir, command string, env []string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", command)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}
