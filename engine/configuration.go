package engine

import (
	"cmp"
	"context"
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

type collected struct {
	list []*twin.Configuration
	err  error
}

func collect(ctx context.Context, src Source) (all collected) {
	for c, err := range src.Configurations(ctx) {
		if err != nil {
			all.err = err
			return all
		}
		all.list = append(all.list, c)
	}
	return all
}

// configurationChanges compares what the pack wants the hub to run with the
// configurations that it owns there. Others are never touched.
func configurationChanges(p *rules.Program, live []*twin.Configuration, opts *Options) []ConfigurationChange {
	if opts.Audit {
		return nil
	}
	wanted := p.Configurations()
	var list []ConfigurationChange
	for _, want := range wanted {
		if c, differs := putChange(want, find(live, want.ID)); differs {
			list = append(list, c)
		}
	}
	owned := slices.DeleteFunc(slices.Clone(live), func(c *twin.Configuration) bool { return !rules.Owned(c, p.Pack.Name) })
	slices.SortFunc(owned, func(a, b *twin.Configuration) int { return cmp.Compare(a.ID, b.ID) })
	for _, old := range owned {
		if find(wanted, old.ID) == nil {
			list = append(list, retire(old, wanted, live))
		}
	}
	return list
}

func find(list []*twin.Configuration, id string) *twin.Configuration {
	for _, c := range list {
		if c.ID == id {
			return c
		}
	}
	return nil
}

func putChange(want, have *twin.Configuration) (ConfigurationChange, bool) {
	c := ConfigurationChange{Action: Create, ID: want.ID, Rule: want.Labels[rules.RuleLabel], After: stateOf(want), Reason: "the rule asks the hub to run it"}
	if have == nil {
		return c, true
	}
	c.Action, c.ETag, c.Before = Update, have.ETag, stateOf(have)
	c.Reason = "the rule was changed"
	return c, !c.Before.equal(c.After)
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
