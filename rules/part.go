package rules

import (
	"strings"
	"unicode"

	"github.com/expr-lang/expr/ast"
)

// A part is a sub-expression, compiled by itself from the text that it has in
// the file, with the parts that decide it.
type part struct {
	*expression
	text string // with white space made single
	// op is the operator that makes one of the parts below: "and", "or" and "not" of
	// conditions, "?" of a condition and two values, and of values the operator as it
	// is written. "" is what has no parts.
	op    string
	of    []*part
	fixed bool // it is the same for every twin
}

// logical reports whether p is made of conditions.
func (p *part) logical() bool { return p.op == "and" || p.op == "or" || p.op == "not" }

// split takes an expression apart. It reads the text anew, because the compiled
// tree has operators that nobody wrote.
func (e *expression) split() *part {
	s := &splitter{at: e.at.quiet(), offset: e.offset, text: []rune(e.source), left: maxParts}
	tree := parse(s.at, e.offset, e.source)
	if p := s.part(tree, 0, len(s.text), e.kind); p != nil {
		return p
	}
	return &part{expression: e, text: oneSpace(e.source)}
}

// A splitter takes the text of one expression apart.
type splitter struct {
	at     setting
	offset int
	text   []rune
	left   int // how many more parts are looked for
}

// maxParts bounds the work of taking an expression apart: nobody reads more.
const maxParts = 300

// part returns the part whose tree is n and whose text stands from from to to,
// and nil when that text alone does not mean n: a < b < c has parts that were not
// written.
func (s *splitter) part(n ast.Node, from, to int, kind expressionKind) *part {
	from, to = unwrap(s.text, from, to)
	text := string(s.text[from:to])
	if s.left--; s.left < 0 {
		return nil
	}
	if alone := parse(s.at, s.offset+from, text); alone == nil || n == nil || alone.String() != n.String() {
		return nil
	}
	e := compileExpression(s.at, s.offset+from, text, kind)
	if e == nil {
		return nil
	}
	p := &part{expression: e, text: oneSpace(text), fixed: e.fixed()}
	s.operands(p, n, from, to)
	return p
}

// operands finds the parts of p; where one of them cannot stand alone p has none.
func (s *splitter) operands(p *part, n ast.Node, from, to int) {
	switch n := n.(type) {
	case *ast.BinaryNode:
		op := n.Location()
		kind := value
		p.op = n.Operator
		switch n.Operator {
		case "and", "&&", "or", "||":
			p.op = map[string]string{"and": "and", "&&": "and", "or": "or", "||": "or"}[n.Operator]
			kind = p.kind
			if kind == value {
				kind = condition
			}
		}
		p.of = []*part{s.part(n.Left, from, op.From, kind), s.part(n.Right, op.To, to, kind)}
	case *ast.UnaryNode:
		if word := n.Operator; (word == "not" || word == "!") && strings.HasPrefix(string(s.text[from:to]), word) {
			p.op, p.of = "not", []*part{s.part(n.Node, from+runes(word), to, max(p.kind, condition))}
		}
	case *ast.ConditionalNode:
		p.op, p.of = "?", s.conditional(n, from, to)
	}
	for _, sub := range p.of {
		if sub == nil {
			p.op, p.of = "", nil
			return
		}
	}
}

// conditional finds the parts of c ? a : b. expr's tree does not say where its
// signs are, so every one outside is tried.
func (s *splitter) conditional(n *ast.ConditionalNode, from, to int) []*part {
	for _, i := range signs(s.text, from, to, '?') {
		cond := s.part(n.Cond, from, i, condition)
		for _, j := range signs(s.text, i+1, to, ':') {
			if cond == nil {
				break
			}
			yes, no := s.part(n.Exp1, i+1, j, value), s.part(n.Exp2, j+1, to, value)
			if yes != nil && no != nil {
				return []*part{cond, yes, no}
			}
		}
	}
	return []*part{nil}
}

// signs returns where sign stands between from and to, not looking into strings
// and brackets.
func signs(text []rune, from, to int, sign rune) (list []int) {
	depth, quote := 0, rune(0)
	for i := from; i < to; i++ {
		switch r := text[i]; {
		case quote != 0 && r == '\\' && quote != '`':
			i++
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case strings.ContainsRune("\"'`", r):
			quote = r
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r):
			depth--
		case r == sign && depth == 0:
			list = append(list, i)
		}
	}
	return list
}

// fixed reports whether e looks at nothing of a twin.
func (e *expression) fixed() bool {
	for _, s := range e.slots {
		if s.root.Name != "vars" {
			return false
		}
	}
	return !e.named
}

// conjuncts appends the operands of the outermost ands of p.
func (p *part) conjuncts(list []*part) []*part {
	if p.op == "and" {
		return p.of[1].conjuncts(p.of[0].conjuncts(list))
	}
	return append(list, p)
}

func oneSpace(text string) string { return strings.Join(strings.Fields(text), " ") }

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
