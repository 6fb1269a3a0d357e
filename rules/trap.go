package rules

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// A trap is an expression that stands behind its key as it was meant, and that
// YAML reads as something else: "when: !tags.x" is an empty string with a tag,
// "when: tags.x == "a #b"" ends before the number sign.
type trap struct {
	line, lines int    // where it stands, counted from 0, and how many lines it has
	head        string // the first line up to the colon
	text        string // the expression
	comment     string // behind it, with its number sign; "" when there is none
}

// expressionLine matches a line with a key whose value is an expression; ok and fail
// are such keys below a gate only.
var expressionLine = regexp.MustCompile(`^( *(?:- +)*(?:when|until|selector|ok|fail)):[ \t]+([^ \t].*)$`)

// blockStart matches a line whose value is a block scalar.
var blockStart = regexp.MustCompile(`(?:^|[ \t])[|>][-+0-9]*[ \t]*(?:#.*)?$`)

// traps returns the traps of a file, which need not be YAML as a whole.
func (s *source) traps() (list []trap) {
	for i := 0; i < len(s.lines); {
		line := s.line(i + 1)
		if t, ok := s.trapAt(i); ok {
			list = append(list, t)
			i += t.lines
			continue
		}
		i++
		if blockStart.MatchString(line) { // its text is no key, whatever it looks like
			for i < len(s.lines) && (strings.TrimSpace(s.line(i+1)) == "" || indentation(s.line(i+1)) > indentation(line)) {
				i++
			}
		}
	}
	return list
}

func indentation(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// trapAt returns the trap that begins on line i, counted from 0.
func (s *source) trapAt(i int) (trap, bool) {
	m := expressionLine.FindStringSubmatch(s.line(i + 1))
	if m == nil || blockStart.MatchString(s.line(i+1)) || ofGate.MatchString(m[1]) && !s.belowGate(i) {
		return trap{}, false
	}
	text, comment := splitComment(m[2])
	t := trap{line: i, lines: 1, head: m[1], text: text, comment: comment}
	column := len(m[1]) - len(strings.TrimLeft(m[1], " -"))
	for comment == "" && i+t.lines < len(s.lines) && strings.TrimSpace(s.line(i+t.lines+1)) != "" && indentation(s.line(i+t.lines+1)) > column {
		t.text += "\n" + strings.TrimSpace(s.line(i+t.lines+1))
		t.lines++
	}
	return t, !readsAs(strings.Join(s.lines[i:i+t.lines], "\n")[len(m[1])+1:], t.text)
}

var (
	ofGate   = regexp.MustCompile(`(?:^|[ -])(?:ok|fail)$`)
	gateLine = regexp.MustCompile(`^ *(?:- +)*gate:[ \t]*(?:#.*)?$`)
)

// belowGate reports whether the key on line i, counted from 0, stands in a gate: the
// line above that is less far in begins one.
func (s *source) belowGate(i int) bool {
	column := indentation(s.line(i + 1))
	for i--; i >= 0; i-- {
		line := s.line(i + 1)
		text := strings.TrimSpace(line)
		if text != "" && text[0] != '#' && indentation(line) < column {
			return gateLine.MatchString(line)
		}
	}
	return false
}

// splitComment cuts the comment off an expression: a number sign behind white
// space, and outside of the expression's own quotes.
func splitComment(line string) (text, comment string) {
	var quote rune
	escaped := false
	for i, r := range line {
		switch {
		case escaped:
			escaped = false
		case quote != 0 && r == '\\':
			escaped = true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\'' || r == '`'):
			quote = r
		case quote == 0 && r == '#' && i > 0 && (line[i-1] == ' ' || line[i-1] == '\t'):
			return strings.TrimRight(line[:i], " \t"), line[i:]
		}
	}
	return strings.TrimRight(line, " \t\r"), ""
}

// readsAs reports whether YAML reads what stands behind a key as the expression,
// or as what can only be meant as YAML: a quoted string, a list.
func readsAs(behind, text string) bool {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte("k: "+strings.TrimLeft(behind, " \t")), &doc); err != nil || len(doc.Content[0].Content) != 2 {
		return false
	}
	n := doc.Content[0].Content[1]
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0:
		return false
	case n.Kind == yaml.ScalarNode && n.Style == 0:
		return strings.Join(strings.Fields(n.Value), " ") == strings.Join(strings.Fields(text), " ")
	}
	return true
}

// block returns the lines that say the same as a block scalar.
func (t trap) block() string {
	head := t.head + ": |"
	if t.comment != "" {
		head += " " + t.comment
	}
	indent := strings.Repeat(" ", len(t.head)-len(strings.TrimLeft(t.head, " -"))+2)
	return head + "\n" + indent + strings.ReplaceAll(t.text, "\n", "\n"+indent)
}

// parses reports whether the text is an expression.
func (t trap) parses() bool {
	at := setting{&reporter{}, &source{lines: []string{""}}, &yaml.Node{Kind: yaml.ScalarNode, Value: t.text, Line: 1, Column: 1}}
	return parse(at, 0, t.text) != nil
}

// Fix returns the file called name with what is wrong and can only be meant in
// one way put right, and how often that was: expressions that YAML reads as
// something else become blocks, in which every character stands for itself.
// Nothing else is changed, comments stay. A file that would not be read as it is
// meant afterwards comes back as it is.
func Fix(name string, data []byte) (fixed []byte, count int) {
	if len(data) > maxFileSize {
		return data, 0 // it is not read
	}
	src := newSource(name, data)
	var out []string
	var mended []trap
	next := 0
	for _, t := range src.traps() {
		if !t.parses() {
			continue
		}
		out = append(append(out, src.lines[next:t.line]...), t.block())
		next = t.line + t.lines
		mended = append(mended, t)
	}
	if len(mended) == 0 {
		return data, 0
	}
	out = append(out, src.lines[next:]...)
	fixed = []byte(strings.Join(out, "\n"))
	if !saysBlocks(name, fixed, mended) {
		return data, 0
	}
	return fixed, len(mended)
}

// saysBlocks proves that a file can be read, and has every expression that was
// mended as the value of its key, to the letter.
func saysBlocks(name string, data []byte, mended []trap) bool {
	r := &reporter{}
	root, ok := r.readDocument(name, data)
	if !ok {
		return false
	}
	found := map[int]string{}
	literals(root.node, found)
	added := 0
	for _, t := range mended {
		if got := strings.TrimSpace(found[t.line+added+1]); got != t.text {
			return false
		}
		added++
	}
	return true
}

// literals notes the text of every literal block by the line of its header.
func literals(n *yaml.Node, found map[int]string) {
	if n.Style&yaml.LiteralStyle != 0 {
		found[n.Line] = n.Value
	}
	for _, c := range n.Content {
		literals(c, found)
	}
}
