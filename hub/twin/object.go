package twin

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
)

// An Object is a JSON object. Its values are Object, []any, string, bool, nil,
// and [json.Number], which keeps a number as it was spelled. Objects that came
// out of a [Twin] or went into a plan are shared and must not be changed.
type Object map[string]any

// Lookup returns the value at path and whether there is one. A path that leads
// through something other than an object finds nothing; the empty path finds o.
func (o Object) Lookup(path ...string) (any, bool) {
	var v any = o
	for _, key := range path {
		parent, ok := v.(Object)
		if !ok {
			return nil, false
		}
		if v, ok = parent[key]; !ok {
			return nil, false
		}
	}
	return v, true
}

// Equal reports whether a and b are the same JSON value. Numbers are the same
// when their values are, whatever their spelling and size: 1, 1.0 and 10e-1 are
// equal, 9007199254740992 and 9007199254740993 are not.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case Object:
		b, ok := b.(Object)
		return ok && equalObjects(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Equal)
	case json.Number:
		b, ok := b.(json.Number)
		return ok && equalNumbers(a, b)
	default:
		return isScalar(b) && a == b
	}
}

func isScalar(v any) bool {
	switch v.(type) {
	case nil, string, bool:
		return true
	}
	return false
}

func equalObjects(a, b Object) bool {
	if len(a) != len(b) {
		return false
	}
	for key, value := range a {
		other, ok := b[key]
		if !ok || !Equal(value, other) {
			return false
		}
	}
	return true
}

// equalNumbers compares decimal digits and exponent, so that a hostile 1e999999
// costs no more than its spelling.
func equalNumbers(a, b json.Number) bool {
	if a == b {
		return true
	}
	sa, da, ea := normalize(string(a))
	sb, db, eb := normalize(string(b))
	return sa == sb && da == db && ea.Cmp(eb) == 0
}

// normalize splits a number into its sign, its digits without zeros on either
// side, and the power of ten of the last digit.
func normalize(number string) (negative bool, digits string, exponent *big.Int) {
	number, negative = strings.CutPrefix(number, "-")
	exponent = new(big.Int)
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		exponent.SetString(strings.TrimPrefix(number[i+1:], "+"), 10)
		number = number[:i]
	}
	whole, fraction, _ := strings.Cut(number, ".")
	all := whole + fraction
	digits = strings.TrimRight(all, "0")
	exponent.Add(exponent, big.NewInt(int64(len(all)-len(digits)-len(fraction))))
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		return false, "", new(big.Int) // zero has one spelling
	}
	return negative, digits, exponent
}

// UnmarshalJSON reads an object as [DecodeObject] does.
func (o *Object) UnmarshalJSON(data []byte) (err error) {
	if string(data) == "null" {
		*o = nil
		return nil
	}
	*o, err = DecodeObject(data)
	return err
}
