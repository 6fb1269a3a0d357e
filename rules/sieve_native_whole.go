package rules

// A wholeNumber is what a sub-expression of whole numbers comes to.
type wholeNumber struct {
	n       int
	missing bool
}

// nativeOrder returns how two sub-expressions of whole numbers are ordered, nil
// where p is something else. It knows less than [calculate], and says so.
func nativeOrder(p *part, at *scope) func(v *view) (holds, known bool) {
	test := orderings[p.op]
	if test == nil {
		return nil
	}
	left, right := nativeWhole(p.of[0], at), nativeWhole(p.of[1], at)
	if left == nil || right == nil {
		return nil
	}
	return func(v *view) (holds, known bool) {
		x, ok1 := left(v)
		y, ok2 := right(v)
		switch {
		case !ok1 || !ok2:
			return false, false
		case x.missing || y.missing:
			return false, true
		case x.n < y.n:
			return test(-1), true
		case x.n > y.n:
			return test(1), true
		}
		return test(0), true
	}
}

// nativeWhole returns how to calculate p, nil where that is not known.
func nativeWhole(p *part, at *scope) func(v *view) (n wholeNumber, known bool) {
	switch {
	case p.fixed:
		value, _ := p.constant(at)
		n, ok := value.(int)
		if !ok {
			return nil
		}
		return func(*view) (wholeNumber, bool) { return wholeNumber{n: n}, true }
	case p.plainPath():
		key := p.single.key
		return func(v *view) (wholeNumber, bool) {
			text := v.spans[v.paths.bySlot[key]].Of(v.data)
			if text == nil {
				return wholeNumber{missing: true}, true
			}
			n, ok := plainWhole(text)
			return wholeNumber{n: n}, ok
		}
	case len(p.of) == 2 && arithmetic[p.op].whole != nil:
		return nativeCalculation(p, at)
	}
	return nil
}

func nativeCalculation(p *part, at *scope) func(v *view) (n wholeNumber, known bool) {
	left, right, calculate := nativeWhole(p.of[0], at), nativeWhole(p.of[1], at), arithmetic[p.op].whole
	if left == nil || right == nil {
		return nil
	}
	return func(v *view) (out wholeNumber, known bool) {
		x, ok1 := left(v)
		y, ok2 := right(v)
		if !ok1 || !ok2 {
			return out, false
		}
		if x.missing || y.missing {
			return wholeNumber{missing: true}, true
		}
		n, exact, err := calculate(x.n, y.n)
		return wholeNumber{n: n}, exact && err == nil
	}
}

// plainWhole reads a whole number of at most fifteen digits.
func plainWhole(text []byte) (n int, ok bool) {
	digits := text
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) >= len(tens) || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	if len(digits) < len(text) {
		n = -n
	}
	return n, true
}
