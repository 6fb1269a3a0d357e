package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/vm/runtime"

	"github.com/twinrules/twinrules/hub/twin"
)

// An operator is the meaning of one of expr's operators, or of a step that the
// compiler puts in. They differ from expr's own where a value is missing or of
// an odd type: a twin is written by strangers.
type operator struct {
	name string // in the compiled program; no expression can spell it
	call func(args ...any) (any, error)
}

// orderings are the ordering comparisons: false when a side is missing.
var orderings = map[string]func(c int) bool{
	"<":  func(c int) bool { return c < 0 },
	"<=": func(c int) bool { return c <= 0 },
	">":  func(c int) bool { return c > 0 },
	">=": func(c int) bool { return c >= 0 },
}

// arithmetic are expr's calculations; with a missing side the result is missing.
var arithmetic = map[string]func(a, b any) any{
	"+": runtime.Add, "-": runtime.Subtract, "*": runtime.Multiply,
	"/":  func(a, b any) any { return runtime.Divide(a, b) },
	"%":  modulo,
	"**": func(a, b any) any { return runtime.Exponent(a, b) },
	"^":  func(a, b any) any { return runtime.Exponent(a, b) },
}

// textual are the tests of one string against another: false when a side is
// missing.
var textual = map[string]func(s, t string) bool{
	"contains": strings.Contains, "startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix,
}

// operators lists everything that the rewriter calls by name. Ordering values
// of different sorts, or taking something else than a bool for a condition, is an
// error, but for a selector it is false, as in the hub's query language.
func operators(selector bool) []operator {
	list := []operator{
		{"#truth", func(a ...any) (any, error) { return truth(a[0], selector) }},
		{"#list", func(a ...any) (any, error) { return asList(a[0]) }},
		{"#member", func(a ...any) (any, error) { return member(a[0], a[1]), nil }},
		{"#in", func(a ...any) (any, error) { return contains(a[1], a[0]) }},
		{"#same", func(a ...any) (any, error) { return a[0] != nil && runtime.Equal(a[0], a[1]), nil }},
		{"#matches", matches},
		{"#step", step},
	}
	for name, holds := range orderings {
		list = append(list, operator{"#" + name, func(a ...any) (any, error) { return compare(a[0], a[1], holds, selector) }})
	}
	for name, calculate := range arithmetic {
		list = append(list, operator{"#" + name, func(a ...any) (any, error) { return calculated(calculate, a[0], a[1]) }})
	}
	for name, test := range textual {
		list = append(list, operator{"#" + name, func(a ...any) (any, error) { return onTexts(name, test, a[0], a[1]) }})
	}
	for _, f := range Functions {
		if f.call != nil {
			list = append(list, operator{f.Name, f.run})
		}
	}
	return list
}

func compare(a, b any, holds func(int) bool, selector bool) (any, error) {
	if a == nil || b == nil {
		return false, nil
	}
	c, err := order(a, b)
	if mismatch := new(mismatchError); selector && errors.As(err, &mismatch) {
		return false, nil
	}
	return err == nil && holds(c), err
}

func calculated(calculate func(a, b any) any, a, b any) (v any, err error) {
	if a == nil || b == nil {
		return nil, nil
	}
	defer func() {
		if r := recover(); r != nil { // expr's way to say that the types do not fit
			err = fmt.Errorf("%s and %s cannot be calculated with", typeName(a), typeName(b))
		}
	}()
	return calculate(a, b), nil
}

func modulo(a, b any) any {
	x, ok1 := asFloat(a)
	y, ok2 := asFloat(b)
	if !ok1 || !ok2 || y == 0 {
		panic("modulo")
	}
	return wholeOrFloat(math.Mod(x, y))
}

func onTexts(name string, test func(s, t string) bool, a, b any) (any, error) {
	if a == nil || b == nil {
		return false, nil
	}
	s, ok1 := a.(string)
	t, ok2 := b.(string)
	if !ok1 || !ok2 {
		return false, fmt.Errorf("%s is for strings, not for %s and %s", name, typeName(a), typeName(b))
	}
	return test(s, t), nil
}

func matches(a ...any) (any, error) {
	if a[0] == nil {
		return false, nil
	}
	s, ok := a[0].(string)
	if !ok {
		return false, fmt.Errorf("matches is for strings, not for %s", typeName(a[0]))
	}
	return a[1].(*regexp.Regexp).MatchString(s), nil
}

// truth makes a condition of a value: a missing one is false.
func truth(v any, selector bool) (any, error) {
	if b, ok := v.(bool); ok || v == nil || selector {
		return b, nil
	}
	return false, fmt.Errorf("%s is neither true nor false", typeName(v))
}

func asList(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return []any{}, nil
	case []any:
		return v, nil
	}
	return nil, fmt.Errorf("%s is not a list", typeName(v))
}

// member returns an object's member or a list's element, nil when there is none.
func member(v, key any) any {
	switch v := v.(type) {
	case map[string]any:
		name, _ := key.(string)
		return v[name]
	case []any:
		i, ok := key.(int)
		if ok && i < 0 {
			i += len(v)
		}
		if ok && i >= 0 && i < len(v) {
			return v[i]
		}
	}
	return nil
}

// contains reports whether v is an element of list or a key of an object.
func contains(list, v any) (any, error) {
	switch list := list.(type) {
	case nil:
		return false, nil
	case []any:
		return v != nil && slices.ContainsFunc(list, func(e any) bool { return runtime.Equal(e, v) }), nil
	case map[string]any:
		key, ok := v.(string)
		_, found := list[key]
		return ok && found, nil
	}
	return false, fmt.Errorf("%s has no elements", typeName(list))
}

// maxSteps bounds how often the predicates of one evaluation run, which bounds
// its time whatever a device reports.
const maxSteps = 50_000

var errSteps = fmt.Errorf("more than %d steps over lists", maxSteps)

// step counts one run of a predicate and passes its result through.
func step(a ...any) (any, error) {
	left := a[0].(*int)
	if *left--; *left < 0 {
		return nil, errSteps
	}
	return a[1], nil
}

func jsonNumberOf(s string) json.Number {
	if jsonNumber.MatchString(s) {
		return json.Number(s)
	}
	return "1e999" // no number
}

// display returns a value as text: strings as they are, the rest as JSON.
func display(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case version:
		return strings.TrimPrefix(string(v), "v")
	case time.Duration:
		return v.String()
	}
	j, err := fromExpr(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if s, ok := j.(string); ok {
		return s
	}
	return string(twin.Encode(j))
}
