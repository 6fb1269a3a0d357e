package rules

import (
	"strings"
	"unicode"

	"github.com/expr-lang/expr/ast"
)

// conjuncts appends the operands of the outermost ands of a tree.
func conjuncts(n ast.Node, list []ast.Node) []ast.Node {
	if b, ok := conjunction(n); ok {
		return conjuncts(b.Right, conjuncts(b.Left, list))
	}
	return append(list, n)
}

func conjunction(n ast.Node) (*ast.BinaryNode, bool) {
	b, ok := n.(*ast.BinaryNode)
	return b, ok && (b.Operator == "and" || b.Operator == "&&")
}

// conjunctTexts returns the conjuncts of n as they were written: n stands from
// from to to of text. expr's own printer drops parentheses that matter.
func conjunctTexts(n ast.Node, text []rune, from, to int) []string {
	from, to = unwrap(text, from, to)
	if b, ok := conjunction(n); ok {
		op := b.Location()
		return append(conjunctTexts(b.Left, text, from, op.From), conjunctTexts(b.Right, text, op.To, to)...)
	}
	return []string{strings.Join(strings.Fields(string(text[from:to])), " ")}
}

// unwrap takes white space and parentheses around the whole off a part of text.
func unwrap(text []rune, from, to int) (int, int) {
	for from < to && unicode.IsSpace(text[from]) {
		from++
	}
	for from < to && unicode.IsSpace(text[to-1]) {
		to--
	}
	if from < to && text[from] == '(' && closes(text, from) == to-1 {
		return unwrap(text, from+1, to-1)
	}
	return from, to
}

// closes returns where the parenthesis at open is closed, not looking into
// strings; -1 when it is not.
func closes(text []rune, open int) int {
	depth, quote := 0, rune(0)
	for i := open; i < len(text); i++ {
		switch r := text[i]; {
		case quote != 0 && r == '\\' && quote != '`':
			i++
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'' || r == '`':
			quote = r
		case r == '(':
			depth++
		case r == ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
