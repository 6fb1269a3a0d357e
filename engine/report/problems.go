package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// A FailureRow is a rule that could not judge documents for one reason.
type FailureRow struct {
	Rule    string   `json:"rule"`
	Message string   `json:"message"`
	Count   int      `json:"count"`
	Samples []string `json:"samples"`
	// Fuel is what the plugin used until it failed; nil where it was no plugin.
	Fuel *Fuel `json:"fuel,omitempty"`
	// Others counts the messages that are not shown, when a rule has so many
	// that its rows are folded to one.
	Others int    `json:"others,omitempty"`
	noun   string // what Count counts
}

// Fuel is a range of units of fuel. It differs between twins on which a plugin fails
// in one way.
type Fuel struct {
	Least int64 `json:"least"`
	Most  int64 `json:"most"`
}

// String returns the range in words.
func (f *Fuel) String() string {
	if f.Least == f.Most {
		return fmt.Sprintf("after %d units of fuel", f.Most)
	}
	return fmt.Sprintf("after %d to %d units of fuel", f.Least, f.Most)
}

// with returns the range with what one twin used, 0 for one that used none.
func (f *Fuel) with(units int64) *Fuel {
	switch {
	case units == 0:
		return f
	case f == nil:
		return &Fuel{units, units}
	}
	return &Fuel{min(f.Least, units), max(f.Most, units)}
}

// failureRows groups failures by rule and message. The messages of a rule that
// has too many, as when they name a value of each twin, are one row.
func failureRows(failures []engine.Failure) []FailureRow {
	messages := map[string]map[string]bool{}
	for _, f := range failures {
		if messages[f.Rule] == nil {
			messages[f.Rule] = map[string]bool{}
		}
		messages[f.Rule][message(f)] = true
	}
	var g group[FailureRow]
	for _, f := range failures {
		key, others := f.Rule+"\x00"+noun(f.Ref), len(messages[f.Rule])-1
		if others < maxRows {
			key, others = key+"\x00"+message(f), 0
		}
		row := g.row(key, FailureRow{Rule: f.Rule, Message: message(f), Others: others, noun: noun(f.Ref)})
		row.Count++
		row.Fuel = row.Fuel.with(f.Fuel)
		row.Samples = sample(row.Samples, f.Ref)
	}
	slices.SortStableFunc(g.rows, func(a, b FailureRow) int { return cmp.Compare(b.Count, a.Count) })
	return g.rows
}

// message returns what went wrong without whose twin it was, which messages of
// plugins say in their midst.
func message(f engine.Failure) string {
	return strings.ReplaceAll(f.Message, f.Ref.String()+": ", "")
}

func noun(ref twin.Ref) string {
	if ref.Configuration != "" {
		return "configuration"
	}
	return "twin"
}

// A ConflictRow is a place for which the same rules want different values.
type ConflictRow struct {
	Place   string   `json:"place"`
	Rules   []string `json:"rules"`
	Count   int      `json:"count"`
	Samples []string `json:"samples"`
	// Wishes are those of the first twin.
	Wishes []engine.ConflictWish `json:"wishes"`
	Doubt  string                `json:"doubt,omitempty"`
}

// advice says what can be done about a conflict.
func (c ConflictRow) advice() string {
	if id := c.Wishes[len(c.Wishes)-1].Configuration; id != "" {
		return "let one of the two go, or accept the other with allowForeign: [" + id + "]"
	}
	return "give one of the rules a higher priority, or let their selectors part"
}

func conflictRows(conflicts []engine.Conflict) []ConflictRow {
	var g group[ConflictRow]
	for _, c := range conflicts {
		var names []string
		for _, w := range c.Wishes {
			names = append(names, w.Who())
		}
		row := g.row(c.Place+"\x00"+strings.Join(names, "\x00")+"\x00"+c.Doubt, ConflictRow{Place: c.Place, Rules: names, Wishes: c.Wishes, Doubt: c.Doubt})
		row.Count++
		row.Samples = sample(row.Samples, c.Ref)
	}
	slices.SortStableFunc(g.rows, func(a, b ConflictRow) int { return cmp.Compare(b.Count, a.Count) })
	return g.rows
}

// A group collects rows by key, in the order in which they were met.
type group[T any] struct {
	rows  []T
	index map[string]int
}

// row returns the row of key, which is fresh when there is none yet. The next
// call may move it.
func (g *group[T]) row(key string, fresh T) *T {
	if g.index == nil {
		g.index, g.rows = map[string]int{}, []T{}
	}
	i, known := g.index[key]
	if !known {
		i = len(g.rows)
		g.index[key] = i
		g.rows = append(g.rows, fresh)
	}
	return &g.rows[i]
}

// sample adds the name of a document to a few.
func sample(list []string, ref twin.Ref) []string {
	if len(list) < maxSamples {
		list = append(list, name(ref))
	}
	return list
}
