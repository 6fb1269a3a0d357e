package rules

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// Format returns the file called name as twinrules lays files out: two spaces
// for each level, lists indented below their key, one space behind a dash and a
// colon, at most one blank line in a row, no white space at the ends of lines.
// Comments, the order of keys, quotes and the author's line breaks stay: nothing
// but white space is changed, and never such that is part of a value. Formatting
// twice is formatting once.
//
// The mistakes of a file that is no YAML, or uses a part of it that packs may
// not, come as [Diagnostics]. A file that is laid out in a way which this
// package does not follow, such as with "? " before a key or with tags, or that
// would become too large to be read, comes back as it is. An error that wraps [ErrFormat] is a bug: the result would have
// meant something else.
func Format(name string, data []byte) ([]byte, error) {
	r := &reporter{}
	if _, ok := r.readDocument(name, data); !ok || len(r.found) > 0 {
		return nil, r.sorted()
	}
	text := bytes.TrimPrefix(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\ufeff"))
	root, _ := (&reporter{}).readDocument(name, text)
	f := newFormatter(root.src)
	f.root(root.node)
	out := f.render(bytes.HasSuffix(text, []byte("\n")))
	if f.odd || len(out) > maxFileSize {
		return data, nil
	}
	if err := sameMeaning(name, data, out); err != nil {
		return nil, fmt.Errorf("%w: %s: %v", ErrFormat, name, err)
	}
	return out, nil
}

// ErrFormat is a formatting that would have changed what a file means.
var ErrFormat = errors.New("the formatted file would mean something else; please report this")

// sameMeaning proves that two texts hold the same values in the same styles, and
// the same characters but for white space.
func sameMeaning(name string, before, after []byte) error {
	if withoutSpace(before) != withoutSpace(after) {
		return errors.New("other characters")
	}
	a, _ := (&reporter{}).readDocument(name, before)
	b, ok := (&reporter{}).readDocument(name, after)
	if !ok {
		return errors.New("it cannot be read any more")
	}
	return sameNode(a.node, b.node)
}

func withoutSpace(text []byte) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\ufeff' {
			return -1
		}
		return r
	}, string(text))
}

func sameNode(a, b *yaml.Node) error {
	if a.Kind != b.Kind || a.Value != b.Value || a.Style != b.Style || a.ShortTag() != b.ShortTag() || len(a.Content) != len(b.Content) {
		return fmt.Errorf("line %d: %.40q became %.40q", a.Line, a.Value, b.Value)
	}
	for i := range a.Content {
		if err := sameNode(a.Content[i], b.Content[i]); err != nil {
			return err
		}
	}
	return nil
}

// A formatter knows for each line of a file what of it is structure, which may
// move, and what is text.
type formatter struct {
	src   *source
	lines []formatLine
	odd   bool // laid out in a way that is not followed

	// of each line: see relate
	anchor, follower []int
	// columns says where what stood in a column went last, in lines before
	columns map[int]int
}

// A formatLine is one line, counted from 0.
type formatLine struct {
	text   []rune
	tokens []token // those whose place is set, from left to right
	flow   bool    // a flow mapping or list begins here
	held   bool    // white space at its end may be part of a value

	// of a line within a value
	inside lineKind
	shift  int // of its indentation
	indent int // its new indentation, of text whose own does not count
}

type lineKind int

const (
	outside   lineKind = iota
	inBlock            // the text of a block scalar: indentation counts
	inText             // a further line of a plain or quoted scalar
	inFlow             // the same in a flow mapping or list
	lineBreak          // an empty line of one of these
)

// A token begins at a column, counted from 0, and is put to another.
type token struct {
	col, to int
	own     bool // stands in a column of its own: not right behind another
	dash    bool
}

func newFormatter(src *source) *formatter {
	f := &formatter{src: src}
	for i := range src.lines {
		f.lines = append(f.lines, formatLine{text: []rune(src.line(i + 1))})
	}
	if last := len(f.lines) - 1; last > 0 && len(f.lines[last].text) == 0 {
		f.lines = f.lines[:last]
	}
	return f
}

// lead returns how many spaces the line begins with.
func (l *formatLine) lead() int {
	return len(l.text) - len([]rune(strings.TrimLeft(string(l.text), " ")))
}

func (l *formatLine) empty() bool { return strings.TrimSpace(string(l.text)) == "" }

func (l *formatLine) comment() bool {
	return strings.HasPrefix(strings.TrimLeft(string(l.text), " \t"), "#")
}
