package rules

import (
	"strings"
	"unicode/utf8"

	"github.com/twinrules/twinrules/hub/twin"
)

// A template is a leaf of a patch: a literal, one ${ } that keeps its
// expression's type, or text with ${ } inside. Exactly one of the fields of a
// computed one is set.
type template struct {
	literal any
	whole   *expression
	text    []textPart
	list    []*template
	object  []templateMember // in the order of the file
}

// A templateMember is one of an object, some of whose members are computed.
type templateMember struct {
	key   string
	value *template
}

// A textPart is literal text or an expression.
type textPart struct {
	literal    string
	expression *expression
}

// compileTemplate compiles the value at s. What has a mistake is reported and
// nil.
func compileTemplate(s setting) *template {
	switch v := s.json().(type) {
	case string:
		return compileText(s, v)
	case []any:
		t := &template{literal: v}
		for _, element := range s.list() {
			t.list = append(t.list, compileTemplate(element))
		}
		return t.fold()
	case twin.Object:
		t := &template{literal: v, object: []templateMember{}}
		m := s.mapping()
		for _, key := range m.keys {
			t.object = append(t.object, templateMember{key.node.Value, compileTemplate(m.values[key.node.Value])})
		}
		return t.fold()
	default:
		return &template{literal: v}
	}
}

// fold makes a literal of a list or object without a computed part.
func (t *template) fold() *template {
	for _, e := range t.parts() {
		if e == nil || !e.constant() {
			return t
		}
	}
	return &template{literal: t.spelled()}
}

// spelled returns the list or object of constant parts, in which $${ is a literal
// ${ by now.
func (t *template) spelled() any {
	if t.object == nil {
		list := make([]any, len(t.list))
		for i, e := range t.list {
			list[i] = e.literal
		}
		return list
	}
	o := twin.Object{}
	for _, m := range t.object {
		o[m.key] = m.value.literal
	}
	return o
}

func (t *template) parts() []*template {
	list := append([]*template(nil), t.list...)
	for _, m := range t.object {
		list = append(list, m.value)
	}
	return list
}

// constant reports whether t is the same for every twin.
func (t *template) constant() bool {
	return t.whole == nil && t.text == nil && t.list == nil && t.object == nil
}

func compileText(s setting, text string) *template {
	parts, ok := splitText(s, text)
	if !ok {
		return nil
	}
	if len(parts) == 0 {
		return &template{literal: ""}
	}
	if len(parts) == 1 {
		if e := parts[0].expression; e != nil {
			return &template{whole: e}
		}
		return &template{literal: parts[0].literal}
	}
	return &template{text: parts}
}

// splitText cuts text at its ${ }. $${ is a literal ${.
func splitText(s setting, text string) (parts []textPart, ok bool) {
	if len(text) > twin.MaxStringSize {
		return nil, false // reported when it was loaded
	}
	var literal strings.Builder
	offset, ok := 0, true
	flush := func() {
		if literal.Len() > 0 {
			parts = append(parts, textPart{literal: literal.String()})
			literal.Reset()
		}
	}
	for rest := text; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "$${"):
			literal.WriteString("${")
			rest, offset = rest[3:], offset+3
		case strings.HasPrefix(rest, "${"):
			flush()
			source, found := braced(rest[2:])
			if !found {
				s.span(offset, offset+2, BadExpression, "write $${ for a literal ${", "the ${ has no }")
				return nil, false
			}
			e := compileInner(s, offset+2, source)
			parts, ok = append(parts, textPart{expression: e}), ok && e != nil
			rest, offset = rest[len(source)+3:], offset+runes(source)+3
		default:
			_, size := utf8.DecodeRuneInString(rest)
			literal.WriteString(rest[:size])
			rest, offset = rest[size:], offset+1
		}
	}
	flush()
	return parts, ok
}

func compileInner(s setting, offset int, source string) *expression {
	if strings.TrimSpace(source) == "" {
		s.span(offset-2, offset+runes(source)+1, EmptyExpression, "", "an empty expression")
		return nil
	}
	return compileExpression(s, offset, source, value)
}

// braced returns the expression up to the } that closes it, which is not one
// inside a string or after an inner {.
func braced(s string) (source string, found bool) {
	depth, quote := 0, rune(0)
	escaped := false
	for i, r := range s {
		switch {
		case escaped:
			escaped = false
		case quote != 0 && r == '\\' && quote != '`':
			escaped = true
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'' || r == '`':
			quote = r
		case r == '{':
			depth++
		case r == '}' && depth == 0:
			return s[:i], true
		case r == '}':
			depth--
		}
	}
	return "", false
}

// eval computes the leaf for a scope. A missing value is an error: a patch
// never writes a null that nobody spelled.
func (t *template) eval(in *scope) (any, error) {
	switch {
	case t.whole != nil:
		return t.whole.leaf(in)
	case t.text != nil:
		return t.evalText(in)
	case t.list != nil:
		return t.evalList(in)
	case t.object != nil:
		return t.evalObject(in)
	}
	return t.literal, nil
}

// leaf computes a value for a patch. A path is copied as the twin spells it.
func (e *expression) leaf(in *scope) (any, error) {
	v, err := e.json(in)
	if err != nil {
		return nil, err
	}
	if err := checkComputed(v, 0); err != nil {
		return nil, &EvalError{Pos: e.start(), Message: err.Error()}
	}
	return v, nil
}

func (e *expression) json(in *scope) (any, error) {
	if e.single != nil {
		if v, ok := e.single.raw(in); ok && isJSON(v) {
			return v, nil
		}
	}
	v, err := e.eval(in)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, e.missing(in)
	}
	out, err := fromExpr(v)
	if err != nil {
		return nil, &EvalError{Pos: e.start(), Message: err.Error()}
	}
	return out, nil
}

func isJSON(v any) bool {
	switch v.(type) {
	case string, bool, twin.Object, []any:
		return true
	}
	_, isNumber := v.(interface{ Int64() (int64, error) })
	return isNumber
}

// missing says which of the paths that the expression reads is not there.
func (e *expression) missing(in *scope) error {
	for _, s := range e.slots {
		if s.value(in) == nil {
			return &EvalError{Pos: e.start(), Message: s.key + " is missing"}
		}
	}
	return &EvalError{Pos: e.start(), Message: "the value is missing"}
}

func (e *expression) start() Pos { return e.at.src.positions(e.at.node)[e.offset] }

func (t *template) evalText(in *scope) (any, error) {
	var b strings.Builder
	for _, part := range t.text {
		if part.expression == nil {
			b.WriteString(part.literal)
			continue
		}
		text, err := part.expression.text(in)
		if err != nil {
			return nil, err
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// text computes a value that stands in a text.
func (e *expression) text(in *scope) (string, error) {
	v, err := e.eval(in)
	if err != nil {
		return "", err
	}
	if v == nil {
		return "", e.missing(in)
	}
	if _, err := fromExpr(v); err != nil {
		return "", &EvalError{Pos: e.start(), Message: err.Error()}
	}
	return display(v), nil
}

func (t *template) evalList(in *scope) (any, error) {
	list := make([]any, len(t.list))
	for i, element := range t.list {
		v, err := element.eval(in)
		if err != nil {
			return nil, err
		}
		list[i] = v
	}
	return list, nil
}

func (t *template) evalObject(in *scope) (any, error) {
	o := twin.Object{}
	for _, m := range t.object {
		v, err := m.value.eval(in)
		if err != nil {
			return nil, err
		}
		o[m.key] = v
	}
	return o, nil
}

// expressions returns every expression in t.
func (t *template) expressions() (list []*expression) {
	if t == nil {
		return nil
	}
	if t.whole != nil {
		list = append(list, t.whole)
	}
	for _, part := range t.text {
		if part.expression != nil {
			list = append(list, part.expression)
		}
	}
	for _, part := range t.parts() {
		list = append(list, part.expressions()...)
	}
	return list
}
