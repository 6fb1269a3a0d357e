package rules

import (
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"

	"github.com/twinrules/twinrules/hub/twin"
)

// A rewriter turns a parsed expression into one whose member chains are slots
// and whose operators are ours. It reports every name and construct that the
// language does not have.
type rewriter struct {
	at     setting // the scalar that holds the expression
	offset int     // of the expression in the scalar's value, in characters
	slots  map[string]slot
	kind   expressionKind
}

func (w *rewriter) report(n ast.Node, code Code, hint, format string, args ...any) ast.Node {
	from, to := extent(n)
	w.at.span(w.offset+from, w.offset+to, code, hint, format, args...)
	return &ast.NilNode{}
}

// extent returns which characters of the expression a node covers: the operator
// of a binary one, else everything below it.
func extent(n ast.Node) (from, to int) {
	if _, binary := n.(*ast.BinaryNode); binary {
		return n.Location().From, n.Location().To
	}
	e := &extents{from: n.Location().From, to: n.Location().To}
	ast.Walk(&n, e)
	return e.from, max(e.to, e.from+1)
}

type extents struct{ from, to int }

func (e *extents) Visit(n *ast.Node) {
	where := (*n).Location()
	if where.To > where.From {
		e.from, e.to = min(e.from, where.From), max(e.to, where.To)
	}
}

// node returns what n is rewritten to.
func (w *rewriter) node(n ast.Node) ast.Node {
	out := w.rewritten(n)
	if out != n {
		out.SetLocation(n.Location())
	}
	return out
}

func (w *rewriter) rewritten(n ast.Node) ast.Node {
	switch n := n.(type) {
	case *ast.NilNode, *ast.IntegerNode, *ast.BoolNode, *ast.StringNode, *ast.PointerNode:
		return n
	case *ast.FloatNode:
		return float(n)
	case *ast.IdentifierNode:
		return w.name(n)
	case *ast.ChainNode:
		return w.node(n.Node)
	case *ast.MemberNode:
		return w.member(n)
	case *ast.UnaryNode:
		return w.unary(n)
	case *ast.BinaryNode:
		return w.binary(n)
	case *ast.ConditionalNode:
		n.Cond, n.Exp1, n.Exp2 = w.truth(n.Cond), w.node(n.Exp1), w.node(n.Exp2)
		return n
	case *ast.CallNode:
		return w.call(n)
	case *ast.BuiltinNode:
		return w.predicate(n)
	case *ast.ArrayNode:
		w.all(n.Nodes)
		return n
	case *ast.MapNode:
		return w.object(n)
	}
	return w.report(n, BadExpression, "", "%s is not part of the language", construct(n))
}

// float spells 1.0 as 1: they are one value.
func float(n *ast.FloatNode) ast.Node {
	if i, whole := wholeOrFloat(n.Value).(int); whole {
		return &ast.IntegerNode{Value: i}
	}
	return n
}

func (w *rewriter) object(n *ast.MapNode) ast.Node {
	for _, pair := range n.Pairs {
		p := pair.(*ast.PairNode)
		if _, constant := p.Key.(*ast.StringNode); !constant {
			return w.report(p.Key, BadExpression, "", "the key of an object must be a constant string")
		}
		p.Value = w.node(p.Value)
	}
	return n
}

func construct(n ast.Node) string {
	switch n.(type) {
	case *ast.VariableDeclaratorNode:
		return "let"
	case *ast.SliceNode:
		return "a slice"
	case *ast.BytesNode:
		return "a string of bytes"
	case *ast.SequenceNode:
		return "a sequence with ;"
	}
	return "this"
}

func (w *rewriter) all(list []ast.Node) {
	for i, n := range list {
		list[i] = w.node(n)
	}
}

// metered is call for an operator whose cost depends on its arguments.
func metered(name string, args ...ast.Node) ast.Node {
	return call(name, append([]ast.Node{&ast.IdentifierNode{Value: meterName}}, args...)...)
}

// call returns a call of an operator by its name in the program.
func call(name string, args ...ast.Node) ast.Node {
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: args}
}

func (w *rewriter) name(n *ast.IdentifierNode) ast.Node {
	root, ok := findName(n.Value)
	if !ok {
		return w.report(n, UnknownName, w.nameHint(n.Value), "unknown name %q", n.Value)
	}
	return w.slot(slot{root: root})
}

func (w *rewriter) nameHint(word string) string {
	if slices.Contains([]string{"properties", "device", "twin"}, word) {
		return "write desired or reported for the properties, id for the device's id"
	}
	return didYouMean(word, nameList())
}

func (w *rewriter) slot(s slot) ast.Node {
	s.key = s.spelled()
	w.slots[s.key] = s
	return &ast.IdentifierNode{Value: s.key}
}

// slotOf returns the slot that a rewritten node stands for.
func (w *rewriter) slotOf(n ast.Node) (slot, bool) {
	id, ok := n.(*ast.IdentifierNode)
	if !ok {
		return slot{}, false
	}
	s, ok := w.slots[id.Value]
	return s, ok
}

func (w *rewriter) member(n *ast.MemberNode) ast.Node {
	base := w.node(n.Node)
	key, isKey := n.Property.(*ast.StringNode)
	if s, ok := w.slotOf(base); ok && isKey && s.kind == slotValue {
		if len(s.path) == twin.MaxDepth {
			return w.report(n, BadExpression, "", "a path of more than %d keys, which no twin has", twin.MaxDepth)
		}
		s.path = append(slices.Clone(s.path), key.Value)
		return w.slot(s)
	}
	return call("#member", base, w.node(n.Property))
}

// truth rewrites a node that is used as a condition. Of a selector the translator
// says what is none.
func (w *rewriter) truth(n ast.Node) ast.Node {
	what, before := noCondition(n), len(w.at.found)
	out := w.node(n)
	if what != "" && w.kind != selection && len(w.at.found) == before {
		return w.report(n, BadExpression, "compare it with something", "%s is no condition: it is neither true nor false", what)
	}
	if isCondition(out) {
		return out
	}
	return spanning(n, call("#truth", out))
}

// spanning gives out the place of all of n, where a failure of it is shown: expr
// places a member chain at its last member.
func spanning(n, out ast.Node) ast.Node {
	from, to := extent(n)
	out.SetLocation(file.Location{From: from, To: to})
	return out
}

func isCondition(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BoolNode:
		return true
	case *ast.UnaryNode:
		return n.Operator == "not" || n.Operator == "!"
	case *ast.BinaryNode:
		return slices.Contains([]string{"and", "&&", "or", "||", "==", "!="}, n.Operator)
	case *ast.BuiltinNode:
		return slices.Contains([]string{"all", "any", "none", "one"}, n.Name)
	case *ast.CallNode:
		name := n.Callee.(*ast.IdentifierNode).Value
		_, ordering := orderings[name[1:]]
		_, text := textual[name[1:]]
		return ordering || text || slices.Contains([]string{"#in", "#==", "#same", "#matches", "#truth"}, name)
	}
	return false
}

func (w *rewriter) unary(n *ast.UnaryNode) ast.Node {
	switch n.Operator {
	case "not", "!":
		n.Node = w.truth(n.Node)
		return n
	case "-":
		if number, ok := n.Node.(*ast.IntegerNode); ok {
			return &ast.IntegerNode{Value: -number.Value}
		}
		return metered("#-", &ast.IntegerNode{Value: 0}, w.node(n.Node))
	}
	return w.report(n, BadExpression, "", "the operator %s is not part of the language", n.Operator)
}

func (w *rewriter) binary(n *ast.BinaryNode) ast.Node {
	op := n.Operator
	_, ordering := orderings[op]
	_, calculation := arithmetic[op]
	_, text := textual[op]
	switch {
	case slices.Contains([]string{"and", "&&", "or", "||"}, op):
		n.Left, n.Right = w.truth(n.Left), w.truth(n.Right)
		return n
	case op == "==" || op == "!=" || op == "??":
		return w.equality(n)
	case ordering:
		return call("#"+op, w.node(n.Left), w.node(n.Right))
	case calculation, text, op == "in":
		return metered("#"+op, w.node(n.Left), w.node(n.Right))
	case op == "matches":
		return w.matches(n)
	}
	return w.report(n, BadExpression, "", "the operator %s is not part of the language", op)
}

// equality keeps expr's meaning, but two paths that are both missing are not
// equal: nobody means that by a == b.
func (w *rewriter) equality(n *ast.BinaryNode) ast.Node {
	n.Left, n.Right = w.node(n.Left), w.node(n.Right)
	_, left := w.slotOf(n.Left)
	_, right := w.slotOf(n.Right)
	switch {
	case n.Operator == "==" && left && right:
		return metered("#same", n.Left, n.Right)
	case n.Operator == "??" || isScalar(n.Left) || isScalar(n.Right):
		return n // costs nothing that grows
	case n.Operator == "==":
		return metered("#==", n.Left, n.Right)
	}
	return &ast.UnaryNode{Operator: "not", Node: metered("#==", n.Left, n.Right)}
}

func isScalar(n ast.Node) bool {
	switch n.(type) {
	case *ast.NilNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode:
		return true
	}
	return false
}

func (w *rewriter) matches(n *ast.BinaryNode) ast.Node {
	text, ok := n.Right.(*ast.StringNode)
	if !ok {
		return w.report(n.Right, BadExpression, "", "the pattern of matches must be a constant string")
	}
	p, err := compilePattern(text.Value)
	if err != nil {
		return w.report(n.Right, BadExpression, "", "%v", err)
	}
	return metered("#matches", w.node(n.Left), &ast.ConstantNode{Value: p})
}

func (w *rewriter) call(n *ast.CallNode) ast.Node {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return w.report(n, UnknownFunction, "", "a value cannot be called")
	}
	f, ok := findFunction(callee.Value)
	switch {
	case !ok:
		w.all(n.Arguments)
		return w.report(callee, UnknownFunction, didYouMean(callee.Value, functionList()), "unknown function %q", callee.Value)
	case f.slot != slotValue:
		return w.metadata(n, f)
	case f.Name == "bucket":
		n.Arguments = append([]ast.Node{&ast.IdentifierNode{Value: twinName}}, n.Arguments...)
	}
	if got := len(n.Arguments); got < f.min || got > f.max {
		return w.report(n, BadExpression, "", "%s has the wrong number of arguments", f.Signature)
	}
	for i, a := range n.Arguments {
		if id, ok := a.(*ast.IdentifierNode); !ok || id.Value != twinName {
			n.Arguments[i] = w.node(a)
		}
	}
	return metered(f.Name, n.Arguments...)
}

// metadata rewrites age and updated, whose argument is a path and not a value.
func (w *rewriter) metadata(n *ast.CallNode, f Function) ast.Node {
	if len(n.Arguments) != 1 {
		return w.report(n, BadExpression, "", "%s has the wrong number of arguments", f.Signature)
	}
	s, ok := w.slotOf(w.node(n.Arguments[0]))
	if !ok || s.kind != slotValue || s.root.Name != "reported" && s.root.Name != "desired" {
		return w.report(n.Arguments[0], BadExpression, "", "%s needs a path in desired or reported", f.Name)
	}
	s.kind = f.slot
	return w.slot(s)
}

func (w *rewriter) predicate(n *ast.BuiltinNode) ast.Node {
	if !slices.Contains(Predicates, n.Name) {
		return w.report(n, UnknownFunction, didYouMean(n.Name, functionList()), "unknown function %q", n.Name)
	}
	list := spanning(n.Arguments[0], call("#list", w.node(n.Arguments[0])))
	n.Arguments[0] = list
	if len(n.Arguments) == 1 { // count(list) counts what is true
		n.Arguments = append(n.Arguments, &ast.PredicateNode{Node: &ast.PointerNode{}})
	}
	for _, a := range n.Arguments[1:] {
		if p, ok := a.(*ast.PredicateNode); ok {
			p.Node = w.predicateBody(n.Name, p.Node)
		}
	}
	return n
}

func (w *rewriter) predicateBody(name string, body ast.Node) ast.Node {
	rewrite := w.truth
	if name == "map" {
		rewrite = w.node
	}
	body = rewrite(body)
	counted := metered("#step", &ast.IntegerNode{Value: nodes(body)}, body)
	counted.SetLocation(body.Location())
	return counted
}

// nodes counts the nodes of a tree.
func nodes(n ast.Node) int {
	var c nodeCounter
	ast.Walk(&n, &c)
	return int(c)
}

type nodeCounter int

func (c *nodeCounter) Visit(*ast.Node) { *c++ }

// Names in the environment of a compiled program that no expression can spell.
const (
	meterName = "#meter"
	twinName  = "#twin"
)
