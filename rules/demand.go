package rules

import (
	"math"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/twinrules/twinrules/hub/twin"
)

// A demand is what a part of a condition asks of one term: that its value lies in
// a region. A part that compares a path with a constant asks it of the path; of
// any other part the term is the part itself, which is to be true or false.
type demand struct {
	term   string // as it is written, in one spelling
	path   Path   // of a term that is a path, or a function of one
	of     string // that function: "", "semver" or "age"
	region region
	// exact says that the part is true, and no error, just where its term lies in the
	// region; else it is only never true outside.
	exact bool
	text  string   // of the part
	node  ast.Node // the part
	not   bool     // it is to be false
	isNil bool     // it compares with nil
}

// A reader takes conditions apart into demands.
type reader struct {
	vars twin.Object
	kind expressionKind // of the condition
}

// maxClauses bounds how far a condition is multiplied out. What has more is taken
// for something that may always hold.
const maxClauses = 64

// clauses returns sets of demands such that n, where it has the outcome want and
// no error, has met all demands of one of them. None means that this never is.
func (r reader) clauses(n ast.Node, want bool) [][]demand {
	switch n := n.(type) {
	case *ast.BoolNode:
		if n.Value == want {
			return [][]demand{nil}
		}
		return [][]demand{{r.demand(n, want, n.String(), region{}, true)}}
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return r.clauses(n.Node, !want)
		}
	case *ast.ConditionalNode:
		yes := both(r.clauses(n.Cond, true), r.clauses(n.Exp1, want))
		return oneOf(yes, both(r.clauses(n.Cond, false), r.clauses(n.Exp2, want)))
	case *ast.BinaryNode:
		switch and := junction(n.Operator); {
		case and == "":
		case (and == "and") == want:
			return both(r.clauses(n.Left, want), r.clauses(n.Right, want))
		default:
			return oneOf(r.clauses(n.Left, want), r.clauses(n.Right, want))
		}
	}
	return [][]demand{r.atom(n, want)}
}

// unsaid is the term of what was not multiplied out.
const unsaid = "…"

// tooMany stands for more clauses than are looked at: a twin may meet it, and nothing
// is known to imply it.
func tooMany() [][]demand {
	return [][]demand{{{term: unsaid, region: region{yes: true}, exact: true, text: unsaid}}}
}

// junction returns "and" or "or", or "" for any other operator.
func junction(op string) string {
	return map[string]string{"and": "and", "&&": "and", "or": "or", "||": "or"}[op]
}

func both(a, b [][]demand) (list [][]demand) {
	if len(a)*len(b) > maxClauses {
		return tooMany()
	}
	for _, x := range a {
		for _, y := range b {
			list = append(list, slices.Concat(x, y))
		}
	}
	return list
}

func oneOf(a, b [][]demand) [][]demand {
	if len(a)+len(b) > maxClauses {
		return tooMany()
	}
	return slices.Concat(a, b)
}

// atom returns what a condition without and, or, not asks for.
func (r reader) atom(n ast.Node, want bool) []demand {
	if b, ok := n.(*ast.BinaryNode); ok {
		if list := r.comparison(b, want); list != nil {
			return list
		}
	}
	if root, keys, ok := chain(n); ok && root != "vars" {
		if want {
			return []demand{r.on(n, n, want, region{yes: true}, true)}
		}
		no := region{no: true, missing: true}
		if r.kind == selection {
			no = but(true)
		}
		_ = keys
		return []demand{r.on(n, n, want, no, true)}
	}
	return []demand{r.opaque(n, want)}
}

// opaque demands that a part that is not understood be true or false.
func (r reader) opaque(n ast.Node, want bool) demand {
	return r.demand(n, want, n.String(), region{yes: want, no: !want, missing: !want}, true)
}

func (r reader) demand(n ast.Node, want bool, term string, in region, exact bool) demand {
	d := demand{term: term, region: in, exact: exact, node: n, text: n.String(), not: !want}
	return d
}

// on demands of a term, which stands in n, that it lie in a region.
func (r reader) on(term, n ast.Node, want bool, in region, exact bool) demand {
	d := r.demand(n, want, term.String(), in, exact)
	if call, ok := term.(*ast.CallNode); ok && len(call.Arguments) == 1 {
		if of := call.Callee.String(); of == "semver" || of == "age" {
			term, d.of = call.Arguments[0], of
		}
	}
	if root, keys, ok := chain(term); ok {
		d.path = append(Path{root}, keys...)
		d.term = d.path.String()
		if d.of != "" {
			d.term = d.of + "(" + d.term + ")"
		}
	}
	return d
}

// comparison returns what a comparison of a term with a constant asks for; nil
// for what is none.
func (r reader) comparison(n *ast.BinaryNode, want bool) []demand {
	if n.Operator == "in" {
		return r.membership(n, want)
	}
	term, op := n.Left, n.Operator
	c, ok := r.constant(n.Right)
	if !ok {
		term, op = n.Right, or(flipped[op], op)
		if c, ok = r.constant(n.Left); !ok || !symmetric(op) {
			return nil
		}
	}
	if _, both := r.constant(term); both {
		return nil
	}
	switch op {
	case "!=":
		return r.equal(n, term, c, want, !want)
	case "==":
		return r.equal(n, term, c, want, want)
	case "<", "<=", ">", ">=":
		return r.ordering(n, term, op, c, want)
	case "startsWith", "endsWith", "contains":
		if text, ok := c.(string); ok {
			return r.textual(n, term, op, text, want)
		}
	}
	return nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// symmetric reports whether an operator has a mirrored one.
func symmetric(op string) bool { return flipped[op] != "" || op == "==" || op == "!=" }

func (r reader) equal(n, term ast.Node, c any, want, same bool) []demand {
	in, complete := values(c)
	if !complete {
		return nil
	}
	if !same {
		in = but(c)
	}
	sort, ordered := sortOf(c)
	exact := !ordered || sort == numbers || sort == texts
	if !exact && !same {
		in = everything() // versions that order alike may differ
	}
	d := r.on(term, n, want, in, exact)
	d.isNil = c == nil
	return r.with(d, want)
}

// with adds to a demand that is not exact that of the part itself.
func (r reader) with(d demand, want bool) []demand {
	if d.exact {
		return []demand{d}
	}
	return []demand{d, r.opaque(d.node, want)}
}

var complements = map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<"}

func (r reader) ordering(n, term ast.Node, op string, c any, want bool) []demand {
	sort, ok := sortOf(c)
	if !ok {
		return nil
	}
	if want {
		return r.with(r.on(term, n, want, bounded(op, c), true), want)
	}
	in := bounded(complements[op], c)
	in.missing = true
	if r.kind == selection { // what has another sort is not ordered, and no error
		rest := everything()
		rest.ordered[sort] = span{}
		in = in.or(rest)
	}
	return []demand{r.on(term, n, want, in, true)}
}

func (r reader) textual(n, term ast.Node, op, text string, want bool) []demand {
	in := region{missing: !want}
	in.ordered[texts].all = true
	if end := after(text); want && op == "startsWith" {
		in.ordered[texts].low = &edge{text, false}
		if end != "" {
			in.ordered[texts].high = &edge{end, true}
		}
	}
	return r.with(r.on(term, n, want, in, false), want)
}

// after returns the least text behind all that start with prefix; "" for none.
func after(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < math.MaxUint8 {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}

func (r reader) membership(n *ast.BinaryNode, want bool) []demand {
	list, ok := r.elements(n.Right)
	if _, fixed := r.constant(n.Left); !ok || fixed {
		return nil
	}
	list = slices.DeleteFunc(list, func(v any) bool { return v == nil }) // a missing value is in no list
	in, complete := values(list...)
	if !complete || slices.ContainsFunc(list, func(v any) bool { sort, ok := sortOf(v); return ok && sort > texts }) {
		return nil
	}
	if !want {
		in = but(list...)
	}
	return []demand{r.on(n.Left, n, want, in, true)}
}

// elements returns the constants of a list.
func (r reader) elements(n ast.Node) (list []any, ok bool) {
	if a, isList := n.(*ast.ArrayNode); isList {
		for _, e := range a.Nodes {
			v, ok := r.constant(e)
			if !ok {
				return nil, false
			}
			list = append(list, v)
		}
		return list, true
	}
	v, _ := translator{r.vars}.variable(n)
	items, ok := toExpr(v).([]any)
	return slices.Clone(items), ok
}

// constant returns the value of what is the same for every twin, where that is
// easy to see: literals, vars, and versions and durations that are spelled.
func (r reader) constant(n ast.Node) (v any, ok bool) {
	switch n := n.(type) {
	case *ast.NilNode:
		return nil, true
	case *ast.BoolNode:
		return n.Value, true
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode:
		return n.Value, exactly(n.Value)
	case *ast.FloatNode:
		v := wholeOrFloat(n.Value)
		return v, exactly(v)
	case *ast.UnaryNode:
		return r.negative(n)
	case *ast.CallNode:
		return r.spelled(n)
	}
	root, keys, ok := chain(n)
	if !ok || root != "vars" {
		return nil, false
	}
	raw, _ := r.vars.Lookup(keys...)
	v = toExpr(raw)
	return v, exactly(v)
}

func (r reader) negative(n *ast.UnaryNode) (any, bool) {
	v, ok := r.constant(n.Node)
	if !ok || n.Operator != "-" {
		return nil, false
	}
	switch v := v.(type) {
	case int:
		return -v, true
	case float64:
		return -v, true
	}
	return nil, false
}

// spelled returns the value of semver("1.2.3") and duration("1h").
func (r reader) spelled(n *ast.CallNode) (any, bool) {
	parse := map[string]func([]any) (any, error){"semver": parseVersion, "duration": parseDuration}[n.Callee.String()]
	if parse == nil || len(n.Arguments) != 1 {
		return nil, false
	}
	text, ok := r.constant(n.Arguments[0])
	if !ok {
		return nil, false
	}
	v, err := parse([]any{text})
	return v, err == nil
}

// exactly reports whether v compares with all numbers as it does on paper, which
// whole numbers that floats do not hold may not.
func exactly(v any) bool {
	switch n := v.(type) {
	case int:
		return n <= 1<<53 && n >= -1<<53
	case float64:
		return math.Abs(n) <= 1<<53
	}
	return true
}

// shown returns a demand as a person would write it.
func (d demand) shown() string {
	if !d.not {
		return d.text
	}
	if strings.ContainsAny(d.text, " ") {
		return "not (" + d.text + ")"
	}
	return "not " + d.text
}
