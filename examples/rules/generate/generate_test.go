package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
)

// TestStories makes the fleets anew and finds that the committed ones are what
// comes out. UPDATE=1 commits what comes out.
func TestStories(t *testing.T) {
	dir := t.TempDir()
	if os.Getenv("UPDATE") != "" {
		dir = ".."
	}
	for _, f := range stories {
		if err := os.MkdirAll(filepath.Join(dir, f.name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := run([]string{"-root", dir}); err != nil {
		t.Fatal(err)
	}
	for _, f := range stories {
		name := filepath.Join(f.name, "fleet.ndjson.zst")
		got, want := read(t, filepath.Join(dir, name)), read(t, filepath.Join("..", name))
		if !bytes.Equal(got, want) {
			t.Errorf("%s is out of date: run go run ./examples/rules/generate, then UPDATE=1 go test ./examples/rules", name)
		}
		if len(got) > 200<<10 {
			t.Errorf("%s has %d bytes", name, len(got))
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOneFamily(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.ndjson")
	if err := run([]string{"-twins", "30", "-family", "locator", "-out", path}); err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for tw, err := range s.Twins(t.Context(), "SELECT * FROM devices WHERE tags.kind = 'locator'") {
		if err != nil || !strings.HasPrefix(tw.Ref.Device, "loc-") {
			t.Errorf("got %v, %v", tw, err)
		}
		n++
	}
	if n != 30 {
		t.Errorf("got %d locators, want 30", n)
	}
	if err := run([]string{"-family", "pump", "-out", path}); err == nil || !strings.Contains(err.Error(), "nordfrost") {
		t.Errorf("got %v, want an error that lists the families", err)
	}
}

// forAll runs a test on the twins of every story.
func forAll(t *testing.T, test func(t *testing.T, tw *twin.Twin)) {
	for _, f := range stories {
		for _, tw := range f.draw() {
			test(t, tw)
		}
	}
}

// TestCounters holds the counters of each twin against what a hub makes of
// them: one for the creation and one for each write. A report moves the version
// and not the etag.
func TestCounters(t *testing.T) {
	forAll(t, func(t *testing.T, tw *twin.Twin) {
		raw, err := base64.StdEncoding.DecodeString(tw.ETag)
		if err != nil || len(raw) != 8 {
			t.Fatalf("%s: etag %q", tw.Ref, tw.ETag)
		}
		writes := int64(binary.BigEndian.Uint64(raw))
		reports, _ := tw.Reported()["$version"].(json.Number).Int64()
		if tw.Version != writes+reports {
			t.Errorf("%s: version %d, and %d writes and %d of the reported section", tw.Ref, tw.Version, writes, reports)
		}
		if d := tw.DesiredVersion(); d < 1 || d > writes || d == writes && len(tw.Tags()) > 0 {
			t.Errorf("%s: desired version %d of %d writes", tw.Ref, d, writes)
		}
	})
}

// TestMetadata holds the metadata of each section against its values: every
// object and leaf has a time, which is neither after the snapshot nor after that
// of the section.
func TestMetadata(t *testing.T) {
	forAll(t, func(t *testing.T, tw *twin.Twin) {
		for _, name := range []string{"desired", "reported"} {
			section, _ := tw.Section(name)
			newest, ok := tw.Updated(name)
			if !ok || newest.After(taken) {
				t.Errorf("%s: %s is of %v, %v", tw.Ref, name, newest, ok)
			}
			leaves := slices.DeleteFunc(twin.Leaves(name, section), func(l twin.Leaf) bool { return l.Path[0][0] == '$' })
			for _, l := range leaves {
				if at, ok := tw.Updated(name, l.Path...); !ok || at.After(newest) {
					t.Errorf("%s: %s.%v is of %v, %v, its section of %v", tw.Ref, name, l.Path, at, ok, newest)
				}
			}
		}
	})
}

// TestHubTakesThem finds that nothing is in the twins that a hub would refuse,
// and that an emulated one finds nothing missing in them.
func TestHubTakesThem(t *testing.T) {
	forAll(t, func(t *testing.T, tw *twin.Twin) {
		for _, v := range append(twin.CheckTags(tw.Tags()), append(twin.CheckDesired(tw.Desired()), twin.CheckDesired(tw.Reported())...)...) {
			t.Errorf("%s: %s", tw.Ref, v)
		}
	})
	for _, f := range stories {
		if f.configurations != nil {
			continue // an emulated hub notes in the twins what they do
		}
		list := f.draw()
		e, err := emulator.Start(t.Context(), &emulator.Options{HubName: f.hub, Twins: func(yield func(*twin.Twin, error) bool) {
			for _, tw := range list {
				if !yield(tw, nil) {
					return
				}
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		slices.SortFunc(list, func(a, b *twin.Twin) int { return a.Ref.Compare(b.Ref) })
		i := 0
		for tw := range e.Twins() {
			if !bytes.Equal(tw.JSON(), list[i].JSON()) {
				t.Errorf("%s: the hub has\n%s, made was\n%s", tw.Ref, tw.JSON(), list[i].JSON())
			}
			i++
		}
	}
}

// TestFleetsAreOdd finds in the fleets what rules must be able to take.
func TestFleetsAreOdd(t *testing.T) {
	found := map[string]bool{}
	forAll(t, func(t *testing.T, tw *twin.Twin) {
		text := string(tw.JSON())
		pct, _ := tw.Reported().Lookup("battery", "pct")
		_, isText := pct.(string)
		for what, is := range map[string]bool{
			"a module":             tw.Ref.Module != "",
			"a disabled device":    tw.Status == "disabled",
			"never connected":      tw.LastActivityTime == "0001-01-01T00:00:00Z",
			"away for months":      tw.LastActivityTime > "0002" && tw.LastActivityTime < "2026-08",
			"a number as text":     isText,
			"unicode in tags":      strings.Contains(text, "冷藏物流"),
			"something hostile":    strings.Contains(text, `\u001b[2J`),
			"nothing reported":     len(tw.Reported()) == 2,
			"an IoT Edge device":   tw.Edge,
			"no tags":              len(tw.Tags()) == 0,
			"firmware before 2":    strings.Contains(text, `"fw":"1.9.4"`),
			"the maker Kältewerk":  strings.Contains(text, `"vendor":"Kältewerk"`),
			"a list":               strings.Contains(text, `"tyresBar":[`),
			"a certificate's hash": strings.Contains(text, `"selfSigned"`),
		} {
			found[what] = found[what] || is
		}
	})
	for what, is := range found {
		if !is {
			t.Errorf("no twin with %s", what)
		}
	}
}
