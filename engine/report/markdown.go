package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/twinrules/twinrules/engine"
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
		rows, audited, err := bothRows(p)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, fit(planMarkdown(p, rows, audited)))
		return err
	},
	Difference: func(w io.Writer, d *engine.Difference, _ *Options) error {
		rows, audited, err := bothDifferences(d)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, fit(differenceMarkdown(d, rows, audited)))
		return err
	},
}

// A detail says how much is shown.
type detail struct {
	samples bool
	values  int // old values of a place
	rows    int // of each list
	places  int // of each row
}

// full is the most detail; less returns the next lower one.
var full = detail{samples: true, values: 3, rows: 1000, places: 100}

func (d detail) less() detail {
	switch {
	case d.samples:
		d.samples = false
	case d.values > 1:
		d.values = 1
	case d.rows > 1:
		d.rows, d.places = d.rows/2, max(d.places/2, 1)
	}
	return d
}

// fit returns the text with the most detail that keeps within the limit. With
// one row of one place in each list, and every span cut, any text does.
func fit(render func(detail) string) string {
	d := full
	for {
		text := render(d)
		if len(text) <= MaxMarkdown || d.less() == d {
			return text
		}
		d = d.less()
	}
}

// planMarkdown returns what renders a plan with these rows.
func planMarkdown(plan *engine.Plan, rows, audited []Row) func(detail) string {
	found := problemRows("", plan.Conflicts, plan.Errors, plan.Warnings, plan.Breaches)
	s := plan.Summary()
	title := "nothing to write"
	if size := both(s.Twins, s.Configurations); size != "" {
		title = size + " to write"
	}
	return func(d detail) string {
		p := &page{detail: d}
		p.marker("plan", plan.Pack.Name)
		p.linef("### twinrules · %s in %s", title, code(hubName(plan.Hub)))
		p.table(rows)
		p.rollouts(reaching(plan.Rollouts))
		p.configurations(plan.Configurations)
		if len(audited) > 0 {
			p.linef("\n**Audit only, never written**")
			p.table(audited)
		}
		p.problems(found)
		p.samplesOf(rows)
		p.linef("\n<sub>%s Twins of %s · %s · %s · pack %s %s · twinrules %s</sub>", planTotals(plan),
			plan.TakenAt.UTC().Format(timeLayout), fleet(plan.Fleet), short(plan.Fleet.Digest), code(plan.Pack.Name), short(plan.Pack.Digest), code(plan.Tool))
		return p.String()
	}
}

// differenceMarkdown returns what renders a difference with these rows.
func differenceMarkdown(diff *engine.Difference, rows, audited []Row) func(detail) string {
	found := problemRows("new ", diff.NewConflicts, diff.NewErrors, diff.NewWarnings, diff.NewBreaches)
	_, resolved := problems(diff)
	return func(d detail) string {
		p := &page{detail: d}
		p.marker("diff", diff.Head.Name)
		p.linef("### twinrules · %s", differenceTitle(diff))
		p.table(rows)
		p.rollouts(diff.Rollouts)
		p.goneRollouts(diff.GoneRollouts)
		p.configurations(diff.Configurations)
		if len(diff.GoneConfigurations) > 0 {
			p.linef("\n**No longer done to configurations**")
			p.configurations(diff.GoneConfigurations)
		}
		if len(audited) > 0 {
			p.linef("\n**Audit only, never written**")
			p.table(audited)
		}
		p.problems(found)
		if resolved > 0 {
			p.linef("\nResolved: %s.", plural(resolved, "problem"))
		}
		p.samplesOf(rows)
		p.linef("\n<sub>%s Twins of %s · %s · %s · base %s · head %s · twinrules %s</sub>", differenceTotals(diff),
			diff.Snapshot.TakenAt.UTC().Format(timeLayout), fleet(diff.Snapshot.Fleet), short(diff.Snapshot.Fleet.Digest),
			short(diff.Base.Digest), short(diff.Head.Digest), code(diff.Snapshot.Tool))
		return p.String()
	}
}

// differenceTitle says what a pull request does in a few words.
func differenceTitle(d *engine.Difference) string {
	fresh, resolved := problems(d)
	var parts []string
	twins, configurations := d.Changes.Len(), changed(d)
	switch {
	case twins > 0:
		total := d.Snapshot.Fleet.Devices + d.Snapshot.Fleet.Modules
		text := fmt.Sprintf("this change concerns **%d** of %s", twins, plural(total, "twin"))
		if configurations > 0 {
			text += " and " + plural(configurations, "configuration")
		}
		parts = append(parts, text+" in "+code(hubName(d.Hub)))
	case configurations > 0:
		parts = append(parts, fmt.Sprintf("this change concerns %s in %s", plural(configurations, "configuration"), code(hubName(d.Hub))))
	default:
		parts = append(parts, "no twin changes")
	}
	if fresh > 0 {
		parts = append(parts, plural(fresh, "new problem"))
	}
	if resolved > 0 {
		parts = append(parts, fmt.Sprintf("%d resolved", resolved))
	}
	return strings.Join(parts, " · ")
}
