package rules

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

// A refusal says which part of an expression the hub's query language cannot
// say exactly, and why.
type refusal struct {
	node   ast.Node
	reason string
	hint   string
}

func (r *refusal) Error() string { return r.reason }

func refuse(n ast.Node, hint, format string, args ...any) (query.Expr, error) {
	return nil, &refusal{n, fmt.Sprintf(format, args...), hint}
}

const toWhen = "move it to when, which may be any expression"

// A translator writes a parsed expression in the hub's query language. It does
// so exactly or not at all: the hub's answers to a comparison with a missing
// value or between different types, and to a negation of one, are documented
// for nobody, so nothing that could meet them is translated.
type translator struct{ vars twin.Object }

// translate returns the condition that selects the same twins as n.
func (t translator) translate(n ast.Node) (query.Expr, error) {
	switch n := n.(type) {
	case *ast.BoolNode:
		return query.Literal{Value: n.Value}, nil
	case *ast.UnaryNode:
		return t.not(n)
	case *ast.BinaryNode:
		return t.binary(n)
	case *ast.IdentifierNode, *ast.MemberNode, *ast.ChainNode:
		path, err := t.path(n)
		if err != nil {
			return nil, err
		}
		return query.Binary{Op: "=", Left: path, Right: query.Literal{Value: true}}, nil
	}
	return refuse(n, toWhen, "a selector cannot say this: the hub's query language has no equal")
}

func (t translator) binary(n *ast.BinaryNode) (query.Expr, error) {
	switch n.Operator {
	case "and", "&&":
		return t.both(n, func(a, b query.Expr) query.Expr { return query.And(a, b) })
	case "or", "||":
		return t.both(n, func(a, b query.Expr) query.Expr { return query.Or(a, b) })
	case "==", "!=":
		return t.equality(n)
	case "<", "<=", ">", ">=":
		return t.ordering(n)
	case "in":
		return t.in(n)
	}
	return refuse(n, toWhen, "a selector cannot use %s: the hub's query language has no equal", n.Operator)
}

func (t translator) both(n *ast.BinaryNode, join func(a, b query.Expr) query.Expr) (query.Expr, error) {
	a, err := t.translate(n.Left)
	if err != nil {
		return nil, err
	}
	b, err := t.translate(n.Right)
	if err != nil {
		return nil, err
	}
	return join(a, b), nil
}

// not pushes a negation inwards, to where it has an exact form.
func (t translator) not(n *ast.UnaryNode) (query.Expr, error) {
	if n.Operator != "not" && n.Operator != "!" {
		return refuse(n, toWhen, "a selector cannot calculate")
	}
	switch x := n.Node.(type) {
	case *ast.UnaryNode:
		if x.Operator == "not" || x.Operator == "!" {
			return t.translate(x.Node)
		}
	case *ast.BinaryNode:
		if op, ok := opposites[x.Operator]; ok {
			return t.binary(negated(x, op))
		}
	}
	return refuse(n, toWhen, "a selector cannot negate this: what the hub makes of a missing value here is not known")
}

// opposites are the operators whose negation may be exact.
var opposites = map[string]string{"==": "!=", "!=": "==", "and": "or", "&&": "or", "or": "and", "||": "and"}

func negated(n *ast.BinaryNode, op string) *ast.BinaryNode {
	out := &ast.BinaryNode{Operator: op, Left: n.Left, Right: n.Right}
	if op == "and" || op == "or" {
		out.Left = &ast.UnaryNode{Operator: "not", Node: n.Left}
		out.Right = &ast.UnaryNode{Operator: "not", Node: n.Right}
		out.Left.SetLocation(n.Left.Location())
		out.Right.SetLocation(n.Right.Location())
	}
	out.SetLocation(n.Location())
	return out
}

// always lists the names whose value every twin has, always a string, so that
// != has one meaning.
var always = []string{"id", "status", "connectionState"}

func (t translator) equality(n *ast.BinaryNode) (query.Expr, error) {
	path, other, err := t.sides(n)
	if err != nil {
		return nil, err
	}
	if _, isNil := other.(*ast.NilNode); isNil {
		return t.defined(n, path)
	}
	literal, err := t.literal(other)
	if err != nil {
		return nil, err
	}
	op := "="
	if n.Operator == "!=" {
		op = "!="
		_, text := literal.Value.(string)
		if !text || !slices.ContainsFunc(always, func(name string) bool { return isName(path, name) }) {
			return refuse(n, "list the wanted values with in, or "+toWhen, "a selector cannot use != here: what the hub makes of a missing or odd value is not known")
		}
	}
	return query.Binary{Op: op, Left: path, Right: literal}, nil
}

func isName(path query.Path, name string) bool {
	n, _ := findName(name)
	return len(path) == 1 && path[0] == n.query
}

// defined translates a comparison with nil. Twins hold no null, so that a path
// into one is either defined or missing; identity fields may be null.
func (t translator) defined(n *ast.BinaryNode, path query.Path) (query.Expr, error) {
	if len(path) < 2 {
		return refuse(n, "", "a selector compares only paths in tags, desired and reported with nil")
	}
	var out query.Expr = query.Call{Name: "IS_DEFINED", Args: []query.Expr{path}}
	if n.Operator == "==" {
		out = query.Not{X: out}
	}
	return out, nil
}

// sides returns the path of a comparison and what it is compared with.
func (t translator) sides(n *ast.BinaryNode) (query.Path, ast.Node, error) {
	path, errLeft := t.path(n.Left)
	if errLeft == nil {
		return path, n.Right, nil
	}
	if path, err := t.path(n.Right); err == nil {
		return path, n.Left, nil
	}
	return nil, nil, errLeft
}

var flipped = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}

func (t translator) ordering(n *ast.BinaryNode) (query.Expr, error) {
	path, other, err := t.sides(n)
	if err != nil {
		return nil, err
	}
	literal, err := t.literal(other)
	if err != nil {
		return nil, err
	}
	switch literal.Value.(type) {
	case string, json.Number:
	default:
		return refuse(other, "", "only strings and numbers have an order")
	}
	op := n.Operator
	if other == n.Left {
		op = flipped[op]
	}
	return query.Binary{Op: op, Left: path, Right: literal}, nil
}

func (t translator) in(n *ast.BinaryNode) (query.Expr, error) {
	path, err := t.path(n.Left)
	if err != nil {
		return nil, err
	}
	elements, err := t.elements(n.Right)
	if err != nil {
		return nil, err
	}
	if len(elements) == 0 {
		return query.Literal{Value: false}, nil
	}
	return query.Binary{Op: "IN", Left: path, Right: query.List(elements)}, nil
}

func (t translator) elements(n ast.Node) (list query.List, err error) {
	if values, ok := t.variable(n); ok {
		items, isList := values.([]any)
		if !isList { // the keys of an object, or a mistake that shows when it is evaluated
			_, err := refuse(n, "", "the right side of in must be a constant list, %s is none", n.String())
			return nil, err
		}
		for _, v := range items {
			l, err := literalOf(n, v)
			if err != nil {
				return nil, err
			}
			list = append(list, l)
		}
		return list, nil
	}
	array, ok := n.(*ast.ArrayNode)
	if !ok {
		_, err := refuse(n, "", "the right side of in must be a constant list")
		return nil, err
	}
	for _, element := range array.Nodes {
		l, err := t.literal(element)
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, nil
}

func (t translator) literal(n ast.Node) (query.Literal, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return literalOf(n, n.Value)
	case *ast.IntegerNode:
		return literalOf(n, json.Number(fmt.Sprint(n.Value)))
	case *ast.FloatNode:
		return literalOf(n, json.Number(twin.Encode(n.Value)))
	case *ast.BoolNode:
		return literalOf(n, n.Value)
	case *ast.UnaryNode:
		l, err := t.literal(n.Node)
		if number, ok := l.Value.(json.Number); ok && err == nil && n.Operator == "-" {
			return literalOf(n, "-"+number)
		}
	}
	if v, ok := t.variable(n); ok {
		return literalOf(n, v)
	}
	return refusedLiteral(n)
}

func refusedLiteral(n ast.Node) (query.Literal, error) {
	_, err := refuse(n, toWhen, "a selector compares a path with a constant or one of vars")
	return query.Literal{}, err
}

// literalOf refuses strings whose escaping the hub's clients disagree about, and
// numbers of which not every neighbour has a float of its own: whether the hub
// tells them apart is not known, and no twin may hold a whole one.
func literalOf(n ast.Node, v any) (query.Literal, error) {
	switch v := v.(type) {
	case string:
		if strings.ContainsFunc(v, odd) {
			_, err := refuse(n, toWhen, "a selector cannot hold a string with a quote, a backslash or a control character: how the hub reads one is not known")
			return query.Literal{}, err
		}
		return query.Literal{Value: v}, nil
	case json.Number:
		if f, err := v.Float64(); err != nil || math.Abs(f) >= 1<<53 {
			_, err := refuse(n, toWhen, "a selector cannot hold a number beyond ±(2^53−1): whether the hub tells it from its neighbours is not known")
			return query.Literal{}, err
		}
		return query.Literal{Value: v}, nil
	case bool:
		return query.Literal{Value: v}, nil
	}
	_, err := refuse(n, "", "a selector compares with strings, numbers and bools only")
	return query.Literal{}, err
}

func odd(r rune) bool { return r < 0x20 || strings.ContainsRune(`'"\`, r) }

// variable returns the value of a path into vars.
func (t translator) variable(n ast.Node) (any, bool) {
	root, keys, ok := chain(n)
	if !ok || root != "vars" {
		return nil, false
	}
	return t.vars.Lookup(keys...)
}

// path translates a member chain.
func (t translator) path(n ast.Node) (query.Path, error) {
	root, keys, ok := chain(n)
	name, known := findName(root)
	if !ok || !known || name.query == "" {
		_, err := refuse(n, toWhen, "a selector reads id, moduleId, status, connectionState, tags, desired and reported, and nothing else")
		return nil, err
	}
	path := name.below(keys)
	isObject := slices.Contains([]string{"tags", "desired", "reported"}, root)
	if isObject && len(keys) == 0 || !isObject && len(keys) > 0 {
		_, err := refuse(n, "", "a selector compares single values, %s is none", n.String())
		return nil, err
	}
	if slices.ContainsFunc(path, unspeakable) {
		_, err := refuse(n, toWhen, "the hub's query language is not known to spell this path")
		return nil, err
	}
	return path, nil
}

// plainSegment matches the keys whose spelling in the hub's query language is
// certain; others would need quotes that its documentation shows in passing.
var plainSegment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func unspeakable(key string) bool { return !plainSegment.MatchString(key) }

// below returns the path of keys below a name, in the hub's query language.
func (n Name) below(keys []string) query.Path {
	return append(strings.Split(n.query, "."), keys...)
}

// chain takes a member chain apart: its root name and the keys below.
func chain(n ast.Node) (root string, keys []string, ok bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value, nil, true
	case *ast.ChainNode:
		return chain(n.Node)
	case *ast.MemberNode:
		root, keys, ok = chain(n.Node)
		key, isKey := n.Property.(*ast.StringNode)
		if ok && isKey {
			return root, append(keys, key.Value), true
		}
	}
	return "", nil, false
}
