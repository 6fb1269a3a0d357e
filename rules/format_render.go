package rules

import "strings"

// render returns the lines with every token in its place. complete says that the
// file ended with its last line.
func (f *formatter) render(complete bool) []byte {
	f.relate()
	f.columns = map[int]int{}
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
		for _, t := range l.tokens {
			if t.own {
				f.columns[t.col] = t.to
			}
		}
		return l.placed()
	case l.inside == inFlow:
		return f.shifted(i)
	case l.comment():
		return strings.Repeat(" ", f.commentIndent(i)) + strings.TrimSpace(text)
	case f.anchor[i] >= 0 && f.lines[f.anchor[i]].flow && !strings.HasPrefix(text, "..."):
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

// shifted moves a line of a flow mapping or list as the line moves on which that
// begins.
func (f *formatter) shifted(i int) string {
	l := &f.lines[i]
	return strings.Repeat(" ", f.shiftedLead(i)) + string(l.text[l.lead():])
}

func (f *formatter) shiftedLead(i int) int {
	a := f.anchor[i]
	if a < 0 {
		f.odd = true
		return 0
	}
	from := &f.lines[a]
	return max(0, f.lines[i].lead()+from.tokens[0].to-from.lead())
}

// commentIndent returns where a line of comment goes: with the next line of
// structure, or with the last one before it that it was aligned with.
func (f *formatter) commentIndent(i int) int {
	l := &f.lines[i]
	lead := len(l.text) - len([]rune(strings.TrimLeft(string(l.text), " \t")))
	to := 0
	if next := f.follower[i]; next >= 0 {
		n := &f.lines[next]
		if len(n.tokens) == 0 && f.anchor[i] < 0 {
			return 0
		} else if len(n.tokens) == 0 {
			return f.shiftedLead(i)
		}
		if to = n.tokens[0].to; n.lead() == lead {
			return to
		}
	}
	if aligned, ok := f.columns[lead]; ok {
		return aligned
	}
	return to
}

// relate notes for each line the last one of structure before it and the next
// one behind it that is neither blank nor comment, -1 when there is none.
func (f *formatter) relate() {
	f.anchor, f.follower = make([]int, len(f.lines)), make([]int, len(f.lines))
	last := -1
	for i := range f.lines {
		f.anchor[i] = last
		if len(f.lines[i].tokens) > 0 {
			last = i
		}
	}
	next := -1
	for i := len(f.lines) - 1; i >= 0; i-- {
		f.follower[i] = next
		if l := &f.lines[i]; l.inside != outside || !l.empty() && !l.comment() {
			next = i
		}
	}
}
