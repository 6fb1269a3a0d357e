package rules

import (
	"encoding/json"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/twinrules/twinrules/hub/query"
)

// A wide is a [translator] that may give up exactness in one direction: its
// condition holds wherever the expression is true, and perhaps elsewhere. The
// expression is asked again of what is read, so that too much costs time and
// too little would lose a twin. A nil condition holds everywhere.
//
// A twin for which the expression fails, such as a text where it orders numbers,
// is not one for which it is true, and may be left out.
type wide struct {
	translator
	left []untold // what the hub is not asked, or not wholly
}

// An untold is a part of an expression that the hub is not asked, and why.
type untold struct {
	node   ast.Node
	reason string
}

// leave notes what the hub is not asked.
func (w *wide) leave(n ast.Node, reason string) query.Expr {
	w.left = append(w.left, untold{n, reason})
	return nil
}

// partly notes that of n the hub is asked no more than e, whether what it is made
// of is there.
func (w *wide) partly(n ast.Node, reason string, e query.Expr) query.Expr {
	if e != nil {
		reason += "; it is asked whether there are values"
	}
	w.leave(n, reason)
	return e
}

const (
	noEqual     = "the hub's query language has no equal"
	noOrder     = "in which order the hub puts texts is not known"
	noUnequal   = "what the hub makes of a missing or odd value here is not known"
	noConstant  = "the hub compares a path with constants and vars only"
	noSingle    = "it is no path that the hub's query language is known to have"
	besideWhole = "it stands in an or beside what the hub is not asked"
)

// never is the condition that holds nowhere.
var never query.Expr = query.Literal{Value: false}

// bothOf is [query.And], in which never goes over everything.
func bothOf(a, b query.Expr) query.Expr {
	if a == never || b == never {
		return never
	}
	return query.And(a, b)
}

// eitherOf is [query.Or], in which never counts for nothing.
func eitherOf(a, b query.Expr) query.Expr {
	switch {
	case a == never:
		return b
	case b == never:
		return a
	}
	return query.Or(a, b)
}

// holds returns a condition that holds wherever n is true.
func (w *wide) holds(n ast.Node) query.Expr {
	switch n := n.(type) {
	case *ast.BoolNode:
		return constantly(n.Value)
	case *ast.ChainNode:
		return w.holds(n.Node)
	case *ast.IdentifierNode, *ast.MemberNode:
		return w.flag(n)
	case *ast.UnaryNode:
		if negates(n) {
			return w.fails(n.Node)
		}
	case *ast.BinaryNode:
		return w.binary(n)
	case *ast.BuiltinNode:
		if n.Name == "any" || n.Name == "one" { // of an empty list, which a missing one is, neither is true
			return w.partly(n, noEqual, w.there(n.Arguments[0]))
		}
	case *ast.CallNode:
		return w.partly(n, noEqual, w.there(n))
	}
	return w.leave(n, noEqual)
}

// fails returns a condition that holds wherever n is false.
func (w *wide) fails(n ast.Node) query.Expr {
	switch n := n.(type) {
	case *ast.BoolNode:
		return constantly(!n.Value)
	case *ast.ChainNode:
		return w.fails(n.Node)
	case *ast.IdentifierNode, *ast.MemberNode:
		return w.noFlag(n)
	case *ast.UnaryNode:
		if negates(n) {
			return w.holds(n.Node)
		}
	case *ast.BinaryNode:
		return w.notBinary(n)
	}
	return w.leave(n, noEqual)
}

func negates(n *ast.UnaryNode) bool { return n.Operator == "not" || n.Operator == "!" }

func constantly(b bool) query.Expr {
	if b {
		return nil
	}
	return never
}

func (w *wide) binary(n *ast.BinaryNode) query.Expr {
	switch n.Operator {
	case "and", "&&":
		return bothOf(w.holds(n.Left), w.holds(n.Right))
	case "or", "||":
		return w.or(n, w.holds(n.Left), w.holds(n.Right))
	case "==":
		return w.equal(n)
	case "!=":
		return w.compared(n)
	case "<", "<=", ">", ">=":
		return w.ordered(n)
	case "in":
		return w.among(n)
	case "contains", "startsWith", "endsWith", "matches": // false where a side is missing
		return w.partly(n, noEqual, bothOf(w.there(n.Left), w.there(n.Right)))
	}
	return w.leave(n, noEqual)
}

func (w *wide) notBinary(n *ast.BinaryNode) query.Expr {
	switch n.Operator {
	case "and", "&&":
		return w.or(n, w.fails(n.Left), w.fails(n.Right))
	case "or", "||":
		return bothOf(w.fails(n.Left), w.fails(n.Right))
	case "==":
		return w.compared(negated(n, "!="))
	case "!=":
		return w.alike(negated(n, "=="))
	case "<", "<=", ">", ">=":
		return w.unordered(n)
	}
	return w.leave(n, noEqual)
}

// or joins the sides of an or. One that is not asked makes the other worth
// nothing.
func (w *wide) or(n *ast.BinaryNode, a, b query.Expr) query.Expr {
	if a == nil && b != nil {
		w.leave(n.Right, besideWhole)
	}
	if b == nil && a != nil {
		w.leave(n.Left, besideWhole)
	}
	return eitherOf(a, b)
}

// equal translates ==, which of two paths is false when both are missing.
func (w *wide) equal(n *ast.BinaryNode) query.Expr {
	a, err1 := w.path(n.Left)
	b, err2 := w.path(n.Right)
	if err1 == nil && err2 == nil {
		return w.partly(n, "the hub compares two paths only where both hold single values", bothOf(defined(a), defined(b)))
	}
	return w.alike(n)
}

// alike translates the == of a path and a constant.
func (w *wide) alike(n *ast.BinaryNode) query.Expr {
	path, other, err := w.sides(n)
	if err != nil {
		return w.leave(n, noSingle)
	}
	if _, isNil := other.(*ast.NilNode); isNil {
		return w.compared(n)
	}
	literal, err := w.number(other)
	if err == nil {
		return query.Binary{Op: "=", Left: path, Right: literal}
	}
	w.leave(n, w.unsaid(other))
	switch other.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode:
		return defined(path)
	}
	return nil // the other side may be missing, too
}

// compared asks for the exact translation of an == or !=, which there is where the
// other side is nil, and for names that every twin has.
func (w *wide) compared(n *ast.BinaryNode) query.Expr {
	e, err := w.equality(n)
	if err != nil {
		return w.leave(n, noUnequal)
	}
	return e
}

// ordered translates an ordering of numbers. That of texts is the hub's secret,
// but like that of anything else it is false where a side is missing.
func (w *wide) ordered(n *ast.BinaryNode) query.Expr {
	if path, op, number, ok := w.bound(n); ok {
		return query.Binary{Op: op, Left: path, Right: number}
	}
	return w.partly(n, w.disorder(n), bothOf(w.there(n.Left), w.there(n.Right)))
}

// unordered translates the negation of an ordering, which is true of what is
// missing.
func (w *wide) unordered(n *ast.BinaryNode) query.Expr {
	path, op, number, ok := w.bound(n)
	if !ok || defined(path) == nil {
		return w.leave(n, w.disorder(n))
	}
	beyond := map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[op]
	return query.Or(query.Not{X: defined(path)}, query.Binary{Op: beyond, Left: path, Right: number})
}

// bound returns an ordering of a path and a number, the path first.
func (w *wide) bound(n *ast.BinaryNode) (path query.Path, op string, number query.Literal, ok bool) {
	path, other, err := w.sides(n)
	if err != nil {
		return nil, "", number, false
	}
	if number, err = w.number(other); err != nil {
		return nil, "", number, false
	}
	if op = n.Operator; other == n.Left {
		op = flipped[op]
	}
	_, ok = number.Value.(json.Number)
	return path, op, number, ok
}

// number is [translator.literal], which may also be calculated.
func (w *wide) number(n ast.Node) (query.Literal, error) {
	v, ok := w.calculated(n)
	if _, plain := n.(*ast.BinaryNode); !plain || !ok {
		return w.literal(n)
	}
	j, err := fromExpr(v)
	if err != nil {
		return query.Literal{}, err
	}
	return literalOf(n, j)
}

// calculated returns the number that a calculation with constants and vars comes
// to.
func (w *wide) calculated(n ast.Node) (v any, ok bool) {
	b, ok := n.(*ast.BinaryNode)
	if !ok {
		l, err := w.literal(n)
		number, isNumber := l.Value.(json.Number)
		return toExpr(number), isNumber && err == nil
	}
	c, ok := arithmetic[b.Operator]
	x, ok1 := w.calculated(b.Left)
	y, ok2 := w.calculated(b.Right)
	if !ok || !ok1 || !ok2 {
		return nil, false
	}
	v, err := c.numbers(x, y)
	return v, err == nil
}

func (w *wide) disorder(n *ast.BinaryNode) string {
	_, other, err := w.sides(n)
	if err != nil {
		return noEqual
	}
	if l, err := w.literal(other); err == nil {
		if _, text := l.Value.(string); text {
			return noOrder
		}
	}
	return noConstant
}

// among translates in, which is false where a side is missing.
func (w *wide) among(n *ast.BinaryNode) query.Expr {
	e, err := w.in(n)
	if err == nil {
		return e
	}
	return w.partly(n, "the hub looks for a path in lists of constants only, of texts without quotes and numbers within ±(2^53−1)", bothOf(w.there(n.Left), w.there(n.Right)))
}

// flag translates a path that is a condition by itself.
func (w *wide) flag(n ast.Node) query.Expr {
	if v, ok := w.variable(n); ok {
		b, _ := v.(bool)
		return constantly(b)
	}
	path, err := w.path(n)
	if err != nil {
		return w.partly(n, noSingle, w.there(n))
	}
	return query.Binary{Op: "=", Left: path, Right: query.Literal{Value: true}}
}

// noFlag translates the negation of a path, which is true of what is missing.
func (w *wide) noFlag(n ast.Node) query.Expr {
	if v, ok := w.variable(n); ok {
		b, _ := v.(bool)
		return constantly(!b)
	}
	path, err := w.path(n)
	if err != nil || defined(path) == nil {
		return w.leave(n, noSingle)
	}
	return query.Or(query.Not{X: defined(path)}, query.Binary{Op: "=", Left: path, Right: query.Literal{Value: false}})
}

// there returns a condition that holds wherever n has a value: that what it is
// made of is there.
func (w *wide) there(n ast.Node) query.Expr {
	if path, err := w.path(n); err == nil {
		return defined(path)
	}
	switch n := n.(type) {
	case *ast.ChainNode:
		return w.there(n.Node)
	case *ast.MemberNode:
		return w.there(n.Node)
	case *ast.UnaryNode:
		if n.Operator == "-" {
			return w.there(n.Node)
		}
	case *ast.BinaryNode:
		if n.Operator == "??" {
			return eitherOf(w.there(n.Left), w.there(n.Right))
		}
		if _, calculation := arithmetic[n.Operator]; calculation {
			return bothOf(w.there(n.Left), w.there(n.Right))
		}
	case *ast.CallNode:
		return w.arguments(n)
	}
	return nil
}

// arguments returns a condition that holds wherever a call has a value: a
// function of something missing is missing, but for those that say otherwise.
func (w *wide) arguments(n *ast.CallNode) (where query.Expr) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return nil
	}
	f, ok := findFunction(callee.Value)
	if !ok || f.missing != nil || f.slot != slotValue {
		return nil
	}
	for _, a := range n.Arguments {
		where = bothOf(where, w.there(a))
	}
	return where
}

// defined returns the condition that something stands at a path; nil where that
// is not in doubt, as for the id, or may be null, as for other fields of a twin.
func defined(path query.Path) query.Expr {
	if len(path) < 2 {
		return nil
	}
	return query.Call{Name: "IS_DEFINED", Args: []query.Expr{path}}
}

// atWork returns a condition that holds wherever a rule with a state is at work:
// its constant values stand there.
func (w *wide) atWork(r *compiledRule) (where query.Expr) {
	for _, l := range r.leaves {
		if l.value.constant() {
			where = bothOf(where, w.stands(l))
		}
	}
	return where
}

// stands returns a condition that holds wherever a constant leaf does. An object
// holds where any is, and a null where nothing is.
func (w *wide) stands(l leaf) query.Expr {
	root, _ := findName(l.section)
	path := root.below(l.path)
	if slices.ContainsFunc(path, unspeakable) {
		return nil
	}
	switch v := l.value.literal.(type) {
	case string, bool, json.Number:
		literal, err := literalOf(nil, v)
		if err == nil {
			return query.Binary{Op: "=", Left: path, Right: literal}
		}
	case []any:
	default:
		return nil
	}
	return defined(path)
}

// unsaid says why the hub is not asked to compare with n.
func (w *wide) unsaid(n ast.Node) string {
	v, known := w.variable(n)
	switch n := n.(type) {
	case *ast.StringNode:
		v, known = n.Value, true
	case *ast.IntegerNode, *ast.FloatNode:
		v, known = json.Number(""), true
	}
	switch v.(type) {
	case string:
		return "how the hub reads a text with a quote, a backslash or a control character is not known"
	case json.Number:
		return "whether the hub tells a number beyond ±(2^53−1) from its neighbours is not known"
	}
	if known {
		return "the hub compares with texts, numbers and bools only"
	}
	return noConstant
}
