package twin_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/twin"
)

func TestScan(t *testing.T) {
	paths := [][]string{{"deviceId"}, {"tags"}, {"tags", "site"}, {"properties", "desired", "fan", "speed"}, {"tags", "a\"b"}, {""}, {"tags", "site"}}
	for _, c := range []struct{ name, text, want string }{
		{"all there", `{"deviceId":"d","tags":{"site":"muc","a\"b":1},"properties":{"desired":{"fan":{"speed":3}}}}`,
			`"d" {"site":"muc","a\"b":1} "muc" 3 1 - "muc"`},
		{"white space", " {\t\"deviceId\" :\r\n \"d\" , \"tags\" : { \"site\" : [ 1 , 2 ] } } tail", `"d" { "site" : [ 1 , 2 ] } [ 1 , 2 ] - - - [ 1 , 2 ]`},
		{"empty", `{}`, `- - - - - - -`},
		{"nothing below a scalar", `{"tags":"site","properties":{"desired":[{"fan":{"speed":3}}]}}`, `- "site" - - - - -`},
		{"null is a value", `{"tags":{"site":null},"properties":null}`, `- {"site":null} null - - - null`},
		{"escaped keys", `{"\u0064eviceId":"d","t\u0061gs":{"a\u0022b":-1.50e+3}}`, `"d" {"a\u0022b":-1.50e+3} - - -1.50e+3 - -`},
		{"an empty key", `{"":false,"tags":{"":1}}`, `- {"":1} - - - false -`},
		{"metadata is not looked at", `{"properties":{"desired":{"$metadata":{"fan":{"speed":{"$lastUpdated":"x"}}},"fan":{"speed":"}\"]"},"$version":9}}}`, `- - - "}\"]" - - -`},
		{"big numbers stay", `{"deviceId":12345678901234567890.000,"tags":{"site":1.0}}`, `12345678901234567890.000 {"site":1.0} 1.0 - - - 1.0`},
		{"a key twice where nobody looks", `{"x":1,"x":2,"deviceId":"d"}`, `"d" - - - - - -`},
	} {
		t.Run(c.name, func(t *testing.T) {
			spans := make([]twin.Span, len(paths))
			end, err := twin.NewScanner(paths).Scan([]byte(c.text), spans)
			if err != nil {
				t.Fatal(err)
			}
			if rest := c.text[end:]; rest != "" && rest != " tail" {
				t.Errorf("it ends before %q", rest)
			}
			var got []string
			for _, s := range spans {
				if s.Missing() {
					got = append(got, "-")
				} else {
					got = append(got, string(s.Of([]byte(c.text))))
				}
			}
			if all := strings.Join(got, " "); all != c.want {
				t.Errorf("got  %s\nwant %s", all, c.want)
			}
		})
	}
}

func TestScanRefuses(t *testing.T) {
	s := twin.NewScanner([][]string{{"deviceId"}, {"tags", "site"}})
	for text, want := range map[string]string{
		``:                                 `invalid JSON at offset 0: not an object`,
		`[]`:                               `invalid JSON at offset 0: not an object`,
		`{`:                                `invalid JSON at offset 1: the text ends where a key should stand`,
		`{"deviceId"`:                      `invalid JSON at offset 11: the text ends where a colon should stand`,
		`{"deviceId":`:                     `invalid JSON at offset 12: the text ends where a value should stand`,
		`{"deviceId":"d`:                   `invalid JSON at offset 14: the text ends inside a string`,
		`{"deviceId":"d\`:                  `invalid JSON at offset 15: the text ends inside a string`,
		`{"deviceId":"d","deviceId":1}`:    `invalid JSON at offset 16: duplicate key "deviceId"`,
		`{"tags":{},"t\u0061gs":{}}`:       `invalid JSON at offset 11: duplicate key "tags"`,
		`{"tags":{"site":1,"site":2}}`:     `invalid JSON at offset 18: duplicate key "site"`,
		`{"x":nul}`:                        `invalid JSON at offset 5: "n" where a value should stand`,
		`{"x":1 "y":2}`:                    `invalid JSON at offset 7: "\"" where a comma should stand`,
		`{"x":1,}`:                         `invalid JSON at offset 7: "}" where a key should stand`,
		`{"x":{"y":[1,2}`:                  `invalid JSON at offset 15: the text ends inside an object or array`,
		`{"x":` + strings.Repeat("[", 100): `invalid JSON at offset 69: nested more than 64 levels`,
	} {
		if _, err := s.Scan([]byte(text), make([]twin.Span, 2)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestScanManyKeys: an object may have any number of wanted keys.
func TestScanManyKeys(t *testing.T) {
	var paths [][]string
	o := twin.Object{}
	for i := range 200 {
		key := fmt.Sprint("k", i)
		paths, o[key] = append(paths, []string{key}), key
	}
	text := twin.Encode(o)
	spans := make([]twin.Span, len(paths))
	if _, err := twin.NewScanner(paths).Scan(text, spans); err != nil {
		t.Fatal(err)
	}
	for i, s := range spans {
		if got, want := string(s.Of(text)), fmt.Sprintf("%q", paths[i][0]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	twice := append(text[:len(text)-1:len(text)-1], `,"k150":1}`...)
	if _, err := twin.NewScanner(paths).Scan(twice, spans); err == nil {
		t.Error("a key that stands twice is taken")
	}
}

// FuzzScan holds the scanner to what Decode makes of a document: what Decode
// takes, the scanner takes, and both see the same.
func FuzzScan(f *testing.F) {
	paths := [][]string{{"a"}, {"a", "b"}, {"a", "b", "c"}, {"tags"}, {"tags", "site"}, {"properties", "reported", "x"}, {"properties", "desired", "$version"}, {"a", "b", ""}}
	for _, text := range []string{`{"a":{"b":{"c":[{"c":1}]}}}`, `{"\u0061":{"b":null}}`, ` {"a" : 1e5,"tags":{"site":"\\\""}} `, `{"a":{"b":{"":{}}}}`} {
		f.Add([]byte(text))
	}
	scanner := twin.NewScanner(paths)
	learner := scanner.Learner()
	f.Fuzz(func(t *testing.T, data []byte) {
		spans := make([]twin.Span, len(paths))
		end, err := scanner.Scan(data, spans)
		for range 3 { // it learns in between
			checkLearner(t, learner, data, spans, end, err)
		}
		want, wrong := twin.DecodeObject(data)
		if wrong != nil {
			return // the scanner does not look at everything, and must only come to an end
		}
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		if rest := strings.TrimSpace(string(data[end:])); rest != "" {
			t.Fatalf("%q: it ends before %q", data, rest)
		}
		for i, path := range paths {
			value, exists := want.Lookup(path...)
			if exists == spans[i].Missing() {
				t.Fatalf("%q: %v is there: %v", data, path, exists)
			}
			if !exists {
				continue
			}
			got, err := twin.Decode(spans[i].Of(data))
			if diff := cmp.Diff(value, got); err != nil || diff != "" {
				t.Fatalf("%q: %v: %v %s", data, path, err, diff)
			}
		}
	})
}

// TestScanRandom does what FuzzScan does with 20,000 documents that are mostly
// right, with white space and escapes.
func TestScanRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	keys := []string{"a", "b", "c", "tags", "site", "$metadata", "a b", "é", ""}
	var paths [][]string
	for range 12 {
		var path []string
		for range 1 + r.IntN(3) {
			path = append(path, keys[r.IntN(len(keys))])
		}
		paths = append(paths, path)
	}
	scanner := twin.NewScanner(paths)
	spans := make([]twin.Span, len(paths))
	for range 20_000 {
		o := randomObject(r, keys, 0)
		text := respelled(r, twin.Encode(o))
		if _, err := scanner.Scan(text, spans); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for i, path := range paths {
			value, exists := o.Lookup(path...)
			var got any
			if !spans[i].Missing() {
				got, _ = twin.Decode(spans[i].Of(text))
			}
			if exists == spans[i].Missing() || !twin.Equal(got, value) {
				t.Fatalf("%s\n%q: got %v, want %v", text, path, got, value)
			}
		}
	}
}

// TestLearner holds a learner to the scanner, on 40,000 documents in all sorts of
// order, most of which resemble one another and half of which are broken: whatever
// it has seen, it finds and refuses the same.
func TestLearner(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	data, err := os.ReadFile("testdata/reefer.json")
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{"deviceId", "tags", "site", "kind", "properties", "reported", "$metadata", "a key that is too long to be learnt", ""}
	paths := [][]string{{"deviceId"}, {"tags"}, {"tags", "kind"}, {"tags", "kind"}, {"tags", "site"}, {"properties", "reported", "door"}, {"properties", "reported"}, {"kind", "site", "tags"}}
	scanner := twin.NewScanner(paths)
	learner, spans := scanner.Learner(), make([]twin.Span, len(paths))
	for range 40_000 {
		text := append(twin.Encode(randomObject(r, keys, 0)), data[:r.IntN(50)]...)
		if r.IntN(2) == 0 {
			text = bytes.Clone(data)
		}
		if r.IntN(2) == 0 {
			text[r.IntN(len(text))] = `{}[],:"\ \n0ae`[r.IntN(13)]
		}
		if r.IntN(8) == 0 {
			text = text[:r.IntN(len(text))]
		}
		end, err := scanner.Scan(text, spans)
		checkLearner(t, learner, text, spans, end, err)
	}
}

// checkLearner checks that a learner says of data what the scanner said.
func checkLearner(t *testing.T, l *twin.Learner, data []byte, spans []twin.Span, end int, err error) {
	t.Helper()
	got := make([]twin.Span, len(spans))
	gotEnd, gotErr := l.Scan(data, got)
	if gotEnd != end || fmt.Sprint(gotErr) != fmt.Sprint(err) || err == nil && !slices.Equal(got, spans) {
		t.Fatalf("%q: got %v, %d, %v, want %v, %d, %v", data, got, gotEnd, gotErr, spans, end, err)
	}
}

func randomObject(r *rand.Rand, keys []string, depth int) twin.Object {
	o := twin.Object{}
	for range r.IntN(6) {
		key := keys[r.IntN(len(keys))]
		switch n := r.IntN(7); {
		case n < 3 && depth < 4:
			o[key] = randomObject(r, keys, depth+1)
		case n == 3:
			o[key] = []any{randomObject(r, keys, 4), `]}"\`, nil}
		case n == 4:
			o[key] = r.IntN(2) == 0
		case n == 5:
			o[key] = nil
		default:
			o[key] = slices.Repeat([]string{`{"a\`}, 1+r.IntN(5))[0]
		}
	}
	return o
}

// respelled writes JSON otherwise: with white space, and letters as escapes.
func respelled(r *rand.Rand, text []byte) (out []byte) {
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\':
			out = append(out, c, text[i+1])
			i++
			continue
		case c == '"':
			quoted = !quoted
		case quoted && c >= 'a' && c <= 'z' && r.IntN(8) == 0:
			out = fmt.Appendf(out, `\u%04x`, c)
			continue
		}
		if !quoted && strings.IndexByte(`{}[],:`, c) >= 0 && r.IntN(4) == 0 {
			out = append(append(out, " \n"...), c, '\t')
			continue
		}
		out = append(out, c)
	}
	return out
}

// BenchmarkScan races the scanner against Parse on one twin of 2.5 KB, as a hub
// writes it, for 25 paths.
func BenchmarkScan(b *testing.B) {
	data, err := os.ReadFile("testdata/reefer.json")
	if err != nil {
		b.Fatal(err)
	}
	paths := [][]string{
		{"deviceId"}, {"moduleId"}, {"etag"}, {"version"}, {"status"}, {"connectionState"}, {"lastActivityTime"},
		{"tags", "kind"}, {"tags", "site"}, {"tags", "tier"}, {"tags", "ring"},
		{"properties", "desired", "telemetry", "intervalSec"}, {"properties", "desired", "telemetry", "burst"}, {"properties", "desired", "firmware", "channel"},
		{"properties", "reported", "battery", "pct"}, {"properties", "reported", "firmware", "version"}, {"properties", "reported", "lastError"},
		{"properties", "reported", "telemetry", "intervalSec"}, {"properties", "reported", "temperature", "setpoint"}, {"properties", "reported", "door"},
		{"properties", "reported", "$metadata", "battery", "pct", "$lastUpdated"}, {"properties", "reported", "network", "rssi"},
		{"properties", "reported", "compressor", "hours"}, {"properties", "desired", "$version"}, {"properties", "reported", "$version"},
	}
	scanner := twin.NewScanner(paths)
	spans := make([]twin.Span, len(paths))
	b.Run("scan", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := scanner.Scan(data, spans); err != nil {
				b.Fatal(err)
			}
		}
	})
	learner := scanner.Learner()
	b.Run("learner", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := learner.Scan(data, spans); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := twin.Parse(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSkip passes over metadata as the hub writes it, and over the same with
// times that have one digit less, whose shape is not known.
func BenchmarkSkip(b *testing.B) {
	data, err := os.ReadFile("testdata/reefer.json")
	if err != nil {
		b.Fatal(err)
	}
	scanner, spans := twin.NewScanner([][]string{{"deviceId"}}), make([]twin.Span, 1)
	for name, text := range map[string]string{"shapes": string(data), "bytes": strings.ReplaceAll(string(data), `0Z"`, `Z"`)} {
		b.Run(name, func(b *testing.B) {
			data := []byte(text)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := scanner.Scan(data, spans); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
