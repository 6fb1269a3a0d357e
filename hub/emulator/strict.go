package emulator

import (
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/query"
)

// An unknown is a construct of queries whose meaning on a hub nobody has seen or
// documented. A strict hub refuses it, so that no test comes to depend on what
// package query makes of it.
type unknown struct {
	name string
	// in reports whether an expression, without those inside it, is one.
	in func(e query.Expr) bool
}

// unknowns lists them: what the protocol reference says of evaluation (6.5) and
// of what is unverified (16).
var unknowns = []unknown{
	{"NOT over anything but IS_DEFINED", func(e query.Expr) bool {
		n, ok := e.(query.Not)
		return ok && !isCall(n.X, "IS_DEFINED")
	}},
	{"!= and NIN on a value that can be missing or of another type", func(e query.Expr) bool {
		b, ok := e.(query.Binary)
		return ok && (b.Op == "!=" || b.Op == "NIN") && (isUserPath(b.Left) || isUserPath(b.Right))
	}},
	{"comparing with null or undefined", func(e query.Expr) bool {
		b, ok := e.(query.Binary)
		return ok && isComparison(b.Op) && (isNothing(b.Left) || isNothing(b.Right))
	}},
	{"comparing constants of different types", func(e query.Expr) bool {
		b, ok := e.(query.Binary)
		l, ok1 := b.Left.(query.Literal)
		r, ok2 := b.Right.(query.Literal)
		return ok && ok1 && ok2 && isComparison(b.Op) && sortOf(l.Value) != sortOf(r.Value)
	}},
	{"a string with a quote or a backslash in it", func(e query.Expr) bool {
		return slices.ContainsFunc(stringsIn(e), func(s string) bool { return strings.ContainsAny(s, `'"\`) })
	}},
	{"an IN list of more than 100 values", func(e query.Expr) bool {
		list, ok := e.(query.List)
		return ok && len(list) > 100 // how many a hub takes is not known; a hundred are a page
	}},
	{"a function other than IS_DEFINED, STARTSWITH, and ARRAY_CONTAINS on parentScopes", func(e query.Expr) bool {
		c, ok := e.(query.Call)
		onScopes := ok && c.Name == "ARRAY_CONTAINS" && len(c.Args) > 0 && isPath(c.Args[0], "parentScopes")
		return ok && c.Name != "IS_DEFINED" && c.Name != "STARTSWITH" && !onScopes
	}},
	{"a path that no shipped query has read: " + strings.Join(unreadRoots, ", ") + " and $metadata", func(e query.Expr) bool {
		p, ok := e.(query.Path)
		return ok && (slices.Contains(unreadRoots, p[0]) || slices.Contains(p, "$metadata"))
	}},
}

// unreadRoots are members of a twin that are inferred to be queryable.
var unreadRoots = []string{"etag", "statusReason", "statusUpdateTime", "authenticationType", "cloudToDeviceMessageCount"}

// What is found in a query's text, since no tree has it.
const (
	mixedOperators   = "operators of different kinds without parentheses, whose precedence is not documented"
	unnamedAggregate = "an aggregate without AS, whose name in a row is not known"
)

// checkStrict refuses a query that has an unknown in it, on a strict hub. A hub
// does not say what it finds wrong; this refusal does.
func (h *hub) checkStrict(q *query.Query, text string) error {
	if !h.strict {
		return nil
	}
	name := findUnknown(q.Where())
	if _, columns := cutSelect(q.String()); name == "" {
		name = unknownColumn(columns)
	}
	if name == "" && isMixed(text) {
		name = mixedOperators
	}
	return refuseUnknown(name)
}

// checkStrictCondition is checkStrict for the condition of a job. One that is no
// condition is taken, because such a job fails later.
func (h *hub) checkStrictCondition(text string) error {
	target, err := readJobTarget(text)
	if !h.strict || err != nil {
		return nil
	}
	name := findUnknown(target.where)
	if name == "" && isMixed(text) {
		name = mixedOperators
	}
	return refuseUnknown(name)
}

func refuseUnknown(name string) error {
	if name == "" {
		return nil
	}
	return refuse("ArgumentInvalid", "BadRequest (strict query: what a hub makes of this is not known: %s)", name)
}

// findUnknown returns the name of the first unknown in e, "" for none.
func findUnknown(e query.Expr) (name string) {
	walk(e, func(e query.Expr) {
		for _, u := range unknowns {
			if name == "" && u.in(e) {
				name = u.name
			}
		}
	})
	return name
}

// walk visits e and everything inside it.
func walk(e query.Expr, visit func(query.Expr)) {
	if e == nil {
		return
	}
	visit(e)
	switch e := e.(type) {
	case query.Binary:
		walk(e.Left, visit)
		walk(e.Right, visit)
	case query.Not:
		walk(e.X, visit)
	case query.Negate:
		walk(e.X, visit)
	case query.Call:
		for _, arg := range e.Args {
			walk(arg, visit)
		}
	}
}

func isCall(e query.Expr, name string) bool {
	c, ok := e.(query.Call)
	return ok && c.Name == name
}

func isPath(e query.Expr, root string) bool {
	p, ok := e.(query.Path)
	return ok && p[0] == root
}

// isUserPath reports whether e is below tags or properties, where a value may be
// of any type or missing.
func isUserPath(e query.Expr) bool { return isPath(e, "tags") || isPath(e, "properties") }

func isComparison(op string) bool {
	return slices.Contains([]string{"=", "!=", "<", ">", "<=", ">=", "IN", "NIN"}, op)
}

func isNothing(e query.Expr) bool {
	l, isLiteral := e.(query.Literal)
	_, isUndefined := e.(query.Undefined)
	return isUndefined || isLiteral && l.Value == nil
}

// sortOf tells the JSON types of constants apart.
func sortOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case string:
		return "string"
	}
	return "number"
}

func stringsIn(e query.Expr) (found []string) {
	list, _ := e.(query.List)
	if l, ok := e.(query.Literal); ok {
		list = query.List{l}
	}
	for _, item := range list {
		if s, ok := item.Value.(string); ok {
			found = append(found, s)
		}
	}
	return found
}
