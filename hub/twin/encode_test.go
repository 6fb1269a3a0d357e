package twin_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/hub/twin"
)

// byLibrary is what Encode is held to.
func byLibrary(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func TestEncodeIsEncodingJSON(t *testing.T) {
	for _, v := range []any{
		nil, true, false, "", "x", "a\"b\\c", "\x00\x1f\x7f", "é", "\u2028\u2029", "\xff", "<&>", 1, 1.5, int64(7), []string{"a"}, map[string]any{"b": 1, "a": nil},
		json.Number("1"), json.Number("-0.50"), json.Number("1e400"), json.Number("12345678901234567890123"), []any(nil), []any{}, twin.Object(nil), twin.Object{},
		twin.Object{"z": []any{nil, "x", twin.Object{"<": json.Number("1.0")}}, "a": true, "": "y", "é": "\n"},
	} {
		if got, want := string(twin.Encode(v)), byLibrary(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		o := document(4).Draw(t, "document")
		o[rapid.String().Draw(t, "key")] = rapid.String().Draw(t, "text")
		if got, want := string(twin.Encode(o)), byLibrary(o); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestEncodePanics(t *testing.T) {
	for _, v := range []any{math.NaN(), json.Number("x"), func() {}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v was encoded", v)
				}
			}()
			twin.Encode(v)
		}()
	}
}

func BenchmarkEncode(b *testing.B) {
	t, err := twin.Parse([]byte(reefer))
	if err != nil {
		b.Fatal(err)
	}
	o := t.Reported()
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			twin.Encode(o)
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		for b.Loop() {
			byLibrary(o)
		}
	})
}
