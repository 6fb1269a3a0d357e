package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/fatih/color"
	"github.com/mattn/go-runewidth"

	"github.com/twinrules/twinrules/rules"
)

// A text is what is written so far for a terminal. All that is written goes
// through line or heading, which let no control character pass.
type text struct {
	strings.Builder
	width  int
	color  bool
	at     map[string]string // rule to place in the pack
	widths *runewidth.Condition
}

func newText(opts *Options) *text {
	// The conditions are named, because the library's default depends on the
	// environment, and the same plan has the same bytes.
	return &text{
		width: opts.width(), color: opts.color(), at: map[string]string{},
		widths: &runewidth.Condition{StrictEmojiNeutral: true},
	}
}

// clean shows the characters that a terminal would act on.
func clean(text string) string {
	if printable(text) {
		return text
	}
	return rules.Excerpt(text, math.MaxInt)
}

// printable reports whether text has nothing but printable ASCII, which most
// text is and which needs no tables to be looked up.
func printable(text string) bool {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] > 0x7e {
			return false
		}
	}
	return true
}

func (t *text) line(line string) { t.WriteString(clean(line) + "\n") }

// columns returns how many columns of the terminal s takes.
func (t *text) columns(s string) int {
	if printable(s) {
		return len(s)
	}
	return t.widths.StringWidth(clean(s))
}

// cut returns s without what is beyond max columns.
func (t *text) cut(s string, max int) string { return t.widths.Truncate(clean(s), max, "…") }

// middle returns s without what is in its middle beyond max columns: of a path
// both ends tell most.
func (t *text) middle(s string, max int) string {
	s = clean(s)
	if t.columns(s) <= max {
		return s
	}
	tail := []rune(s)
	tail = tail[len(tail)-min(len(tail), max):]
	for t.columns(string(tail)) > (max-1)/2 {
		tail = tail[1:]
	}
	return t.widths.Truncate(s, max-t.columns(string(tail)), "…") + string(tail)
}

// names lists as many names as fit into room columns.
func (t *text) names(list []string, room int) string {
	for n := len(list); n > 1; n-- {
		line := strings.Join(list[:n], ", ")
		if n < len(list) {
			line += fmt.Sprintf(", … %d more", len(list)-n)
		}
		if t.columns(line) <= room {
			return line
		}
	}
	if len(list) == 1 {
		return t.middle(list[0], room)
	}
	more := fmt.Sprintf(", … %d more", len(list)-1)
	return t.middle(list[0], room-t.columns(more)) + more
}

// heading begins a block: a sign, what left returns for the room that there is,
// and right at the end of the line.
func (t *text) heading(sign string, left func(room int) string, right string) {
	right = clean(right)
	line := "  " + sign + " " + clean(left(t.width-4-3-t.columns(right)))
	gap := ""
	if right != "" {
		gap = strings.Repeat(" ", max(3, t.width-t.columns(line)-t.columns(right)))
	}
	t.WriteString("\n" + t.paint(sign, line) + gap + right + "\n")
}

// problem begins a block about something that is wrong, or no longer is.
func (t *text) problem(sign, format string, args ...any) {
	words := strings.Fields(clean(fmt.Sprintf(format, args...)))
	t.WriteString("\n")
	mark := sign
	for _, line := range t.lines(t.width-4, " ", words) {
		t.WriteString(t.paint(sign, "  "+mark+" "+line) + "\n")
		mark = " "
	}
}

// sentence writes words, as far in as the first of them.
func (t *text) sentence(s string) {
	words := strings.TrimLeft(s, " ")
	t.flow(s[:len(s)-len(words)], " ", strings.Fields(words)...)
}

// flow writes parts behind lead with sep between them, and goes on under the
// first one where a line would be too wide.
func (t *text) flow(lead, sep string, parts ...string) {
	for _, line := range t.lines(t.width-t.columns(lead), sep, parts) {
		t.line(strings.TrimRight(lead+line, " "))
		lead = strings.Repeat(" ", t.columns(lead))
	}
}

// lines joins parts to lines of at most room columns.
func (t *text) lines(room int, sep string, parts []string) (lines []string) {
	room = max(room, 20)
	line := ""
	for _, part := range parts {
		switch part = clean(part); {
		case part == "":
			continue
		case line == "":
			line = part
		case t.columns(line+sep+part) <= room:
			line += sep + part
		default:
			lines, line = append(lines, line), strings.TrimLeft(part, " ")
		}
		for t.columns(line) > room {
			head := t.widths.Truncate(line, room, "")
			lines, line = append(lines, head), line[len(head):]
		}
	}
	return append(lines, line)
}

// paint colours a line by its sign.
func (t *text) paint(sign, line string) string {
	attribute, known := map[string]color.Attribute{
		"+": color.FgGreen, "~": color.FgYellow, "-": color.FgRed, "<": color.FgMagenta, "!": color.FgRed, "?": color.FgYellow, "=": color.FgBlue,
	}[sign]
	if !t.color || !known {
		return line
	}
	c := color.New(attribute)
	c.EnableColor()
	return c.Sprint(line)
}
