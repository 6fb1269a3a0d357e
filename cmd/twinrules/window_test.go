package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestOutsideItsWindowAPassWritesNothing runs one pass over the demo's hub at two
// times of a Saturday.
func TestOutsideItsWindowAPassWritesNothing(t *testing.T) {
	dir := t.TempDir()
	text := "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nlimits: {maxPercent: 100}\ndefaults: {limits: {maxPercent: 100}}\n" +
		"schedule: {every: 15m, window: {days: [sat], from: \"02:00\", to: \"05:00\"}}\nrules:\n  - {id: r, patch: {tags: {x: 1}}}\n"
	if err := os.WriteFile(filepath.Join(dir, "pack.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{
		"2026-11-21T01:59:59Z": "Nothing was written: the pack's window is closed (Sat 02:00 to 05:00 UTC); it opens at 2026-11-21T02:00:00Z.",
		"2026-11-21T05:00:00Z": "it opens at 2026-11-28T02:00:00Z.",
		"2026-11-21T04:59:59Z": " written.",
	} {
		var stdout, stderr bytes.Buffer
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		env := &environment{
			stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, now: func() time.Time { return now }, self: "twinrules",
			lookup: func(string) (string, bool) { return "", false },
		}
		code := run(t.Context(), env, []string{"run", dir, "--demo", "--state", t.TempDir()})
		if !strings.Contains(stdout.String(), want) || !strings.Contains(stdout.String(), " to write") || code != 0 {
			t.Errorf("at %s: exit code %d, got %s%s", at, code, &stdout, &stderr)
		}
	}
}
