package report

import (
	"fmt"
	"strings"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// A page is the Markdown written so far.
type page struct {
	strings.Builder
	detail
}

func (p *page) linef(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// marker lets a later run find its comment.
func (p *page) marker(kind, pack string) {
	p.linef("<!-- twinrules:v1 kind=%s pack=%s -->", kind, bare(pack))
}

// table shows rows, one line of the table for each place.
func (p *page) table(rows []Row) {
	if len(rows) == 0 {
		return
	}
	p.linef("\n| | rule | what | twins | was |")
	p.linef("|--|---|---|--:|---|")
	for i, r := range rows {
		if i == p.rows {
			p.linef("| | | *%s* | | |", plural(len(rows)-i, "more row"))
			return
		}
		p.row(r)
	}
}

func (p *page) row(r Row) {
	for i, place := range r.Places {
		lead, count := "| | ", ""
		if i == 0 {
			lead = fmt.Sprintf("| `%s` | %s", r.sign(), cell(strings.Join(r.Rules, ", "), 60))
			count = fmt.Sprint(r.Count)
		}
		if i == p.places {
			p.linef("| | | *%s* | | |", plural(len(r.Places)-i, "more place"))
			return
		}
		p.linef("%s | %s%s | %s | %s |", lead, what(r, place), left(r), count, cells(place.Before, p.values))
	}
}

func what(r Row, p Place) string {
	place := cell(p.Path, 60)
	switch {
	case r.Class == engine.Withdrawn:
		if none(p.After) {
			return place + " no longer removed"
		}
		return place + " no longer set to " + cells(p.After, 1)
	case r.Class == engine.Altered:
		return place + " → " + cells(p.After, 1) + " (base: → " + cells(p.Base, 1) + ")"
	case none(p.After):
		return place + " **removed**"
	}
	return place + " → " + cells(p.After, 1)
}

// left says what is done to the values of rules that leave.
func left(r Row) string {
	if r.Why == "" {
		return ""
	}
	return "<br>" + inCell(prose(r.Why))
}

// cells shows the most frequent of a list, with their counts when there are
// several.
func cells(list []Counted, most int) string {
	var parts []string
	for i, c := range list {
		if i == most {
			parts = append(parts, fmt.Sprintf("*%s*", plural(len(list)-most, "more value")))
			break
		}
		part := "absent"
		if c.Value != nil {
			part = cell(string(twin.Encode(c.Value)), 60)
		}
		if len(list) > 1 {
			part += fmt.Sprintf(" ×%d", c.Count)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func (p *page) configurations(list []engine.ConfigurationChange) {
	if len(list) == 0 {
		return
	}
	p.linef("\n| | configuration | why | what |")
	p.linef("|--|---|---|---|")
	for i, c := range list {
		if i == p.rows {
			p.linef("| | *%d more* | | |", len(list)-i)
			return
		}
		var parts []string
		for _, f := range differingFields(c) {
			parts = append(parts, inCell(prose(f.name))+" "+cell(f.value, 120))
		}
		p.linef("| `%s` | %s | %s | %s |", configurationSign(c.Action), cell(c.ID, 60), inCell(prose(c.Reason)), strings.Join(parts, "<br>"))
	}
}

// A problemList is what is wrong with a plan, as rows.
type problemList struct {
	which              string // "new ", where only those are in it
	conflicts          []ConflictRow
	failures, warnings []FailureRow
	breaches           []engine.Breach
}

func problemRows(which string, conflicts []engine.Conflict, failures, warnings []engine.Failure, breaches []engine.Breach) problemList {
	return problemList{which, conflictRows(conflicts), failureRows(failures), failureRows(warnings), breaches}
}

// problems shows what is wrong as one warning.
func (p *page) problems(l problemList) {
	if len(l.conflicts)+len(l.failures)+len(l.warnings)+len(l.breaches) == 0 {
		return
	}
	p.linef("\n> [!WARNING]")
	p.items(len(l.conflicts), func(i int) string {
		c := l.conflicts[i]
		text := fmt.Sprintf("%sconflict: %s on %s, wanted by %s", l.which, code(c.Place), plural(c.Count, "twin"), code(strings.Join(c.Rules, ", ")))
		if c.Doubt != "" {
			text += ", perhaps: " + prose(c.Doubt)
		}
		return text
	})
	p.items(len(l.failures), func(i int) string { return l.which + "error: " + l.failures[i].markdown() })
	p.items(len(l.warnings), func(i int) string { return l.which + "warning: " + l.warnings[i].markdown() })
	p.items(len(l.breaches), func(i int) string { return l.which + "limit: " + prose(l.breaches[i].String()) })
}

func (f FailureRow) markdown() string {
	text := fmt.Sprintf("rule %s on %s: %s", code(f.Rule), plural(f.Count, f.noun), span(f.Message, 200))
	if f.Fuel != nil {
		text += ", " + f.Fuel.String()
	}
	if f.Others > 0 {
		text += " and " + plural(f.Others, "other message")
	}
	return text
}

// items writes a list within a quote, cut to the rows that there is room for.
func (p *page) items(n int, item func(i int) string) {
	for i := range min(n, p.rows) {
		p.linef("> - %s", item(i))
	}
	if n > p.rows {
		p.linef("> - and %d more", n-p.rows)
	}
}

func (p *page) samplesOf(rows []Row) {
	if !p.samples || len(rows) == 0 {
		return
	}
	p.linef("\n<details><summary>Some of the twins</summary>\n")
	for _, r := range rows[:min(len(rows), p.rows)] {
		var names []string
		for _, n := range r.Samples {
			names = append(names, span(n, 260))
		}
		more := ""
		if rest := r.Count - len(names); rest > 0 {
			more = fmt.Sprintf(" and %d more", rest)
		}
		p.linef("- %s: %s%s", code(strings.Join(r.Rules, ", ")), strings.Join(names, ", "), more)
	}
	p.linef("\n</details>")
}
