package rules

import "strings"

// render returns the lines with every token in its place. complete says that the
// file ended with its last line.
func (f *formatter) render(complete bool) []byte {
	var b strings.Builder
	gap := false
	for i := range f.lines {
		l := &f.lines[i]
		if l.inside == outside && l.empty() {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte('\n')
		}
		gap = false
		b.WriteString(f.line(i))
		b.WriteByte('\n')
	}
	if last := &f.lines[len(f.lines)-1]; !complete && (last.inside == inBlock || last.inside == lineBreak) {
		return []byte(strings.TrimSuffix(b.String(), "\n")) // its value ends without a line break
	}
	return []byte(b.String())
}

func (f *formatter) line(i int) string {
	l := &f.lines[i]
	text := string(l.text)
	switch {
	case l.inside == lineBreak:
		return ""
	case l.inside == inBlock:
		return strings.Repeat(" ", max(0, l.lead()+l.shift)) + strings.TrimLeft(text, " ")
	case l.inside == inText:
		return strings.Repeat(" ", l.indent) + strings.TrimLeft(text, " ")
	case len(l.tokens) > 0:
		return l.placed()
	case l.inside == inFlow:
		return f.shifted(i)
	case l.comment():
		return strings.Repeat(" ", f.commentIndent(i)) + strings.TrimSpace(text)
	case f.anchor(i) >= 0 && f.lines[f.anchor(i)].flow && !strings.HasPrefix(text, "..."):
		return strings.TrimRight(f.shifted(i), " \t")
	}
	if !strings.HasPrefix(text, "---") && !strings.HasPrefix(text, "...") && !strings.HasPrefix(text, "%") {
		f.odd = true
	}
	return strings.TrimRight(text, " \t")
}

// placed returns a line of structure.
func (l *formatLine) placed() string {
	var b strings.Builder
	for i, t := range l.tokens {
		end := len(l.text)
		if i+1 < len(l.tokens) {
			end = l.tokens[i+1].col
		}
		if i == 0 {
			b.WriteString(strings.Repeat(" ", t.to))
		} else {
			b.WriteByte(' ')
		}
		text := string(l.text[t.col:end])
		if i+1 < len(l.tokens) || !l.held {
			text = strings.TrimRight(text, " \t")
		}
		b.WriteString(text)
	}
	return b.String()
}

// anchor returns the last line of structure before line i, -1 when there is none.
func (f *formatter) anchor(i int) int {
	for i--; i >= 0; i-- {
		if len(f.lines[i].tokens) > 0 {
			return i
		}
	}
	return -1
}

// shifted moves a line of a flow mapping or list as the line moves on which that
// begins.
func (f *formatter) shifted(i int) string {
	l := &f.lines[i]
	return strings.Repeat(" ", f.shiftedLead(i)) + string(l.text[l.lead():])
}

func (f *formatter) shiftedLead(i int) int {
	a := f.anchor(i)
	if a < 0 {
		f.odd = true
		return 0
	}
	from := &f.lines[a]
	return max(0, f.lines[i].lead()+from.tokens[0].to-from.lead())
}

// commentIndent returns where a line of comment goes: with the next line of
// structure, or with one before it that it was aligned with.
func (f *formatter) commentIndent(i int) int {
	lead := len(f.lines[i].text) - len([]rune(strings.TrimLeft(string(f.lines[i].text), " \t")))
	next := i + 1
	for next < len(f.lines) && (f.lines[next].empty() || f.lines[next].comment()) && f.lines[next].inside == outside {
		next++
	}
	to := 0
	if next < len(f.lines) {
		if len(f.lines[next].tokens) == 0 {
			return f.shiftedIfFlow(i)
		}
		if to = f.lines[next].tokens[0].to; f.lines[next].lead() == lead {
			return to
		}
	}
	for a := f.anchor(i); a >= 0; a = f.anchor(a) {
		for _, t := range f.lines[a].tokens {
			if t.own && t.col == lead {
				return t.to
			}
		}
	}
	return to
}

// shiftedIfFlow places a comment before a line that is no structure.
func (f *formatter) shiftedIfFlow(i int) int {
	if f.anchor(i) < 0 {
		return 0
	}
	return f.shiftedLead(i)
}
