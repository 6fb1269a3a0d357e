package query

import "encoding/json"

// An Expr is a condition or a part of one: [Path], [Literal], [Undefined],
// [List], [Binary], [Not], [Negate] or [Call]. String writes it so that
// [ParseCondition] reads the same Expr back. A nil Expr holds for every twin.
type Expr interface {
	String() string
	expr()
}

// A Path names a value of a document by its keys, such as
// {"properties", "reported", "battery", "pct"} or {"deviceId"}. The first key is
// spelled as in a twin's JSON; [ParseCondition] takes care of that.
type Path []string

// A Literal is a constant: a string, a [json.Number], a bool or nil for null.
type Literal struct{ Value any }

// Undefined is the value of a path that leads nowhere.
type Undefined struct{}

// A List is a constant array, as it stands on the right of IN. An empty list
// holds nothing and cannot be parsed back.
type List []Literal

// Binary is an operator between two operands. Op is one of
// + - * / % = != < > <= >= AND OR IN NIN.
type Binary struct {
	Op          string
	Left, Right Expr
}

// Not is true where X is false, and false where X is true.
type Not struct{ X Expr }

// Negate is the number X with the other sign.
type Negate struct{ X Expr }

// Call is one of [Functions] with its arguments.
type Call struct {
	Name string // in capitals
	Args []Expr
}

func (Path) expr()      {}
func (Literal) expr()   {}
func (Undefined) expr() {}
func (List) expr()      {}
func (Binary) expr()    {}
func (Not) expr()       {}
func (Negate) expr()    {}
func (Call) expr()      {}

// String returns a literal for s.
func String(s string) Literal { return Literal{s} }

// Number returns a literal for n, which must be spelled as JSON spells numbers.
func Number(n string) Literal { return Literal{json.Number(n)} }

// And returns the condition that holds where all of list do. A nil in list
// holds everywhere; And of nothing but nils is nil.
func And(list ...Expr) Expr {
	var terms []Expr
	for _, e := range list {
		if e != nil {
			terms = appendTerms(terms, "AND", e)
		}
	}
	return chain("AND", terms)
}

// Or returns the condition that holds where one of list does. With a nil in
// list that is everywhere, so it is nil; Or of nothing is false.
func Or(list ...Expr) Expr {
	terms := []Expr{}
	for _, e := range list {
		if e == nil {
			return nil
		}
		terms = appendTerms(terms, "OR", e)
	}
	if len(terms) == 0 {
		return Literal{false}
	}
	return chain("OR", terms)
}

// appendTerms appends the operands of e's outermost op, or e itself.
func appendTerms(terms []Expr, op string, e Expr) []Expr {
	b, ok := e.(Binary)
	if !ok || b.Op != op {
		return append(terms, e)
	}
	return appendTerms(appendTerms(terms, op, b.Left), op, b.Right)
}

// chain joins terms from the left, the one shape a chain of op has.
func chain(op string, terms []Expr) Expr {
	if len(terms) == 0 {
		return nil
	}
	e := terms[0]
	for _, term := range terms[1:] {
		e = Binary{op, e, term}
	}
	return e
}

// Paths calls visit with every path that e reads, from left to right.
func Paths(e Expr, visit func(Path)) {
	switch e := e.(type) {
	case Path:
		visit(e)
	case Binary:
		Paths(e.Left, visit)
		Paths(e.Right, visit)
	case Not:
		Paths(e.X, visit)
	case Negate:
		Paths(e.X, visit)
	case Call:
		for _, arg := range e.Args {
			Paths(arg, visit)
		}
	}
}
