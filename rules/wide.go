package rules

import (
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

// nowhere is the condition that holds nowhere.
var nowhere query.Expr = query.Literal{Value: false}

// bothOf is [query.And], in which nowhere goes over everything.
func bothOf(a, b query.Expr) query.Expr {
	if a == nowhere || b == nowhere {
		return nowhere
	}
	return query.And(a, b)
}

// eitherOf is [query.Or], in which nowhere counts for nothing.
func eitherOf(a, b query.Expr) query.Expr {
	switch {
	case a == nowhere:
		return b
	case b == nowhere:
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
	return nowhere
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
