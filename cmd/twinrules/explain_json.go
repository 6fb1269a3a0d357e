package main

import (
	"io"
	"time"

	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// explanationSchema names the form of the document. The number after the dot grows
// with additions, the one before it when a reader must not guess.
const explanationSchema = "twinrules/explanation/v1.1"

// writeExplanationJSON shows an explanation to programs: the same bytes for the
// same twin, pack and time.
func writeExplanationJSON(w io.Writer, e explained) error {
	out := explanationJSON{Schema: explanationSchema, Ref: e.twin.Ref, Version: e.twin.Version, ETag: e.twin.ETag, Status: e.twin.Status, Now: e.now, Rules: []ruleJSON{}}
	for _, x := range e.list {
		out.Rules = append(out.Rules, ruleOf(e, x))
	}
	return report.WriteJSON(w, out)
}

type explanationJSON struct {
	Schema  string     `json:"schema"`
	Ref     twin.Ref   `json:"ref"`
	Version int64      `json:"version"`
	ETag    string     `json:"etag"`
	Status  string     `json:"status"`
	Now     time.Time  `json:"now"`
	Rules   []ruleJSON `json:"rules"`
}

type ruleJSON struct {
	Rule       string       `json:"rule"`
	At         string       `json:"at"`
	Mode       rules.Mode   `json:"mode"`
	Selected   bool         `json:"selected"`
	Matched    bool         `json:"matched"`
	Leaving    bool         `json:"leaving"`
	Error      string       `json:"error,omitempty"`
	Excused    string       `json:"excused,omitempty"` // the failure of its plugin that onError makes no match
	Conclusion string       `json:"conclusion"`
	Selector   []termJSON   `json:"selector"`
	When       []termJSON   `json:"when"`
	Until      []termJSON   `json:"until"`
	Facts      twin.Object  `json:"facts,omitempty"`
	Message    string       `json:"message,omitempty"`
	Nearest    []missJSON   `json:"nearest"`
	Changes    []changeJSON `json:"changes"`
	Rivals     []rivalJSON  `json:"rivals"`
	Foreign    []claimJSON  `json:"foreign"`
	// Rollout is null for a rule without one, and where the twin is not selected.
	Rollout *standingJSON `json:"rollout"`
}

type termJSON struct {
	Text  string        `json:"text"`
	At    string        `json:"at"`
	Op    string        `json:"op,omitempty"`
	Value any           `json:"value"`
	Error string        `json:"error,omitempty"`
	Reads []readingJSON `json:"reads"`
	Parts []termJSON    `json:"parts,omitempty"`
}

type readingJSON struct {
	Path       string     `json:"path"`
	Value      any        `json:"value"`
	Updated    *time.Time `json:"updated,omitempty"`
	AgeSeconds *float64   `json:"ageSeconds,omitempty"`
}

type missJSON struct {
	Text     string `json:"text"`
	At       string `json:"at"`
	Want     bool   `json:"want"`
	Distance string `json:"distance,omitempty"`
}

type changeJSON struct {
	Place  string `json:"place"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

type rivalJSON struct {
	Place    string        `json:"place"`
	Rule     string        `json:"rule"`
	Priority int           `json:"priority"`
	Value    any           `json:"value"`
	Outcome  rules.Outcome `json:"outcome"` // for the rule that is explained
}

type claimJSON struct {
	Place         string `json:"place"`
	Configuration string `json:"configuration"`
	Value         any    `json:"value"`
	Doubt         string `json:"doubt,omitempty"`
}

func ruleOf(e explained, x rules.Explanation) ruleJSON {
	out := ruleJSON{
		Rule: x.Rule.ID, At: x.Rule.Pos.String(), Mode: x.Rule.Mode, Selected: x.Selected, Matched: x.Matched, Leaving: x.Leaving,
		Error: errorText(x.Err), Excused: errorText(x.Excused), Conclusion: conclusion(x), Facts: x.Facts, Message: x.Message,
		Selector: termsOf(x.Selector), When: termsOf(x.When), Until: termsOf(x.Until),
		Nearest: []missJSON{}, Changes: []changeJSON{}, Rivals: []rivalJSON{}, Foreign: []claimJSON{},
	}
	out.Rollout = e.standingOf(x)
	for _, m := range x.Miss {
		out.Nearest = append(out.Nearest, missJSON{m.Term.Text, m.Term.Pos.String(), m.Want, m.Distance})
	}
	for _, l := range x.Changes {
		o, _ := e.twin.Section(l.Section)
		before, _ := o.Lookup(l.Path...)
		out.Changes = append(out.Changes, changeJSON{placeText(l), before, l.Value})
	}
	for _, r := range x.Rivals {
		out.Rivals = append(out.Rivals, rivalJSON{placeText(r.Place), r.Rule.ID, r.Rule.Priority, r.Value, r.Outcome})
	}
	for _, l := range x.Leaves {
		for _, f := range e.foreign {
			if claim, ok := f.Claims(e.twin, x.Rule, l); ok {
				out.Foreign = append(out.Foreign, claimJSON{placeText(l), claim.Configuration, claim.Value, claim.Doubt})
			}
		}
	}
	return out
}

func termsOf(list []rules.Term) []termJSON {
	out := []termJSON{}
	for _, t := range list {
		j := termJSON{Text: t.Text, At: t.Pos.String(), Op: t.Op, Value: t.Value, Error: errorText(t.Err), Reads: []readingJSON{}}
		for _, r := range t.Reads {
			j.Reads = append(j.Reads, readingOf(r))
		}
		if len(t.Of) > 0 {
			j.Parts = termsOf(t.Of)
		}
		out = append(out, j)
	}
	return out
}

func readingOf(r rules.Reading) readingJSON {
	out := readingJSON{Path: r.Path, Value: r.Value}
	if !r.Updated.IsZero() {
		seconds := r.Age.Seconds()
		out.Updated, out.AgeSeconds = &r.Updated, &seconds
	}
	return out
}

func placeText(l twin.Leaf) string { return rules.PathString(append([]string{l.Section}, l.Path...)) }

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
