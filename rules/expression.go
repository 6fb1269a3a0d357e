package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// maxExpression is the longest expression, in bytes. Together with the small
// set of functions it bounds what an expression can cost, in time and memory.
const maxExpression = 4 << 10

// An expression is compiled and safe for concurrent use.
type expression struct {
	at      setting
	offset  int    // in the scalar's value, in characters
	source  string // as it is written
	program *vm.Program
	slots   []slot
	single  *slot // set when the expression is nothing but this path
	named   bool  // it may read the twin's name

	kind  expressionKind
	parts func() *part // made when they are first asked for
}

// An expressionKind says what an expression is used as.
type expressionKind int

const (
	value     expressionKind = iota // in ${ }
	condition                       // when
	selection                       // selector: ordering odd types is false
)

// parse reads an expression's text; nil when it has a mistake, which is reported.
func parse(at setting, offset int, text string) ast.Node {
	if len(text) > maxExpression {
		at.report(TooLarge, "", "an expression of %d bytes, at most %d are read", len(text), maxExpression)
		return nil
	}
	var tree *parser.Tree
	err := at.src.grammars.with(value, func(c *conf.Config) (err error) {
		tree, err = parser.ParseWithConfig(text, c)
		return err
	})
	if err != nil {
		reportExpr(at, offset, err)
		return nil
	}
	return tree.Node
}

// reportExpr reports an error of expr at its place.
func reportExpr(at setting, offset int, err error) {
	var e *file.Error
	if !errors.As(err, &e) {
		at.report(BadExpression, "", "%v", err)
		return
	}
	message := strings.ReplaceAll(e.Message, `Token(EOF)`, "the end of the expression")
	message, _, _ = strings.Cut(message, "\n")
	at.span(offset+e.From, offset+max(e.To, e.From+1), BadExpression, at.exprHint(message), "%s", message)
}

// exprHint tells the next step after an error of expr, "" when there is not one
// good one.
func (s setting) exprHint(message string) string {
	if t, ok := s.src.trapAt(s.node.Line - 1); ok && s.node.Style == 0 {
		return blockHint(strings.TrimLeft(t.head, " -") + ":")
	}
	for _, slip := range slips {
		if strings.Contains(message, slip.wrong) {
			return fmt.Sprintf("write %q", slip.right)
		}
	}
	return ""
}

// slips are what is written in other languages, as expr's messages show it.
var slips = []struct{ wrong, right string }{
	{`("=")`, "=="}, {`("AND")`, "and"}, {`("OR")`, "or"}, {`("NOT")`, "not"}, {`("&")`, "&&"},
}

// compileExpression compiles the text that stands in at from offset on. It
// returns nil when there is a mistake, which is reported.
func compileExpression(at setting, offset int, text string, kind expressionKind) *expression {
	node := parse(at, offset, text)
	if node == nil {
		return nil
	}
	before := len(at.found)
	w := &rewriter{at: at, offset: offset, slots: map[string]slot{}, kind: kind}
	if kind == value {
		node = w.node(node)
	} else {
		node = w.truth(node)
	}
	if len(at.found) > before {
		return nil
	}
	var program *vm.Program
	err := at.src.grammars.with(kind, func(c *conf.Config) (err error) {
		program, err = assemble(text, node, c)
		return err
	})
	if err != nil {
		reportExpr(at, offset, err)
		return nil
	}
	e := &expression{
		at: at, offset: offset, source: text, program: program, slots: used(node, w.slots), kind: kind,
		named: strings.Contains(text, "bucket"),
	}
	e.parts = sync.OnceValue(e.split)
	if s, ok := w.slotOf(node); ok && s.kind == slotValue {
		e.single = &s
	}
	return e
}

func assemble(text string, node ast.Node, c *conf.Config) (*vm.Program, error) {
	tree := &parser.Tree{Node: node, Source: file.NewSource(text)}
	if _, err := checker.Check(tree, c); err != nil {
		return nil, err
	}
	return compiler.Compile(tree, c)
}

// used returns the slots that the finished tree still names, by key: the
// rewriter also met every shorter path on the way.
func used(node ast.Node, slots map[string]slot) []slot {
	found := &slotVisitor{slots: slots, used: map[string]slot{}}
	ast.Walk(&node, found)
	var list []slot
	for _, key := range slices.Sorted(maps.Keys(found.used)) {
		list = append(list, found.used[key])
	}
	return list
}

type slotVisitor struct{ slots, used map[string]slot }

func (v *slotVisitor) Visit(n *ast.Node) {
	if id, ok := (*n).(*ast.IdentifierNode); ok {
		if s, ok := v.slots[id.Value]; ok {
			v.used[id.Value] = s
		}
	}
}

// eval runs the expression for a scope. A nil result means missing.
func (e *expression) eval(in *scope) (any, error) {
	if in.coverage != nil {
		in.coverage.note(e.parts(), in)
	}
	machine, env := in.machine()
	env[meterName] = in.metered()
	if e.named {
		env[twinName] = in.twin.Ref.String()
	}
	for _, s := range e.slots {
		if !in.filled {
			env[s.key] = s.value(in)
		}
	}
	v, err := machine.Run(e.program, env)
	if err != nil {
		return nil, e.failure(err)
	}
	return v, nil
}

// failure places a run-time error of expr in the pack's file.
func (e *expression) failure(err error) error {
	at, message := e.at.pos(), err.Error()
	var f *file.Error
	if errors.As(err, &f) {
		list := e.at.src.positions(e.at.node)
		at, message = list[min(e.offset+f.From, len(list)-1)], f.Message
	}
	spent := errors.Is(err, errCost) || strings.Contains(message, "memory budget exceeded")
	return &EvalError{Pos: at, Message: message, spent: spent}
}

// An EvalError is a failure of one rule for one twin. The rule then wants
// nothing of this twin; other twins are not concerned.
type EvalError struct {
	Pos     Pos // in the pack
	Message string

	spent bool // it cost too much, whatever it would have come to
}

func (e *EvalError) Error() string { return fmt.Sprintf("%s: %s", e.Pos, e.Message) }

// reads appends the paths that e looks at.
func (e *expression) reads(list []slot) []slot {
	if e == nil {
		return list
	}
	return append(list, e.slots...)
}

// runes returns the length of s in characters, which is how places count.
func runes(s string) int { return utf8.RuneCountInString(s) }
