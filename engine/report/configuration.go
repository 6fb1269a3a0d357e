package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A field is a part of a configuration as people read it.
type field struct{ name, value string }

// fields lists what a configuration says. Labels are twinrules' own notes.
func fields(s *engine.ConfigurationState) []field {
	list := []field{
		{"target", s.TargetCondition},
		{"priority", fmt.Sprint(s.Priority)},
		{"content", string(twin.Encode(s.Content))},
	}
	for _, name := range slices.Sorted(maps.Keys(s.Metrics)) {
		list = append(list, field{"metric " + name, s.Metrics[name]})
	}
	return list
}

// differingFields lists the parts that a change of a configuration concerns:
// all of one that is created or deleted, what is to be different of another.
func differingFields(c engine.ConfigurationChange) (list []field) {
	switch {
	case c.Action == engine.Keep || c.Before == nil && c.After == nil:
		return nil
	case c.Before == nil:
		return fields(c.After)
	case c.After == nil:
		return fields(c.Before)
	}
	was := map[string]string{}
	for _, f := range fields(c.Before) {
		was[f.name] = f.value
	}
	for _, f := range fields(c.After) {
		before, known := was[f.name]
		if known && before == f.value {
			continue
		}
		if !known {
			before = "(absent)"
		}
		list = append(list, field{f.name, rules.Excerpt(before, 240) + "  →  " + rules.Excerpt(f.value, 240)})
	}
	return list
}

func configurationSign(a engine.ConfigurationAction) string {
	return map[engine.ConfigurationAction]string{engine.Create: "+", engine.Update: "~", engine.Delete: "-", engine.Keep: "="}[a]
}

func (t *text) configurations(list []engine.ConfigurationChange) {
	for _, c := range list {
		t.heading(configurationSign(c.Action), func(room int) string {
			what := string(c.Action) + " configuration "
			return what + t.middle(c.ID, room-t.columns(what))
		}, t.middle(t.at[c.Rule], 30))
		t.sentence(indent + c.Reason)
		for _, f := range differingFields(c) {
			t.flow(indent+t.widths.FillRight(t.middle(f.name, 30), 8)+"  ", "", strings.SplitAfter(rules.Excerpt(f.value, 500), " ")...)
		}
	}
}
