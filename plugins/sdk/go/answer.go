package plugin

import (
	"strconv"
	"unicode/utf8"
)

// An Answer is what a plugin says of a twin that it matches.
type Answer struct {
	facts, tags, desired, labels tree
	message, severity            string
}

// Fact adds a fact, which the rule reads as plugin.<name>. value is a string, a
// bool, an int, an int64, a float64, or a [Value], which is copied as it stands;
// anything else panics.
func (a *Answer) Fact(name string, value any) { a.facts.set(name, value, false) }

// Set adds a value to the patch. path starts with "tags." or "desired.", as in
// "tags.wave", and must be among the manifest's writes. A nil value deletes; other
// values are those of [Answer.Fact].
func (a *Answer) Set(path string, value any) {
	section, rest := cut(path)
	switch {
	case section == "tags" && rest != "":
		a.tags.set(rest, value, true)
	case section == "desired" && rest != "":
		a.desired.set(rest, value, true)
	default:
		panic("plugin: the path " + path + " is not in tags or desired")
	}
}

// Message says something to people.
func (a *Answer) Message(text string) { a.message = text }

// Severity ranks the answer as "info", "warning" or "error".
func (a *Answer) Severity(s string) { a.severity = s }

// Label adds a label for reports.
func (a *Answer) Label(name, value string) { a.labels.set(name, value, false) }

// append writes a as the host wants it.
func (a *Answer) append(b []byte) []byte {
	b = append(b, `{"match":true`...)
	b = a.facts.member(b, "facts")
	if len(a.tags.kids)+len(a.desired.kids) > 0 {
		b = append(b, `,"patch":{`...)
		mark := len(b)
		b = a.tags.member(b, "tags")
		b = a.desired.member(b, "desired")
		b = append(b[:mark], b[mark+1:]...) // the first comma
		b = append(b, '}')
	}
	if a.message != "" {
		b = appendString(append(b, `,"message":`...), a.message)
	}
	if a.severity != "" {
		b = appendString(append(b, `,"severity":`...), a.severity)
	}
	return append(a.labels.member(b, "labels"), '}')
}

// A tree is an object that is being built: a slice, since the order of a map
// would be another one each time.
type tree struct {
	key   string
	value []byte // JSON; nil when there are kids
	kids  []*tree
}

func (t *tree) set(path string, value any, nested bool) {
	for path != "" {
		key := path
		if path = ""; nested {
			key, path = cut(key)
		}
		t = t.kid(key)
	}
	t.value, t.kids = appendAny(nil, value), nil
}

func (t *tree) kid(key string) *tree {
	t.value = nil
	for _, k := range t.kids {
		if k.key == key {
			return k
		}
	}
	k := &tree{key: key}
	t.kids = append(t.kids, k)
	return k
}

// member writes t after a comma, unless it is empty.
func (t *tree) member(b []byte, key string) []byte {
	if len(t.kids) == 0 {
		return b
	}
	return t.append(append(appendString(append(b, ','), key), ':'))
}

func (t *tree) append(b []byte) []byte {
	if t.value != nil {
		return append(b, t.value...)
	}
	b = append(b, '{')
	for i, k := range t.kids {
		if i > 0 {
			b = append(b, ',')
		}
		b = k.append(append(appendString(b, k.key), ':'))
	}
	return append(b, '}')
}

// cut splits a path at its first dot.
func cut(path string) (key, rest string) {
	for i := range len(path) {
		if path[i] == '.' {
			return path[:i], path[i+1:]
		}
	}
	return path, ""
}

func appendAny(b []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(b, "null"...)
	case Value:
		if !v.Exists() {
			return append(b, "null"...)
		}
		return append(b, v.Raw()...)
	case string:
		return appendString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		if v != v || v-v != 0 {
			panic("plugin: JSON has neither NaN nor infinity")
		}
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	}
	panic("plugin: a value is none of nil, string, bool, int, int64, float64, Value")
}

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s { // what is not UTF-8 becomes U+FFFD
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20:
			const digits = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', digits[r>>4], digits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
