package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/vm/runtime"
)

// What one evaluation of one expression may cost, whatever a device reports.
// With these an expression ends within 50 ms and 32 MiB on one idle processor of
// 2020, which a list of all that a section holds, looked at once, is far from.
const (
	maxWork     = 100_000 // nodes of predicates, elements, and pieces of text, see [meter]
	maxElements = 1 << 15 // in the lists and objects that it makes
)

// A meter counts down what an evaluation may still cost. A unit is about what a
// call of an operator costs, and stands for textUnit bytes of text.
type meter struct{ left int }

// textUnit is how many bytes of text are copied or searched for one unit.
const textUnit = 32

var errCost = fmt.Errorf("too much work for one twin: more than %d steps over lists and text", maxWork)

func (m *meter) spend(n int) error {
	if m.left -= n; n < 0 || m.left < 0 {
		m.left = 0
		return errCost
	}
	return nil
}

// text pays for handling strings.
func (m *meter) text(list ...string) error {
	n := 0
	for _, s := range list {
		n += len(s)
	}
	return m.spend(n / textUnit)
}

// value pays for handling all of v.
func (m *meter) value(v any) (err error) {
	switch v := v.(type) {
	case string:
		return m.text(v)
	case []any:
		err = m.spend(len(v))
		for i := 0; i < len(v) && err == nil; i++ {
			err = m.value(v[i])
		}
	case map[string]any:
		err = m.spend(2 * len(v))
		for key, member := range v {
			err = errors.Join(err, m.text(key), m.value(member))
			if err != nil {
				return errCost // not the joint one, whose text depends on the order
			}
		}
	}
	return err
}

// equal is expr's equality, paid for by the element.
func (m *meter) equal(a, b any) (bool, error) {
	if err := m.spend(1); err != nil {
		return false, err
	}
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		for i := range x {
			if same, err := m.equal(x[i], y[i]); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		return m.equalMembers(x, y)
	case string:
		y, ok := b.(string)
		return ok && x == y, m.text(x)
	}
	return runtime.Equal(a, b), nil
}

// equalMembers pays for all members first, so that the price does not depend on
// the order in which a map is walked.
func (m *meter) equalMembers(x, y map[string]any) (bool, error) {
	if err := errors.Join(m.value(x), m.value(y)); err != nil {
		return false, errCost
	}
	free := &meter{left: maxWork}
	for key, v := range x {
		other, exists := y[key]
		if !exists {
			return false, nil
		}
		if same, err := free.equal(v, other); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

// contains reports whether v is an element of list or a key of an object.
func (m *meter) contains(list, v any) (any, error) {
	switch list := list.(type) {
	case nil:
		return false, nil
	case []any:
		for _, e := range list {
			if same, err := m.equal(e, v); err != nil || same && v != nil {
				return err == nil, err
			}
		}
		return false, nil
	case map[string]any:
		key, ok := v.(string)
		_, found := list[key]
		return ok && found, nil
	}
	return false, fmt.Errorf("%s has no elements", typeName(list))
}

// join returns s and t as one string.
func (m *meter) join(s, t string) (any, error) {
	if err := m.text(s, t, s, t); err != nil { // read and written
		return nil, err
	}
	return s + t, nil
}

// parts returns s, cut at every separator.
func (m *meter) parts(s, separator string) ([]any, error) {
	if err := m.spend(strings.Count(s, separator)); err != nil {
		return nil, err
	}
	list := []any{}
	for part := range strings.SplitSeq(s, separator) {
		list = append(list, part)
	}
	return list, nil
}
