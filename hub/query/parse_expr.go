package query

import (
	"encoding/json"
	"strings"
)

// MaxDepth is the deepest nesting of parentheses, operators and arguments in a
// condition. Chains of AND and of OR count as one level.
const MaxDepth = 64

// condition reads an expression and checks how deep it is.
func (p *parser) condition() Expr {
	start := p.tok.offset
	e := p.or()
	if depth(e) > MaxDepth {
		fail(start, "nested more than %d levels", MaxDepth)
	}
	return e
}

// depth returns how many operators and calls stand inside each other in e.
func depth(e Expr) (d int) {
	switch e := e.(type) {
	case Binary:
		terms := []Expr{e.Left, e.Right}
		if e.Op == "AND" || e.Op == "OR" {
			terms = appendTerms(nil, e.Op, e)
		}
		d = maxDepth(terms)
	case Not:
		d = depth(e.X)
	case Negate:
		d = depth(e.X)
	case Call:
		d = maxDepth(e.Args)
	}
	return d + 1
}

func maxDepth(list []Expr) (d int) {
	for _, e := range list {
		d = max(d, depth(e))
	}
	return d
}

// nested runs read one level deeper.
func (p *parser) nested(read func() Expr) Expr {
	if p.depth++; p.depth > 2*MaxDepth {
		fail(p.tok.offset, "nested more than %d levels", MaxDepth)
	}
	defer func() { p.depth-- }()
	return read()
}

// The precedence of operators is not documented. This is SQL's: OR, AND, NOT,
// comparisons, sums, products.
func (p *parser) or() Expr {
	terms := []Expr{p.and()}
	for p.accept("OR") {
		terms = append(terms, p.and())
	}
	return Or(terms...)
}

func (p *parser) and() Expr {
	terms := []Expr{p.not()}
	for p.accept("AND") {
		terms = append(terms, p.not())
	}
	return And(terms...)
}

func (p *parser) not() Expr {
	if p.accept("NOT") {
		return Not{p.nested(p.not)}
	}
	return p.comparison()
}

// comparisons maps how an operator may be written to the one it is.
var comparisons = [][2]string{{"=", "="}, {"!=", "!="}, {"<>", "!="}, {"<", "<"}, {">", ">"}, {"<=", "<="}, {">=", ">="}}

// comparison reads at most one comparison: what a < b < c means, nobody says.
func (p *parser) comparison() Expr {
	left := p.sum()
	for _, op := range comparisons {
		if p.accept(op[0]) {
			return Binary{op[1], left, p.sum()}
		}
	}
	for _, op := range []string{"IN", "NIN"} {
		if p.accept(op) {
			return Binary{op, left, p.list()}
		}
	}
	return left
}

func (p *parser) sum() Expr     { return p.operators(p.product, "+", "-") }
func (p *parser) product() Expr { return p.operators(p.unary, "*", "/", "%") }

func (p *parser) operators(operand func() Expr, ops ...string) Expr {
	left := operand()
	for {
		op := p.oneOf(ops)
		if op == "" {
			return left
		}
		left = Binary{op, left, operand()}
	}
}

// oneOf moves past one of the marks and returns it, "" if none stands here.
func (p *parser) oneOf(marks []string) string {
	for _, m := range marks {
		if p.accept(m) {
			return m
		}
	}
	return ""
}

func (p *parser) unary() Expr {
	if !p.accept("-") {
		return p.operand()
	}
	if p.tok.kind == number {
		return Number("-" + p.advance().text)
	}
	return Negate{p.nested(p.unary)}
}

func (p *parser) operand() Expr {
	switch t := p.tok; {
	case t.is("("):
		return p.nested(p.parenthesis)
	case t.is("["):
		return p.list()
	case t.is("undefined"):
		p.advance()
		return Undefined{}
	case t.kind == name && !isReserved(t.text), t.kind == quoted:
		return p.pathOrCall()
	}
	return p.literal()
}

func (p *parser) parenthesis() Expr {
	p.advance()
	e := p.or()
	p.expect(")")
	return e
}

// literal reads a constant, a negative number too.
func (p *parser) literal() Literal {
	switch t := p.advance(); {
	case t.kind == text:
		return Literal{t.text}
	case t.kind == number:
		return Literal{json.Number(t.text)}
	case t.is("-") && p.tok.kind == number:
		return Number("-" + p.advance().text)
	case t.is("true"), t.is("false"):
		return Literal{t.is("true")}
	case t.is("null"):
		return Literal{nil}
	default:
		fail(t.offset, "%s where a value should stand", t)
		return Literal{}
	}
}

// list reads constants in brackets.
func (p *parser) list() Expr {
	p.expect("[")
	items := List{p.literal()}
	for p.accept(",") {
		items = append(items, p.literal())
	}
	p.expect("]")
	return items
}

func (p *parser) pathOrCall() Expr {
	first := p.advance()
	if first.kind == name && p.tok.is("(") {
		return p.nested(func() Expr { return p.call(first) })
	}
	return p.path(first)
}

func (p *parser) call(first token) Expr {
	f := function(first)
	c := Call{Name: f.Name}
	p.advance()
	for len(c.Args) == 0 || p.accept(",") {
		c.Args = append(c.Args, p.or())
	}
	p.expect(")")
	if len(c.Args) != f.Args {
		fail(first.offset, "%s takes %d arguments, not %d", f.Name, f.Args, len(c.Args))
	}
	if _, isPath := c.Args[0].(Path); f == isDefined && !isPath {
		fail(first.offset, "%s takes a path", f.Name)
	}
	return c
}

// aggregate reads the parentheses behind an aggregate's name.
func (p *parser) aggregate(name string) (string, Path) {
	p.expect("(")
	var path Path
	if name = strings.ToLower(name); name != "count" {
		path = p.path(p.advance())
	}
	p.expect(")")
	return name, path
}

// path reads the rest of a path that begins with first.
func (p *parser) path(first token) Path {
	parts := []token{first}
	for p.accept(".") {
		parts = append(parts, p.advance())
	}
	parts = withoutCollection(parts)
	path := make(Path, len(parts))
	for i, part := range parts {
		path[i] = nameOf(part)
	}
	path[0] = spell(path[0])
	return path
}

// withoutCollection drops the collection's name, which may stand before a path,
// even devices before the path of a module. The page on the query language has
// devices.jobs before every path of a job.
func withoutCollection(parts []token) []token {
	if len(parts) < 2 || !parts[0].is("devices") {
		return parts
	}
	if len(parts) > 2 && (parts[1].is("modules") || parts[1].is("jobs")) {
		return parts[2:]
	}
	return parts[1:]
}

func (p *parser) name() string { return nameOf(p.advance()) }

func nameOf(t token) string {
	switch {
	case t.kind == quoted:
		return t.text
	case t.kind != name:
		fail(t.offset, "%s where a name should stand", t)
	case isReserved(t.text):
		fail(t.offset, "%q is a reserved word; as a name it is written [[%s]]", t.text, t.text)
	}
	return t.text
}
