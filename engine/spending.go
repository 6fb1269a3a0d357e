package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/rules"
)

// A Spending is what plugins used to compute a plan. It is no part of the plan's
// file: how often they are asked depends on what was known before, see [Seen].
type Spending struct {
	Budget  int64        // [Options.Fuel]; 0 for none
	Plugins []PluginFuel // of all rules that are not off, dearest first
}

// Total returns the units of all plugins.
func (s *Spending) Total() (n int64) {
	for _, p := range s.Plugins {
		n += p.Fuel
	}
	return n
}

// String names the plugins with what they used.
func (s *Spending) String() string {
	var list []string
	for _, p := range s.Plugins {
		noun := "rule "
		if len(p.Rules) > 1 {
			noun = "rules "
		}
		list = append(list, fmt.Sprintf("%s %d (%s%s)", p.Plugin, p.Fuel, noun, strings.Join(p.Rules, ", ")))
	}
	return strings.Join(list, ", ")
}

// PluginFuel is what one plugin used.
type PluginFuel struct {
	Plugin string   `json:"plugin"`
	Fuel   int64    `json:"fuel"`  // units
	Rules  []string `json:"rules"` // that asked it, in the order of the pack
}

// NewSpending adds up what each plugin of a pack used, of a bill by rules.
func NewSpending(pack *rules.Pack, budget int64, bill []int64) Spending {
	s := Spending{Budget: budget}
	for i, r := range pack.Rules {
		if r.Plugin == nil || r.Mode == rules.Off {
			continue
		}
		at := slices.IndexFunc(s.Plugins, func(p PluginFuel) bool { return p.Plugin == r.Plugin.Use })
		if at < 0 {
			at = len(s.Plugins)
			s.Plugins = append(s.Plugins, PluginFuel{Plugin: r.Plugin.Use})
		}
		p := &s.Plugins[at]
		p.Rules = append(p.Rules, r.ID)
		if bill != nil {
			p.Fuel += bill[i]
		}
	}
	s.sort()
	return s
}

// Add adds what plugins of the same pack used elsewhere.
func (s *Spending) Add(other Spending) {
	for _, p := range other.Plugins {
		if at := slices.IndexFunc(s.Plugins, func(o PluginFuel) bool { return o.Plugin == p.Plugin }); at >= 0 {
			s.Plugins[at].Fuel += p.Fuel
		} else {
			s.Plugins = append(s.Plugins, p)
		}
	}
	s.sort()
}

func (s *Spending) sort() {
	slices.SortFunc(s.Plugins, func(a, b PluginFuel) int {
		return cmp.Or(cmp.Compare(b.Fuel, a.Fuel), strings.Compare(a.Plugin, b.Plugin))
	})
}

// A FuelError says that plugins used more than a run may.
type FuelError struct{ Spending }

func (e *FuelError) Error() string {
	return fmt.Sprintf("plugins used more than the %d units of fuel that a run may use: %s", e.Budget, &e.Spending)
}
