package rules

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// arithmetic are the calculations. They are exact on whole numbers of 64 bits, or
// an error: a device that reports the greatest of them must not make a rule see a
// small one. What has no value, such as a division by zero, is an error too.
var arithmetic = map[string]calculation{
	"+":  {whole: addWhole, float: func(x, y float64) float64 { return x + y }},
	"-":  {whole: subtractWhole, float: func(x, y float64) float64 { return x - y }},
	"*":  {whole: multiplyWhole, float: func(x, y float64) float64 { return x * y }},
	"/":  {whole: divideWhole, float: divide},
	"%":  {whole: moduloWhole, float: math.Mod},
	"**": {float: math.Pow},
	"^":  {float: math.Pow},
}

// A calculation has two forms. Where whole has no exact answer it says so and
// float is asked.
type calculation struct {
	whole func(x, y int) (n int, exact bool, err error)
	float func(x, y float64) float64
}

var (
	errOverflow = errors.New("the result is beyond 64 bits")
	errZero     = errors.New("division by zero")
	errNoNumber = errors.New("the result is no number")
)

func (c calculation) numbers(a, b any) (any, error) {
	x, whole1 := a.(int)
	y, whole2 := b.(int)
	if whole1 && whole2 && c.whole != nil {
		if n, exact, err := c.whole(x, y); exact || err != nil {
			return n, err
		}
	}
	f, _ := asFloat(a)
	g, _ := asFloat(b)
	result := c.float(f, g)
	if math.IsNaN(result) || math.IsInf(result, 0) {
		return nil, errNoNumber
	}
	return wholeOrFloat(result), nil
}

func addWhole(x, y int) (int, bool, error) {
	if n := x + y; (n > x) == (y > 0) {
		return n, true, nil
	}
	return 0, false, errOverflow
}

func subtractWhole(x, y int) (int, bool, error) {
	if n := x - y; (n < x) == (y > 0) {
		return n, true, nil
	}
	return 0, false, errOverflow
}

func multiplyWhole(x, y int) (int, bool, error) {
	n := x * y
	if x != 0 && (n/x != y || x == -1 && y == math.MinInt) {
		return 0, false, errOverflow
	}
	return n, true, nil
}

func divideWhole(x, y int) (int, bool, error) {
	if y == 0 {
		return 0, false, errZero
	}
	if x == math.MinInt && y == -1 {
		return 0, false, errOverflow
	}
	return x / y, x%y == 0, nil
}

func moduloWhole(x, y int) (int, bool, error) {
	if y == 0 {
		return 0, false, errZero
	}
	return x % y, true, nil
}

func divide(x, y float64) float64 { return x / y }

// calculate applies an operator; with a missing side the result is missing.
func calculate(m *meter, op string, a, b any) (any, error) {
	if a == nil || b == nil {
		return nil, nil
	}
	_, number1 := asFloat(a)
	_, number2 := asFloat(b)
	if number1 && number2 {
		return arithmetic[op].numbers(a, b)
	}
	s, text1 := a.(string)
	t, text2 := b.(string)
	if text1 && text2 && op == "+" {
		return m.join(s, t)
	}
	if v, known, err := calculateTime(op, a, b); known {
		return v, err
	}
	return nil, fmt.Errorf("%s and %s cannot be calculated with", typeName(a), typeName(b))
}

// calculateTime calculates with times and durations, where that means something.
func calculateTime(op string, a, b any) (v any, known bool, err error) {
	switch x := a.(type) {
	case time.Time:
		switch y := b.(type) {
		case time.Time:
			return x.Sub(y), op == "-", nil
		case time.Duration:
			return x.Add(map[string]time.Duration{"+": y, "-": -y}[op]), op == "+" || op == "-", nil
		}
	case time.Duration:
		switch y := b.(type) {
		case time.Time:
			return y.Add(x), op == "+", nil
		case time.Duration:
			return spans(op, x, y)
		case int, float64:
			return scaled(op, x, y)
		}
	case int, float64:
		if y, ok := b.(time.Duration); ok && op == "*" {
			return scaled(op, y, x)
		}
	}
	return nil, false, nil
}

// spans adds and subtracts durations, and divides them to a number.
func spans(op string, x, y time.Duration) (any, bool, error) {
	v, err := arithmetic[op].numbers(int(x), int(y))
	if op == "/" {
		return v, true, err
	}
	n, _ := v.(int)
	return time.Duration(n), op == "+" || op == "-", err
}

// scaled multiplies a duration with a number, or divides it by one.
func scaled(op string, x time.Duration, y any) (any, bool, error) {
	v, err := arithmetic[op].numbers(int(x), y)
	f, _ := asFloat(v)
	if err == nil && math.Abs(f) >= 1<<63 {
		err = errOverflow
	}
	if n, ok := v.(int); ok {
		return time.Duration(n), op == "*" || op == "/", err
	}
	return time.Duration(f), op == "*" || op == "/", err
}
