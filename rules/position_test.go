package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gopkg.in/yaml.v3"

	"github.com/twinrules/twinrules/rules"
)

// TestPositionsAreExact writes random expressions with one unknown name into a
// pack, in every style that YAML has for a scalar, and looks whether the
// mistake is reported at the very character.
func TestPositionsAreExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		terms := rapid.SliceOfN(rapid.SampledFrom([]string{
			`tags.a == "é"`, `reported.b   < 3`, `tags.c in ["漢字", "x"]`, `not tags.d`, `tags.e matches "a.b"`, `tags.f == "it's"`,
		}), 0, 4).Draw(rt, "terms")
		at := rapid.IntRange(0, len(terms)).Draw(rt, "at")
		terms = append(terms[:at:at], append([]string{"nope == 1"}, terms[at:]...)...)
		separator := rapid.SampledFrom([]string{" and ", " &&  ", " and\n", "\n and\n\n"}).Draw(rt, "separator")
		expression := strings.Join(terms, separator)
		style := rapid.SampledFrom(styles).Draw(rt, "style")
		text, ok := style.write(expression)
		if !ok {
			rt.Skip("the style cannot hold it")
		}
		file := "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nrules:\n  - id: r\n    when: " + text + "\n    patch: {tags: {a: 1}}\n"
		got := check(onePack(file))
		if len(got) != 1 || got[0].Code != rules.UnknownName {
			rt.Fatalf("%s: got %v\n%s", style.name, got, file)
		}
		if want := place(file, "nope"); got[0].Pos.String() != want || got[0].Width != 4 {
			rt.Fatalf("%s: got %s and width %d, want %s\n%s", style.name, got[0].Pos, got[0].Width, want, file)
		}
	})
}

// place returns where word stands in text, in characters.
func place(text, word string) string {
	before, _, _ := strings.Cut(text, word)
	lines := strings.Split(before, "\n")
	return fmt.Sprintf("pack.yaml:%d:%d", len(lines), len([]rune(lines[len(lines)-1]))+1)
}

// A style is one way to write a scalar. write returns false where it cannot.
type style struct {
	name  string
	write func(text string) (string, bool)
}

var styles = []style{
	{"plain", plain},
	{"single", quoted("'", func(s string) string { return strings.ReplaceAll(s, "'", "''") })},
	{"double", quoted(`"`, func(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) })},
	{"double with escapes", escaped},
	{"literal", block("|")}, {"literal, stripped", block("|-")}, {"literal, indented", block("|4")},
	{"folded", block(">")}, {"folded, stripped", block(">-")}, {"with a comment", block("| # why")},
}

func plain(text string) (string, bool) {
	out := strings.ReplaceAll(text, "\n", "\n      ")
	return out, yaml.Unmarshal([]byte("a:\n    when: "+out), new(yaml.Node)) == nil
}

func quoted(mark string, escape func(string) string) func(string) (string, bool) {
	return func(text string) (string, bool) {
		return mark + strings.ReplaceAll(escape(text), "\n", "\n      ") + mark, true
	}
}

// escaped writes what it can as escapes, and breaks lines with a backslash.
func escaped(text string) (string, bool) {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r > 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == 'b':
			b.WriteString(`\x62`)
		case r == 'd' && !strings.HasPrefix(text[i+1:], " ") && text[i+1:] != "":
			b.WriteString("d\\\n        ")
		default:
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`, true
}

func block(header string) func(string) (string, bool) {
	return func(text string) (string, bool) {
		indent := "      "
		if header == "|4" {
			indent = "        "
		}
		return header + "\n" + indent + strings.ReplaceAll(text, "\n", "\n"+indent), true
	}
}
