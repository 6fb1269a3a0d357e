package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/estimate"
)

// estimateSchema names the form of the document. The number after the dot grows
// with additions, the one before it when a reader must not guess.
const estimateSchema = "twinrules/estimate/v1.0"

type estimateJSON struct {
	Schema    string         `json:"schema"`
	Pack      string         `json:"pack"`
	Hub       string         `json:"hub"`
	Tier      hub.Tier       `json:"tier"`      // by which is estimated
	TierKnown bool           `json:"tierKnown"` // else it is the least that any hub has
	Units     int            `json:"units"`
	Devices   int            `json:"devices"`            // on the hub
	Selected  *int           `json:"selected,omitempty"` // of them, by some rule
	Concerned *int           `json:"concerned,omitempty"`
	Modules   bool           `json:"modules"` // are read, too; how many is not known
	Reading   directionJSON  `json:"reading"`
	Changes   changesJSON    `json:"changes"`
	Writing   directionJSON  `json:"writing"`
	Basis     []estimateFact `json:"basis"`
}

type changesJSON struct {
	Twins          int    `json:"twins"`
	Configurations int    `json:"configurations"`
	From           string `json:"from"`
}

type directionJSON struct {
	Picked string    `json:"picked"` // name of a way
	Why    string    `json:"why"`
	Ways   []wayJSON `json:"ways"`
}

type wayJSON struct {
	Name    string   `json:"name"`
	Command string   `json:"command,omitempty"`
	Calls   int      `json:"calls"`
	Seconds float64  `json:"seconds"` // at least
	Open    string   `json:"open,omitempty"`
	Misses  []string `json:"misses"`
	Barred  string   `json:"barred,omitempty"`
}

// An estimateFact is what the figures rest on, and how it is known.
type estimateFact struct {
	Fact string `json:"fact"`
	How  string `json:"how"` // documented, measured or assumed
}

func (e *estimator) document(host string) estimateJSON {
	tier := e.limits.Tier
	if tier == "" {
		tier = hub.TierS1
	}
	return estimateJSON{
		Schema: estimateSchema, Pack: e.program.Pack.Name, Hub: host, Tier: tier, TierKnown: e.limits.Tier != "", Units: max(1, e.limits.Units),
		Devices: e.fleet.Devices, Selected: unlessNegative(e.fleet.Selected), Concerned: unlessNegative(e.fleet.Narrowed), Modules: e.fleet.Modules,
		Reading: directionOf(estimate.Reading(e.limits, e.fleet)),
		Changes: changesJSON{e.changes.Twins, e.changes.Configurations, e.from},
		Writing: directionOf(estimate.Writing(e.limits, e.changes)),
		Basis:   e.basis(),
	}
}

func unlessNegative(n int) *int {
	if n < 0 {
		return nil
	}
	return &n
}

func directionOf(ways []estimate.Way) directionJSON {
	best, why := estimate.Pick(ways)
	d := directionJSON{Why: why}
	for i, w := range ways {
		if i == best {
			d.Picked = w.Name
		}
		d.Ways = append(d.Ways, wayJSON{w.Name, w.Command, w.Calls, math.Round(w.Takes.Seconds()*1000) / 1000, w.Open, append([]string{}, w.Misses...), w.Barred})
	}
	return d
}

// basis lists what the figures rest on.
func (e *estimator) basis() []estimateFact {
	var limits []string
	for _, c := range []*hub.Class{hub.Queries, hub.TwinReads, hub.TwinUpdates, hub.RegistryOperations, hub.JobDevices} {
		n, per := c.Limit(e.limits.Tier, e.limits.Units)
		limits = append(limits, fmt.Sprintf("%d %s in %s", n, c, estimate.Show(per)))
	}
	list := []estimateFact{
		{strings.Join(limits, ", "), "documented"},
		{fmt.Sprintf("%d twins on a page of a query, also of a projection, which spares bytes and no calls", estimate.Rows), "documented"},
		{fmt.Sprintf("an answer takes %d ms, of a page as of a twin", e.limits.Latency.Milliseconds()), "measured once, on registry reads of another hub"},
		{"nothing else uses the hub's limits meanwhile", "assumed"},
	}
	if e.limits.Tier == "" {
		list = append(list, estimateFact{"the hub allows the least that any does, one unit of S1: give --tier and --units", "assumed"})
	}
	if e.fleet.Modules {
		list = append(list, estimateFact{"modules fill one page; each 100 more are a query more", "assumed"})
	}
	return list
}

func writeEstimateJSON(w io.Writer, e estimateJSON) error { return report.WriteJSON(w, e) }

// writeEstimate shows an estimate to people.
func writeEstimate(w io.Writer, e estimateJSON) error {
	var b strings.Builder
	known := ""
	if !e.TierKnown {
		known = " (not known: the least there is)"
	}
	fmt.Fprintf(&b, "pack %s on %s, tier %s, %s%s: twins were counted, and none was read\n", e.Pack, e.Hub, e.Tier, plural(e.Units, "unit"), known)
	fmt.Fprintf(&b, "%s%s\n", plural(e.Devices, "device"), e.parts())
	writeDirection(&b, "Reading", e.Reading)
	sum := plural(e.Changes.Twins, "twin")
	if e.Changes.Configurations > 0 {
		sum += " and " + plural(e.Changes.Configurations, "configuration")
	}
	writeDirection(&b, fmt.Sprintf("Writing %s, %s", sum, e.Changes.From), e.Writing)
	b.WriteString("\nThese figures rest on\n")
	for _, f := range e.Basis {
		fmt.Fprintf(&b, "  %s: %s\n", f.How, f.Fact)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// parts says of how many twins the rules want to know something.
func (e estimateJSON) parts() string {
	text := ""
	if e.Selected != nil {
		text += fmt.Sprintf(", %d selected by rules", *e.Selected)
	}
	if e.Concerned != nil {
		text += fmt.Sprintf(", %d that a when may concern", *e.Concerned)
	}
	if e.Modules {
		text += ", and modules, of which a hub tells no number"
	}
	return text
}

func writeDirection(b *strings.Builder, title string, d directionJSON) {
	fmt.Fprintf(b, "\n%s\n", title)
	for _, w := range d.Ways {
		mark := " "
		if w.Name == d.Picked {
			mark = "*"
		}
		fmt.Fprintf(b, "%s %-40s %15s  %s\n", mark, w.Name, plural(w.Calls, "call"), w.time())
		if w.Command != "" {
			fmt.Fprintf(b, "      by      twinrules %s\n", w.Command)
		}
		for _, m := range w.Misses {
			fmt.Fprintf(b, "      misses  %s\n", m)
		}
		if w.Barred != "" {
			fmt.Fprintf(b, "      not     %s\n", w.Barred)
		}
	}
	if d.Picked != "" {
		fmt.Fprintf(b, "  Best: %s. Why: %s\n", d.Picked, d.Why)
	}
}

// time says how long a way takes at least, as far as is known.
func (w wayJSON) time() string {
	switch {
	case w.Open != "":
		return "time not known: " + w.Open
	case w.Calls == 0:
		return "-"
	}
	return "at least " + estimate.Show(secondsOf(w.Seconds))
}

func secondsOf(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
