package rules

import (
	"io/fs"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Pack is a set of rules that are loaded, checked and released together. It
// is immutable.
type Pack struct {
	Name, Owner, Description string

	Digest   string // "sha256:…" over the pack's files, by name
	Vars     twin.Object
	Limits   Limits // on all rules together
	Schedule *Schedule
	Plugins  []*PluginSource
	Rules    []*Rule // in the order of files and lines
	Tests    []*SnapshotTest

	// FS holds the pack's files; plugin sources are paths in it.
	FS fs.FS

	reporter *reporter // holds what is wrong with the pack
}

// A Rule says what should hold for the twins it selects.
type Rule struct {
	ID, Description string
	Pos             Pos // of its id
	On              Target
	Selector        string // the source; "" means every twin of On
	When            string // the source; "" means always
	Until           string // the source; "" means until when no longer holds
	OnExit          OnExit
	AllowForeign    []string // ids of configurations that may write the same places
	Priority        int
	Mode            Mode
	Limits          Limits
	Configuration   *ConfigurationSpec // nil unless the hub is to run the rule
	Plugin          *PluginUse         // nil when the rule uses none
	Rollout         *Rollout           // nil unless the rule is to go in waves
	Tests           []*Case

	at                    setting
	selector, when, until expressionSource
	onExit                setting
	patch                 []leafSource
	mistaken              bool // something is wrong with it that was found when it was read
}

// A Mode says what becomes of a rule's wishes.
type Mode string

// The modes.
const (
	Enforce Mode = "enforce" // they are planned and written
	Audit   Mode = "audit"   // they are reported and never written
	Off     Mode = "off"     // the rule is checked and not run
)

// A Target says which documents a rule is about.
type Target struct {
	Module string // "" for devices, "*" for every module, else a module's id
}

// Devices reports whether the target is devices, not modules.
func (t Target) Devices() bool { return t.Module == "" }

// Covers reports whether ref is one of the target's documents.
func (t Target) Covers(ref twin.Ref) bool {
	return t.Module == ref.Module || t.Module == "*" && ref.Module != ""
}

func (t Target) String() string {
	if t.Devices() {
		return "device"
	}
	return "module/" + t.Module
}

// Limits bound how many twins may be changed at once. They are checked in whole
// numbers before anything is written.
type Limits struct {
	MaxTwins      int `json:"maxTwins"`      // changed at the most
	MaxPercent    int `json:"maxPercent"`    // of the population, never less than one twin
	MinPopulation int `json:"minPopulation"` // below it nothing is changed: wrong hub, or an empty index
	MaxShrink     int `json:"maxShrink"`     // percent by which the population may be smaller than in the last pass
}

// defaultShrink is half: fleets grow and are cleaned up, and an index that was
// rebuilt or a selector that lost its tag takes most of them.
const defaultShrink = 50

// DefaultRuleLimits returns the limits of a rule where a pack sets none.
func DefaultRuleLimits() Limits {
	return Limits{MaxTwins: 500, MaxPercent: 10, MaxShrink: defaultShrink}
}

// DefaultPackLimits returns the limits on all rules where a pack sets none.
func DefaultPackLimits() Limits {
	return Limits{MaxTwins: 1000, MaxPercent: 20, MaxShrink: defaultShrink}
}

// Allowed returns how many twins of a population may be changed.
func (l Limits) Allowed(population int) int {
	if population < l.MinPopulation {
		return 0
	}
	percent := population * l.MaxPercent / 100
	if percent == 0 && l.MaxPercent > 0 && population > 0 {
		percent = 1
	}
	return min(l.MaxTwins, percent)
}

// Shrunk reports whether a population is so much smaller than it was last that
// nothing may be changed.
func (l Limits) Shrunk(population, last int) bool {
	return (last-population)*100 > last*l.MaxShrink
}

// A Schedule says when a pack runs. Exactly one of Every and Cron is set.
type Schedule struct {
	Every    time.Duration
	Cron     string  // five fields, minutes first
	TimeZone string  // IANA name, for Cron; "" means UTC
	Window   *Window // when writing is allowed; nil means always
}

// A Window is the part of a week in which a pack may write. From and To are
// what the clocks of TimeZone show, in minutes since midnight. When From is not
// before To, the window goes on over midnight and belongs to the day on which it
// opens.
type Window struct {
	TimeZone string // IANA name; "" means UTC
	Days     []time.Weekday
	From, To int // To may be 24:00
}

// A PluginSource is a plugin that a pack declares.
type PluginSource struct {
	Name   string
	Source string // a path in the pack, such as "plugins/anomaly.wasm", or what [RegistryScheme] starts
	Digest string // "sha256:…" that the file must have, of the pack or its [LockFile]
	Verify Verify
	Pos    Pos

	at, digest setting
}

// A PluginUse is one rule's use of a plugin.
type PluginUse struct {
	Use      string // a declared plugin's name
	OnError  OnError
	at, with setting
}

// OnError says what becomes of a twin whose plugin call fails.
type OnError string

// The answers to a failed plugin call.
const (
	Fail OnError = "fail" // an error of this rule for this twin
	Skip OnError = "skip" // as if the rule did not match
	Warn OnError = "warn" // the same, and the plan says so
)

// A ConfigurationSpec hands a rule to the hub as an automatic device management
// configuration.
type ConfigurationSpec struct {
	Priority int
	Metrics  map[string]expressionSource
	at       setting
	content  setting // explicit content, where the rule has no patch
}

// A Case is one test of a rule: a twin and what the rule should want of it.
type Case struct {
	Name string
	Pos  Pos
	Twin *twin.Twin
	Now  time.Time // zero means that of the run
	// Before is what the journal remembers: what stood at the rule's places before
	// it wrote there. Nil means that there is no journal.
	Before *twin.Patch

	Gate GateState // what the gate of the rule's rollout should say of the twin; "" where it is not asked

	None  bool       // the rule wants nothing
	Patch twin.Patch // or this, after diffing against the twin
	Error string     // or it fails with an error that contains this
}

// expects reports whether the test says what the rule wants; one of a gate may
// leave that out.
func (c *Case) expects() bool { return c.None || c.Error != "" || !c.Patch.Empty() }

// An expressionSource is an expression as it stands in a file.
type expressionSource struct {
	text string
	at   setting
}

func (e expressionSource) exists() bool { return e.at.exists() }

// A leafSource is one leaf of a rule's patch as it stands in a file.
type leafSource struct {
	section string   // "tags" or "desired"
	path    []string // keys from the section down
	value   setting
}
