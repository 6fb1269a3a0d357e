package rules_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// here marks the character of a text that a mistake is expected at. It is taken
// out again before anybody reads the file.
const here = "\uE000"

// planted are mistakes: what Load and Compile find, and what shows on the twin of
// [standing] only. All of the rest is true of it.
var (
	planted = []mistake{
		{text: here + `nope == 1`, code: rules.UnknownName, width: 4},
		{text: `reported.n > ` + here + `nope`, code: rules.UnknownName, width: 4},
		{text: here + `nofun(tags.a)`, code: rules.UnknownFunction, width: 5},
		{text: `len(` + here + `nope) == "漢字"`, code: rules.UnknownName, width: 4},
		{text: `any(reported.list, # > ` + here + `nope)`, code: rules.UnknownName, width: 4},
		{text: `tags.a matches ` + here + `"a(z"`, code: rules.BadExpression},
		{text: `tags.a matches ` + here + `tags.s`, code: rules.BadExpression, width: 6},
		{text: `age(` + here + `tags.a) > duration("1h")`, code: rules.BadExpression, width: 6},
		{text: `tags.s ` + here + `= 1`, code: rules.BadExpression, width: 1},
	}
	failing = []mistake{
		{text: `reported.n ` + here + `+ tags.s > 1`},
		{text: `tags.s ` + here + `< 3`},
		{text: `reported.n  ` + here + `startsWith "é"`},
		{text: `any(reported.list, # ` + here + `> "x")`},
		{text: `reported.n ` + here + `/ 0 == 1`},
		{text: `all(` + here + `tags.s, # == 1)`},
		{text: `(reported.n == 2 and ` + here + `tags.s)`},
		{text: `not ` + here + `tags.k`},
	}
	standing = `{"deviceId":"d","tags":{"a":"é","s":"it's","k":"漢字"},"properties":{"desired":{},"reported":{"n":2,"list":[1,2]}}}`
	truths   = []string{
		`tags.a == "é"`, `reported.n   < 3`, `tags.k in ["漢字", "x"]`, `not tags.zz`, `tags.s matches "i.'s"`, `tags.s == "it's"`,
		`any(reported.list, # == 2)`, `len(tags.k) > 0`, `(reported.n > 5 or tags.a == "é")`, `(tags.gone ?? "é") == tags.a`,
	}
)

// A mistake is an expression with one. Without a code it fails at run time.
type mistake struct {
	text  string
	code  rules.Code
	width int // in the file; 0 where that depends on the style
}

// TestPositionsAreExact writes 20,000 random expressions with one mistake into
// conditions, values and texts with several values, in every style that YAML has
// for a scalar, and looks whether it is reported at the very character.
func TestPositionsAreExact(t *testing.T) {
	tries := 20_000
	if slack > 2 {
		tries = 1_000
	}
	tw := parseTwin(t, standing)
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string]int{}
	for n := 0; n < tries; {
		m := pick(r, pick(r, [][]mistake{planted, failing}))
		style := pick(r, styles)
		text, ok := style.write(pick(r, wrappings)(r, among(r, m.text)))
		if !ok {
			continue // the style cannot hold it
		}
		top, key := "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nrules:\n", "condition"
		file := top + "  - id: r\n    patch: {tags: {leaf: 1}}\n    when: " + text + "\n"
		if strings.Contains(text, "${") {
			file, key = top+"- id: r\n  patch:\n   tags:\n    leaf: "+text+"\n", "value"
		}
		file, want := take(file)
		if got := foundAt(tw, file, m); got != want {
			t.Fatalf("%s: got %s, want %s\n%s", style.name, got, want, file)
		}
		seen[style.name+" "+key+" "+string(m.code)]++
		n++
	}
	if kinds := len(styles) * 2 * 4; tries == 20_000 && len(seen) != kinds {
		t.Errorf("%d kinds of places and mistakes, want %d: %v", len(seen), kinds, seen)
	}
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// among puts an expression into a random one, which is false or fails where it
// does.
func among(r *rand.Rand, text string) string {
	for range r.IntN(5) {
		and := pick(r, []string{" and ", " &&  ", " and\n", "\n and\n\n"})
		switch r.IntN(5) {
		case 0:
			text = "(" + text + ")"
		case 1:
			text = "not not (" + text + ")"
		case 2:
			text = "(tags.gone == 1 or " + text + ")"
		case 3:
			text += and + pick(r, truths)
		default:
			text = pick(r, truths) + and + text
		}
	}
	return text
}

// wrappings are the places in a pack where an expression can stand.
var wrappings = []func(r *rand.Rand, text string) string{
	func(_ *rand.Rand, text string) string { return text },
	func(_ *rand.Rand, text string) string { return "${ " + text + " }" },
	func(r *rand.Rand, text string) string {
		return "x " + pick(r, []string{"", "é$${ ", "${ tags.k } ", "${ tags.s + '}' }\n"}) + "${" + text + "} y"
	},
}

// take removes the mark from a file and returns where it stood.
func take(file string) (without, at string) {
	mark := here
	if !strings.Contains(file, mark) {
		mark = `\ue000`
	}
	before, after, _ := strings.Cut(file, mark)
	lines := strings.Split(before, "\n")
	return before + after, fmt.Sprintf("pack.yaml:%d:%d", len(lines), len([]rune(lines[len(lines)-1]))+1)
}

// foundAt returns where the mistake of a pack shows, or what is wrong with it.
func foundAt(tw *twin.Twin, file string, m mistake) string {
	if m.code == "" {
		p := compile(file)
		if p == nil {
			return fmt.Sprint(check(onePack(file)))
		}
		var failed *rules.EvalError
		v := p.Eval(context.Background(), tw, noon)[0]
		if !errors.As(v.Err, &failed) {
			return fmt.Sprint("no failure: ", v.Matched, v.Err)
		}
		return failed.Pos.String()
	}
	got := check(onePack(file))
	if len(got) != 1 || got[0].Code != m.code || m.width > 0 && got[0].Width != m.width {
		return fmt.Sprint("not one mistake as wide: ", got)
	}
	return got[0].Pos.String()
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

// plain is for what YAML reads as it stands there, but for the folded lines.
func plain(text string) (string, bool) {
	out := strings.ReplaceAll(text, "\n", "\n      ")
	var read map[string]map[string]string
	err := yaml.Unmarshal([]byte("a:\n    when: "+out), &read)
	return out, err == nil && slices.Equal(strings.Fields(read["a"]["when"]), strings.Fields(text))
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
