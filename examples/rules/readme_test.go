package examples_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReadmes runs the commands that the READMEs show and holds what they print
// against what stands below them. UPDATE=1 rewrites it.
func TestReadmes(t *testing.T) {
	t.Parallel()
	twinrules := build(t, "./cmd/twinrules")
	forEach(t, func(t *testing.T, story string) {
		path := filepath.Join(story, "README.md")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, path, rerun(t, twinrules, strings.SplitAfter(string(data), "\n")))
	})
}

// rerun returns a README with what its commands print now. Commands are the
// lines that begin with $ in a block of the language console.
func rerun(t *testing.T, twinrules string, lines []string) string {
	t.Helper()
	var b strings.Builder
	inside, calls := false, 0
	for i := 0; i < len(lines); i++ {
		b.WriteString(lines[i])
		if strings.HasPrefix(lines[i], "```") {
			inside = lines[i] == "```console\n"
		}
		args, isCall := strings.CutPrefix(lines[i], "$ go run ./cmd/twinrules ")
		if !inside || !isCall {
			continue
		}
		calls++
		n := slices.IndexFunc(lines[i+1:], func(l string) bool { return strings.HasPrefix(l, "$ ") || strings.HasPrefix(l, "```") })
		shown := lines[i+1 : i+1+n]
		b.WriteString(elide(run(t, twinrules, strings.Fields(args)...), shown))
		i += n
	}
	if calls < 2 {
		t.Errorf("it shows %d commands", calls)
	}
	return b.String()
}

// elide cuts what a command printed as the README does, which shows all of it,
// nothing, or with a line … so many lines of its beginning and its end.
func elide(output string, shown []string) string {
	head := slices.Index(shown, "…\n")
	all := strings.SplitAfter(strings.TrimSuffix(output, "\n"), "\n")
	all[len(all)-1] += "\n"
	switch {
	case len(shown) == 0:
		return ""
	case head < 0 || len(all) < len(shown):
		return output
	}
	tail := len(shown) - head - 1
	return strings.Join(slices.Concat(all[:head], shown[head:head+1], all[len(all)-tail:]), "")
}
