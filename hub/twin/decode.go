package twin

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// MaxDepth is the deepest nesting of objects and arrays that [Decode] accepts.
// A twin's sections may nest 10 levels; its metadata adds none.
const MaxDepth = 64

// A SyntaxError is a mistake in JSON text.
type SyntaxError struct {
	Offset int    // bytes before the mistake
	Reason string // such as "duplicate key \"fan\""
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at offset %d: %s", e.Offset, e.Reason)
}

// Decode reads one JSON value. Objects become [Object], arrays []any, numbers
// [json.Number] exactly as they are spelled. Unlike encoding/json it refuses
// duplicate keys, invalid UTF-8 and nesting beyond [MaxDepth], because nobody
// can say what such a document means. Its error is a [*SyntaxError].
func Decode(data []byte) (any, error) {
	d := &decoder{data: data}
	v := d.value(0)
	d.end()
	if d.err != nil {
		return nil, d.err
	}
	return v, nil
}

// DecodeObject is [Decode] for text that must hold an object.
func DecodeObject(data []byte) (Object, error) {
	v, err := Decode(data)
	if err != nil {
		return nil, err
	}
	o, ok := v.(Object)
	if !ok {
		return nil, &SyntaxError{Reason: "not an object"}
	}
	return o, nil
}

// A decoder reads JSON from front to back. After the first mistake err is set
// and nothing more is read.
type decoder struct {
	data []byte
	pos  int
	keys [][]byte // of the objects being skipped, outermost first
	err  *SyntaxError
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = &SyntaxError{Offset: d.pos, Reason: fmt.Sprintf(format, args...)}
	}
}

func (d *decoder) space() {
	for d.pos < len(d.data) {
		switch d.data[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

// peek returns the next byte that is not white space, or 0 at the end.
func (d *decoder) peek() byte {
	d.space()
	if d.pos >= len(d.data) || d.err != nil {
		return 0
	}
	return d.data[d.pos]
}

func (d *decoder) expect(c byte) {
	if got := d.peek(); got != c {
		d.unexpected(got, fmt.Sprintf("%q", string(rune(c))))
		return
	}
	d.pos++
}

func (d *decoder) unexpected(got byte, want string) {
	if got == 0 && d.pos >= len(d.data) {
		d.fail("the text ends where %s should stand", want)
		return
	}
	d.fail("%q where %s should stand", string(rune(got)), want)
}

func (d *decoder) value(depth int) any {
	if depth > MaxDepth {
		d.fail("nested more than %d levels", MaxDepth)
		return nil
	}
	switch c := d.peek(); {
	case c == '{':
		return d.object(depth)
	case c == '[':
		return d.array(depth)
	case c == '"':
		return d.string()
	case c == '-' || '0' <= c && c <= '9':
		return d.number()
	default:
		return d.word(c)
	}
}

func (d *decoder) object(depth int) Object {
	o := Object{}
	d.members(func() {
		at := d.pos
		key := d.string()
		if _, dup := o[key]; dup {
			d.pos = at
			d.fail("duplicate key %q", key)
			return
		}
		d.expect(':')
		o[key] = d.value(depth + 1)
	})
	return o
}

// members reads an object and calls member where each of its keys stands.
func (d *decoder) members(member func()) {
	d.expect('{')
	if d.peek() == '}' {
		d.pos++
		return
	}
	for d.err == nil {
		if c := d.peek(); c != '"' {
			d.unexpected(c, "a key")
			return
		}
		member()
		if d.peek() != ',' {
			break
		}
		d.pos++
	}
	d.expect('}')
}

func (d *decoder) array(depth int) []any {
	list := []any{}
	d.elements(func() { list = append(list, d.value(depth+1)) })
	return list
}

// elements reads an array and calls element where each of its values stands.
func (d *decoder) elements(element func()) {
	d.expect('[')
	if d.peek() == ']' {
		d.pos++
		return
	}
	for d.err == nil {
		element()
		if d.peek() != ',' {
			break
		}
		d.pos++
	}
	d.expect(']')
}

func (d *decoder) string() string {
	quoted, escaped := d.quoted()
	if !escaped {
		return string(quoted)
	}
	return unescape(quoted)
}

// quoted reads a string and returns what stands between its quotes.
func (d *decoder) quoted() (text []byte, escaped bool) {
	start := d.pos
	for d.pos++; d.pos < len(d.data); d.pos++ {
		switch c := d.data[d.pos]; {
		case c == '\\':
			escaped = true
			d.pos++
		case c < 0x20:
			d.fail("control character in a string")
			return nil, false
		case c == '"':
			d.pos++
			text = d.data[start+1 : d.pos-1]
			d.checkText(start, text, escaped)
			return text, escaped
		}
	}
	d.pos = len(d.data)
	d.fail("the text ends inside a string")
	return nil, false
}

func (d *decoder) checkText(start int, text []byte, escaped bool) {
	switch {
	case !utf8.Valid(text):
		d.pos = start
		d.fail("a string is not UTF-8")
	case escaped && !json.Valid(d.data[start:d.pos]):
		d.pos = start
		d.fail("a string has a wrong escape")
	}
}

// unescape returns the string whose checked spelling between quotes is text.
func unescape(text []byte) string {
	var s string
	_ = json.Unmarshal(slices.Concat([]byte{'"'}, text, []byte{'"'}), &s)
	return s
}

func (d *decoder) number() json.Number {
	start := d.pos
	if d.data[d.pos] == '-' {
		d.pos++
	}
	if d.pos < len(d.data) && d.data[d.pos] == '0' {
		d.pos++
	} else {
		d.digits()
	}
	if d.pos < len(d.data) && d.data[d.pos] == '.' {
		d.pos++
		d.digits()
	}
	if d.pos < len(d.data) && d.data[d.pos]|0x20 == 'e' {
		d.pos++
		if d.pos < len(d.data) && (d.data[d.pos] == '+' || d.data[d.pos] == '-') {
			d.pos++
		}
		d.digits()
	}
	return json.Number(d.data[start:d.pos])
}

func (d *decoder) digits() {
	start := d.pos
	for d.pos < len(d.data) && '0' <= d.data[d.pos] && d.data[d.pos] <= '9' {
		d.pos++
	}
	if d.pos == start {
		d.fail("a number lacks a digit")
	}
}

// words are JSON's values that are spelled out.
var words = [...]struct {
	text  string
	value any
}{{"true", true}, {"false", false}, {"null", nil}}

// word reads true, false or null.
func (d *decoder) word(c byte) any {
	for _, w := range words {
		if end := d.pos + len(w.text); end <= len(d.data) && string(d.data[d.pos:end]) == w.text {
			d.pos = end
			return w.value
		}
	}
	d.unexpected(c, "a value")
	return nil
}
