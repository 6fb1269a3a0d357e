package rules

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// level is the indentation of one level.
const level = 2

// root places the whole document.
func (f *formatter) root(n *yaml.Node) {
	switch {
	case n.Style&yaml.FlowStyle != 0 || n.Style&yaml.TaggedStyle != 0:
		f.odd = true
	case n.Kind == yaml.MappingNode:
		f.mapping(n, 0)
	case n.Kind == yaml.SequenceNode:
		f.sequence(n, 0, n.Line-1)
	default:
		f.odd = true
	}
}

// mapping puts the keys of a block mapping to column indent and returns its last
// line.
func (f *formatter) mapping(n *yaml.Node, indent int) (end int) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if f.odd || f.marked(key) || key.Kind != yaml.ScalarNode || key.Style&(yaml.TaggedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			f.odd = true
			return end
		}
		f.put(key.Line-1, key.Column-1, indent, false)
		end = max(end, f.value(n.Content[i+1], indent, key.Line-1))
	}
	return end
}

// questionMark is a line with nothing but the sign before a key.
var questionMark = regexp.MustCompile(`^[\s-]*\?\s*(#.*)?$`)

// marked reports whether the line before a key is the sign of one, which may stand
// there alone.
func (f *formatter) marked(key *yaml.Node) bool {
	line := key.Line - 2
	for line >= 0 && (f.lines[line].empty() || f.lines[line].comment()) {
		line--
	}
	return line >= 0 && questionMark.MatchString(string(f.lines[line].text))
}

// sequence puts the dashes of a block sequence to column indent.
func (f *formatter) sequence(n *yaml.Node, indent, from int) (end int) {
	line := n.Line - 1
	for i, item := range n.Content {
		if f.odd {
			return end
		}
		if i > 0 {
			line = f.nextDash(max(end, line)+1, n.Column-1)
		}
		if line < 0 || line >= len(f.lines) || n.Column > len(f.lines[line].text) || f.lines[line].text[n.Column-1] != '-' {
			f.odd = true
			return max(end, from)
		}
		f.put(line, n.Column-1, indent, true)
		end = max(line, f.value(item, indent, line))
	}
	return end
}

// nextDash returns the next line whose first character is a dash in column col,
// -1 when there is none.
func (f *formatter) nextDash(from, col int) int {
	for i := from; i < len(f.lines); i++ {
		l := &f.lines[i]
		if l.lead() == col && len(l.text) > col && l.text[col] == '-' && (len(l.text) == col+1 || l.text[col+1] == ' ' || l.text[col+1] == '\t') {
			return i
		}
	}
	return -1
}

// value places what stands behind a key or a dash in column indent of line.
func (f *formatter) value(n *yaml.Node, indent, line int) (end int) {
	block := yaml.LiteralStyle | yaml.FoldedStyle
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0:
		f.odd = true
		return line
	case n.Kind == yaml.ScalarNode && n.Value == "" && n.ShortTag() == "!!null":
		return line // nothing stands there
	case n.Style&yaml.FlowStyle != 0:
		f.put(n.Line-1, n.Column-1, indent+level, false)
		return f.flow(n)
	case n.Kind == yaml.MappingNode:
		return max(line, f.mapping(n, indent+level))
	case n.Kind == yaml.SequenceNode:
		return max(line, f.sequence(n, indent+level, line))
	case n.Style&block != 0:
		f.put(n.Line-1, n.Column-1, indent+level, false)
		return f.block(n, indent)
	}
	f.put(n.Line-1, n.Column-1, indent+level, false)
	return f.text(n, inText, indent+level)
}

// put sets the place of the token at col of line: column indent when it is the
// first of its line, else one space behind what stands before it.
func (f *formatter) put(line, col, indent int, dash bool) {
	l := &f.lines[line]
	t := token{col: col, to: indent, own: true, dash: dash}
	if len(l.tokens) == 0 {
		if strings.Trim(string(l.text[:col]), " ") != "" {
			f.odd = true
		}
	} else if last := l.tokens[len(l.tokens)-1]; last.col < col {
		between := strings.TrimRight(string(l.text[last.col:col]), " \t")
		t.own = last.dash
		if last.dash && between != "-" || !last.dash && !strings.HasSuffix(between, ":") {
			f.odd = true
		}
	} else {
		f.odd = true
	}
	l.tokens = append(l.tokens, t)
}

// flow notes the lines of a flow mapping or list, which keep their shape, and
// returns the last that one of its values stands on.
func (f *formatter) flow(n *yaml.Node) int {
	f.lines[n.Line-1].flow = true
	return f.flowText(n)
}

func (f *formatter) flowText(n *yaml.Node) int {
	if n.Style&yaml.TaggedStyle != 0 {
		f.odd = true
		return n.Line - 1
	}
	if n.Kind == yaml.ScalarNode {
		if n.Value == "" {
			return n.Line - 1
		}
		return f.text(n, inFlow, 0)
	}
	end := n.Line - 1
	for _, c := range n.Content {
		end = max(end, f.flowText(c))
	}
	return end
}

// text notes the further lines of a plain or quoted scalar.
func (f *formatter) text(n *yaml.Node, kind lineKind, indent int) int {
	list := f.src.positions(n)
	start, end := n.Line-1, min(list[len(list)-1].Line, len(f.lines))-1
	for i := start; i <= end && start < end; i++ {
		l := &f.lines[i]
		l.held = true
		if i > start {
			l.inside, l.indent = kind, indent
		}
		if i > start && l.empty() {
			l.inside = lineBreak
		}
	}
	return end
}

// blockHeader matches what a block scalar begins with, and a comment.
var blockHeader = regexp.MustCompile(`^[|>]([-+]?)([1-9]?)([-+]?)[ \t]*(#.*)?$`)

// block notes the lines of a block scalar, whose indentation counts: they move
// together.
func (f *formatter) block(n *yaml.Node, indent int) int {
	start := n.Line - 1
	header := blockHeader.FindStringSubmatch(string(f.lines[start].text[n.Column-1:]))
	if header == nil {
		f.odd = true
		return start
	}
	first := start + 1
	for first < len(f.lines) && strings.Trim(string(f.lines[first].text), " ") == "" {
		first++
	}
	own, ok := firstLead(n.Value)
	if first == len(f.lines) || !ok {
		f.odd = f.odd || n.Value != ""
		return start
	}
	base, to := f.lines[first].lead()-own, indent+level
	if header[2] != "" {
		to = indent + int(header[2][0]-'0')
	}
	return f.blockLines(start+1, base, to-base, header[1]+header[3] == "+")
}

// blockLines notes the lines from start on that belong to a block scalar with
// indentation base.
func (f *formatter) blockLines(start, base, shift int, keep bool) int {
	end := start - 1
	for i := start; i < len(f.lines); i++ {
		l := &f.lines[i]
		spaces := strings.Trim(string(l.text), " ") == ""
		if !spaces && l.lead() < base {
			break
		}
		if !spaces || keep || len(l.text) > base {
			end = i
		}
	}
	for i := start; i <= end; i++ {
		l := &f.lines[i]
		l.inside, l.shift, l.held = inBlock, shift, true
		if len(l.text) <= base && strings.Trim(string(l.text), " ") == "" {
			l.inside = lineBreak
		}
	}
	return end
}

// firstLead returns how many spaces the first line of a value that is not blank
// begins with.
func firstLead(value string) (int, bool) {
	for line := range strings.SplitSeq(value, "\n") {
		if text := strings.TrimLeft(line, " "); text != "" {
			return len(line) - len(text), true
		}
	}
	return 0, false
}
