package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// A grouping collects equal changes, which may come in any order.
type grouping struct{ buckets map[string]*bucket }

// A bucket becomes a row. Maps are by the JSON of the value.
type bucket struct {
	key, shape, owner string // owner: rules and class; shape: owner and places; key: shape and new values
	rules             []string
	class             engine.Class
	why               string
	count             int
	samples           []twin.Ref // the first ones
	places            []place
}

type place struct {
	path                string
	before, after, base map[string]Counted
}

// add takes the edits of one twin, apart by the rules that want them.
func (g *grouping) add(ref twin.Ref, edits []engine.DifferentEdit) {
	if g.buckets == nil {
		g.buckets = map[string]*bucket{}
	}
	var owners []string
	parts := map[string][]engine.DifferentEdit{}
	for _, e := range edits {
		owner := fmt.Sprintf("%s%q%s", e.Class, e.Rules, e.Why)
		if _, known := parts[owner]; !known {
			owners = append(owners, owner)
		}
		parts[owner] = append(parts[owner], e)
	}
	for _, owner := range owners {
		one := newBucket(owner, ref, parts[owner])
		if b := g.buckets[one.key]; b != nil {
			b.add(one)
		} else {
			g.buckets[one.key] = one
		}
	}
}

// newBucket returns a bucket of one twin.
func newBucket(owner string, ref twin.Ref, edits []engine.DifferentEdit) *bucket {
	b := &bucket{owner: owner, rules: edits[0].Rules, class: edits[0].Class, why: edits[0].Why, count: 1, samples: []twin.Ref{ref}}
	var shape, values strings.Builder
	shape.WriteString(owner)
	for _, e := range edits {
		p := place{path: e.Name()}
		var after, base string
		_, p.before = counted(e.Before)
		after, p.after = counted(e.After)
		if e.Class == engine.Altered {
			base, p.base = counted(e.Base)
		}
		b.places = append(b.places, p)
		shape.WriteString("\x00" + p.path)
		values.WriteString("\x00" + after + "\x00" + base)
	}
	b.shape, b.key = shape.String(), shape.String()+values.String()
	return b
}

// counted returns a value's JSON and the value, counted once.
func counted(v any) (string, map[string]Counted) {
	key := string(twin.Encode(v))
	return key, map[string]Counted{key: {v, 1}}
}

// add adds what is in another bucket of the same shape.
func (b *bucket) add(other *bucket) {
	b.count += other.count
	b.samples = append(b.samples, other.samples...)
	slices.SortFunc(b.samples, twin.Ref.Compare)
	b.samples = b.samples[:min(len(b.samples), maxSamples)]
	for i, p := range other.places {
		sum(b.places[i].before, p.before)
		sum(b.places[i].after, p.after)
		sum(b.places[i].base, p.base)
	}
}

func sum(to, from map[string]Counted) {
	for key, c := range from {
		to[key] = Counted{c.Value, to[key].Count + c.Count}
	}
}

// rows returns the rows, largest first; those of a rule that has too many are
// folded by their shape.
func (g *grouping) rows() []Row {
	list := g.folded()
	slices.SortFunc(list, func(a, b *bucket) int {
		return cmp.Or(cmp.Compare(b.count, a.count), strings.Compare(a.owner, b.owner), strings.Compare(a.key, b.key))
	})
	out := make([]Row, len(list))
	for i, b := range list {
		out[i] = b.row()
	}
	return out
}

func (g *grouping) folded() (list []*bucket) {
	perOwner, shapes := map[string]int{}, map[string]*bucket{}
	for _, b := range g.buckets {
		perOwner[b.owner]++
	}
	for _, b := range g.buckets {
		if perOwner[b.owner] <= maxRows {
			list = append(list, b)
			continue
		}
		if s := shapes[b.shape]; s != nil {
			s.add(b)
			continue
		}
		b.key = b.shape
		shapes[b.shape] = b
		list = append(list, b)
	}
	return list
}

func (b *bucket) row() Row {
	r := Row{Rules: b.rules, Class: b.class, Why: b.why, Count: b.count}
	for _, ref := range b.samples {
		r.Samples = append(r.Samples, name(ref))
	}
	for _, p := range b.places {
		place := Place{p.path, histogram(p.before), histogram(p.after), histogram(p.base)}
		r.Folded = r.Folded || len(place.After) > 1 || len(place.Base) > 1
		r.Places = append(r.Places, place)
	}
	return r
}

// histogram lists values, most frequent first.
func histogram(m map[string]Counted) []Counted {
	var list []Counted
	for _, key := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[key])
	}
	slices.SortStableFunc(list, func(a, b Counted) int { return cmp.Compare(b.Count, a.Count) })
	return list
}
