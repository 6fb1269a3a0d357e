package rules

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/twinrules/twinrules/hub/twin"
)

// A setting is one YAML value with its place. Its readers report what is wrong
// at that place and return a zero value, so that reading goes on and all
// mistakes of a file are found at once.
type setting struct {
	*reporter
	src  *source
	node *yaml.Node
}

// exists reports whether there is such a value; the zero setting stands for a
// key that is not there.
func (s setting) exists() bool { return s.node != nil }

// pos returns where the value stands.
func (s setting) pos() Pos { return Pos{s.src.name, s.node.Line, s.node.Column} }

// quiet returns the setting for who reads it again: what is wrong with it was
// reported when the pack was compiled.
func (s setting) quiet() setting {
	s.reporter = &reporter{}
	return s
}

func (s setting) report(code Code, hint, format string, args ...any) {
	if !s.full() {
		s.reportAt(s.pos(), s.width(), code, hint, format, args...)
	}
}

func (s setting) reportAt(at Pos, width int, code Code, hint, format string, args ...any) {
	s.add(&Diagnostic{
		Pos: at, Width: max(1, width), Line: s.src.line(at.Line),
		Code: code, Message: Excerpt(fmt.Sprintf(format, args...), maxMessage), Hint: hint,
	})
}

// maxMessage is the longest message, in characters: some quote what stands there.
const maxMessage = 500

// width returns how much of its line the value covers.
func (s setting) width() int {
	if s.node.Kind != yaml.ScalarNode || s.node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return 1
	}
	list := s.src.positions(s.node)
	last := list[len(list)-1]
	if last.Line != s.node.Line {
		return 1
	}
	quotes := 0
	if s.node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		quotes = 1
	}
	return last.Col - s.node.Column + quotes
}

// span reports a mistake in the characters from start to end of the value.
func (s setting) span(start, end int, code Code, hint, format string, args ...any) {
	if s.full() {
		return
	}
	list := s.src.positions(s.node)
	start = min(max(start, 0), len(list)-1)
	end = min(max(end, start), len(list)-1)
	at, width := list[start], 1
	if list[end].Line == at.Line {
		width = list[end].Col - at.Col
	}
	s.reportAt(at, width, code, hint, format, args...)
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}

// A mapping is a setting whose keys are read one by one. Keys that nobody asked
// for are reported by done.
type mapping struct {
	setting
	values map[string]setting
	keys   []setting // in the order of the file
	asked  []string
	shape  *Shape // nil where the author chooses the keys
}

// mapping reads the value as a mapping; what is not one is reported and empty.
func (s setting) mapping() *mapping {
	m := &mapping{setting: s, values: map[string]setting{}}
	if !s.exists() {
		return m
	}
	if s.node.Kind != yaml.MappingNode {
		s.report(WrongType, "", "%s where a mapping must stand", kindName(s.node))
		m.setting = setting{reporter: s.reporter} // so that no key of it is missed
		return m
	}
	for i := 0; i+1 < len(s.node.Content); i += 2 {
		m.member(s.at(s.node.Content[i]), s.at(s.node.Content[i+1]))
	}
	return m
}

func (s setting) at(n *yaml.Node) setting { return setting{s.reporter, s.src, n} }

func (m *mapping) member(key, value setting) {
	if key.node.Kind != yaml.ScalarNode {
		key.report(WrongType, "", "%s where a key must stand", kindName(key.node))
		return
	}
	if key.node.ShortTag() == "!!merge" {
		key.report(BadYAML, "write the keys out", "a merge")
		return
	}
	if _, dup := m.values[key.node.Value]; dup {
		key.report(DuplicateKey, "", "the key %q stands here a second time", key.node.Value)
		return
	}
	m.values[key.node.Value] = value
	m.keys = append(m.keys, key)
}

// get returns the value of key, or a setting that does not exist.
func (m *mapping) get(key string) setting {
	m.known(key)
	m.asked = append(m.asked, key)
	return m.values[key]
}

// need is get for a key that must be there.
func (m *mapping) need(key string) setting {
	v := m.get(key)
	if !v.exists() && m.exists() {
		m.report(MissingKey, "", "the key %q is missing", key)
	}
	return v
}

// done reports the keys that were not asked for.
func (m *mapping) done() {
	for _, key := range m.keys {
		if name := key.node.Value; !slices.Contains(m.asked, name) {
			key.report(UnknownKey, didYouMean(name, m.asked), "unknown key %q", name)
		}
	}
}

// list returns the elements of a list.
func (s setting) list() []setting {
	if !s.exists() {
		return nil
	}
	if s.node.Kind != yaml.SequenceNode {
		s.report(WrongType, "", "%s where a list must stand", kindName(s.node))
		return nil
	}
	elements := make([]setting, len(s.node.Content))
	for i, n := range s.node.Content {
		elements[i] = s.at(n)
	}
	return elements
}

// text reads a scalar as the string it spells.
func (s setting) text() string {
	if !s.exists() {
		return ""
	}
	if s.node.Kind != yaml.ScalarNode {
		s.report(WrongType, "", "%s where a string must stand", kindName(s.node))
		return ""
	}
	if s.node.ShortTag() == "!!null" {
		s.report(WrongType, "", "nothing where a string must stand")
	}
	return s.node.Value
}

// word reads one of a few words.
func (s setting) word(fallback string, known ...string) string {
	if !s.exists() {
		return fallback
	}
	w := s.text()
	if !slices.Contains(known, w) {
		s.report(WrongValue, didYouMean(w, known), "%q is none of %s", w, strings.Join(known, ", "))
		return fallback
	}
	return w
}

// truth reads true or false; nothing is false.
func (s setting) truth() bool {
	if s.exists() && (s.node.ShortTag() != "!!bool" || s.node.Value != "true" && s.node.Value != "false") {
		s.report(WrongType, "", "%s where true or false must stand", kindName(s.node))
		return false
	}
	return s.exists() && s.node.Value == "true"
}

var identifier = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// maxName bounds the names of packs, rules and plugins: a rule's name is part of
// a configuration id, which has at most 128 characters.
const maxName = 64

// name reads a name of the pack's own: lower-case letters, digits and dashes.
func (s setting) name() string {
	if !s.exists() {
		return ""
	}
	w := s.text()
	if !identifier.MatchString(w) || len(w) > maxName {
		s.report(WrongValue, "", "%q is not a name: lower-case letters, digits and dashes, at most %d", w, maxName)
	}
	return w
}

// whole reads an integer from low to high.
func (s setting) whole(low, high int) (n int, ok bool) {
	if !s.exists() {
		return 0, false
	}
	n, err := strconv.Atoi(s.node.Value)
	if s.node.Kind != yaml.ScalarNode || s.node.Style != 0 || !jsonNumber.MatchString(s.node.Value) || err != nil {
		s.report(WrongType, "", "not a whole number")
		return 0, false
	}
	if n < low || n > high {
		s.report(WrongValue, "", "%d is not from %d to %d", n, low, high)
		return 0, false
	}
	return n, true
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// json reads the value as JSON: an Object, []any, string, bool, nil, or a
// json.Number with its spelling. What is not exactly JSON is reported.
func (s setting) json() any {
	switch s.node.Kind {
	case yaml.MappingNode:
		m := s.mapping()
		o := twin.Object{}
		for key, value := range m.values {
			o[key] = value.json()
		}
		return o
	case yaml.SequenceNode:
		list := []any{}
		for _, element := range s.list() {
			list = append(list, element.json())
		}
		return list
	default:
		return s.scalar()
	}
}

func (s setting) scalar() any {
	text := s.node.Value
	switch tag := s.node.ShortTag(); {
	case tag == "!!str":
		return text
	case text == "null" || text == "true" || text == "false":
		return map[string]any{"null": nil, "true": true, "false": false}[text]
	case jsonNumber.MatchString(text):
		return s.number(json.Number(text))
	case tag == "!!null":
		s.report(BadScalar, `write null, or "" for an empty string`, "%q is no JSON value", text)
	default:
		s.report(BadScalar, fmt.Sprintf("write %q in quotes if it is a string", text), "%s is no JSON value: YAML readers disagree about it", text)
	}
	return text
}

func (s setting) number(n json.Number) any {
	if i, err := n.Int64(); !strings.ContainsAny(string(n), ".eE") && (err != nil || i > twin.MaxInteger || i < twin.MinInteger) {
		s.report(BadScalar, "", "the integer %s is beyond ±(2^52-1), which is what the hub stores", n)
	}
	return n
}

// object is json for a value that must be a mapping; nil when there is none.
func (s setting) object() twin.Object {
	if !s.exists() {
		return nil
	}
	if s.node.Kind != yaml.MappingNode {
		s.report(WrongType, "", "%s where a mapping must stand", kindName(s.node))
		return twin.Object{}
	}
	return s.json().(twin.Object)
}
