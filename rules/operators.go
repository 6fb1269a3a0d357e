package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

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

// textual are the tests of one string against another: false when a side is
// missing.
var textual = map[string]func(s, t string) bool{
	"contains": strings.Contains, "startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix,
}

// operators lists everything that the rewriter calls by name. Those whose cost
// depends on their arguments are called with the meter first. Ordering values
// of different sorts, or taking something else than a bool for a condition, is an
// error, but for a selector it is false, as in the hub's query language.
func operators(selector bool) []operator {
	list := []operator{
		{"#truth", func(a ...any) (any, error) { return truth(a[0], selector) }},
		{"#list", func(a ...any) (any, error) { return asList(a[0]) }},
		{"#member", func(a ...any) (any, error) { return member(a[0], a[1]), nil }},
		{"#in", func(a ...any) (any, error) { return a[0].(*meter).contains(a[2], a[1]) }},
		{"#==", func(a ...any) (any, error) { return a[0].(*meter).equal(a[1], a[2]) }},
		{"#same", same},
		{"#matches", matches},
		{"#step", step},
	}
	for name, holds := range orderings {
		list = append(list, operator{"#" + name, func(a ...any) (any, error) { return compare(a[0], a[1], holds, selector) }})
	}
	for name := range arithmetic {
		list = append(list, operator{"#" + name, func(a ...any) (any, error) { return calculate(a[0].(*meter), name, a[1], a[2]) }})
	}
	for name, test := range textual {
		list = append(list, operator{"#" + name, func(a ...any) (any, error) { return onTexts(a[0].(*meter), name, test, a[1], a[2]) }})
	}
	for _, f := range Functions {
		if f.slot == slotValue {
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

// same is the equality of two paths, which are not equal when both are missing.
func same(a ...any) (any, error) {
	if a[1] == nil {
		return false, nil
	}
	return a[0].(*meter).equal(a[1], a[2])
}

func onTexts(m *meter, name string, test func(s, t string) bool, a, b any) (any, error) {
	if a == nil || b == nil {
		return false, nil
	}
	s, ok1 := a.(string)
	t, ok2 := b.(string)
	if !ok1 || !ok2 {
		return false, fmt.Errorf("%s is for strings, not for %s and %s", name, typeName(a), typeName(b))
	}
	return test(s, t), m.text(s, t)
}

func matches(a ...any) (any, error) {
	if a[1] == nil {
		return false, nil
	}
	s, ok := a[1].(string)
	if !ok {
		return false, fmt.Errorf("matches is for strings, not for %s", typeName(a[1]))
	}
	return a[2].(*pattern).match(a[0].(*meter), s)
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

// step pays for one run of a predicate of so many nodes, and passes its result
// through.
func step(a ...any) (any, error) {
	return a[2], a[0].(*meter).spend(a[1].(int))
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
