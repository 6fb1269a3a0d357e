package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// toExpr makes of a twin's value what expressions calculate with: whole numbers
// that fit 64 bits become int, others float64, objects maps. A number beyond all
// floats, such as 1e999, becomes an infinity, which orders as it should and
// cannot be calculated with.
func toExpr(v any) any {
	switch v := v.(type) {
	case twin.Object:
		m := make(map[string]any, len(v))
		for key, value := range v {
			m[key] = toExpr(value)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, value := range v {
			list[i] = toExpr(value)
		}
		return list
	case json.Number:
		return number(v)
	}
	return v
}

func number(n json.Number) any {
	if !strings.ContainsAny(string(n), ".eE") {
		if i, err := strconv.Atoi(string(n)); err == nil {
			return i
		}
	}
	f, _ := n.Float64()    // its error is about infinity
	return wholeOrFloat(f) // 1.0 and 1 are one value
}

// fromExpr makes a twin's value of an expression's result.
func fromExpr(v any) (any, error) {
	switch v := v.(type) {
	case nil, string, bool:
		return v, nil
	case int:
		return json.Number(strconv.Itoa(v)), nil
	case float64:
		return numberOf(v)
	case version:
		return strings.TrimPrefix(string(v), "v"), nil
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), nil
	case time.Duration:
		return numberOf(v.Seconds())
	case map[string]any:
		return fromMap(v)
	case []any:
		return fromList(v)
	}
	return nil, fmt.Errorf("%s is no value that a twin can hold", typeName(v))
}

func numberOf(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%v is no number that a twin can hold", f)
	}
	return json.Number(strings.TrimSuffix(string(twin.Encode(f)), "\n")), nil
}

func fromMap(m map[string]any) (any, error) {
	o := twin.Object{}
	for _, key := range slices.Sorted(maps.Keys(m)) { // so that the error is always the same
		v, err := fromExpr(m[key])
		if err != nil {
			return nil, err
		}
		o[key] = v
	}
	return o, nil
}

func fromList(list []any) (any, error) {
	out := make([]any, len(list))
	for i, value := range list {
		v, err := fromExpr(value)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// checkComputed says why a twin cannot hold a value that an expression computed,
// or copied from a twin. A null inside would delete, which nobody spelled.
func checkComputed(v any, depth int) error {
	if depth > twin.MaxSectionDepth {
		return fmt.Errorf("the value is nested more than %d levels", twin.MaxSectionDepth)
	}
	switch v := v.(type) {
	case nil:
		return errors.New("a value inside is missing")
	case []any:
		for _, element := range v {
			if err := checkComputed(element, depth+1); err != nil {
				return err
			}
		}
	case twin.Object:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if err := checkComputed(v[key], depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// typeName names a value's type as people know it from JSON.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "a missing value"
	case string:
		return "a string"
	case bool:
		return "a bool"
	case int, float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	case version:
		return "a version"
	case time.Time:
		return "a time"
	case time.Duration:
		return "a duration"
	}
	return fmt.Sprintf("a %T", v)
}

// PathString returns keys as a member chain such as tags.site or
// tags["a b"].x, which is how messages and reports show a path.
func PathString(keys []string) string {
	var b strings.Builder
	for i, key := range keys {
		switch {
		case !plainKey(key):
			b.WriteString("[" + strconv.Quote(key) + "]")
		case i > 0:
			b.WriteString("." + key)
		default:
			b.WriteString(key)
		}
	}
	return b.String()
}

func plainKey(key string) bool {
	for i, r := range key {
		letter := r == '_' || r == '$' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return key != ""
}
