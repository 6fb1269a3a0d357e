package query

import (
	"encoding/json"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// Holds reports whether t meets e: whether e is true, not false, undefined or
// something else. It does not look at the collection.
//
// A path that leads nowhere is undefined, and so is all that is made of it, but
// for false AND undefined and true OR undefined. Comparing values of different
// types is undefined, even with !=, and so is comparing objects or arrays, or
// asking for the order of anything but two numbers or two strings. What the hub
// makes of NOT undefined and of different types is not known; this is what its
// kin do. Strings compare by bytes, numbers by their exact value.
func Holds(e Expr, t *twin.Twin) bool { return holds(e, &twinDocument{twin: t}) }

// HoldsObject is [Holds] for a document that is no twin, such as a job's.
func HoldsObject(e Expr, o twin.Object) bool { return holds(e, object(o)) }

func holds(e Expr, d document) bool {
	if e == nil {
		return true
	}
	result, isBool := eval(e, d).(bool)
	return isBool && result
}

// eval returns the value of e: one of twin.Object, []any, string, json.Number,
// *big.Rat, bool, nil and Undefined.
func eval(e Expr, d document) any {
	switch e := e.(type) {
	case Path:
		return lookup(e, d)
	case Literal:
		return e.Value
	case List:
		return e.values()
	case Not:
		if x, isBool := eval(e.X, d).(bool); isBool {
			return !x
		}
	case Negate:
		return arithmetic("-", json.Number("0"), eval(e.X, d))
	case Binary:
		return evalBinary(e, d)
	case Call:
		return evalCall(e, d)
	}
	return Undefined{}
}

func (l List) values() []any {
	values := make([]any, len(l))
	for i, item := range l {
		values[i] = item.Value
	}
	return values
}

func evalBinary(b Binary, d document) any {
	switch b.Op {
	case "AND":
		return decide(b, d, false)
	case "OR":
		return decide(b, d, true)
	case "IN", "NIN":
		return evalIn(b, d)
	case "=", "!=", "<", ">", "<=", ">=":
		return compare(b.Op, eval(b.Left, d), eval(b.Right, d))
	}
	return arithmetic(b.Op, eval(b.Left, d), eval(b.Right, d))
}

// decide evaluates AND, which one false decides, or OR, which one true decides.
func decide(b Binary, d document, by bool) any {
	left := eval(b.Left, d)
	if left == any(by) {
		return by
	}
	right := eval(b.Right, d)
	if right == any(by) {
		return by
	}
	_, ok1 := left.(bool)
	_, ok2 := right.(bool)
	if ok1 && ok2 {
		return !by
	}
	return Undefined{}
}

// evalIn is the OR of comparisons with each value of the list, NIN its NOT.
func evalIn(b Binary, d document) any {
	list, _ := b.Right.(List)
	left := eval(b.Left, d)
	var result any = false
	for _, item := range list {
		switch compare("=", left, item.Value) {
		case true:
			return b.Op == "IN"
		case Undefined{}:
			result = Undefined{}
		}
	}
	if result == false {
		return b.Op == "NIN"
	}
	return result
}

// compare returns a bool, or Undefined for values that have no such relation.
func compare(op string, a, b any) any {
	if order, ok := orderOf(a, b); ok {
		return relation(op, order)
	}
	same, ok := sameScalar(a, b)
	switch {
	case ok && op == "=":
		return same
	case ok && op == "!=":
		return !same
	}
	return Undefined{}
}

func relation(op string, order int) bool {
	switch op {
	case "=":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// orderOf compares two strings or two numbers.
func orderOf(a, b any) (order int, ok bool) {
	s, ok1 := a.(string)
	u, ok2 := b.(string)
	if ok1 && ok2 {
		return strings.Compare(s, u), true
	}
	return orderNumbers(a, b)
}

// sameScalar compares two bools or two nulls.
func sameScalar(a, b any) (same, ok bool) {
	if a == nil && b == nil {
		return true, true
	}
	x, ok1 := a.(bool)
	y, ok2 := b.(bool)
	return x == y, ok1 && ok2
}
