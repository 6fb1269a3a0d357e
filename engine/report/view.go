package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// A Row is a set of twins for which the same rules do the same at the same
// places. What stood there before may differ.
type Row struct {
	Rules   []string     `json:"rules"`
	Class   engine.Class `json:"class,omitempty"` // of a difference
	Count   int          `json:"count"`           // twins
	Places  []Place      `json:"places"`
	Samples []string     `json:"samples"` // a few of the twins, in order
	// Folded is set when the rows of one rule were too many, so that the new
	// values differ within this one.
	Folded bool `json:"folded,omitempty"`
}

// A Place is one path of a [Row].
type Place struct {
	Path   string    `json:"path"`
	Before []Counted `json:"before"`         // most frequent first
	After  []Counted `json:"after"`          // one, but in a folded row
	Base   []Counted `json:"base,omitempty"` // what base would write, for an altered edit
}

// A Counted is a value and how many twins have it. A nil value is none.
type Counted struct {
	Value any `json:"value"`
	Count int `json:"count"`
}

// How much of the twins a row shows, and how many rows a rule may have before
// they are folded.
const (
	maxSamples = 3
	maxRows    = 25
)

// planRows groups the changes of a plan.
func planRows(changes []engine.Change) []Row {
	var g grouping
	for _, c := range changes {
		var list []engine.DifferentEdit
		for _, e := range c.Edits {
			list = append(list, engine.DifferentEdit{Edit: e})
		}
		g.add(c.Ref, list)
	}
	return g.rows()
}

// differenceRows groups the changes of a difference.
func differenceRows(d *engine.Difference) []Row {
	var g grouping
	for _, c := range d.Changes {
		g.add(c.Ref, c.Edits)
	}
	return g.rows()
}

// A grouping collects equal changes, exactly and by shape. Refs come in order.
type grouping struct {
	exact, shape map[string]*bucket
}

// A bucket becomes a row.
type bucket struct {
	key, owner    string // owner: rules and class; its rows are folded together
	rules         []string
	class         engine.Class
	count         int
	samples       []string
	places        []string
	shape         string
	before, after []map[string]*Counted
	base          []map[string]*Counted
}

// add takes the edits of one twin, apart by the rules that want them.
func (g *grouping) add(ref twin.Ref, edits []engine.DifferentEdit) {
	if g.exact == nil {
		g.exact, g.shape = map[string]*bucket{}, map[string]*bucket{}
	}
	var owners []string
	parts := map[string][]engine.DifferentEdit{}
	for _, e := range edits {
		owner := string(e.Class) + "\x00" + strings.Join(e.Rules, "\x00")
		if _, known := parts[owner]; !known {
			owners = append(owners, owner)
		}
		parts[owner] = append(parts[owner], e)
	}
	for _, owner := range owners {
		shape, exact := keys(owner, parts[owner])
		into(g.exact, exact, shape, owner, ref, parts[owner])
		into(g.shape, shape, shape, owner, ref, parts[owner])
	}
}

// keys returns what edits must share to be of one shape, and to be equal.
func keys(owner string, edits []engine.DifferentEdit) (shape, exact string) {
	var s, x strings.Builder
	s.WriteString(owner)
	for _, e := range edits {
		fmt.Fprintf(&s, "\x01%s", e.Name())
		fmt.Fprintf(&x, "\x01%s\x01%s", twin.Encode(e.After), twin.Encode(e.Base))
	}
	return s.String(), s.String() + x.String()
}

func into(m map[string]*bucket, key, shape, owner string, ref twin.Ref, edits []engine.DifferentEdit) {
	b := m[key]
	if b == nil {
		b = &bucket{key: key, owner: owner, shape: shape, rules: edits[0].Rules, class: edits[0].Class}
		for _, e := range edits {
			b.places = append(b.places, e.Name())
			b.before = append(b.before, map[string]*Counted{})
			b.after = append(b.after, map[string]*Counted{})
			b.base = append(b.base, map[string]*Counted{})
		}
		m[key] = b
	}
	b.count++
	if len(b.samples) < maxSamples {
		b.samples = append(b.samples, name(ref))
	}
	for i, e := range edits {
		count(b.before[i], e.Before)
		count(b.after[i], e.After)
		if e.Class == engine.Altered {
			count(b.base[i], e.Base)
		}
	}
}

// name returns a twin as people call it.
func name(ref twin.Ref) string {
	if ref.Module != "" {
		return ref.Device + "/" + ref.Module
	}
	return ref.Device
}

func count(m map[string]*Counted, v any) {
	key := string(twin.Encode(v))
	if m[key] == nil {
		m[key] = &Counted{Value: v}
	}
	m[key].Count++
}

// rows returns the rows, largest first; those of a rule that has too many are
// folded by their shape.
func (g *grouping) rows() []Row {
	perOwner := map[string]int{}
	for _, b := range g.exact {
		perOwner[b.owner]++
	}
	var list []*bucket
	for _, b := range g.exact {
		if perOwner[b.owner] <= maxRows {
			list = append(list, b)
		}
	}
	for _, b := range g.shape {
		if perOwner[b.owner] > maxRows {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b *bucket) int {
		return cmp.Or(cmp.Compare(b.count, a.count), strings.Compare(a.owner, b.owner), strings.Compare(a.key, b.key))
	})
	out := make([]Row, len(list))
	for i, b := range list {
		out[i] = b.row(perOwner[b.owner] > maxRows)
	}
	return out
}

func (b *bucket) row(folded bool) Row {
	r := Row{Rules: b.rules, Class: b.class, Count: b.count, Samples: b.samples, Folded: folded}
	for i, path := range b.places {
		r.Places = append(r.Places, Place{path, histogram(b.before[i]), histogram(b.after[i]), histogram(b.base[i])})
	}
	return r
}

// histogram lists values, most frequent first.
func histogram(m map[string]*Counted) []Counted {
	var list []Counted
	for _, c := range m {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b Counted) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(string(twin.Encode(a.Value)), string(twin.Encode(b.Value))))
	})
	return list
}

// sign returns what a row does in one character: + adds, - removes, ~ changes,
// < is no longer done.
func (r Row) sign() string {
	adds, removes := true, true
	for _, p := range r.Places {
		adds = adds && none(p.Before)
		removes = removes && none(p.After)
	}
	switch {
	case r.Class == engine.Withdrawn:
		return "<"
	case removes:
		return "-"
	case adds:
		return "+"
	}
	return "~"
}

func none(list []Counted) bool {
	return len(list) == 1 && list[0].Value == nil
}

// A FailureRow is a rule that could not judge twins for one reason.
type FailureRow struct {
	Rule    string   `json:"rule"`
	Message string   `json:"message"`
	Count   int      `json:"count"`
	Samples []string `json:"samples"`
}

func failureRows(failures []engine.Failure) []FailureRow {
	index := map[[2]string]int{}
	var list []FailureRow
	for _, f := range failures {
		key := [2]string{f.Rule, f.Message}
		i, known := index[key]
		if !known {
			i = len(list)
			index[key] = i
			list = append(list, FailureRow{Rule: f.Rule, Message: f.Message})
		}
		list[i].Count++
		if len(list[i].Samples) < maxSamples {
			list[i].Samples = append(list[i].Samples, name(f.Ref))
		}
	}
	slices.SortStableFunc(list, func(a, b FailureRow) int { return cmp.Compare(b.Count, a.Count) })
	return list
}

// A ConflictRow is a place for which the same rules want different values.
type ConflictRow struct {
	Place   string   `json:"place"`
	Rules   []string `json:"rules"`
	Count   int      `json:"count"`
	Samples []string `json:"samples"`
	// Wishes are those of the first twin.
	Wishes []engine.ConflictWish `json:"wishes"`
}

func conflictRows(conflicts []engine.Conflict) []ConflictRow {
	index := map[string]int{}
	var list []ConflictRow
	for _, c := range conflicts {
		row := ConflictRow{Place: c.Place, Wishes: c.Wishes}
		for _, w := range c.Wishes {
			row.Rules = append(row.Rules, w.Rule)
		}
		key := c.Place + "\x00" + strings.Join(row.Rules, "\x00")
		i, known := index[key]
		if !known {
			i = len(list)
			index[key] = i
			list = append(list, row)
		}
		list[i].Count++
		if len(list[i].Samples) < maxSamples {
			list[i].Samples = append(list[i].Samples, name(c.Ref))
		}
	}
	slices.SortStableFunc(list, func(a, b ConflictRow) int { return cmp.Compare(b.Count, a.Count) })
	return list
}
