package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// Text shows plans and differences to people at a terminal. Every meaning of a
// colour is in a sign, too.
var Text = &Format{
	Name: "text",
	Doc:  "for people at a terminal",
	Plan: func(w io.Writer, p *engine.Plan, opts *Options) error {
		writes, audits, err := bothRows(p)
		if err != nil {
			return err
		}
		t := newText(opts)
		t.plan(p, writes, audits)
		_, err = io.WriteString(w, t.String())
		return err
	},
	Difference: func(w io.Writer, d *engine.Difference, opts *Options) error {
		writes, audits, err := bothDifferences(d)
		if err != nil {
			return err
		}
		t := newText(opts)
		t.difference(d, writes, audits)
		_, err = io.WriteString(w, t.String())
		return err
	},
}

// indent is how far the lines under a heading stand in.
const indent = "      "

func (t *text) plan(p *engine.Plan, writes, audits []Row) {
	for _, r := range p.Rules {
		t.at[r.Rule] = fmt.Sprintf("%s:%d", r.File, r.Line)
	}
	t.flow("plan   ", "   ", "pack "+p.Pack.Name, source(p.Header), fleet(p.Fleet))
	t.rows(writes)
	t.rollouts(reaching(p.Rollouts))
	t.configurations(p.Configurations)
	if p.Audited.Len() > 0 {
		t.line("")
		t.line("audit only, never written:")
		t.rows(audits)
	}
	t.conflicts("!", "conflict", conflictRows(p.Conflicts))
	t.failures("!", "error", failureRows(p.Errors))
	t.failures("?", "warning", failureRows(p.Warnings))
	t.breaches("!", "limit", p.Breaches)
	t.line("")
	t.sentence(planTotals(p))
	if s := &p.Spending; s.Budget > 0 && len(s.Plugins) > 0 { // who sets no limit to it has no use for it
		t.sentence(fmt.Sprintf("Plugins used %d of %d units of fuel: %s.", s.Total(), s.Budget, s))
	}
}

func (t *text) difference(d *engine.Difference, writes, audits []Row) {
	t.flow("diff   ", "   ", "pack "+d.Head.Name, source(d.Snapshot), fleet(d.Snapshot.Fleet))
	t.rows(writes)
	t.rollouts(d.Rollouts)
	for _, r := range d.GoneRollouts {
		t.problem("<", "rollout of %s: the rule no longer goes in waves", r.Rule)
	}
	t.configurations(d.Configurations)
	if len(d.GoneConfigurations) > 0 {
		t.line("")
		t.sentence("no longer done to configurations:")
		t.configurations(d.GoneConfigurations)
	}
	if d.Audited.Len() > 0 {
		t.line("")
		t.sentence("audit only, never written:")
		t.rows(audits)
	}
	t.conflicts("!", "new conflict", conflictRows(d.NewConflicts))
	t.conflicts("=", "resolved conflict", conflictRows(d.GoneConflicts))
	t.failures("!", "new error", failureRows(d.NewErrors))
	t.failures("=", "resolved error", failureRows(d.GoneErrors))
	t.failures("?", "new warning", failureRows(d.NewWarnings))
	t.failures("=", "resolved warning", failureRows(d.GoneWarnings))
	t.breaches("!", "new limit", d.NewBreaches)
	t.breaches("=", "resolved limit", d.GoneBreaches)
	t.line("")
	t.sentence(differenceTotals(d))
}

func (t *text) rows(list []Row) {
	for _, r := range list {
		t.row(r)
	}
}

// row shows one row: its rules and how many twins, each place with what was and
// what is to be, and a few of the twins.
func (t *text) row(r Row) {
	right := plural(r.Count, "twin")
	if at := t.at[r.Rules[0]]; at != "" {
		right += "   " + t.middle(at, 30)
	}
	t.heading(r.sign(), func(room int) string { return t.names(r.Rules, room) }, right)
	if r.Why != "" {
		t.sentence(indent + r.Why)
	}
	column := t.column(r.Places)
	for _, p := range r.Places {
		t.place(r, p, column)
	}
	t.samples(r.Samples, r.Count)
}

// column returns how wide the paths of places are. One that is wider than two
// fifths of a line stands on a line of its own.
func (t *text) column(places []Place) (column int) {
	for _, p := range places {
		if w := t.columns(p.Path); w <= t.width*2/5 {
			column = max(column, w)
		}
	}
	return column
}

func (t *text) place(r Row, p Place, column int) {
	label := t.middle(p.Path, t.width-len(indent))
	if t.columns(label) > column {
		t.line(indent + label)
		label = ""
	}
	lead := indent + t.widths.FillRight(label, column) + "  "
	before, after := t.values(p.Before, 3, lead), t.values(p.After, 3, lead)
	if r.Class == engine.Withdrawn {
		would := "base would set " + strings.Join(after, "  ")
		if none(p.After) {
			would = "base would remove it"
		}
		t.flow(lead, " ", would+";", "head leaves "+strings.Join(before, "  "))
		return
	}
	after[0] = "→  " + after[0]
	parts := append(before, after...)
	if r.Class == engine.Altered {
		parts = append(parts, " (base: → "+strings.Join(t.values(p.Base, 3, lead), "  ")+")")
	}
	t.flow(lead, "  ", parts...)
}

// values returns the most frequent of a list, with their counts when there are
// several.
func (t *text) values(list []Counted, most int, lead string) (parts []string) {
	for i, c := range list {
		if i == most {
			return append(parts, fmt.Sprintf("and %s", plural(len(list)-most, "more value")))
		}
		count := ""
		if len(list) > 1 {
			count = fmt.Sprintf(" ×%d", c.Count)
		}
		room := t.width - t.columns(lead) - len("→  ") - t.columns(count)
		parts = append(parts, t.cut(shown(c.Value), max(20, min(60, room)))+count)
	}
	return parts
}

// shown returns a value in one short safe line.
func shown(v any) string {
	if v == nil {
		return "(absent)"
	}
	return rules.Excerpt(string(twin.Encode(v)), 60)
}

func (t *text) samples(names []string, count int) {
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = n
		if i < len(names)-1 {
			parts[i] += ","
		}
	}
	if rest := count - len(names); rest > 0 {
		parts = append(parts, fmt.Sprintf("… %d more", rest))
	}
	t.flow(indent, " ", parts...)
}

func (t *text) conflicts(sign, what string, list []ConflictRow) {
	for _, c := range list {
		t.problem(sign, "%s: %s on %s", what, c.Place, plural(c.Count, "twin"))
		for _, w := range c.Wishes {
			t.wish(w)
		}
		if c.Doubt != "" {
			t.sentence(indent + "perhaps: " + c.Doubt)
		}
		t.samples(c.Samples, c.Count)
		if sign == "!" {
			t.sentence(indent + c.advice())
		}
	}
}

func (t *text) wish(w engine.ConflictWish) {
	wish, verb := shown(w.Value), " wants "
	if w.Value == nil {
		wish = "no value"
	}
	if w.Configuration != "" {
		verb = " writes "
	}
	t.flow(indent, "  ", w.Who()+verb+wish, t.at[w.Rule])
}

func (t *text) failures(sign, what string, list []FailureRow) {
	for _, f := range list {
		t.problem(sign, "%s: rule %s on %s", what, f.Rule, plural(f.Count, f.noun))
		t.sentence(indent + rules.Excerpt(f.Message, 300))
		if f.Fuel != nil {
			t.line(indent + f.Fuel.String())
		}
		if f.Others > 0 {
			t.line(indent + "and " + plural(f.Others, "other message"))
		}
		t.samples(f.Samples, f.Count)
	}
}

func (t *text) breaches(sign, what string, list []engine.Breach) {
	for _, b := range list {
		t.problem(sign, "%s: %s", what, b)
	}
}
