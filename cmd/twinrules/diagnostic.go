package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/twinrules/twinrules/rules"
)

// writeDiagnostics prints each mistake with its line, a caret below it and the
// hint.
func writeDiagnostics(w io.Writer, list rules.Diagnostics) {
	for _, d := range list {
		fmt.Fprintln(w, rules.Excerpt(d.String(), 500))
		if d.Line != "" {
			writeExcerpt(w, d)
		}
		if d.Hint != "" {
			fmt.Fprintf(w, "  hint: %s\n", rules.Excerpt(d.Hint, 300))
		}
	}
	fmt.Fprintln(w, countOf(list))
}

// countOf says how many mistakes and warnings there are.
func countOf(list rules.Diagnostics) string {
	warnings := list.Warnings()
	switch mistakes := len(list) - warnings; {
	case warnings == 0:
		return plural(mistakes, "mistake")
	case mistakes == 0:
		return plural(warnings, "warning")
	default:
		return plural(mistakes, "mistake") + ", " + plural(warnings, "warning")
	}
}

// maxExcerpt bounds how much of a line is shown, in characters.
const maxExcerpt = 160

func writeExcerpt(w io.Writer, d *rules.Diagnostic) {
	line, col := []rune(strings.ReplaceAll(d.Line, "\t", " ")), d.Pos.Col-1
	if col > len(line) {
		col = len(line)
	}
	if from := col - maxExcerpt/2; len(line) > maxExcerpt && from > 0 {
		line, col = line[from:], col-from
	}
	shown := line[:min(len(line), maxExcerpt)]
	width := min(d.Width, max(1, len(shown)-col))
	under := string(shown[min(col, len(shown)):min(col+width, len(shown))])
	number := fmt.Sprint(d.Pos.Line)
	fmt.Fprintf(w, "  %s | %s\n", number, rules.Excerpt(string(shown), maxExcerpt))
	fmt.Fprintf(w, "  %s | %s%s\n", strings.Repeat(" ", len(number)),
		strings.Repeat(" ", runewidth.StringWidth(string(shown[:min(col, len(shown))]))),
		strings.Repeat("^", max(1, runewidth.StringWidth(under))))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
