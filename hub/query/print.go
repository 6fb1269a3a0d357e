package query

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Valid reports whether the language can spell p: it has keys, each is UTF-8,
// and none holds the "]]" that would end its quoting.
func (p Path) Valid() bool {
	for _, key := range p {
		if key == "" || !utf8.ValidString(key) || strings.Contains(key, "]]") || strings.HasSuffix(key, "]") {
			return false
		}
	}
	return len(p) > 0
}

// String writes the keys with dots, and those that are no plain name or a
// reserved word as [[key]]. A path that is not [Path.Valid] is written as
// undefined, so that no key can smuggle in a condition.
func (p Path) String() string {
	if !p.Valid() {
		return "undefined"
	}
	keys := make([]string, len(p))
	for i, key := range p {
		keys[i] = quoteName(key)
	}
	if strings.EqualFold(p[0], "devices") {
		keys[0] = "[[" + p[0] + "]]" // a plain one would be the collection's name
	}
	return strings.Join(keys, ".")
}

// quoteName writes a name plain where that is read back, else as [[name]]. A
// name with a hyphen is read plain too, but only [[ ]] is documented for it.
func quoteName(name string) string {
	if isName(name) && !strings.Contains(name, "-") && !isReserved(name) && !isAggregate(name) {
		return name
	}
	return "[[" + name + "]]"
}

func (l Literal) String() string {
	switch v := l.Value.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(v)
	case json.Number:
		return string(v)
	case string:
		return quote(v)
	default:
		panic(fmt.Sprintf("query: a literal of type %T", v))
	}
}

// quote writes a string between single quotes. That a backslash escapes is the
// documentation's word; one shipped tool doubles the quote instead.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

func (Undefined) String() string { return "undefined" }

func (l List) String() string { return "[" + list(l) + "]" }

// String writes every parenthesis, because the precedence of operators is not
// documented. A chain of AND, or of OR, needs none inside.
func (b Binary) String() string {
	terms := []Expr{b.Left, b.Right}
	if b.Op == "AND" || b.Op == "OR" {
		terms = appendTerms(nil, b.Op, b)
	}
	texts := make([]string, len(terms))
	for i, term := range terms {
		texts[i] = operand(term)
	}
	return strings.Join(texts, " "+b.Op+" ")
}

func (n Not) String() string { return "NOT " + operand(n.X) }

func (n Negate) String() string {
	if l, ok := n.X.(Literal); ok {
		return "-(" + l.String() + ")" // -5 alone is a literal
	}
	return "-" + operand(n.X)
}

func (c Call) String() string { return c.Name + "(" + list(c.Args) + ")" }

// operand writes e as part of a larger expression.
func operand(e Expr) string {
	switch e.(type) {
	case Binary, Not, Negate:
		return "(" + e.String() + ")"
	}
	return e.String()
}
