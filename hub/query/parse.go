package query

import (
	"slices"
	"strconv"
	"unicode/utf8"
)

// Parse reads a whole query:
//
//	SELECT [TOP n] * | column {, column} FROM devices | devices.modules | devices.jobs
//	[WHERE condition] [GROUP BY path {, path}]
//
// A column is a path or an aggregate, with AS and a name if wanted. What the
// grammar does not have (ORDER BY, LIKE, JOIN) is refused, and so are columns
// beside aggregates that GROUP BY does not list. The error is an [*Error].
func Parse(text string) (*Query, error) {
	var q *Query
	err := parse(text, func(p *parser) { q = p.query() })
	return q, err
}

// ParseCondition reads what stands behind WHERE, and in target conditions. The
// words "*" and "" that target conditions know for all and none are not
// conditions. The error is an [*Error].
func ParseCondition(text string) (Expr, error) {
	var e Expr
	err := parse(text, func(p *parser) { e = p.condition() })
	return e, err
}

// parse runs read over all of text.
func parse(text string, read func(*parser)) (err error) {
	defer func() { err = mistake(recover()) }()
	if n := utf8.RuneCountInString(text); n > MaxLength {
		fail(0, "%d characters, the hub takes %d", n, MaxLength)
	}
	if !utf8.ValidString(text) {
		fail(0, "the text is not UTF-8")
	}
	p := &parser{lexer: lexer{text: text}}
	p.advance()
	read(p)
	if p.tok.kind != atEnd {
		fail(p.tok.offset, "unexpected %s", p.tok)
	}
	return nil
}

// mistake returns the *Error that stopped a parser. Any other panic is a bug.
func mistake(recovered any) error {
	if recovered == nil {
		return nil
	}
	e, ok := recovered.(*Error)
	if !ok {
		panic(recovered)
	}
	return e
}

// A parser looks one token ahead. It panics with an *Error at a mistake.
type parser struct {
	lexer
	tok   token
	depth int
}

// advance moves to the next token and returns the one left behind.
func (p *parser) advance() token {
	before := p.tok
	p.tok = p.next()
	return before
}

// accept moves past the word or mark s if it stands here.
func (p *parser) accept(s string) bool {
	if !p.tok.is(s) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(s string) {
	if !p.accept(s) {
		fail(p.tok.offset, "%s where %s should stand", p.tok, s)
	}
}

func (p *parser) query() *Query {
	q := &Query{}
	p.expect("SELECT")
	if p.accept("TOP") {
		q.top = p.top()
	}
	start := p.tok.offset
	if !p.accept("*") {
		q.columns = p.columns()
	}
	p.expect("FROM")
	q.from = p.collection()
	if p.accept("WHERE") {
		q.where = p.condition()
	}
	if p.tok.is("GROUP") {
		q.groupBy = p.groupBy(q.from)
	}
	q.check(start)
	return q
}

func (p *parser) top() int {
	n, err := strconv.ParseInt(p.tok.text, 10, 32)
	if p.tok.kind != number || err != nil || n == 0 {
		fail(p.tok.offset, "%s where a count from 1 up should stand", p.tok)
	}
	p.advance()
	return int(n)
}

func (p *parser) columns() []column {
	list := []column{p.column()}
	for p.accept(",") {
		list = append(list, p.column())
	}
	return list
}

func (p *parser) column() column {
	c := column{offset: p.tok.offset}
	first := p.advance()
	switch {
	case p.tok.is("(") && first.kind == name && isAggregate(first.text):
		c.aggregate, c.path = p.aggregate(first.text)
	case p.tok.is("("):
		fail(first.offset, "%s is no aggregate; there are count, avg, sum, min and max", first)
	default:
		c.path = p.path(first)
	}
	if p.accept("AS") {
		c.alias = p.name()
	}
	return c
}

func (p *parser) collection() string {
	start := p.tok
	p.expect("devices")
	if !p.accept(".") {
		return "devices"
	}
	part := p.advance()
	for _, known := range []string{"modules", "jobs"} {
		if part.is(known) {
			return "devices." + known
		}
	}
	fail(start.offset, "there is no collection devices.%s", part.text)
	return ""
}

func (p *parser) groupBy(from string) []Path {
	if from != "devices" {
		fail(p.tok.offset, "GROUP BY is for devices only")
	}
	p.advance()
	p.expect("BY")
	list := []Path{p.path(p.advance())}
	for p.accept(",") {
		list = append(list, p.path(p.advance()))
	}
	return list
}

// check refuses columns whose meaning is not defined. start is where they begin.
func (q *Query) check(start int) {
	if q.from == "devices.jobs" && q.Raw() {
		fail(start, "devices.jobs has SELECT * only")
	}
	grouped := len(q.groupBy) > 0 || q.aggregated()
	if grouped && !q.Raw() {
		fail(start, "GROUP BY does not go with SELECT *")
	}
	names := q.names()
	for i, c := range q.columns {
		if grouped && c.aggregate == "" && !slices.ContainsFunc(q.groupBy, func(g Path) bool { return slices.Equal(g, c.path) }) {
			fail(c.offset, "%s stands beside an aggregate and is not in GROUP BY", c.path)
		}
		if slices.Contains(names[:i], names[i]) {
			fail(c.offset, "a second column called %q; name one with AS", names[i])
		}
	}
}
