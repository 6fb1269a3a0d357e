package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// What is read of one file at the most.
const (
	maxFileSize  = 1 << 20
	maxNodes     = 50_000
	maxNodeDepth = 32
)

// readDocument parses one YAML file into nodes and refuses what a pack may not
// use. It returns false when there is nothing to go on with.
func (r *reporter) readDocument(name string, data []byte) (setting, bool) {
	src := newSource(name, data)
	if at, reason := badText(data); reason != "" {
		r.add(&Diagnostic{Pos: at.in(name), Width: 1, Line: src.line(at.Line), Code: BadYAML, Message: reason})
		return setting{}, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		r.add(&Diagnostic{Pos: Pos{name, 1, 1}, Width: 1, Line: src.line(1), Code: BadYAML, Message: "the file is empty"})
		return setting{}, false
	case err != nil:
		r.syntax(src, err)
		return setting{}, false
	}
	root := setting{r, src, doc.Content[0]}
	if err := decoder.Decode(&second); err == nil {
		root.at(&second).report(BadYAML, "put each document into a file of its own", "a second document")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(src, err)
	}
	count := 0
	return root, root.checkNodes(0, &count)
}

func (p Pos) in(file string) Pos { p.File = file; return p }

// badText looks for characters that no rule file needs and that could make a
// reviewer read something else than what runs.
func badText(data []byte) (at Pos, reason string) {
	if len(data) > maxFileSize {
		return Pos{Line: 1, Col: 1}, fmt.Sprintf("the file has more than %d bytes", maxFileSize)
	}
	at = Pos{Line: 1, Col: 1}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return at, "the file is not UTF-8"
		case r == '\n':
			at.Line, at.Col = at.Line+1, 0
		case r == '\r' && !bytes.HasPrefix(data[i+1:], []byte("\n")), r == '\u2028', r == '\u2029':
			return at, fmt.Sprintf("the character U+%04X, which ends a line for YAML and not for editors", r)
		case unicode.IsControl(r) && r != '\t' && r != '\r', unicode.Is(unicode.Bidi_Control, r), r == '\u200b', r == '\ufeff' && i > 0:
			return at, fmt.Sprintf("the invisible character U+%04X", r)
		}
		i, at.Col = i+size, at.Col+1
	}
	return at, ""
}

var yamlErrorLine = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)

// syntax reports an error of the YAML parser, which knows only a line, and
// often one before the mistake.
func (r *reporter) syntax(src *source, err error) {
	line, message := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlErrorLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = m[2]
	}
	if m := yamlUnknownAnchor.FindStringSubmatch(message); m != nil {
		at, found := src.alias(m[1])
		if found && src.trap(at.Line) != at.Line { // else it is an expression that begins with a star
			r.add(&Diagnostic{
				Pos: at, Width: 1 + utf8.RuneCountInString(m[1]), Line: src.line(at.Line), Code: BadYAML,
				Message: "an alias", Hint: "write the value out",
			})
			return
		}
	}
	for line > 1 && strings.TrimSpace(src.line(line)) == "" {
		line-- // the parser may stand behind the mistake
	}
	hint := ""
	if trap := src.trap(line); trap > 0 {
		line, message = trap, "this expression is no YAML: "+message
		hint = blockHint(strings.TrimLeft(src.line(line), " \t-"))
	}
	text := src.line(line)
	col := 1 + utf8.RuneCountInString(text[:len(text)-len(strings.TrimLeft(text, " \t"))])
	r.add(&Diagnostic{
		Pos: Pos{src.name, line, col}, Width: max(1, utf8.RuneCountInString(strings.TrimSpace(text))),
		Line: text, Code: BadYAML, Message: message, Hint: hint,
	})
}

// yaml.v3 names no line in this one of its errors.
var yamlUnknownAnchor = regexp.MustCompile(`^unknown anchor '(.+)' referenced$`)

// alias returns where a value is an alias of that name, as far as can be told
// from the text.
func (s *source) alias(name string) (Pos, bool) {
	use := regexp.MustCompile(`(?:^|[\s\[,:-])(\*` + regexp.QuoteMeta(name) + `)(?:[\s,}\]]|$)`)
	for i := range s.lines {
		text := s.line(i + 1)
		for _, m := range use.FindAllStringSubmatchIndex(text, -1) {
			if before := text[:m[2]]; !strings.Contains(" "+before, " #") && strings.Count(before, `"`)%2 == 0 {
				return Pos{s.name, i + 1, 1 + utf8.RuneCountInString(before)}, true
			}
		}
	}
	return Pos{}, false
}

// trap returns the first line, from the one that the parser names on, with an
// expression that YAML reads as something else; 0 when there is none.
func (s *source) trap(from int) int {
	for _, t := range s.traps() {
		if t.line+t.lines >= from {
			return t.line + 1
		}
	}
	return 0
}

// blockHint tells how to write an expression that YAML would read as something
// else.
func blockHint(line string) string {
	key, _, _ := strings.Cut(line, ":")
	return fmt.Sprintf("write the expression as a block: %q on this line, the expression indented on the next; check --fix does it", key+": |")
}

// checkNodes reports anchors, aliases, foreign tags and excess in the tree.
func (s setting) checkNodes(depth int, count *int) bool {
	if *count++; *count > maxNodes || depth > maxNodeDepth {
		s.report(TooLarge, "", "more than %d values, or nested more than %d levels", maxNodes, maxNodeDepth)
		return false
	}
	switch {
	case s.node.Kind == yaml.AliasNode:
		s.report(BadYAML, "write the value out", "an alias")
		return false
	case s.node.Anchor != "":
		s.report(BadYAML, "remove it, and write the value out where it is used", "an anchor")
	case s.node.Style&yaml.TaggedStyle != 0 && !strings.HasPrefix(s.node.ShortTag(), "!!"):
		s.report(BadYAML, s.tagHint(), "the tag %s", s.node.Tag)
	}
	ok := true
	for _, n := range s.node.Content {
		ok = s.at(n).checkNodes(depth+1, count) && ok
	}
	return ok
}

// tagHint explains the trap of "when: !tags.x", which every YAML reader takes
// for an empty string with a tag.
func (s setting) tagHint() string {
	line := strings.TrimLeft(s.src.line(s.node.Line), " \t-")
	if expressionLine.MatchString(line) {
		return blockHint(line)
	}
	return ""
}
