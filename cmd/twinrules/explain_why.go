package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// writeWhy shows what the conditions of a rule looked at and came to, and what
// would have to be otherwise for it to match.
func writeWhy(w io.Writer, e rules.Explanation) {
	writeTerms(w, "selector", e.Selector)
	writeTerms(w, "when", e.When)
	writeTerms(w, "until", e.Until)
	if len(e.Facts) > 0 {
		fmt.Fprintf(w, "      plugin    %s\n", rules.Excerpt(string(twin.Encode(e.Facts)), 200))
	}
	for i, m := range e.Miss {
		head := "nearest"
		if i > 0 {
			head = "and"
		}
		fmt.Fprintf(w, "      %-9s %s\n", head, missLine(m))
	}
}

// missLine says what would have to be otherwise.
func missLine(m rules.Miss) string {
	line := fmt.Sprintf("%s would have to be %v", rules.Excerpt(m.Term.Text, 200), m.Want)
	switch {
	case m.Distance != "":
		line += ", its sides are " + m.Distance + " apart"
	case m.Term.Err != nil:
		line += ", and cannot be judged"
	default:
		for _, r := range m.Term.Reads {
			if r.Value == nil {
				return line + ", " + r.Path + " is missing"
			}
		}
	}
	return line
}

// writeTerms shows the parts of a condition that must all hold, and what each
// looked at.
func writeTerms(w io.Writer, label string, terms []rules.Term) {
	for i, term := range terms {
		head := label
		if i > 0 {
			head = "and"
		}
		fmt.Fprintf(w, "      %-9s %s   → %s\n", head, rules.Excerpt(term.Text, 200), answer(term))
		writeParts(w, strings.Repeat(" ", 16), term)
	}
}

func answer(t rules.Term) string {
	switch {
	case t.Err != nil:
		return "error"
	case t.Holds:
		return "true"
	}
	return "false"
}

// writeParts shows what a condition is made of, and at its ends what stands at
// the paths that it reads, and since when.
func writeParts(w io.Writer, indent string, t rules.Term) {
	if logical(t) {
		for _, sub := range t.Of {
			fmt.Fprintf(w, "%s%-3s %s   → %s\n", indent, t.Op, rules.Excerpt(sub.Text, 200), answer(sub))
			writeParts(w, indent+"    ", sub)
		}
		return
	}
	for _, r := range t.Reads {
		fmt.Fprintf(w, "%s%s = %s%s\n", indent, r.Path, valueText(r.Value), age(r))
	}
	for _, side := range t.Of {
		if computed(side) {
			fmt.Fprintf(w, "%s%s = %s\n", indent, rules.Excerpt(side.Text, 120), valueText(side.Value))
		}
	}
}

func logical(t rules.Term) bool { return slices.Contains([]string{"and", "or", "not"}, t.Op) }

// computed reports whether a side of a comparison is worth a line: it is neither
// a path, which has one, nor a constant.
func computed(side rules.Term) bool {
	return len(side.Reads) > 0 && !slices.ContainsFunc(side.Reads, func(r rules.Reading) bool { return r.Path == side.Text })
}

// age says when the hub last changed what was read.
func age(r rules.Reading) string {
	switch {
	case r.Updated.IsZero():
		return ""
	case r.Age < 0:
		return "   set at " + r.Updated.UTC().Format(time.RFC3339) + ", after now"
	}
	return "   set " + r.Age.Round(time.Second).String() + " ago"
}

// writeRivals names the rules that want something else at the same places.
func writeRivals(w io.Writer, e rules.Explanation) {
	says := map[rules.Outcome]string{
		rules.Wins: "and loses", rules.Loses: "and wins", rules.Conflict: "and neither goes before the other: a conflict",
	}
	for _, r := range e.Rivals {
		place := rules.PathString(append([]string{r.Place.Section}, r.Place.Path...))
		fmt.Fprintf(w, "      but       rule %s with priority %d wants %s at %s, %s   %s\n", r.Rule.ID, r.Rule.Priority, valueText(r.Value), place, says[r.Outcome], r.Rule.Pos)
	}
}
