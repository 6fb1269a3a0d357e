package rules

import (
	"cmp"
	"errors"
)

// holds runs a condition. A part that fails counts only where it decides: false
// and what fails is false, whichever stands first, and true or what fails is true.
// So the order of a condition's parts never matters, to the reader or to whoever
// evaluates them one by one.
func (e *expression) holds(in *scope) (bool, error) {
	v, err := e.eval(in)
	if failed := new(EvalError); errors.As(err, &failed) && !failed.spent && e.parts().logical() {
		alone := *in
		alone.coverage, alone.meter = nil, &meter{left: maxWork}
		return e.parts().decide(&alone)
	}
	b, _ := v.(bool)
	return b, err
}

// decide evaluates a condition part by part. The meter of the scope is for all of
// them.
func (p *part) decide(in *scope) (bool, error) {
	switch p.op {
	case "not":
		v, err := p.of[0].decide(in)
		return err == nil && !v, err
	case "and", "or":
		return p.either(in, p.op == "or")
	}
	v, err := p.eval(in)
	b, _ := v.(bool)
	return b, err
}

// either evaluates two parts of which one decides when it is the value deciding.
func (p *part) either(in *scope, deciding bool) (bool, error) {
	left, errLeft := p.of[0].decide(in)
	if errLeft == nil && left == deciding || spent(errLeft) {
		return deciding && errLeft == nil, errLeft
	}
	right, errRight := p.of[1].decide(in)
	if errRight == nil && right == deciding || spent(errRight) {
		return deciding && errRight == nil, errRight
	}
	err := cmp.Or(errLeft, errRight)
	return err == nil && !deciding, err
}

func spent(err error) bool {
	var e *EvalError
	return errors.As(err, &e) && e.spent
}
