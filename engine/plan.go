package engine

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A Plan is the difference between a fleet and what the rules want of it.
// Computed twice from the same pack and the same twins it is the same, byte for
// byte, whatever the number of workers and the order in which twins come. It is
// immutable.
type Plan struct {
	Header
	Rules          []RuleCount // in the order of the pack
	Rollouts       []Rollout   // of the rules that go in waves, in the order of the pack
	Changes        Changes     // in Ref order
	Audited        Changes     // what rules of mode audit would do, in Ref order
	Configurations []ConfigurationChange
	Conflicts      []Conflict // in Ref order
	Errors         []Failure  // in Ref order
	Warnings       []Failure  // that rules excuse and want told of, in Ref order; they stand in nobody's way
	Breaches       []Breach   // limits that the changes exceed
	Spending       Spending   // of plugins; not known of a plan out of a file
}

// A Header says what a plan was computed from.
type Header struct {
	Schema  string    `json:"schema"` // PlanSchema
	Tool    string    `json:"tool"`   // version of twinrules
	Pack    PackInfo  `json:"pack"`
	Hub     string    `json:"hub"`     // host name; "" when the source does not say
	TakenAt time.Time `json:"takenAt"` // when the twins were read
	Fleet   FleetInfo `json:"fleet"`
	Queries []string  `json:"queries"` // that selected the twins
}

// PlanSchema names the form of the plan document. The number after the dot
// grows with additions, the one before it when a reader must not guess.
const PlanSchema = "twinrules/plan/v1.4"

// A PackInfo names a pack.
type PackInfo struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
}

// A FleetInfo describes the twins a plan was computed from.
type FleetInfo struct {
	Digest   string `json:"digest"` // of the twins, whatever their order
	Devices  int    `json:"devices"`
	Modules  int    `json:"modules"`
	Complete bool   `json:"complete"` // nothing is known to be missing
	// Narrowed: of the twins that rules select, those that no rule seemed to concern
	// were counted and not read. They are in neither of the numbers and the digest
	// above, but in the populations.
	Narrowed bool `json:"narrowed,omitempty"`
	// ConfigurationsUnread: the hub did not let the reader see its configurations,
	// and no rule has one. Whether earlier ones of the pack are left is not known.
	ConfigurationsUnread bool `json:"configurationsUnread,omitempty"`
}

// A RuleCount says how far one rule reached.
type RuleCount struct {
	Rule       string     `json:"rule"`
	Mode       rules.Mode `json:"mode"`
	File       string     `json:"file"`
	Line       int        `json:"line"`
	Population int        `json:"population"`        // twins its selector holds for
	Matched    int        `json:"matched"`           // of these, its condition holds for
	Changed    int        `json:"changed"`           // of these, it would change
	Failed     int        `json:"failed"`            // twins it could not judge
	Leaving    int        `json:"leaving,omitempty"` // twins whose values it gives back, having come to its end
	Warned     int        `json:"warned,omitempty"`  // twins on which its plugin failed under onError: warn
}

// A Change is one write: the document, the state it was computed from, and what
// is to be different.
type Change struct {
	Ref            twin.Ref `json:"ref"`
	ETag           string   `json:"etag"`
	Version        int64    `json:"version"`
	DesiredVersion int64    `json:"desiredVersion"`
	DeviceETag     string   `json:"deviceEtag,omitempty"` // of the identity; "" when the source does not say
	Edits          []Edit   `json:"edits"`                // by section and path
	// Cohorts says in which wave the twin is, for each rule with a rollout that wants
	// one of the edits, in the order of the pack.
	Cohorts []Cohort `json:"cohorts,omitempty"`
}

// An Edit is one place of a twin that changes. A nil value stands for none.
type Edit struct {
	Section string   `json:"section"` // "tags" or "desired"
	Path    []string `json:"path"`
	Before  any      `json:"before"`
	After   any      `json:"after"`
	Rules   []string `json:"rules"` // that want it, in the order of the pack
	// Why says what is done to a value whose rule has come to its end, such as
	// "left: removed"; "" for what a rule wants.
	Why string `json:"why,omitempty"`
}

// Name returns the place as reports show it, such as "desired.fan.level".
func (e Edit) Name() string {
	return rules.PathString(append([]string{e.Section}, e.Path...))
}

func (e *Edit) leaf() twin.Leaf { return twin.Leaf{Section: e.Section, Path: e.Path, Value: e.After} }

// Patch returns the merge patch that makes the change. No edit of a change lies
// below another.
func (c Change) Patch() (p twin.Patch) {
	for _, e := range c.Edits {
		section := &p.Tags
		if e.Section == "desired" {
			section = &p.Desired
		}
		*section = twin.Set(*section, e.Path, e.After)
	}
	return p
}

// A Conflict is a place for which rules of one priority want different values, or
// which a rule and a configuration of others both write.
type Conflict struct {
	Ref    twin.Ref       `json:"ref"`
	Place  string         `json:"place"`
	Wishes []ConflictWish `json:"wishes"`
	Doubt  string         `json:"doubt,omitempty"` // why it is not certain that the configuration does
}

// Foreign returns the configuration of others that the conflict is with, or "".
func (c Conflict) Foreign() string { return c.Wishes[len(c.Wishes)-1].Configuration }

// A ConflictWish is one side of a [Conflict].
type ConflictWish struct {
	Rule          string `json:"rule"`
	Value         any    `json:"value"`
	Configuration string `json:"configuration,omitempty"` // in place of a rule
}

// Who names the side.
func (w ConflictWish) Who() string {
	if w.Configuration != "" {
		return "configuration " + w.Configuration
	}
	return w.Rule
}

// A Failure is a rule that could not judge a twin, or a result that the hub
// would refuse. The twin is left as it is by the rules named. As a warning it is
// one of a plugin whose rule says onError: warn.
type Failure struct {
	Ref     twin.Ref `json:"ref"`
	Rule    string   `json:"rule"`
	Message string   `json:"message"`
	Fuel    int64    `json:"fuel,omitempty"` // that the rule's plugin used until it failed
}

// A Breach is a limit that the changes exceed. A plan with one is not applied.
type Breach struct {
	Rule       string       `json:"rule"` // "" for the pack as a whole
	Limits     rules.Limits `json:"limits"`
	Population int          `json:"population"`
	Changed    int          `json:"changed"`
	Allowed    int          `json:"allowed"`
	Last       int          `json:"last,omitempty"` // the population in the last pass, where it has shrunk too much since
}

// A ConfigurationChange is one write of a configuration. They are made in
// order, creations before deletions.
type ConfigurationChange struct {
	Action ConfigurationAction `json:"action"`
	ID     string              `json:"id"`
	ETag   string              `json:"etag"` // "" for a creation
	Rule   string              `json:"rule"`
	Before *ConfigurationState `json:"before"` // nil for a creation
	After  *ConfigurationState `json:"after"`  // nil for a deletion
	Reason string              `json:"reason"`
}

// A ConfigurationAction is what is done to a configuration.
type ConfigurationAction string

// The actions.
const (
	Create ConfigurationAction = "create"
	Update ConfigurationAction = "update"
	Delete ConfigurationAction = "delete"
	Keep   ConfigurationAction = "keep" // to be deleted once its successor has been applied
)

// Summary holds the numbers that a plan is judged by.
type Summary struct {
	Twins          int `json:"twins"`          // that would be written
	Edits          int `json:"edits"`          // places in them
	Audited        int `json:"audited"`        // twins that rules of mode audit would write
	Configurations int `json:"configurations"` // that would be created, updated or deleted
	Conflicts      int `json:"conflicts"`
	Errors         int `json:"errors"`
	Breaches       int `json:"breaches"`
	Warnings       int `json:"warnings,omitempty"`
}

// Summary counts what is in p.
func (p *Plan) Summary() Summary {
	s := Summary{
		Twins: p.Changes.Len(), Edits: p.Changes.Edits(), Audited: p.Audited.Len(),
		Conflicts: len(p.Conflicts), Errors: len(p.Errors), Breaches: len(p.Breaches), Warnings: len(p.Warnings),
	}
	for _, c := range p.Configurations {
		if c.Action != Keep {
			s.Configurations++
		}
	}
	return s
}

// Empty reports whether applying p would write nothing.
func (p *Plan) Empty() bool { s := p.Summary(); return s.Twins == 0 && s.Configurations == 0 }

// Close gives up the file that the changes of p may be in, see [Options.Scratch].
func (p *Plan) Close() error { return errors.Join(p.Changes.close(), p.Audited.close()) }

// Obstacle says why p cannot be applied, or "" when it can.
func (p *Plan) Obstacle() string {
	var reasons []string
	foreign := func(c Conflict) bool { return c.Foreign() != "" }
	if slices.ContainsFunc(p.Conflicts, func(c Conflict) bool { return !foreign(c) }) {
		reasons = append(reasons, "rules want different values for the same place")
	}
	if slices.ContainsFunc(p.Conflicts, foreign) {
		reasons = append(reasons, "a configuration on the hub writes the same place")
	}
	if len(p.Breaches) > 0 {
		reasons = append(reasons, "a limit is exceeded")
	}
	if staged := p.Staged(); len(staged) > 0 {
		reasons = append(reasons, "rule "+staged[0].Rule+" goes in waves, which this version does not write")
	}
	if !p.Fleet.Complete {
		reasons = append(reasons, "the twins it was computed from are known to be incomplete")
	}
	return strings.Join(reasons, "; ")
}

func compareRefs(a, b twin.Ref) int { return a.Compare(b) }

func (p *Plan) sort() {
	slices.SortStableFunc(p.Conflicts, func(a, b Conflict) int { return compareRefs(a.Ref, b.Ref) })
	slices.SortStableFunc(p.Errors, func(a, b Failure) int { return compareRefs(a.Ref, b.Ref) })
	slices.SortStableFunc(p.Warnings, func(a, b Failure) int { return compareRefs(a.Ref, b.Ref) })
}
