package rules

import (
	"encoding/json"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/twinrules/twinrules/hub/query"
)

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
