package rules

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// noCondition says what a node is that is neither true nor false on any twin; ""
// for what may be.
func noCondition(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return "a string"
	case *ast.IntegerNode, *ast.FloatNode:
		return "a number"
	case *ast.NilNode:
		return "nil"
	case *ast.ArrayNode:
		return "a list"
	case *ast.MapNode:
		return "an object"
	case *ast.IdentifierNode:
		if _, known := findName(n.Value); known && n.Value != "edge" {
			return n.Value
		}
	case *ast.ConditionalNode:
		if noCondition(n.Exp2) != "" {
			return noCondition(n.Exp1)
		}
	case *ast.UnaryNode:
		if n.Operator == "-" {
			return "a number"
		}
	case *ast.BinaryNode:
		if _, calculates := arithmetic[n.Operator]; calculates {
			return "a calculation"
		}
	case *ast.BuiltinNode:
		if slices.Contains([]string{"filter", "map", "count"}, n.Name) {
			return n.Name + "(…)"
		}
	case *ast.CallNode:
		name := n.Callee.String()
		if _, known := findFunction(name); known && !slices.Contains([]string{"first", "last"}, name) {
			return name + "(…)"
		}
	}
	return ""
}
