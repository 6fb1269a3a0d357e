package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// MaxMarkdown is the largest Markdown that is written, in bytes: below the
// 65,536 characters that a comment may have.
const MaxMarkdown = 65_000

// Markdown shows plans and differences in a pull request's comment. Its size is
// bounded: samples go first, then old values, then rows, each with a count of
// what was left out. Text that devices wrote stands in code spans only.
var Markdown = &Format{
	Name: "markdown",
	Doc:  "for a pull request's comment, at most 65,000 bytes",
	Plan: func(w io.Writer, p *engine.Plan, _ *Options) error {
		return fit(w, func(d detail) string { return planMarkdown(p, d) })
	},
	Difference: func(w io.Writer, diff *engine.Difference, _ *Options) error {
		return fit(w, func(d detail) string { return differenceMarkdown(diff, d) })
	},
}

// A detail says how much is shown.
type detail struct {
	samples bool
	values  int // old values of a place
	rows    int // of each table
}

// fit writes with the most detail that keeps within the limit.
func fit(w io.Writer, render func(detail) string) error {
	d := detail{samples: true, values: 3, rows: 1000}
	text := render(d)
	for len(text) > MaxMarkdown && d.rows > 1 {
		switch {
		case d.samples:
			d.samples = false
		case d.values > 1:
			d.values = 1
		default:
			d.rows /= 2
		}
		text = render(d)
	}
	_, err := io.WriteString(w, text)
	return err
}

// A page is the Markdown written so far.
type page struct {
	strings.Builder
	detail
}

func (p *page) linef(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func planMarkdown(plan *engine.Plan, d detail) string {
	p := &page{detail: d}
	p.linef("<!-- twinrules:v1 kind=plan pack=%s -->", plan.Pack.Name)
	p.linef("### twinrules · %s to write in %s", plural(len(plan.Changes), "twin"), code(hubName(plan.Hub)))
	p.table(planRows(plan.Changes))
	p.configurations(plan.Configurations)
	if len(plan.Audited) > 0 {
		p.linef("\n**Audit only, never written**")
		p.table(planRows(plan.Audited))
	}
	p.problems("conflict", conflictRows(plan.Conflicts), failureRows(plan.Errors), plan.Breaches)
	p.samplesOf(planRows(plan.Changes))
	p.linef("\n<sub>%s %s · %s · pack %s · twinrules %s</sub>", plan.TakenAt.UTC().Format(timeLayout), fleet(plan.Fleet), plan.Fleet.Digest[:min(19, len(plan.Fleet.Digest))], short(plan.Pack.Digest), plan.Tool)
	return p.String()
}

func differenceMarkdown(diff *engine.Difference, d detail) string {
	p := &page{detail: d}
	p.linef("<!-- twinrules:v1 kind=diff pack=%s -->", diff.Head.Name)
	total := diff.Snapshot.Fleet.Devices + diff.Snapshot.Fleet.Modules
	if diff.Empty() {
		p.linef("### twinrules · no twin changes")
	} else {
		p.linef("### twinrules · this change concerns **%d** of %s in %s", len(diff.Changes), plural(total, "twin"), code(hubName(diff.Hub)))
	}
	rows := differenceRows(diff)
	p.table(rows)
	p.configurations(diff.Configurations)
	p.problems("new conflict", conflictRows(diff.NewConflicts), failureRows(diff.NewErrors), diff.NewBreaches)
	if n := len(diff.GoneConflicts) + len(diff.GoneErrors) + len(diff.GoneBreaches); n > 0 {
		p.linef("\nResolved: %s.", plural(n, "problem"))
	}
	p.samplesOf(rows)
	p.linef("\n<sub>%s · twins of %s · %s · base %s · head %s · twinrules %s</sub>", differenceTotals(diff),
		diff.Snapshot.TakenAt.UTC().Format(timeLayout), fleet(diff.Snapshot.Fleet), short(diff.Base.Digest), short(diff.Head.Digest), diff.Snapshot.Tool)
	return p.String()
}

func hubName(hub string) string {
	if hub == "" {
		return "(no hub named)"
	}
	return hub
}

func short(digest string) string { return code(digest[:min(19, len(digest))]) }

// table shows rows, one line of the table for each place.
func (p *page) table(rows []Row) {
	if len(rows) == 0 {
		return
	}
	p.linef("\n| | rule | what | twins | was |")
	p.linef("|--|---|---|--:|---|")
	for i, r := range rows {
		if i == p.rows {
			p.linef("| | | *%d more rows* | | |", len(rows)-i)
			return
		}
		p.row(r)
	}
}

func (p *page) row(r Row) {
	for i, place := range r.Places {
		lead := "| | "
		count := ""
		if i == 0 {
			lead = fmt.Sprintf("| `%s` | %s", r.sign(), code(strings.Join(r.Rules, ", ")))
			count = fmt.Sprint(r.Count)
		}
		p.linef("%s | %s | %s | %s |", lead, what(r, place), count, codes(place.Before, p.values))
	}
}

func what(r Row, p Place) string {
	place := code(p.Path)
	switch {
	case r.Class == engine.Withdrawn:
		return place + " no longer set to " + codes(p.After, 1)
	case none(p.After):
		return place + " **removed**"
	case r.Class == engine.Altered:
		return place + " → " + codes(p.After, 1) + " (base: → " + codes(p.Base, 1) + ")"
	}
	return place + " → " + codes(p.After, 1)
}

func codes(list []Counted, most int) string {
	var parts []string
	for i, c := range list {
		if i == most {
			parts = append(parts, fmt.Sprintf("*%d more values*", len(list)-most))
			break
		}
		part := "absent"
		if c.Value != nil {
			part = code(string(twin.Encode(c.Value)))
		}
		if len(list) > 1 {
			part += fmt.Sprintf(" ×%d", c.Count)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// code returns text as a short code span.
func code(text string) string { return span(text, 60) }

// span returns text as a code span that may stand in a table's cell: cut to at
// most max characters, in one line, in a fence that is longer than any run of
// backticks in it, with | escaped.
func span(text string, max int) string {
	text = rules.Excerpt(text, max)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	text = strings.ReplaceAll(text, "|", `\|`)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") || strings.TrimSpace(text) == "" {
		text = " " + text + " "
	}
	return fence + text + fence
}

func (p *page) configurations(list []engine.ConfigurationChange) {
	if len(list) == 0 {
		return
	}
	p.linef("\n| configuration | | target | content |")
	p.linef("|---|---|---|---|")
	for _, c := range list {
		target, content := "", ""
		if c.After != nil {
			target, content = code(c.After.TargetCondition), code(string(twin.Encode(c.After.Content)))
		}
		p.linef("| %s | %s: %s | %s | %s |", code(c.ID), c.Action, c.Reason, target, content)
	}
}

func (p *page) problems(conflict string, conflicts []ConflictRow, failures []FailureRow, breaches []engine.Breach) {
	if len(conflicts)+len(failures)+len(breaches) == 0 {
		return
	}
	p.linef("\n> [!WARNING]")
	for i, c := range conflicts {
		if p.left(i, len(conflicts)) {
			break
		}
		p.linef("> %s: %s on %s, wanted by %s\\", conflict, code(c.Place), plural(c.Count, "twin"), code(strings.Join(c.Rules, ", ")))
	}
	for i, f := range failures {
		if p.left(i, len(failures)) {
			break
		}
		p.linef("> error: rule %s on %s: %s\\", code(f.Rule), plural(f.Count, "twin"), span(f.Message, 200))
	}
	for _, b := range breaches {
		p.linef("> limit: %s\\", b)
	}
	p.linef("> ")
}

// left reports whether the list is cut at i, and says so.
func (p *page) left(i, n int) bool {
	if i < p.rows {
		return false
	}
	p.linef("> and %d more\\", n-i)
	return true
}

func (p *page) samplesOf(rows []Row) {
	if !p.samples || len(rows) == 0 {
		return
	}
	p.linef("\n<details><summary>Some of the twins</summary>\n")
	for i, r := range rows {
		if i == p.rows {
			break
		}
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
