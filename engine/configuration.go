package engine

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A ConfigurationState is what a service may set of a configuration.
type ConfigurationState struct {
	Labels          map[string]string `json:"labels"`
	Content         twin.Object       `json:"content"`
	TargetCondition string            `json:"targetCondition"`
	Priority        int               `json:"priority"`
	Metrics         map[string]string `json:"metrics"`
}

func stateOf(c *twin.Configuration) *ConfigurationState {
	return &ConfigurationState{c.Labels, c.Content, c.TargetCondition, c.Priority, c.Metrics}
}

func (s *ConfigurationState) equal(o *ConfigurationState) bool {
	return maps.Equal(s.Labels, o.Labels) && twin.Equal(s.Content, o.Content) &&
		s.TargetCondition == o.TargetCondition && s.Priority == o.Priority && maps.Equal(s.Metrics, o.Metrics)
}

// collect returns all of a sequence, or the error that it ends with.
func collect[T any](seq iter.Seq2[T, error]) (list []T, err error) {
	for v, err := range seq {
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// maxConfigurations is how many configurations a hub holds, on every tier but
// the free one.
const maxConfigurations = 100

// configurations compares what the pack wants the hub to run with the
// configurations that it owns there. Others are never touched.
func (e *evaluation) configurations(live []*twin.Configuration) {
	if e.opts.Audit {
		return
	}
	wanted := e.program.Configurations()
	held := len(live)
	for _, want := range wanted {
		have := find(live, want.ID)
		switch c := putChange(want, have); {
		case have == nil && held >= maxConfigurations:
			e.total.fail(want.Ref(), c.Rule, fmt.Sprintf("the hub holds %d configurations at the most", maxConfigurations))
		case have == nil:
			held++
			e.total.configurations = append(e.total.configurations, c)
		case !rules.Owned(have, e.program.Pack.Name):
			e.total.fail(want.Ref(), c.Rule, "the hub has such a configuration, and it is not this pack's")
		case !c.Before.equal(c.After):
			e.total.configurations = append(e.total.configurations, c)
		}
	}
	for _, old := range slices.SortedFunc(slices.Values(live), func(a, b *twin.Configuration) int { return cmp.Compare(a.ID, b.ID) }) {
		if rules.Owned(old, e.program.Pack.Name) && find(wanted, old.ID) == nil {
			e.total.configurations = append(e.total.configurations, retire(old, wanted, live))
		}
	}
}

func find(list []*twin.Configuration, id string) *twin.Configuration {
	for _, c := range list {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// putChange creates want, or makes of have what want is.
func putChange(want, have *twin.Configuration) ConfigurationChange {
	c := ConfigurationChange{Action: Create, ID: want.ID, Rule: want.Labels[rules.RuleLabel], After: stateOf(want), Reason: "the rule asks the hub to run it"}
	if have != nil {
		c.Action, c.ETag, c.Before = Update, have.ETag, stateOf(have)
		c.Reason = "the rule was changed"
	}
	return c
}

// retire removes an old configuration, but not before the one that takes its
// place has been applied everywhere: in between, devices would fall back to
// nothing.
func retire(old *twin.Configuration, wanted, live []*twin.Configuration) ConfigurationChange {
	rule := old.Labels[rules.RuleLabel]
	c := ConfigurationChange{Action: Delete, ID: old.ID, ETag: old.ETag, Rule: rule, Before: stateOf(old), Reason: "no rule asks for it"}
	for _, want := range wanted {
		if want.Labels[rules.RuleLabel] != rule {
			continue
		}
		c.Reason = want.ID + " has taken its place"
		if next := find(live, want.ID); next == nil || !applied(next) {
			c.Action, c.Reason = Keep, "until "+want.ID+" has been applied"
		}
	}
	return c
}

// applied reports whether the hub has applied c to every device it targets.
func applied(c *twin.Configuration) bool {
	targeted, known := c.Counts["targetedCount"]
	return known && c.Counts["appliedCount"] >= targeted
}
