package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/rules"
)

// JSON shows plans and differences to programs. The number after the dot of its
// schema grows with additions, the one before it when a reader must not guess.
var JSON = &Format{
	Name: "json",
	Doc:  "one JSON object: summary, rows of equal changes, conflicts, errors",
	Plan: func(w io.Writer, p *engine.Plan, _ *Options) error {
		writes, audits, err := bothRows(p)
		if err != nil {
			return err
		}
		digest, err := p.Digest()
		if err != nil {
			return err
		}
		header := p.Header
		header.Queries = list(header.Queries)
		return WriteJSON(w, planJSON{
			Schema: "twinrules/plan-report/v1.1", Header: header, Summary: p.Summary(), Digest: digest, Obstacle: p.Obstacle(),
			Rules: list(p.Rules), Rollouts: list(p.Rollouts), Rows: writes, Audited: audits, Configurations: list(p.Configurations),
			Conflicts: list(conflictRows(p.Conflicts)), Errors: list(failureRows(p.Errors)), Warnings: list(failureRows(p.Warnings)), Breaches: breachTexts(p.Breaches),
			Plugins: list(p.Spending.Plugins),
		})
	},
	Difference: func(w io.Writer, d *engine.Difference, _ *Options) error {
		writes, audits, err := bothDifferences(d)
		if err != nil {
			return err
		}
		return WriteJSON(w, differenceJSON{
			Schema: "twinrules/diff-report/v1.1", Base: d.Base, Head: d.Head, Hub: d.Hub, TakenAt: d.Snapshot.TakenAt.Format(timeLayout), Fleet: d.Snapshot.Fleet,
			Summary: differenceSummary{d.Changes.Len(), d.Pending, d.Reassigned, d.HeadSummary}, Rows: writes, Audited: audits,
			Rollouts: list(d.Rollouts), GoneRollouts: list(d.GoneRollouts),
			Configurations: list(d.Configurations), GoneConfigurations: list(d.GoneConfigurations),
			NewConflicts: list(conflictRows(d.NewConflicts)), GoneConflicts: list(conflictRows(d.GoneConflicts)),
			NewErrors: list(failureRows(d.NewErrors)), GoneErrors: list(failureRows(d.GoneErrors)),
			NewWarnings: list(failureRows(d.NewWarnings)), GoneWarnings: list(failureRows(d.GoneWarnings)),
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
	Rollouts       []engine.Rollout             `json:"rollouts"`
	Rows           []Row                        `json:"rows"`
	Audited        []Row                        `json:"audited"`
	Configurations []engine.ConfigurationChange `json:"configurations"`
	Conflicts      []ConflictRow                `json:"conflicts"`
	Errors         []FailureRow                 `json:"errors"`
	Warnings       []FailureRow                 `json:"warnings"`
	Breaches       []string                     `json:"breaches"`
	Plugins        []engine.PluginFuel          `json:"plugins"` // dearest first; none of a plan out of a file
}

type differenceJSON struct {
	Schema             string                       `json:"schema"`
	Base               engine.PackInfo              `json:"base"`
	Head               engine.PackInfo              `json:"head"`
	Hub                string                       `json:"hub"`
	TakenAt            string                       `json:"takenAt"`
	Fleet              engine.FleetInfo             `json:"fleet"`
	Summary            differenceSummary            `json:"summary"`
	Rows               []Row                        `json:"rows"`
	Audited            []Row                        `json:"audited"`
	Rollouts           []engine.Rollout             `json:"rollouts"`
	GoneRollouts       []engine.Rollout             `json:"goneRollouts"`
	Configurations     []engine.ConfigurationChange `json:"configurations"`
	GoneConfigurations []engine.ConfigurationChange `json:"goneConfigurations"`
	NewConflicts       []ConflictRow                `json:"newConflicts"`
	GoneConflicts      []ConflictRow                `json:"goneConflicts"`
	NewErrors          []FailureRow                 `json:"newErrors"`
	GoneErrors         []FailureRow                 `json:"goneErrors"`
	NewWarnings        []FailureRow                 `json:"newWarnings"`
	GoneWarnings       []FailureRow                 `json:"goneWarnings"`
	NewBreaches        []string                     `json:"newBreaches"`
	GoneBreaches       []string                     `json:"goneBreaches"`
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

// list returns l as a list that JSON shows as one when it is empty.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// WriteJSON writes v with every character escaped that a terminal would act on.
func WriteJSON(w io.Writer, v any) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, visible(b.String()))
	return err
}

// visible escapes the characters of a JSON text that [rules.Excerpt] would. Those
// stand in strings only; line ends are the text's own.
func visible(text string) string {
	var b strings.Builder
	for _, r := range text {
		s := string(r)
		if r == '\n' || r < 0x7f || rules.Excerpt(s, 1) == s {
			b.WriteString(s)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
