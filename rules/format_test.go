package rules_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/rules"
)

func TestFormat(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"levels":                    {"a:\n    b:\n       c: 1\n    d: 2\n", "a:\n  b:\n    c: 1\n  d: 2\n"},
		"a list below its key":      {"rules:\n- id: a\n  on: device\n-   id: b\n    on: device\n", "rules:\n  - id: a\n    on: device\n  - id: b\n    on: device\n"},
		"a list in a list":          {"a:\n-   -  x\n    -  y\n- - z\n", "a:\n  - - x\n    - y\n  - - z\n"},
		"a dash on its own":         {"a:\n-\n    id: x\n-\n", "a:\n  -\n    id: x\n  -\n"},
		"space":                     {"a:   1  \n\n\n\nb:\t2\n\n\n", "a: 1\n\nb: 2\n"},
		"line ends and a mark":      {"\ufeffa: 1\r\nb: |\r\n  x\r\n", "a: 1\nb: |\n  x\n"},
		"no last line end":          {"a: 1", "a: 1\n"},
		"a block":                   {"a:\n - when: |\n         x\n           and y\n\n         or z   \n   b: 1\n", "a:\n  - when: |\n      x\n        and y\n\n      or z   \n    b: 1\n"},
		"a block with indentation":  {"a:\n    b: |3\n          x\n        y\n", "a:\n  b: |3\n        x\n      y\n"},
		"a block that keeps":        {"a:\n - |+\n   x\n\n\nb: 1\n", "a:\n  - |+\n    x\n\n\nb: 1\n"},
		"a block without line end":  {"a: |\n x", "a: |\n  x"},
		"blank lines in a block":    {"a: |\n\n   x\n\n\n   y\n\n\nb: 1\n", "a: |\n\n  x\n\n\n  y\n\nb: 1\n"},
		"plain lines":               {"a:\n    b: x\n      y\n        z\n", "a:\n  b: x\n    y\n    z\n"},
		"quoted lines":              {"a:\n    b: \"x \n\n      y\\ \n   z\"\n", "a:\n  b: \"x \n\n    y\\ \n    z\"\n"},
		"a value on its own line":   {"a:\n      1\n", "a:\n  1\n"},
		"a flow mapping of lines":   {"a:\n    b: {c: 1,\n        d: [1,\n          2],\n        # why\n    }\n", "a:\n  b: {c: 1,\n      d: [1,\n        2],\n      # why\n  }\n"},
		"comments":                  {"# top\na:\n    # of b\n    b: 1 # one\n    # behind b\n\n# of c\nc: 1\n  # odd\n", "# top\na:\n  # of b\n  b: 1 # one\n  # behind b\n\n# of c\nc: 1\n# odd\n"},
		"comments between rules":    {"a:\n- id: x\n  # in x\n# of y\n- id: y\n", "a:\n  - id: x\n    # in x\n  # of y\n  - id: y\n"},
		"a comment behind a header": {"a: |   # why\n    x\n", "a: |   # why\n  x\n"},
		"what is no comment":        {"a: |\n  # x\n  y\n# z\nb: 'a\n  # b'\n", "a: |\n  # x\n  y\n# z\nb: 'a\n  # b'\n"},
		"wide characters":           {"a:\n    \"漢字\":   é\n", "a:\n  \"漢字\": é\n"},
		"a document marker":         {"---\na:\n    b: 1\n", "---\na:\n  b: 1\n"},
		"an explicit key":           {"? a\n:   b\n", "? a\n:   b\n"},
		"a core tag":                {"a:   !!str 1\n", "a:   !!str 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := rules.Format("pack.yaml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			again, err := rules.Format("pack.yaml", got)
			if err != nil || !bytes.Equal(again, got) {
				t.Errorf("formatted twice: %v\n%s", err, again)
			}
		})
	}
}

// TestFormatLargeFiles: large files are done in seconds, whatever
// they consist of.
func TestFormatLargeFiles(t *testing.T) {
	if slack > 2 {
		t.Skip("it measures time, and the race detector takes most of it")
	}
	const size = 1 << 18
	for name, text := range map[string]string{
		"comments":      "a: 1\n" + strings.Repeat("#\n", size/2),
		"odd comments":  "a:\n" + strings.Repeat("    b: 1\n  #\n", 10) + strings.Repeat("       #\n", size/10),
		"blank lines":   "a: 1\n" + strings.Repeat("\n", size) + "b: 1\n",
		"rules":         "rules:\n" + strings.Repeat("- id: x\n  when: |\n     a == 1\n  # why\n", size/50),
		"a long scalar": "a: \"" + strings.Repeat("b\n ", size/3) + "\"\n",
		"a flow list":   "a: [\n" + strings.Repeat("  1,\n", 10_000) + "]\n",
		"a list":        "a:\n" + strings.Repeat("- 1\n", 10_000),
		"blocks":        "a:\n" + strings.Repeat("- |\n  x\n\n", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := rules.Format("pack.yaml", []byte(text))
			var list rules.Diagnostics
			if err != nil && !errors.As(err, &list) {
				t.Error(err)
			}
			_, _ = rules.Fix("pack.yaml", []byte(text))
			if took := time.Since(start); took > slack*10*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// TestFormatLeavesMistakes: what cannot be read is not touched, and said.
func TestFormatLeavesMistakes(t *testing.T) {
	for _, text := range []string{"a: !x\n", "a: &b 1\n", "a: [\n", "", "a: 1\n---\nb: 1\n"} {
		var list rules.Diagnostics
		if out, err := rules.Format("pack.yaml", []byte(text)); !errors.As(err, &list) || out != nil {
			t.Errorf("%q: %q, %v", text, out, err)
		}
	}
}

// FuzzFormat holds formatting to its law: it never fails for its own fault, and
// formatting twice is formatting once.
func FuzzFormat(f *testing.F) {
	for _, pattern := range []string{"testdata/check/*.yaml", "../examples/rules/*/pack.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte("a:\n-   - |2-\n      x\n    - {a: 'b\n\n c'}\n# c\n-\n  ? x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			return
		}
		once, err := rules.Format("pack.yaml", data)
		if errors.Is(err, rules.ErrFormat) {
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		if twice, err := rules.Format("pack.yaml", once); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%v: %q became %q, then %q", err, data, once, twice)
		}
	})
}
