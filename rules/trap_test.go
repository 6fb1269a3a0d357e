package rules_test

import (
	"strings"
	"testing"

	"github.com/twinrules/twinrules/rules"
)

// trapHead makes the line under test the 6th of its file.
const trapHead = "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nrules:\n  - id: r # kept\n"

// TestTraps: an expression that YAML reads as something else gets a hint, and
// Fix writes it as it is meant. Where nothing can be meant, or where YAML is
// meant, nothing is touched.
func TestTraps(t *testing.T) {
	const untouched = "untouched"
	for name, c := range map[string]struct {
		line, want string // what stands in place of line; untouched
		hint       string // a part of it; "" when there is no mistake
	}{
		"a tag":                {"    when: !tags.x", "    when: |\n      !tags.x", "write the expression as a block"},
		"a tag and a value":    {"    when: !(tags.x == 1)", "    when: |\n      !(tags.x == 1)", "write the expression as a block"},
		"cut at a number sign": {`    when: tags.x == "a #b"`, "    when: |\n      tags.x == \"a #b\"", "write the expression as a block"},
		"a colon in a choice":  {`    when: (tags.x ? "b" : "c") == tags.y`, "    when: |\n      (tags.x ? \"b\" : \"c\") == tags.y", "write the expression as a block"},
		"a colon in a string":  {`    when: tags.x == "a: b"`, "    when: |\n      tags.x == \"a: b\"", "write the expression as a block"},
		"a double quote first": {`    when: "a" == tags.x`, "    when: |\n      \"a\" == tags.x", "write the expression as a block"},
		"a single quote first": {`    when: 'a' == tags.x`, "    when: |\n      'a' == tags.x", "write the expression as a block"},
		"a bracket first":      {`    when: ["a"][0] == tags.x`, "    when: |\n      [\"a\"][0] == tags.x", "write the expression as a block"},
		"a backquote first":    {"    when: `a` == tags.x", "    when: |\n      `a` == tags.x", "write the expression as a block"},
		"a dash first":         {`    when: - 1 < tags.x`, "    when: |\n      - 1 < tags.x", "write the expression as a block"},
		"a selector":           {`    selector: "a" == tags.x`, "    selector: |\n      \"a\" == tags.x", "write the expression as a block"},
		"with a comment":       {"    when: !tags.x   # why", "    when: | # why\n      !tags.x", "write the expression as a block"},
		"of several lines":     {"    when: !tags.x\n      and !tags.y", "    when: |\n      !tags.x\n      and !tags.y", ""},
		"a gate": {
			"    rollout:\n      waves: [100%]\n      gate:\n        # why\n        ok: \"a\" == reported.x",
			"    rollout:\n      waves: [100%]\n      gate:\n        # why\n        ok: |\n          \"a\" == reported.x", `write the expression as a block: "ok: |"`,
		},
		"ok outside of a gate":   {"    x: &gate\n      ok: !x", untouched, ""},
		"another sort of equals": {`    when: tags.x = 1`, untouched, `write "=="`},
		"one ampersand":          {`    when: tags.x & tags.y`, untouched, `write "&&"`},
		"upper case":             {`    when: tags.x AND tags.y`, untouched, `write "and"`},
		"no expression":          {"    when: *tags", untouched, "block"},
		"a greater-than first":   {"    when: > 3", untouched, "block"},
		"a percent sign first":   {"    when: %x", untouched, "block"},
		"a quoted expression":    {`    when: '"a" == tags.x'`, untouched, ""},
		"a list":                 {"    when: [tags.x]", untouched, ""},
		"a plain one":            {`    when: tags["a"] == "b" # why`, untouched, ""},
		"plain lines":            {"    when: tags.x\n      and tags.y", untouched, ""},
		"not":                    {"    when: not tags.x", untouched, ""},
		"a block":                {"    when: |\n      tags.x\n      when: !x", untouched, ""},
		"text that looks so":     {"    description: |\n      when: !x\n      when: \"a\" == b", untouched, ""},
		"quoted text":            {"    description: \"a\n      when: !x\"", untouched, ""},
	} {
		t.Run(name, func(t *testing.T) {
			rest := "\n    patch: {tags: {a: 1}} # kept too\n"
			text := trapHead + c.line + rest
			found := check(onePack(text))
			hinted := false
			for _, d := range found {
				hinted = hinted || strings.Contains(d.Hint, c.hint)
			}
			if c.hint != "" && !hinted {
				t.Errorf("no hint with %q in %v", c.hint, found)
			}
			got, n := rules.Fix("pack.yaml", []byte(text))
			if c.want == untouched {
				if n != 0 || string(got) != text {
					t.Errorf("%d times mended:\n%s", n, got)
				}
				return
			}
			if want := trapHead + c.want + rest; n != 1 || string(got) != want {
				t.Errorf("%d times, got\n%s\nwant\n%s", n, got, want)
			}
			if left := check(onePack(string(got))); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			if again, n := rules.Fix("pack.yaml", got); n != 0 || string(again) != string(got) {
				t.Error("mended twice")
			}
		})
	}
}

// FuzzFix holds mending to its law: it does not panic, and mending twice is
// mending once.
func FuzzFix(f *testing.F) {
	for _, line := range []string{"when: !tags.x", `when: "a" == tags.x # c`, "- selector: tags.x == 'a: b'\n  when: [1]", "x: |\n  when: !y"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if len(line) > 1<<12 {
			return
		}
		text := trapHead + "    " + strings.ReplaceAll(line, "\n", "\n    ") + "\n    patch: {tags: {a: 1}}\n"
		got, n := rules.Fix("pack.yaml", []byte(text))
		if n == 0 {
			return
		}
		if again, n := rules.Fix("pack.yaml", got); n != 0 {
			t.Fatalf("%q became %q, then %q", text, got, again)
		}
	})
}
