package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/rules"
)

// explainQueries shows how a pack's twins would be read, and reads none.
func (env *environment) explainQueries(ctx context.Context, args []string, source *sourceFlags, how planFlags, output *outputFlags) error {
	show := map[string]func(io.Writer, queriesJSON) error{"text": writeQueries, "json": writeQueriesJSON}[output.format]
	if show == nil || len(output.files) > 0 {
		return usagef("--explain-query is shown on stdout, as text or json")
	}
	program, err := openNamed(ctx, args, source.demo)
	if err != nil {
		return err
	}
	defer program.Close(ctx)
	breadth, recorded := rules.Breadth(how.read), source.snapshot != ""
	if recorded && breadth == rules.ReadNarrowed {
		breadth = rules.ReadSelected // as the engine does, see counting
	}
	q := queriesJSON{Schema: queriesSchema, Pack: program.Pack.Name, Read: breadth, Recorded: recorded, Listings: []listingJSON{}}
	for _, l := range program.Listings(breadth) {
		q.Listings = append(q.Listings, listingOf(l))
	}
	return show(env.stdout, q)
}

// queriesSchema names the form of the document. The number after the dot grows
// with additions, the one before it when a reader must not guess.
const queriesSchema = "twinrules/queries/v1.0"

type queriesJSON struct {
	Schema   string        `json:"schema"`
	Pack     string        `json:"pack"`
	Read     rules.Breadth `json:"read"`
	Recorded bool          `json:"recorded"` // the queries are asked of a snapshot's file
	Listings []listingJSON `json:"listings"`
}

type listingJSON struct {
	Query    string          `json:"query"`
	Narrowed bool            `json:"narrowed"`
	Counts   []countJSON     `json:"counts"`
	Rules    []narrowingJSON `json:"rules"`
}

type countJSON struct {
	Rule  string `json:"rule"` // "" for all rules of the listing together
	Query string `json:"query"`
}

type narrowingJSON struct {
	Rule     string       `json:"rule"`
	At       string       `json:"at"`
	Selector string       `json:"selector"`
	When     string       `json:"when"`
	AtWork   string       `json:"atWork,omitempty"`
	Whole    string       `json:"whole,omitempty"` // why everybody is read that the rule selects
	NotAsked []untoldJSON `json:"notAsked"`        // or not wholly
}

type untoldJSON struct {
	At     string `json:"at"`
	Text   string `json:"text"`
	Reason string `json:"reason"`
}

func listingOf(l rules.Listing) listingJSON {
	out := listingJSON{Query: l.Query, Narrowed: l.Narrowed, Counts: []countJSON{}, Rules: []narrowingJSON{}}
	for _, c := range l.Counts {
		out.Counts = append(out.Counts, countJSON(c))
	}
	for _, n := range l.Rules {
		r := narrowingJSON{Rule: n.Rule.ID, At: n.Rule.Pos.String(), Selector: n.Selector, When: n.When, AtWork: n.AtWork, Whole: n.Whole, NotAsked: []untoldJSON{}}
		for _, u := range n.Untold {
			r.NotAsked = append(r.NotAsked, untoldJSON{u.Pos.String(), u.Text, u.Reason})
		}
		out.Rules = append(out.Rules, r)
	}
	return out
}

func writeQueriesJSON(w io.Writer, q queriesJSON) error { return report.WriteJSON(w, q) }

// writeQueries shows the queries to people, with what each rule adds to them.
func writeQueries(w io.Writer, q queriesJSON) error {
	var b strings.Builder
	fmt.Fprintf(&b, "pack %s, --read %s", q.Pack, q.Read)
	if q.Recorded {
		b.WriteString("; a snapshot's file is read from end to end, and nothing is counted")
	}
	b.WriteString("\n")
	for _, l := range q.Listings {
		fmt.Fprintf(&b, "\n%s\n", l.Query)
		for _, c := range l.Counts {
			whose := "all rules"
			if c.Rule != "" {
				whose = c.Rule
			}
			fmt.Fprintf(&b, "%s   (population of %s)\n", c.Query, whose)
		}
		for _, r := range l.Rules {
			writeNarrowing(&b, r)
		}
	}
	if len(q.Listings) == 0 {
		b.WriteString("\nno rule is to be run, so nothing is read\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeNarrowing(w io.Writer, r narrowingJSON) {
	fmt.Fprintf(w, "\n  %s   %s\n", r.Rule, r.At)
	unused := ""
	if r.Whole != "" {
		unused = "   (not used)"
	}
	for _, line := range [][3]string{{"selector", r.Selector, ""}, {"when", r.When, unused}, {"at work", r.AtWork, unused}} {
		if line[1] != "" {
			fmt.Fprintf(w, "    %-9s %s%s\n", line[0], line[1], line[2])
		}
	}
	for _, u := range r.NotAsked {
		fmt.Fprintf(w, "    %-9s %s   %s\n              %s\n", "not asked", rules.Excerpt(u.Text, 120), u.At, u.Reason)
	}
	if r.Whole != "" {
		fmt.Fprintf(w, "    %-9s everybody it selects: %s\n", "read", r.Whole)
	}
}
