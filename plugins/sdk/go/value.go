package plugin

import (
	"iter"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A Value is a JSON value as it stands in the text, or nothing: the zero Value is
// one that is missing, and every method of it says so. The text is trusted to be
// JSON, as it is when the host wrote it.
type Value struct{ text []byte }

// ParseValue returns the JSON value in text, which must not change.
func ParseValue(text []byte) Value { return Value{text[space(text, 0):]} }

// Exists reports whether there is a value, null included.
func (v Value) Exists() bool { return len(v.text) > 0 }

// Raw returns the JSON text of the value as it stands, "" when it is missing.
func (v Value) Raw() string { return string(v.text[:skip(v.text, 0)]) }

// Get returns the value at path, such as "reported.position.lat", with the keys
// of objects between dots. It is missing when the path leads elsewhere.
func (v Value) Get(path string) Value {
	for len(path) > 0 && v.Exists() {
		key := path
		path = ""
		for i := range len(key) {
			if key[i] == '.' {
				key, path = key[:i], key[i+1:]
				break
			}
		}
		v = v.member(key)
	}
	return v
}

func (v Value) member(want string) Value {
	for key, value := range v.Members() {
		if key == want {
			return value
		}
	}
	return Value{}
}

// Members yields the keys and values of an object, in the order of the text.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		b, i := v.text, 1
		if len(b) == 0 || b[0] != '{' {
			return
		}
		for i = space(b, i); i < len(b) && b[i] == '"'; i = space(b, i+1) {
			end := skip(b, i)
			key := unquote(b[i:end])
			i = space(b, space(b, end)+1) // behind the colon
			if end = skip(b, i); end <= i || !yield(key, Value{b[i:end]}) {
				return
			}
			if i = space(b, end); i >= len(b) || b[i] != ',' {
				return
			}
		}
	}
}

// Elements yields the elements of an array.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		b := v.text
		if len(b) == 0 || b[0] != '[' {
			return
		}
		for i := space(b, 1); i < len(b) && b[i] != ']'; i = space(b, i+1) {
			end := skip(b, i)
			if end <= i || !yield(Value{b[i:end]}) {
				return
			}
			if i = space(b, end); i >= len(b) || b[i] != ',' {
				return
			}
		}
	}
}

// Text returns a string, and whether the value is one.
func (v Value) Text() (string, bool) {
	end := skip(v.text, 0)
	if end < 2 || v.text[0] != '"' {
		return "", false
	}
	return unquote(v.text[:end]), true
}

// Float returns a number, and whether the value is one that a float64 holds.
func (v Value) Float() (float64, bool) {
	if !v.number() {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v.text[:skip(v.text, 0)]), 64)
	return f, err == nil
}

// Int returns a whole number, and whether the value is spelled as one.
func (v Value) Int() (int64, bool) {
	if !v.number() {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v.text[:skip(v.text, 0)]), 10, 64)
	return n, err == nil
}

func (v Value) number() bool {
	return len(v.text) > 0 && (v.text[0] == '-' || '0' <= v.text[0] && v.text[0] <= '9')
}

// Bool returns true or false, and whether the value is one of them.
func (v Value) Bool() (value, ok bool) {
	if len(v.text) == 0 {
		return false, false
	}
	return v.text[0] == 't', v.text[0] == 't' || v.text[0] == 'f'
}

// space returns the place at or after i that is not white space.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skip returns the place behind the value at i.
func skip(b []byte, i int) int {
	if i >= len(b) {
		return len(b)
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i)
	}
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
		i++
	}
	return i
}

func skipString(b []byte, i int) int {
	for i++; i < len(b) && b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(b))
}

func skipNested(b []byte, i int) int {
	for depth := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = skipString(b, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(b)
}

// unquote returns the string that is spelled with quotes in b.
func unquote(b []byte) string {
	if len(b) < 2 {
		return ""
	}
	b = b[1 : len(b)-1]
	for i, c := range b {
		if c == '\\' {
			return unescape(b, i)
		}
	}
	return string(b)
}

// unescape is unquote for text whose first escape stands at i.
func unescape(b []byte, i int) string {
	s := append(make([]byte, 0, len(b)), b[:i]...)
	for ; i < len(b); i++ {
		if b[i] != '\\' || i+1 >= len(b) {
			s = append(s, b[i])
			continue
		}
		switch i++; b[i] {
		case 'b':
			s = append(s, '\b')
		case 'f':
			s = append(s, '\f')
		case 'n':
			s = append(s, '\n')
		case 'r':
			s = append(s, '\r')
		case 't':
			s = append(s, '\t')
		case 'u':
			r, width := hex(b[i+1:])
			i += width
			s = utf8.AppendRune(s, r)
		default:
			s = append(s, b[i])
		}
	}
	return string(s)
}

// hex reads the digits after \u, and those of a second half that follows.
func hex(b []byte) (r rune, width int) {
	r, ok := digits(b)
	if !ok {
		return utf8.RuneError, 0
	}
	if utf16.IsSurrogate(r) && len(b) >= 10 && b[4] == '\\' && b[5] == 'u' {
		if second, ok := digits(b[6:]); ok {
			return utf16.DecodeRune(r, second), 10
		}
	}
	return r, 4
}

func digits(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[:4]), 16, 16)
	return rune(n), err == nil
}
