package rules

import (
	"fmt"
	"strings"
	"unicode"
)

// Excerpt returns text that is safe in a line of output, cut to at most max
// characters: what a device wrote must not move a terminal's cursor, end a line
// or reverse the reading direction. Such characters are shown as \u{…}.
func Excerpt(text string, max int) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n == max {
			b.WriteString("…")
			break
		}
		n++
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar,
			r == '\u2028', r == '\u2029':
			fmt.Fprintf(&b, "\\u{%x}", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
