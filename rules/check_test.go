package rules_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twinrules/twinrules/rules"
)

// check loads and checks a pack and returns its mistakes and warnings.
func check(fsys fs.FS) rules.Diagnostics {
	pack, err := rules.Load(fsys)
	if pack == nil {
		panic(err)
	}
	return rules.Check(context.Background(), pack, nil)
}

// onePack returns a pack of one file.
func onePack(text string) fs.FS { return fstest.MapFS{"pack.yaml": {Data: []byte(text)}} }

// Fixtures say on the line of a mistake, or as "want+N" on the N-th line above
// it, what the diagnostic there is: its column, and a part of its text and code.
var (
	wants   = regexp.MustCompile(`# want(\+\d+)? (.*)$`)
	oneWant = regexp.MustCompile(`(\d+) ("(?:[^"\\]|\\.)*")`)
)

func TestCheckFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/check/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			compareDiagnostics(t, expected(t, string(data)), check(onePack(string(data))))
		})
	}
}

// expected maps a line to what should be said of it: "col text".
func expected(t *testing.T, text string) map[int][][2]string {
	want := map[int][][2]string{}
	for i, line := range strings.Split(text, "\n") {
		m := wants.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		at := i + 1
		if m[1] != "" {
			n, _ := strconv.Atoi(m[1][1:])
			at += n
		}
		for _, one := range oneWant.FindAllStringSubmatch(m[2], -1) {
			quoted, err := strconv.Unquote(one[2])
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			want[at] = append(want[at], [2]string{one[1], quoted})
		}
	}
	return want
}

func compareDiagnostics(t *testing.T, want map[int][][2]string, got rules.Diagnostics) {
	t.Helper()
	for _, d := range got {
		found := false
		for i, w := range want[d.Pos.Line] {
			if w[0] == fmt.Sprint(d.Pos.Col) && strings.Contains(d.Message+" ["+string(d.Code)+"]", w[1]) {
				want[d.Pos.Line] = append(want[d.Pos.Line][:i:i], want[d.Pos.Line][i+1:]...)
				found = true
				break
			}
		}
		if !found {
			t.Errorf("unexpected: %s", d)
		}
	}
	for line, list := range want {
		for _, w := range list {
			t.Errorf("line %d:%s: nothing says %q", line, w[0], w[1])
		}
	}
}

// TestEachMistakeAlone: what the file of forty mistakes shows of each, each shows
// alone; none is found only because of another.
func TestEachMistakeAlone(t *testing.T) {
	data, err := os.ReadFile("testdata/check/forty.yaml")
	if err != nil {
		t.Fatal(err)
	}
	top, list, _ := strings.Cut(string(data), "rules:\n")
	rows := strings.SplitAfter(strings.TrimSpace(list), "\n")
	if len(rows) < 40 {
		t.Errorf("%d rules", len(rows))
	}
	for _, row := range rows {
		text := top + "rules:\n  " + strings.TrimSpace(row) + "\n"
		compareDiagnostics(t, expected(t, text), check(onePack(text)))
	}
}

func TestDiagnosticsAreInOrderAndComplete(t *testing.T) {
	data, err := os.ReadFile("testdata/check/twenty.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := check(onePack(string(data)))
	if len(got) < 20 {
		t.Errorf("%d mistakes, want at least 20", len(got))
	}
	known := map[rules.Code]bool{}
	for _, doc := range rules.Codes {
		known[doc.Code] = true
	}
	for i, d := range got {
		if i > 0 && (got[i-1].Pos.Line > d.Pos.Line) {
			t.Errorf("%s stands behind %s", d, got[i-1])
		}
		if !known[d.Code] {
			t.Errorf("the code %q is not explained", d.Code)
		}
		if d.Width < 1 || d.Line == "" {
			t.Errorf("%s has no place to point at: %q, %d", d, d.Line, d.Width)
		}
	}
}

func TestHints(t *testing.T) {
	for name, c := range map[string]struct{ rule, want string }{
		"a name":         {"when: dewice == 1", ""},
		"a near name":    {"when: reportd.x == 1", `did you mean "reported"?`},
		"the hub's name": {"when: properties.x == 1", "write desired or reported"},
		"a function":     {"when: semvr(reported.x) == nil", `did you mean "semver"?`},
		"a key":          {"wehn: true", `did you mean "when"?`},
		"a mode":         {"mode: audti", `did you mean "audit"?`},
		"the when trap":  {"when: !tags.x", `write the expression as a block: "when: |"`},
		"the other trap": {`when: "a" == tags.x`, `write the expression as a block: "when: |"`},
		"a bad selector": {"selector: len(tags.x) > 2", "move it to when"},
	} {
		t.Run(name, func(t *testing.T) {
			got := check(onePack("apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nrules:\n  - id: r\n    patch: {tags: {a: 1}}\n    " + c.rule + "\n"))
			if len(got) != 1 || !strings.Contains(got[0].Hint, c.want) || (c.want == "") != (got[0].Hint == "") {
				t.Errorf("got %v with hint %q, want %q", got, got[0].Hint, c.want)
			}
		})
	}
}

func TestPackOfSeveralFiles(t *testing.T) {
	head := "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\ndefaults: {mode: audit}\n"
	more := "apiVersion: twinrules/v1\nkind: Rules\nrules:\n  - {id: a, patch: {tags: {x: 1}}}\n"
	pack, err := rules.Load(fstest.MapFS{
		"a.yaml": {Data: []byte(more)}, "pack.yml": {Data: []byte(head)}, "README.md": {Data: []byte("# no")}, "twinrules.yaml": {Data: []byte("hub: x")},
	})
	if err != nil || len(pack.Rules) != 1 || pack.Rules[0].Mode != rules.Audit {
		t.Fatalf("%v, %+v", err, pack)
	}
	for name, c := range map[string]struct {
		fsys fstest.MapFS
		want string
	}{
		"no head":   {fstest.MapFS{"a.yaml": {Data: []byte(more)}}, "no file of the pack has kind RulePack"},
		"two heads": {fstest.MapFS{"a.yaml": {Data: []byte(head)}, "b.yaml": {Data: []byte(head)}}, "b.yaml:2:7: a second file of kind RulePack"},
		"one id twice": {fstest.MapFS{"a.yaml": {Data: []byte(more)}, "b.yaml": {Data: []byte(more)}, "c.yaml": {Data: []byte(head)}},
			`b.yaml:4:10: a second rule with the id "a"`},
	} {
		if got := check(c.fsys).Error(); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if _, err := rules.Load(fstest.MapFS{"x.txt": {}}); err == nil {
		t.Error("a folder without a pack was read")
	}
}

func TestDigestCoversNamesAndBytes(t *testing.T) {
	head := "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\n"
	digest := func(files fstest.MapFS) string {
		pack, err := rules.Load(files)
		if err != nil {
			t.Fatal(err)
		}
		return pack.Digest
	}
	a := digest(fstest.MapFS{"a.yaml": {Data: []byte(head)}})
	if b := digest(fstest.MapFS{"b.yaml": {Data: []byte(head)}}); a == b {
		t.Error("the name of a file is not in the digest")
	}
	if b := digest(fstest.MapFS{"a.yaml": {Data: []byte(head + "#")}}); a == b {
		t.Error("the bytes of a file are not in the digest")
	}
	if b := digest(fstest.MapFS{"a.yaml": {Data: []byte(head)}}); a != b {
		t.Error("the digest is not stable")
	}
}

// FuzzLoad holds loading and compiling to their promise: no panic, and every
// place lies in the file.
func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("testdata/check/*.yaml")
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			return
		}
		lines := strings.Split(text, "\n")
		for _, d := range check(onePack(text)) {
			if d.Pos.Line < 1 || d.Pos.Line > len(lines) || d.Pos.Col < 1 || d.Pos.Col > len([]rune(lines[d.Pos.Line-1]))+1 {
				t.Fatalf("%s lies outside the file", d)
			}
		}
	})
}

// TestMistakesInHugeValues: what is wrong with a file of a megabyte is said
// within seconds and in a few words.
func TestMistakesInHugeValues(t *testing.T) {
	if slack > 2 {
		t.Skip("it measures time, and the race detector takes most of it")
	}
	for name, body := range map[string]string{
		"a word":             "    mode: " + strings.Repeat("a", 500_000) + "\n",
		"a template":         "    patch: {tags: {a: \"" + strings.Repeat("${", 200_000) + "\"}}\n",
		"a list of mistakes": "    patch: {tags: {a: [" + strings.Repeat("0777, ", 10_000) + "1]}}\n",
		"an expression":      "    when: " + strings.Repeat("x==", 1300) + "1\n",
		"a key":              "    " + strings.Repeat("b", 1000) + ": 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			text := "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nrules:\n  - id: r\n" + body
			if !strings.Contains(body, "patch") {
				text += "    patch: {tags: {a: 1}}\n"
			}
			start := time.Now()
			found := check(onePack(text))
			if took := time.Since(start); len(found) == 0 || took > 30*time.Second {
				t.Errorf("%d mistakes after %s", len(found), took)
			}
			for _, d := range found {
				if len([]rune(d.Message)) > 501 {
					t.Fatalf("a message of %d bytes", len(d.Message))
				}
			}
		})
	}
}
