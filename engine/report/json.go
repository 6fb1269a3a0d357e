package report

import (
	"encoding/json"
	"io"

	"github.com/twinrules/twinrules/engine"
)

// JSON shows plans and differences to programs. The number after the dot of its
// schema grows with additions, the one before it when a reader must not guess.
var JSON = &Format{
	Name: "json",
	Doc:  "one JSON object: summary, rows of equal changes, conflicts, errors",
	Plan: func(w io.Writer, p *engine.Plan, _ *Options) error {
		return writeJSON(w, planJSON{
			Schema: "twinrules/plan-report/v1.0", Header: p.Header, Summary: p.Summary(), Digest: p.Digest(), Obstacle: p.Obstacle(),
			Rules: p.Rules, Rows: planRows(p.Changes), Audited: planRows(p.Audited), Configurations: p.Configurations,
			Conflicts: conflictRows(p.Conflicts), Errors: failureRows(p.Errors), Breaches: breachTexts(p.Breaches),
		})
	},
	Difference: func(w io.Writer, d *engine.Difference, _ *Options) error {
		return writeJSON(w, differenceJSON{
			Schema: "twinrules/diff-report/v1.0", Base: d.Base, Head: d.Head, Hub: d.Hub, TakenAt: d.Snapshot.TakenAt.Format(timeLayout), Fleet: d.Snapshot.Fleet,
			Summary: differenceSummary{len(d.Changes), d.Pending, d.Reassigned, d.HeadSummary}, Rows: differenceRows(d), Configurations: d.Configurations,
			NewConflicts: conflictRows(d.NewConflicts), GoneConflicts: conflictRows(d.GoneConflicts),
			NewErrors: failureRows(d.NewErrors), GoneErrors: failureRows(d.GoneErrors),
			NewBreaches: breachTexts(d.NewBreaches), GoneBreaches: breachTexts(d.GoneBreaches),
		})
	},
}

type planJSON struct {
	Schema         string                       `json:"schema"`
	Header         engine.Header                `json:"header"`
	Summary        engine.Summary               `json:"summary"`
	Digest         string                       `json:"digest"`
	Obstacle       string                       `json:"obstacle"` // why it cannot be applied; "" when it can
	Rules          []engine.RuleCount           `json:"rules"`
	Rows           []Row                        `json:"rows"`
	Audited        []Row                        `json:"audited"`
	Configurations []engine.ConfigurationChange `json:"configurations"`
	Conflicts      []ConflictRow                `json:"conflicts"`
	Errors         []FailureRow                 `json:"errors"`
	Breaches       []string                     `json:"breaches"`
}

type differenceJSON struct {
	Schema         string                       `json:"schema"`
	Base           engine.PackInfo              `json:"base"`
	Head           engine.PackInfo              `json:"head"`
	Hub            string                       `json:"hub"`
	TakenAt        string                       `json:"takenAt"`
	Fleet          engine.FleetInfo             `json:"fleet"`
	Summary        differenceSummary            `json:"summary"`
	Rows           []Row                        `json:"rows"`
	Configurations []engine.ConfigurationChange `json:"configurations"`
	NewConflicts   []ConflictRow                `json:"newConflicts"`
	GoneConflicts  []ConflictRow                `json:"goneConflicts"`
	NewErrors      []FailureRow                 `json:"newErrors"`
	GoneErrors     []FailureRow                 `json:"goneErrors"`
	NewBreaches    []string                     `json:"newBreaches"`
	GoneBreaches   []string                     `json:"goneBreaches"`
}

type differenceSummary struct {
	Twins      int            `json:"twins"`      // that the change concerns
	Pending    int            `json:"pending"`    // that base would write alike
	Reassigned int            `json:"reassigned"` // places that another rule now wants
	AfterMerge engine.Summary `json:"afterMerge"` // what the next run does
}

// breachTexts says each breach in a line.
func breachTexts(list []engine.Breach) []string {
	out := []string{}
	for _, b := range list {
		out = append(out, b.String())
	}
	return out
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
