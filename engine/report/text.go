package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"
	"github.com/mattn/go-runewidth"

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
		t := &text{opts: opts}
		t.plan(p)
		_, err := io.WriteString(w, t.String())
		return err
	},
	Difference: func(w io.Writer, d *engine.Difference, opts *Options) error {
		t := &text{opts: opts}
		t.difference(d)
		_, err := io.WriteString(w, t.String())
		return err
	},
}

const timeLayout = "2006-01-02T15:04:05Z"

// A text is what is written so far.
type text struct {
	strings.Builder
	opts *Options
	at   map[string]string // rule to place in the pack
}

func (t *text) linef(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

func (t *text) plan(p *engine.Plan) {
	t.at = map[string]string{}
	for _, r := range p.Rules {
		t.at[r.Rule] = fmt.Sprintf("%s:%d", r.File, r.Line)
	}
	t.linef("plan   pack %s   %s   %s", p.Pack.Name, source(p.Header), fleet(p.Fleet))
	t.rows(planRows(p.Changes))
	t.configurations(p.Configurations)
	if len(p.Audited) > 0 {
		t.linef("\naudit only, never written:")
		t.rows(planRows(p.Audited))
	}
	t.conflicts("conflict", conflictRows(p.Conflicts))
	t.failures("error", failureRows(p.Errors))
	t.breaches("limit", p.Breaches)
	t.linef("\n%s", planTotals(p))
}

// source says which twins, of when.
func source(h engine.Header) string {
	hub := h.Hub
	if hub == "" {
		hub = "(no hub named)"
	}
	return rules.Excerpt(hub, 80) + " at " + h.TakenAt.UTC().Format(timeLayout)
}

func fleet(f engine.FleetInfo) string {
	text := plural(f.Devices, "device")
	if f.Modules > 0 {
		text += ", " + plural(f.Modules, "module")
	}
	if !f.Complete {
		text += " (incomplete)"
	}
	return text + " read"
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func planTotals(p *engine.Plan) string {
	s := p.Summary()
	totals := []string{plural(s.Twins, "twin") + " to write"}
	for _, n := range []struct {
		count int
		noun  string
	}{{s.Configurations, "configuration"}, {s.Audited, "audited twin"}, {s.Conflicts, "conflict"}, {s.Errors, "error"}} {
		if n.count > 0 {
			totals = append(totals, plural(n.count, n.noun))
		}
	}
	line := strings.Join(totals, ", ") + "."
	if reason := p.Obstacle(); reason != "" {
		line += " It cannot be applied: " + reason + "."
	}
	return line
}

func (t *text) rows(list []Row) {
	for _, r := range list {
		t.row(r)
	}
}

// row shows one row: its rules and how many twins, each place with what was and
// what is to be, and a few of the twins.
func (t *text) row(r Row) {
	left := fmt.Sprintf("  %s %s", r.sign(), strings.Join(r.Rules, ", "))
	right := plural(r.Count, "twin")
	if at := t.at[r.Rules[0]]; at != "" {
		right += "   " + at
	}
	gap := max(3, t.opts.width()-runewidth.StringWidth(left)-runewidth.StringWidth(right))
	t.linef("\n%s%s%s", t.paint(r.sign(), left), strings.Repeat(" ", gap), right)
	width := 0
	for _, p := range r.Places {
		width = max(width, runewidth.StringWidth(label(p)))
	}
	for _, p := range r.Places {
		t.linef("      %s  %s", runewidth.FillRight(label(p), width), transition(r, p))
	}
	t.linef("      %s", samples(r.Samples, r.Count))
}

func label(p Place) string { return rules.Excerpt(p.Path, 60) }

func transition(r Row, p Place) string {
	line := values(p.Before, 3) + "  →  " + values(p.After, 3)
	switch r.Class {
	case engine.Withdrawn:
		return "base would set " + values(p.After, 3) + "; head leaves " + values(p.Before, 3)
	case engine.Altered:
		return line + "   (base: → " + values(p.Base, 3) + ")"
	}
	return line
}

// values shows the most frequent of a list, with their counts when there are
// several.
func values(list []Counted, most int) string {
	var parts []string
	for i, c := range list {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more values", len(list)-most))
			break
		}
		part := shown(c.Value)
		if len(list) > 1 {
			part += fmt.Sprintf(" ×%d", c.Count)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "  ")
}

// shown returns a value in one short safe line.
func shown(v any) string {
	if v == nil {
		return "(absent)"
	}
	return rules.Excerpt(string(twin.Encode(v)), 60)
}

func samples(names []string, count int) string {
	safe := make([]string, len(names))
	for i, n := range names {
		safe[i] = rules.Excerpt(n, 130)
	}
	line := strings.Join(safe, ", ")
	if rest := count - len(names); rest > 0 {
		line += fmt.Sprintf(" … %d more", rest)
	}
	return line
}

func (t *text) configurations(list []engine.ConfigurationChange) {
	for _, c := range list {
		sign := map[engine.ConfigurationAction]string{engine.Create: "+", engine.Update: "~", engine.Delete: "-", engine.Keep: "="}[c.Action]
		t.linef("\n%s", t.paint(sign, fmt.Sprintf("  %s %s configuration %s", sign, c.Action, c.ID)))
		t.linef("      %s", c.Reason)
		if s := c.After; s != nil {
			t.linef("      target    %s", rules.Excerpt(s.TargetCondition, 200))
			t.linef("      priority  %d", s.Priority)
			t.linef("      content   %s", rules.Excerpt(string(twin.Encode(s.Content)), 200))
		}
	}
}

func (t *text) conflicts(what string, list []ConflictRow) {
	for _, c := range list {
		t.linef("\n%s", t.paint("!", fmt.Sprintf("  ! %s: %s on %s", what, c.Place, plural(c.Count, "twin"))))
		for _, w := range c.Wishes {
			t.linef("      %s wants %s   %s", w.Rule, shown(w.Value), t.at[w.Rule])
		}
		t.linef("      %s", samples(c.Samples, c.Count))
		t.linef("      give one of the rules a higher priority, or let their selectors part")
	}
}

func (t *text) failures(what string, list []FailureRow) {
	for _, f := range list {
		t.linef("\n%s", t.paint("!", fmt.Sprintf("  ! %s: rule %s on %s", what, f.Rule, plural(f.Count, "twin"))))
		t.linef("      %s", rules.Excerpt(f.Message, 300))
		t.linef("      %s", samples(f.Samples, f.Count))
	}
}

func (t *text) breaches(what string, list []engine.Breach) {
	for _, b := range list {
		t.linef("\n%s", t.paint("!", "  ! "+what+": "+b.String()))
	}
}

func (t *text) difference(d *engine.Difference) {
	t.linef("diff   pack %s   %s   %s", d.Head.Name, source(d.Snapshot), fleet(d.Snapshot.Fleet))
	t.rows(differenceRows(d))
	t.configurations(d.Configurations)
	t.conflicts("new conflict", conflictRows(d.NewConflicts))
	t.conflicts("resolved conflict", conflictRows(d.GoneConflicts))
	t.failures("new error", failureRows(d.NewErrors))
	t.failures("resolved error", failureRows(d.GoneErrors))
	t.breaches("new limit", d.NewBreaches)
	t.breaches("resolved limit", d.GoneBreaches)
	t.linef("\n%s", differenceTotals(d))
}

func differenceTotals(d *engine.Difference) string {
	line := fmt.Sprintf("This change concerns %s.", plural(len(d.Changes), "twin"))
	if d.Empty() {
		line = "This change has no effect on these twins."
	}
	if d.Pending > 0 {
		line += fmt.Sprintf(" Pending without it anyway: %s.", plural(d.Pending, "twin"))
	}
	if d.Reassigned > 0 {
		line += fmt.Sprintf(" Wanted by another rule than before: %s.", plural(d.Reassigned, "place"))
	}
	return line + fmt.Sprintf(" The next run would write %s.", plural(d.HeadSummary.Twins, "twin"))
}

// paint colours a line by its sign.
func (t *text) paint(sign, line string) string {
	if !t.opts.color() {
		return line
	}
	attribute := map[string]color.Attribute{"+": color.FgGreen, "~": color.FgYellow, "-": color.FgRed, "<": color.FgMagenta, "!": color.FgRed, "=": color.FgBlue}[sign]
	c := color.New(attribute)
	c.EnableColor()
	return c.Sprint(line)
}
