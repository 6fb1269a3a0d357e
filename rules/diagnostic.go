package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Diagnostic is a mistake in a file that a person can mend.
type Diagnostic struct {
	Pos     Pos    // where it starts
	Width   int    // characters it covers on its line, at least 1
	Line    string // the text of that line
	Code    Code   // stable; what documentation and suppressions name
	Message string // one line, lower case
	Hint    string // the next step, "" when there is not one good one

	Twin *twin.Twin // on which it shows, where [Check] proves it by one; else nil
}

// Warning reports whether the pack does what it says, which may not be what is
// meant. What is no warning is a mistake.
func (d *Diagnostic) Warning() bool {
	i := slices.IndexFunc(Codes, func(c CodeDoc) bool { return c.Code == d.Code })
	return i >= 0 && Codes[i].Warning
}

// String returns "file:line:col: message [code]", of a warning with that word
// before the message.
func (d *Diagnostic) String() string {
	if d.Warning() {
		return fmt.Sprintf("%s: warning: %s [%s]", d.Pos, d.Message, d.Code)
	}
	return fmt.Sprintf("%s: %s [%s]", d.Pos, d.Message, d.Code)
}

// Diagnostics is every mistake of a pack, in the order of files and lines. It is
// an error when it is not empty; only that of [Check] has warnings.
type Diagnostics []*Diagnostic

// Warnings counts the warnings among them.
func (list Diagnostics) Warnings() (n int) {
	for _, d := range list {
		if d.Warning() {
			n++
		}
	}
	return n
}

// Error returns a line for each mistake.
func (list Diagnostics) Error() string {
	lines := make([]string, len(list))
	for i, d := range list {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// A reporter collects the diagnostics of one pack.
type reporter struct{ found Diagnostics }

func (r *reporter) add(d *Diagnostic) { r.found = append(r.found, d) }

// maxFound is how many mistakes are noted: to find the place of one costs a walk
// through its line, and nobody reads a thousand.
const maxFound = 1000

func (r *reporter) full() bool { return len(r.found) >= maxFound }

// sorted returns what was found, by place and each mistake once, and nil when
// that is nothing. What is read twice, such as the elements of a list, is also
// reported twice.
func (r *reporter) sorted() Diagnostics {
	list := slices.SortedStableFunc(slices.Values(r.found), func(a, b *Diagnostic) int {
		return cmp.Or(strings.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col),
			strings.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(list, func(a, b *Diagnostic) bool { return *a == *b })
}

// nearest returns the word of known that a person most likely meant, or "".
func nearest(word string, known []string) string {
	if len(word) > maxName {
		return ""
	}
	best, distance := "", max(2, len(word)/3+1)
	for _, candidate := range known {
		if d := editDistance(strings.ToLower(word), strings.ToLower(candidate)); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b.
func editDistance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

func didYouMean(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return ""
}
