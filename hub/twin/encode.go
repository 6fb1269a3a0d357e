package twin

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// Encode returns v as JSON with sorted keys and numbers as they were spelled,
// so that equal documents with equal spellings have equal bytes. It does not
// escape <, > and &. It panics if v is not a JSON value.
func Encode(v any) []byte { return AppendJSON(nil, v) }

// AppendJSON appends what [Encode] returns. What [Decode] makes is written here,
// twice as fast as by encoding/json (see BenchmarkEncode), which writes the
// rest: other types, and texts with something to escape.
func AppendJSON(to []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(to, "null"...)
	case bool:
		return strconv.AppendBool(to, v)
	case string:
		return AppendText(to, v)
	case json.Number:
		if isPlainNumber(string(v)) {
			return append(to, v...)
		}
	case []any:
		return appendList(to, v)
	case Object:
		return appendObject(to, v)
	}
	return appendOther(to, v)
}

// AppendText appends what [Encode] returns for s. The replacement of what is no UTF-8, and of the two
// line ends that JavaScript has beside ASCII's, is left to encoding/json.
func AppendText(to []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; !storedText[c] || c >= 0x7f {
			return appendOther(to, s)
		}
	}
	return append(append(append(to, '"'), s...), '"')
}

// isPlainNumber reports whether s is a number of few digits without an exponent.
func isPlainNumber(s string) bool { return (plainText{[]byte(s)}).number(0) == len(s) }

func appendList(to []byte, list []any) []byte {
	if list == nil {
		return append(to, "null"...)
	}
	to = append(to, '[')
	for i, v := range list {
		if i > 0 {
			to = append(to, ',')
		}
		to = AppendJSON(to, v)
	}
	return append(to, ']')
}

func appendObject(to []byte, o Object) []byte {
	if o == nil {
		return append(to, "null"...)
	}
	to = append(to, '{')
	for i, key := range slices.Sorted(maps.Keys(o)) {
		if i > 0 {
			to = append(to, ',')
		}
		to = AppendJSON(append(AppendText(to, key), ':'), o[key])
	}
	return append(to, '}')
}

func appendOther(to []byte, v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // only values that Decode never makes
	}
	return append(to, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
