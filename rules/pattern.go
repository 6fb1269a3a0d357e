package rules

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// A pattern is the constant right side of matches. Go's expressions take time in
// proportion to text and pattern, with its repetitions written out.
type pattern struct {
	*regexp.Regexp
	size int
}

// maxPattern bounds a pattern whose repetitions are written out: x{1000} is one
// of 1000.
const maxPattern = 1000

func compilePattern(text string) (*pattern, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	size := patternSize(tree)
	if size > maxPattern {
		return nil, fmt.Errorf("a pattern of size %d, with its repetitions written out; at most %d is run", size, maxPattern)
	}
	re, err := regexp.Compile(text)
	return &pattern{re, size}, err
}

func patternSize(re *syntax.Regexp) int {
	n := 1
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n += patternSize(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min+1, re.Max)
	}
	return n
}

// match pays for every state that the pattern may be in at every character.
func (p *pattern) match(m *meter, s string) (bool, error) {
	if err := m.spend(1 + len(s)*p.size/8); err != nil {
		return false, err
	}
	return p.MatchString(s), nil
}
