package rules

import (
	"encoding/json"

	"github.com/expr-lang/expr/ast"

	"github.com/twinrules/twinrules/hub/query"
)

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
	switch other.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode:
		return w.partly(n, w.unsaid(other), defined(path))
	}
	return w.leave(n, w.unsaid(other)) // the other side may be missing, too
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
	if _, calculation := n.(*ast.BinaryNode); !calculation {
		return w.literal(n)
	}
	v, ok := w.calculated(n)
	if !ok {
		return refusedLiteral(n)
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
