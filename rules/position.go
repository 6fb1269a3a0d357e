package rules

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// A Pos is a place in a file of a pack. Line and Col count from 1, Col in
// characters. The zero Pos is nowhere.
type Pos struct {
	File      string `json:"file"`
	Line, Col int
}

// String returns "file:line:col".
func (p Pos) String() string {
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Col)
}

// A source is one file's text, split into lines.
type source struct {
	name     string
	lines    []string
	grammars grammars
}

func newSource(name string, data []byte) *source {
	return &source{name: name, lines: strings.Split(string(data), "\n")}
}

// line returns line n, counted from 1, without its end.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return strings.TrimSuffix(s.lines[n-1], "\r")
}

// positions returns where each character of a scalar's value stands in the
// file, and a last place behind them. yaml.v3 knows only where the scalar
// begins, at its quote or its "|"; folding changes nothing but white space, and
// quoting only adds escapes, so value and text are walked in step.
func (s *source) positions(n *yaml.Node) []Pos {
	w := &walker{source: s, style: n.Style}
	w.start(n.Line)
	w.skip(n.Column - 1)
	w.begin()
	list := make([]Pos, 0, len(n.Value)+1)
	for _, r := range n.Value {
		list = append(list, w.next(r))
	}
	return append(list, Pos{s.name, w.line, w.col})
}

// A walker stands at one character of a scalar's text.
type walker struct {
	*source
	line, col int    // from 1
	rest      string // of the line
	style     yaml.Style
}

// start goes to the start of a line.
func (w *walker) start(line int) { w.line, w.col, w.rest = line, 1, w.source.line(line) }

// skip goes n characters ahead on this line.
func (w *walker) skip(n int) {
	for i := range w.rest {
		if n == 0 {
			w.rest = w.rest[i:]
			return
		}
		n, w.col = n-1, w.col+1
	}
	w.rest = ""
}

// begin goes from where the scalar starts to its first character.
func (w *walker) begin() {
	switch {
	case w.style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		w.advance()
	case w.style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		w.start(w.line + 1)
		w.indent()
	}
}

// indent skips the indentation of a block scalar's first line that has text.
func (w *walker) indent() {
	for w.line < len(w.lines) && strings.TrimSpace(w.rest) == "" {
		w.start(w.line + 1)
	}
	for unicode.IsSpace(w.rune()) && w.rune() != '\n' {
		w.advance()
	}
}

// rune returns the character here; '\n' at the end of a line, 0 at the end of
// the file.
func (w *walker) rune() rune {
	if w.line > len(w.lines) {
		return 0
	}
	if w.rest == "" {
		return '\n'
	}
	r, _ := utf8.DecodeRuneInString(w.rest)
	return r
}

func (w *walker) advance() {
	if w.rune() == '\n' {
		w.start(w.line + 1)
		return
	}
	_, size := utf8.DecodeRuneInString(w.rest)
	w.rest, w.col = w.rest[size:], w.col+1
}

func (w *walker) skipSpace() {
	for unicode.IsSpace(w.rune()) {
		w.advance()
	}
}

// next consumes the text of the value's character r and returns where it
// starts.
func (w *walker) next(r rune) Pos {
	quoted := w.style&yaml.DoubleQuotedStyle != 0
	w.joinLines(quoted)
	if unicode.IsSpace(r) && !(quoted && w.rune() == '\\') {
		here := w.here()
		w.space(r)
		return here
	}
	w.skipSpace()
	w.joinLines(quoted)
	here := w.here()
	switch {
	case quoted && w.rune() == '\\':
		w.escape()
	case w.style&yaml.SingleQuotedStyle != 0 && w.rune() == '\'':
		w.advance()
		w.advance()
	default:
		w.advance()
	}
	return here
}

// joinLines skips backslashes that escape the end of a line, and the
// indentation behind it: they stand for nothing.
func (w *walker) joinLines(quoted bool) {
	for quoted && w.rune() == '\\' && w.continues() {
		w.advance()
		w.skipSpace()
	}
}

func (w *walker) here() Pos { return Pos{w.name, w.line, w.col} }

// space consumes what stands for one white space character of the value.
func (w *walker) space(r rune) {
	switch {
	case w.rune() == r && r != '\n':
		w.advance()
	case w.rune() == '\n':
		w.advance()
		if w.style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
			w.skipSpace()
		}
	}
}

// continues reports whether the backslash here escapes the end of its line.
func (w *walker) continues() bool {
	ahead := *w
	ahead.advance()
	return ahead.rune() == '\n'
}

// escape consumes a backslash and what it escapes.
func (w *walker) escape() {
	w.advance()
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[w.rune()]
	for range 1 + digits {
		w.advance()
	}
}
