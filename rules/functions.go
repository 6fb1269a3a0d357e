package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// A Function is one that expressions can call. The slice [Functions] is the one
// table from which the environment, the suggestions and the reference page are
// made. Every function is deterministic and its cost is bounded by the size of
// its arguments.
type Function struct {
	Name, Signature, Doc string

	min, max int // arguments
	// call computes the result. It is not called with a missing argument: then
	// the result is missing, too, but where missing says otherwise. Texts have
	// been paid for.
	call    func(args []any) (any, error)
	metered func(m *meter, args []any) (any, error) // instead of call, for one that pays for more
	missing any                                     // the result for a missing argument
	slot    slotKind
}

// Functions lists the functions of expressions, in the order of the reference
// page.
var Functions = []Function{
	{Name: "semver", Signature: "semver(s)", Doc: "the version that s spells, such as 2.3.0; versions order as Semantic Versioning says", min: 1, max: 1, call: parseVersion},
	{Name: "age", Signature: "age(path)", Doc: "how long ago the leaf at path, in desired or reported, was last updated", slot: slotAge},
	{Name: "updated", Signature: "updated(path)", Doc: "when the leaf at path, in desired or reported, was last updated", slot: slotUpdated},
	{Name: "duration", Signature: `duration(s)`, Doc: `the time span that s spells, such as "24h" or "15m"`, min: 1, max: 1, call: parseDuration},
	{Name: "time", Signature: "time(v)", Doc: `the time that v spells, such as "2026-11-21T06:00:00Z" or "2026-11-21", or counts in seconds since 1970; missing when it does neither`, min: 1, max: 1, call: readTime},
	{Name: "bucket", Signature: "bucket(salt, n)", Doc: "a stable number from 0 to n-1 for this twin, evenly spread over the fleet", min: 3, max: 3, call: bucket},
	{Name: "len", Signature: "len(v)", Doc: "the number of characters, elements or keys of v; 0 when v is missing", min: 1, max: 1, call: length, missing: 0},
	{Name: "lower", Signature: "lower(s)", Doc: "s in lower case", min: 1, max: 1, call: onText(strings.ToLower)},
	{Name: "upper", Signature: "upper(s)", Doc: "s in upper case", min: 1, max: 1, call: onText(strings.ToUpper)},
	{Name: "trim", Signature: "trim(s)", Doc: "s without white space around it", min: 1, max: 1, call: onText(strings.TrimSpace)},
	{Name: "split", Signature: "split(s, separator)", Doc: "the parts of s between separators", min: 2, max: 2, metered: split},
	{Name: "abs", Signature: "abs(n)", Doc: "n without its sign", min: 1, max: 1, call: abs},
	{Name: "ceil", Signature: "ceil(n)", Doc: "the smallest whole number that is not below n", min: 1, max: 1, call: onNumber(math.Ceil)},
	{Name: "floor", Signature: "floor(n)", Doc: "the largest whole number that is not above n", min: 1, max: 1, call: onNumber(math.Floor)},
	{Name: "round", Signature: "round(n)", Doc: "the whole number nearest to n, halves away from zero", min: 1, max: 1, call: onNumber(math.Round)},
	{Name: "min", Signature: "min(a, b, …)", Doc: "the least of its arguments", min: 1, max: 16, call: extreme(-1)},
	{Name: "max", Signature: "max(a, b, …)", Doc: "the greatest of its arguments", min: 1, max: 16, call: extreme(1)},
	{Name: "int", Signature: "int(v)", Doc: "the whole number that v is or spells", min: 1, max: 1, call: toInt},
	{Name: "float", Signature: "float(v)", Doc: "the number that v is or spells", min: 1, max: 1, call: toFloat},
	{Name: "string", Signature: "string(v)", Doc: "v as text", min: 1, max: 1, metered: toText},
	{Name: "first", Signature: "first(list)", Doc: "the first element of list; missing when it is empty", min: 1, max: 1, call: func(a []any) (any, error) { return element(a[0], 0) }},
	{Name: "last", Signature: "last(list)", Doc: "the last element of list; missing when it is empty", min: 1, max: 1, call: func(a []any) (any, error) { return element(a[0], -1) }},
}

// Predicates lists expr's own functions over lists that expressions may use. A
// missing list is an empty one.
var Predicates = []string{"all", "any", "none", "one", "filter", "map", "count", "find"}

func findFunction(name string) (Function, bool) {
	for _, f := range Functions {
		if f.Name == name {
			return f, true
		}
	}
	return Function{}, false
}

func functionList() []string {
	list := append([]string(nil), Predicates...)
	for _, f := range Functions {
		list = append(list, f.Name)
	}
	return list
}

// run calls f, with the meter as the first argument, unless one is missing.
func (f Function) run(args ...any) (any, error) {
	m, args := args[0].(*meter), args[1:]
	for _, a := range args {
		if a == nil {
			return f.missing, nil
		}
		if s, ok := a.(string); ok {
			if err := m.text(s, s); err != nil { // read and written
				return nil, err
			}
		}
	}
	call := f.call
	if f.metered != nil {
		call = func(args []any) (any, error) { return f.metered(m, args) }
	}
	v, err := call(args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	return v, nil
}

// A version is a semantic version with its leading v.
type version string

func parseVersion(a []any) (any, error) {
	s, ok := a[0].(string)
	if !ok {
		return nil, fmt.Errorf("%s is not a version such as 2.3.0", typeName(a[0]))
	}
	v := semver.Canonical("v" + strings.TrimPrefix(strings.TrimSpace(s), "v"))
	if v == "" {
		return nil, fmt.Errorf("%.60q is not a version such as 2.3.0", s)
	}
	return version(v), nil
}

func parseDuration(a []any) (any, error) {
	s, ok := a[0].(string)
	if !ok {
		return nil, fmt.Errorf("%s is not a time span such as 24h", typeName(a[0]))
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return nil, fmt.Errorf("%.60q is not a time span such as 24h", s)
	}
	return d, nil
}

// bucket hashes the salt and the twin's name, which the compiler passes as the
// first argument.
func bucket(a []any) (any, error) {
	id, _ := a[0].(string)
	salt, ok1 := a[1].(string)
	n, ok2 := a[2].(int)
	if !ok1 || !ok2 || n < 1 {
		return nil, errors.New("the salt is a string, n a whole number of at least 1")
	}
	sum := sha256.Sum256([]byte(salt + "\x00" + id))
	return int(binary.BigEndian.Uint64(sum[:8]) % uint64(n)), nil
}

func length(a []any) (any, error) {
	switch v := a[0].(type) {
	case string:
		return runes(v), nil
	case []any:
		return len(v), nil
	case map[string]any:
		return len(v), nil
	}
	return nil, fmt.Errorf("%s has no length", typeName(a[0]))
}

func onText(f func(string) string) func([]any) (any, error) {
	return func(a []any) (any, error) {
		s, ok := a[0].(string)
		if !ok {
			return nil, fmt.Errorf("%s is not a string", typeName(a[0]))
		}
		return f(s), nil
	}
}

func split(m *meter, a []any) (any, error) {
	s, ok1 := a[0].(string)
	separator, ok2 := a[1].(string)
	if !ok1 || !ok2 || separator == "" {
		return nil, errors.New("both arguments are strings, the separator not empty")
	}
	return m.parts(s, separator)
}

// toText is display, paid for by the size of what is shown. To show a value is
// about eight times the work of looking at it.
func toText(m *meter, a []any) (any, error) {
	look := &meter{left: m.left / 8}
	if err := look.value(a[0]); err != nil {
		return nil, err
	}
	if err := m.spend(8 + 8*(m.left/8-look.left)); err != nil {
		return nil, err
	}
	return display(a[0]), nil
}

// onNumber applies f to a float; a whole number is its own nearest.
func onNumber(f func(float64) float64) func([]any) (any, error) {
	return func(a []any) (any, error) {
		if n, whole := a[0].(int); whole {
			return n, nil
		}
		x, ok := asFloat(a[0])
		if !ok {
			return nil, fmt.Errorf("%s is not a number", typeName(a[0]))
		}
		return wholeOrFloat(f(x)), nil
	}
}

func abs(a []any) (any, error) {
	if n, whole := a[0].(int); whole && n < 0 {
		return arithmetic["-"].numbers(0, n)
	}
	return onNumber(math.Abs)(a)
}

func wholeOrFloat(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		return int(f)
	}
	return f
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func extreme(sign int) func([]any) (any, error) {
	return func(a []any) (any, error) {
		best := a[0]
		for _, v := range a {
			c, err := order(v, best)
			if err != nil {
				return nil, err
			}
			if c*sign > 0 {
				best = v
			}
		}
		return best, nil
	}
}

func toInt(a []any) (any, error) {
	v := a[0]
	if s, ok := v.(string); ok {
		v = number(jsonNumberOf(s))
	}
	if f, ok := v.(float64); ok {
		v = wholeOrFloat(math.Trunc(f))
	}
	if i, ok := v.(int); ok {
		return i, nil
	}
	return nil, fmt.Errorf("%.60q is no whole number", display(a[0]))
}

func toFloat(a []any) (any, error) {
	v := a[0]
	if s, ok := v.(string); ok {
		v = number(jsonNumberOf(s))
	}
	if f, ok := asFloat(v); !ok || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%.60q is no number", display(a[0]))
	}
	return v, nil
}

func element(v any, i int) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is not a list", typeName(v))
	}
	if len(list) == 0 {
		return nil, nil
	}
	return list[(i+len(list))%len(list)], nil
}

// order compares two values of one sort.
func order(a, b any) (int, error) {
	switch x := a.(type) {
	case int:
		if y, ok := b.(int); ok {
			return cmp.Compare(x, y), nil
		}
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), nil
		}
	case version:
		if y, ok := b.(version); ok {
			return semver.Compare(string(x), string(y)), nil
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y), nil
		}
	case time.Duration:
		if y, ok := b.(time.Duration); ok {
			return cmp.Compare(x, y), nil
		}
	}
	x, ok1 := asFloat(a)
	y, ok2 := asFloat(b)
	if !ok1 || !ok2 {
		return 0, &mismatchError{a, b}
	}
	return cmp.Compare(x, y), nil
}

// A mismatchError is an attempt to order values of different sorts.
type mismatchError struct{ a, b any }

func (e *mismatchError) Error() string {
	return fmt.Sprintf("%s and %s have no order", typeName(e.a), typeName(e.b))
}
