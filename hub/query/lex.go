package query

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxLength is the longest query that a hub takes, in characters.
const MaxLength = 8192

// An Error is a mistake in the text of a query.
type Error struct {
	Offset int    // bytes before the mistake
	Reason string // such as `unknown function "LOWER"`
}

func (e *Error) Error() string {
	return fmt.Sprintf("invalid query at offset %d: %s", e.Offset, e.Reason)
}

// A kind says what a token is.
type kind int

const (
	atEnd  kind = iota
	name        // a plain word, reserved ones too
	quoted      // the inside of [[ ]]
	number      // spelled as in JSON, without sign
	text        // the meaning of a string literal
	mark        // an operator or a bracket
)

// A token is one word of a query.
type token struct {
	kind   kind
	text   string
	offset int
}

// is reports whether t is the mark or the unquoted word s.
func (t token) is(s string) bool {
	return t.kind == mark && t.text == s || t.kind == name && strings.EqualFold(t.text, s)
}

func (t token) String() string {
	if t.kind == atEnd {
		return "the end"
	}
	return fmt.Sprintf("%q", t.text)
}

// A lexer cuts text into tokens. It panics with an *Error at the first mistake;
// the parser's entry recovers it.
type lexer struct {
	text string
	pos  int
}

func fail(offset int, format string, args ...any) {
	panic(&Error{offset, fmt.Sprintf(format, args...)})
}

// marks lists operators and brackets, longer ones before their beginnings.
var marks = []string{"[[", "!=", "<>", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", "[", "]", ",", "."}

func (l *lexer) next() token {
	l.space()
	t := token{offset: l.pos}
	if l.pos == len(l.text) {
		return t
	}
	switch c := l.text[l.pos]; {
	case startsName(c):
		t.kind, t.text = name, l.while(continuesName)
	case isDigit(c):
		t.kind, t.text = number, l.number()
	case c == '\'' || c == '"':
		t.kind, t.text = text, l.string(c)
	default:
		t.kind, t.text = mark, l.mark()
	}
	if t.is("[[") {
		t.kind, t.text = quoted, l.quotedName(t.offset)
	}
	return t
}

func (l *lexer) while(member func(byte) bool) string {
	start := l.pos
	for l.pos < len(l.text) && member(l.text[l.pos]) {
		l.pos++
	}
	return l.text[start:l.pos]
}

// space skips white space and comments.
func (l *lexer) space() {
	for {
		l.while(func(c byte) bool { return strings.IndexByte(" \t\r\n", c) >= 0 })
		if !strings.HasPrefix(l.text[l.pos:], "/*") {
			return
		}
		end := strings.Index(l.text[l.pos:], "*/")
		if end < 0 {
			fail(l.pos, "the comment does not end")
		}
		l.pos += end + 2
	}
}

func (l *lexer) mark() string {
	i := slices.IndexFunc(marks, func(m string) bool { return strings.HasPrefix(l.text[l.pos:], m) })
	if i < 0 {
		r, _ := utf8.DecodeRuneInString(l.text[l.pos:])
		fail(l.pos, "unexpected %q; a key with such a character is written [[key]]", r)
	}
	l.pos += len(marks[i])
	return marks[i]
}

func (l *lexer) quotedName(start int) string {
	inside, rest, ended := strings.Cut(l.text[l.pos:], "]]")
	if !ended || inside == "" {
		fail(start, "a name in [[ ]] needs characters and an end")
	}
	if strings.HasPrefix(rest, "]") {
		fail(start, "a name in [[ ]] must not end with \"]\"")
	}
	l.pos += len(inside) + 2
	return inside
}

// number reads a decimal or hexadecimal number.
func (l *lexer) number() string {
	start := l.pos
	word := l.while(func(c byte) bool { return c == '.' || isDigit(c) || startsName(c) })
	if strings.HasSuffix(strings.ToLower(word), "e") && !isHex(word) && l.pos < len(l.text) && strings.IndexByte("+-", l.text[l.pos]) >= 0 {
		l.pos++
		l.while(isDigit)
		word = l.text[start:l.pos]
	}
	if isHex(word) {
		if n, ok := new(big.Int).SetString(word[2:], 16); ok {
			return n.String()
		}
	}
	if !json.Valid([]byte(word)) {
		fail(start, "%q is not a number; a key that starts with a digit is written [[key]]", word)
	}
	return word
}

func isHex(word string) bool { return strings.HasPrefix(strings.ToLower(word), "0x") && len(word) > 2 }

// string reads a string literal between two quotes.
func (l *lexer) string(quote byte) string {
	start := l.pos
	l.pos++
	var b strings.Builder
	for l.pos < len(l.text) {
		c := l.text[l.pos]
		l.pos++
		switch c {
		case quote:
			return b.String()
		case '\\':
			l.escape(&b)
		default:
			b.WriteByte(c)
		}
	}
	fail(start, "the string does not end")
	return ""
}

// escapes maps the letter behind a backslash to what it stands for.
const escapes = `''""\\//b` + "\b" + `f` + "\f" + `n` + "\n" + `r` + "\r" + `t` + "\t"

func (l *lexer) escape(b *strings.Builder) {
	start := l.pos - 1
	if strings.HasPrefix(l.text[l.pos:], "u") {
		l.pos--
		b.WriteString(l.unicode())
		return
	}
	for i := 0; i < len(escapes) && l.pos < len(l.text); i += 2 {
		if escapes[i] == l.text[l.pos] {
			b.WriteByte(escapes[i+1])
			l.pos++
			return
		}
	}
	fail(start, "unknown escape in a string")
}

// unicode reads one \uXXXX, or two that are halves of a character.
func (l *lexer) unicode() string {
	start := l.pos
	for _, size := range []int{6, 12} {
		if start+size > len(l.text) {
			break
		}
		var s string
		err := json.Unmarshal([]byte(`"`+l.text[start:start+size]+`"`), &s)
		if err == nil && utf8.RuneCountInString(s) == 1 && s != "\uFFFD" {
			l.pos = start + size
			return s
		}
	}
	fail(start, "a \\u escape is not a character")
	return ""
}
