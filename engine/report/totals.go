package report

import (
	"fmt"
	"strings"

	"github.com/twinrules/twinrules/engine"
)

const timeLayout = "2006-01-02T15:04:05Z"

// source says which twins, of when.
func source(h engine.Header) string {
	if h.TakenAt.IsZero() {
		return hubName(h.Hub)
	}
	return hubName(h.Hub) + " at " + h.TakenAt.UTC().Format(timeLayout)
}

func hubName(hub string) string {
	if hub == "" {
		return "(no hub named)"
	}
	return hub
}

func fleet(f engine.FleetInfo) string {
	text := plural(f.Devices, "device")
	if f.Modules > 0 {
		text += ", " + plural(f.Modules, "module")
	}
	if !f.Complete {
		text += " (incomplete)"
	}
	text += " read"
	if f.Narrowed {
		text += " (those that rules may concern)"
	}
	if f.ConfigurationsUnread {
		text += ", configurations not (no permission)"
	}
	return text
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// both joins the counts that are not 0.
func both(twins, configurations int) string {
	switch {
	case configurations == 0 && twins == 0:
		return ""
	case configurations == 0:
		return plural(twins, "twin")
	case twins == 0:
		return plural(configurations, "configuration")
	}
	return plural(twins, "twin") + " and " + plural(configurations, "configuration")
}

// planTotals says in a line or two what a plan comes to.
func planTotals(p *engine.Plan) string {
	s := p.Summary()
	line := "Nothing to write"
	if size := both(s.Twins, s.Configurations); size != "" {
		line = size + " to write"
	}
	for _, n := range []struct {
		count int
		noun  string
	}{{s.Audited, "audited twin"}, {s.Conflicts, "conflict"}, {s.Errors, "error"}, {s.Warnings, "warning"}} {
		if n.count > 0 {
			line += ", " + plural(n.count, n.noun)
		}
	}
	if line == "Nothing to write" {
		line += ": " + asWanted(p.Fleet)
	}
	if reason := p.Obstacle(); reason != "" {
		line += ". It cannot be applied: " + reason
	}
	return line + "."
}

// asWanted says that the twins read need nothing.
func asWanted(f engine.FleetInfo) string {
	n := f.Devices + f.Modules
	switch {
	case n == 0 && f.Narrowed:
		return "the hub lists no twin that a rule may concern"
	case n == 0:
		return "no twins were read"
	case n == 1:
		return "the 1 twin read is as the rules want it"
	}
	return fmt.Sprintf("the %d twins read are as the rules want them", n)
}

// differenceTotals says in a few sentences what a difference comes to.
func differenceTotals(d *engine.Difference) string {
	sentences := []string{"This change concerns no twin."}
	if size := both(d.Changes.Len(), changed(d)); size != "" {
		sentences[0] = "This change concerns " + size + "."
	} else if d.Empty() {
		sentences[0] = "This change has no effect on these twins."
	}
	if d.Pending > 0 {
		sentences = append(sentences, "Pending without it anyway: "+plural(d.Pending, "twin")+".")
	}
	if d.Reassigned > 0 {
		sentences = append(sentences, "Wanted by another rule than before: "+plural(d.Reassigned, "place")+".")
	}
	next := both(d.HeadSummary.Twins, d.HeadSummary.Configurations)
	if next == "" {
		next = "nothing"
	}
	sentences = append(sentences, "The next run would write "+next+".")
	if len(d.HeadStaged) > 0 {
		sentences[len(sentences)-1] = "The next run would write nothing: rule " + d.HeadStaged[0].Rule + " goes in waves, which this version does not write."
	}
	return strings.Join(sentences, " ")
}

// changed counts the configurations that head makes or deletes.
func changed(d *engine.Difference) (n int) {
	for _, c := range d.Configurations {
		if c.Action != engine.Keep {
			n++
		}
	}
	return n
}

// problems counts what is wrong in head and not in base, and the other way.
func problems(d *engine.Difference) (fresh, resolved int) {
	return len(d.NewErrors) + len(d.NewWarnings) + len(d.NewConflicts) + len(d.NewBreaches), len(d.GoneErrors) + len(d.GoneWarnings) + len(d.GoneConflicts) + len(d.GoneBreaches)
}
