package rules

import (
	"bytes"
	"slices"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// What most conditions compare is found here without expr: a number, the age of
// something, a text. It is one rule for all of them that they answer only where
// a value is spelled plainly and of the sort that is compared; expr decides the
// rest. A sift of ten rules whose values never come twice takes a half to an eighth
// of the time so (see BenchmarkNative).

// nativePlace returns how to find the place of a side among bounds, nil where there
// is no such way.
func nativePlace(side *part, bounds []any) func(v *view) (place int, ok bool) {
	switch bounds[0].(type) {
	case int, float64:
		return nativeNumbers(side, bounds)
	case time.Duration:
		return nativeAges(side, bounds)
	}
	return nil
}

// nativeNumbers places the number at a path.
func nativeNumbers(side *part, bounds []any) func(v *view) (place int, ok bool) {
	if !side.plainPath() {
		return nil
	}
	list := make([]float64, len(bounds))
	for i, b := range bounds {
		list[i], _ = asFloat(b)
	}
	key := side.single.key
	return func(v *view) (int, bool) {
		text := v.spans[v.paths.bySlot[key]].Of(v.data)
		if text == nil {
			return 2*len(list) + 1, true
		}
		x, ok := plainNumber(text)
		i, at := slices.BinarySearch(list, x)
		return placeAt(i, at), ok
	}
}

// plainPath reports whether p is nothing but a path below a section.
func (p *part) plainPath() bool { return p.single != nil && p.single.leadsBelow() }

// leadsBelow reports whether s is a value below a section.
func (s slot) leadsBelow() bool {
	return s.kind == slotValue && len(s.path) > 0 && slices.Contains(sectionNames, s.root.Name)
}

// nativeAges places how long ago something was.
func nativeAges(side *part, bounds []any) func(v *view) (place int, ok bool) {
	s, ok := side.since()
	if !ok {
		return nil
	}
	list := make([]time.Duration, len(bounds))
	for i, b := range bounds {
		list[i] = b.(time.Duration)
	}
	never := s.kind == slotValue // which the hub writes as the year 1
	return func(v *view) (int, bool) {
		text := v.spans[v.paths.bySlot[s.key]].Of(v.data)
		if text == nil {
			return 2*len(list) + 1, true
		}
		t, ok := twin.PlainTime(text)
		if never && t.Year() <= 1 {
			return 2*len(list) + 1, ok
		}
		i, at := slices.BinarySearch(list, v.now.Sub(t))
		return placeAt(i, at), ok
	}
}

// since returns of which slot p is the age: age(path), or now less a time.
func (p *part) since() (s slot, ok bool) {
	if len(p.slots) == 1 && p.slots[0].kind == slotAge && p.text == p.slots[0].spelled() {
		return p.slots[0], true
	}
	if p.op != "-" || p.of[0].text != "now" || len(p.of[1].slots) != 1 {
		return s, false
	}
	s = p.of[1].slots[0]
	return s, p.of[1].text == s.spelled() && (s.kind == slotUpdated || s.kind == slotValue && s.key == "lastActivityTime")
}

// tens are powers that floats hold exactly.
var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// plainNumber reads a number of at most fifteen digits without an exponent. The
// quotient of two numbers that floats hold exactly is the float that is next to it.
func plainNumber(text []byte) (x float64, ok bool) {
	digits := bytes.TrimPrefix(text, []byte("-"))
	if len(digits) == 0 || len(digits) > len(tens) || len(digits) > 1 && digits[0] == '0' && digits[1] != '.' {
		return 0, false
	}
	n, point := int64(0), -1
	for i, c := range digits {
		switch {
		case '0' <= c && c <= '9':
			n = 10*n + int64(c-'0')
		case c == '.' && point < 0 && i > 0 && i < len(digits)-1:
			point = i
		default:
			return 0, false
		}
	}
	x = float64(n)
	if point >= 0 {
		x /= tens[len(digits)-1-point]
	}
	if len(digits) < len(text) {
		x = -x
	}
	return x, true
}

// nativeAnswer returns how a condition's part is answered without expr, nil where
// it is not.
func nativeAnswer(p *part, at *scope) func(v *view) (holds, known bool) {
	if answer := nativeText(p, at); answer != nil {
		return answer
	}
	if answer := nativeOrder(p, at); answer != nil {
		return answer
	}
	return nativeAny(p)
}

// nativeTexts are the tests of one text against another.
var nativeTexts = map[string]func(s, t []byte) bool{
	"contains": bytes.Contains, "startsWith": bytes.HasPrefix, "endsWith": bytes.HasSuffix, "==": bytes.Equal,
}

// nativeText returns how a test of a text against a constant is answered, nil where
// it is none.
func nativeText(p *part, at *scope) func(v *view) (holds, known bool) {
	test, ok := nativeTexts[p.op]
	if !ok || !p.of[1].fixed || p.of[0].fixed || !p.of[0].plainPath() && (p.of[0].single == nil || p.of[0].single.key != "id") {
		return nil
	}
	value, _ := p.of[1].constant(at)
	right, ok := value.(string)
	if !ok || !plainASCII([]byte(right)) {
		return nil
	}
	want, key := []byte(right), p.of[0].single.key
	return func(v *view) (holds, known bool) {
		text := v.spans[v.paths.bySlot[key]].Of(v.data)
		if text == nil {
			return false, true
		}
		if len(text) < 2 || text[0] != '"' || !plainASCII(text[1:len(text)-1]) {
			return false, false
		}
		return test(text[1:len(text)-1], want), true
	}
}

// plainASCII reports whether the text of a string stands for itself.
func plainASCII(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}
