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

// TestDocs is a newcomer with a stopwatch: it runs the commands that docs/plugins.md
// shows for each language, from nothing to a plan in which the plugin's rule
// matches devices, and counts them.
func TestDocs(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("what it runs are processes of their own, without the race detector")
	}
	const root = "../.."
	page, _, _ := strings.Cut(string(sdktest.Read(t, root+"/docs/plugins.md")), "\n## Testing")
	sections := strings.Split(page, "\n### ")
	if len(sections) != len(sdk.Languages)+1 || !strings.Contains(sections[0], "Five commands") {
		t.Fatalf("it has %d sections, or another number of commands", len(sections))
	}
	bin := t.TempDir()
	run(t, root, "go build -o "+filepath.Join(bin, "twinrules")+" ./cmd/twinrules", nil)
	for i, l := range sdk.Languages {
		t.Run(l.Name, func(t *testing.T) {
			if name, _, _ := strings.Cut(sections[i+1], "\n"); name != l.Title {
				t.Fatalf("it is about %s", name)
			}
			env := []string{"XDG_STATE_HOME=" + t.TempDir(), "NO_COLOR=1", "GOPROXY=off", "PATH=" + bin + ":" + filepath.Dir(sdktest.Tool(t, l)) + ":" + os.Getenv("PATH")}
			list := commands(sections[i+1])
			if len(list) != 5 {
				t.Fatalf("got %q", list)
			}
			dir, out := t.TempDir(), ""
			for _, command := range list {
				out = run(t, dir, command, env)
			}
			if l != sdk.WAT && !strings.Contains(out, block(sections[0])) {
				t.Errorf("the plan is\n%s, and not what is shown", out)
			}
			if !strings.Contains(out, "low-battery") || !strings.Contains(out, "saver") || strings.Contains(out, "cannot be applied") {
				t.Errorf("the plan is\n%s", out)
			}
			if out := run(t, dir, "twinrules test battery && twinrules check --strict battery && twinrules plugin lock battery --check", env); !strings.Contains(out, "4 passed, 0 failed") || strings.Contains(out, "note") {
				t.Errorf("the pack says of itself %s", out)
			}
		})
	}
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
