package main

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// consoleBlock matches a block of README whose commands are run and whose
// output is compared.
var consoleBlock = regexp.MustCompile("(?s)```console\n(.*?)```\n")

// moments match times that differ from run to run.
var moments = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

// TestReadme runs the commands of README's console blocks and compares what they
// print. UPDATE=1 rewrites it. (Those of the examples are run beside them.)
func TestReadme(t *testing.T) {
	const path = "../../README.md"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	updated := consoleBlock.ReplaceAllFunc(data, func(block []byte) []byte {
		body := strings.TrimSuffix(strings.TrimPrefix(string(block), "```console\n"), "```\n")
		return []byte("```console\n" + session(t, home, body) + "```\n")
	})
	want, got := moments.ReplaceAll(data, []byte("TIME")), moments.ReplaceAll(updated, []byte("TIME"))
	if bytes.Equal(want, got) {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatalf("what it shows is not what happens; UPDATE=1 go test -run TestReadme ./cmd/twinrules rewrites it:\n%s", firstDifference(string(want), string(got)))
	}
	if err := os.WriteFile(path, updated, 0o644); err != nil {
		t.Fatal(err)
	}
}

// session runs the commands of a block, those after "$ ", and returns the block
// with what they printed. A line "…" among what is shown stands for the middle:
// as many lines as are shown before and after it are kept.
func session(t *testing.T, home, body string) string {
	t.Helper()
	var out strings.Builder
	for part := range strings.SplitSeq(strings.TrimPrefix(body, "$ "), "\n$ ") {
		text, shown, _ := strings.Cut(part, "\n")
		args, ok := strings.CutPrefix(text, "go run ./cmd/twinrules")
		if !ok {
			t.Fatalf("%q is no command of twinrules", text)
		}
		cmd := command(t, "../..", map[string]string{"HOME": home}, strings.Fields(args)...)
		printed, _ := cmd.CombinedOutput() // an exit code may be what is shown
		out.WriteString("$ " + text + "\n" + elide(string(printed), strings.Split(shown, "\n")))
	}
	return out.String()
}

func elide(printed string, shown []string) string {
	head := slices.Index(shown, "…")
	lines := strings.SplitAfter(printed, "\n")
	if tail := len(shown) - head - 1; head >= 0 && head+tail < len(lines) {
		lines = slices.Concat(lines[:head], []string{"…\n"}, lines[len(lines)-tail:])
	}
	return strings.Join(lines, "")
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "shown:   " + a[i] + "\nhappens: " + b[i]
		}
	}
	return "one goes on where the other ends"
}
