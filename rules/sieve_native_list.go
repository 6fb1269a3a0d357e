package rules

import (
	"bytes"

	"github.com/expr-lang/expr/ast"
)

// nativeAny returns how any(path, # test "text") is answered, nil where p is
// something else.
func nativeAny(p *part) func(v *view) (holds, known bool) {
	call, ok := parse(p.at.quiet(), p.offset, p.source).(*ast.BuiltinNode)
	if !ok || call.Name != "any" || len(call.Arguments) != 2 || len(p.slots) != 1 {
		return nil
	}
	list, want := p.slots[0], ""
	var test func(s, t []byte) bool
	if each, ok := call.Arguments[1].(*ast.PredicateNode); ok {
		if n, ok := each.Node.(*ast.BinaryNode); ok && isElement(n.Left) {
			if text, ok := n.Right.(*ast.StringNode); ok {
				test, want = nativeTexts[n.Operator], text.Value
			}
		}
	}
	if test == nil || !plainASCII([]byte(want)) || !list.leadsBelow() || call.Arguments[0].String() != list.String() {
		return nil
	}
	return func(v *view) (holds, known bool) {
		text := v.spans[v.paths.bySlot[list.key]].Of(v.data)
		if text == nil {
			return false, true
		}
		return anyText(text, func(s []byte) bool { return test(s, []byte(want)) })
	}
}

// isElement reports whether n is the # of a predicate.
func isElement(n ast.Node) bool {
	p, ok := n.(*ast.PointerNode)
	return ok && p.Name == ""
}

// anyText asks for the elements of a list of plain strings without white space.
func anyText(list []byte, test func(s []byte) bool) (holds, known bool) {
	if string(list) == "[]" {
		return false, true
	}
	if len(list) < 4 || list[0] != '[' || list[len(list)-1] != ']' {
		return false, false
	}
	for rest := list[1 : len(list)-1]; ; rest = rest[1:] {
		if len(rest) < 2 || rest[0] != '"' {
			return false, false
		}
		end := bytes.IndexByte(rest[1:], '"')
		if end < 0 || !plainASCII(rest[1:1+end]) {
			return false, false
		}
		holds = holds || test(rest[1:1+end])
		if rest = rest[end+2:]; len(rest) == 0 {
			return holds, true
		}
		if rest[0] != ',' {
			return false, false
		}
	}
}
