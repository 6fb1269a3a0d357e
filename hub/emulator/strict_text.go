package emulator

import (
	"regexp"
	"strings"
)

// spelledString matches what a text says between quotes, and comments.
var spelledString = regexp.MustCompile(`(?s)'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|/\*.*?\*/|\[\[.*?\]\]`)

// operator matches what may stand between operands, in groups of one kind, and
// parentheses.
var operator = regexp.MustCompile(`(?i)(\bAND\b)|(\bOR\b)|([\s)][*/%][\s(])|([\s)][+-][\s(])|([()])`)

// isMixed reports whether AND and OR, or arithmetic of two kinds, stand side by
// side with no parentheses to say which comes first. That a comparison comes
// before AND and OR the documented examples show.
func isMixed(text string) bool {
	text = spelledString.ReplaceAllString(text, " x ")
	if _, condition, found := cutFold(text, "where"); found {
		text = condition
	}
	levels := []level{{}}
	for _, m := range operator.FindAllStringSubmatch(text, -1) {
		top := len(levels) - 1
		switch {
		case m[5] == "(":
			levels = append(levels, level{})
		case m[5] == ")":
			if top > 0 {
				levels = levels[:top]
			}
		default:
			levels[top].add(m)
			if levels[top].mixed() {
				return true
			}
		}
	}
	return false
}

// A level is the operators inside one pair of parentheses.
type level struct{ and, or, times, plus bool }

func (l *level) add(m []string) {
	l.and = l.and || m[1] != ""
	l.or = l.or || m[2] != ""
	l.times = l.times || m[3] != ""
	l.plus = l.plus || m[4] != ""
}

func (l *level) mixed() bool { return l.and && l.or || l.times && l.plus }

// cutFold is [strings.Cut] around a word in any letters.
func cutFold(text, word string) (before, after string, found bool) {
	at := regexp.MustCompile(`(?i)\b` + word + `\b`).FindStringIndex(text)
	if at == nil {
		return text, "", false
	}
	return text[:at[0]], text[at[1]:], true
}

// cutSelect returns what stands between SELECT and FROM.
func cutSelect(text string) (rest, columns string) {
	columns, rest, _ = cutFold(spelledString.ReplaceAllString(text, "x"), "FROM")
	return rest, strings.TrimPrefix(columns, "SELECT ")
}

// aggregate matches a column that has no name of its own.
var aggregate = regexp.MustCompile(`(?i)^(count|avg|sum|min|max)\(.*\)$`)

// unknownColumn returns what is unknown about columns, as a query writes them.
func unknownColumn(columns string) string {
	for column := range strings.SplitSeq(columns, ", ") {
		if aggregate.MatchString(strings.TrimSpace(column)) {
			return unnamedAggregate
		}
	}
	return ""
}
