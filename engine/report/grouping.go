package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// A grouping collects equal changes, which may come in any order. Rules for which
// there are too many buckets have one for each shape instead, from then on: else a
// rule that writes every device's own name would have as many as there are devices.
type grouping struct {
	buckets map[string]*bucket // by their key
	owners  map[string]int     // how many buckets each has had
	taken   []bool             // of the edits of one twin
	part    []engine.DifferentEdit
	text    []byte // of the bucket that they belong to
}

// A bucket becomes a row. Maps are by the JSON of the value.
type bucket struct {
	key, shape, owner string // owner: rules and class; shape: owner and places; key: shape and new values, or shape alone
	rules             []string
	class             engine.Class
	why               string
	count             int
	samples           []twin.Ref // the first ones, in order
	places            []place
}

type place struct {
	path                string
	before, after, base map[string]*Counted
}

// add takes the edits of one twin, apart by the rules that want them.
func (g *grouping) add(ref twin.Ref, edits []engine.DifferentEdit) {
	g.taken = append(g.taken[:0], make([]bool, len(edits))...)
	for i := range edits {
		if g.taken[i] {
			continue
		}
		g.part = g.part[:0]
		for j := i; j < len(edits); j++ {
			if !g.taken[j] && sameOwner(&edits[i], &edits[j]) {
				g.taken[j], g.part = true, append(g.part, edits[j])
			}
		}
		g.bucket(g.part).one(ref, g.part)
	}
}

func sameOwner(a, b *engine.DifferentEdit) bool {
	return a.Class == b.Class && a.Why == b.Why && slices.Equal(a.Rules, b.Rules)
}

// bucket returns the bucket of a twin's edits for one owner.
func (g *grouping) bucket(edits []engine.DifferentEdit) *bucket {
	g.text = appendOwner(g.text[:0], &edits[0])
	owner := len(g.text)
	for i := range edits {
		g.text = append(append(g.text, 0), edits[i].Name()...)
	}
	shape := len(g.text)
	if g.owners[string(g.text[:owner])] > maxRows {
		return g.find(owner, shape, edits)
	}
	for i := range edits {
		g.text = append(twin.AppendJSON(append(g.text, 0), edits[i].After), 0)
		if edits[i].Class == engine.Altered {
			g.text = twin.AppendJSON(g.text, edits[i].Base)
		}
	}
	b := g.find(owner, shape, edits)
	if g.owners[b.owner] > maxRows {
		b = g.fold(b)
	}
	return b
}

// find returns the bucket whose key is the text, of which the owner and the shape
// are so long.
func (g *grouping) find(owner, shape int, edits []engine.DifferentEdit) *bucket {
	if b := g.buckets[string(g.text)]; b != nil {
		return b
	}
	key, first := string(g.text), &edits[0]
	b := &bucket{key: key, owner: key[:owner], shape: key[:shape], rules: first.Rules, class: first.Class, why: first.Why}
	for i := range edits {
		b.places = append(b.places, place{path: edits[i].Name(), before: map[string]*Counted{}, after: map[string]*Counted{}, base: map[string]*Counted{}})
	}
	if g.buckets == nil {
		g.buckets, g.owners = map[string]*bucket{}, map[string]int{}
	}
	g.buckets[key] = b
	g.owners[b.owner]++
	return b
}

// fold puts together the buckets of an owner that have one shape, and returns the
// one that last now belongs to.
func (g *grouping) fold(last *bucket) *bucket {
	shapes := map[string]*bucket{}
	for key, b := range g.buckets {
		if b.owner != last.owner {
			continue
		}
		delete(g.buckets, key)
		if s := shapes[b.shape]; s != nil {
			s.add(b)
		} else {
			b.key, shapes[b.shape] = b.shape, b
		}
	}
	maps.Copy(g.buckets, shapes)
	return shapes[last.shape]
}

func appendOwner(to []byte, e *engine.DifferentEdit) []byte {
	to = append(append(to, e.Class...), '[')
	for i, rule := range e.Rules {
		if i > 0 {
			to = append(to, ' ')
		}
		to = strconv.AppendQuote(to, rule)
	}
	return append(append(to, ']'), e.Why...)
}

// one counts one twin.
func (b *bucket) one(ref twin.Ref, edits []engine.DifferentEdit) {
	b.count++
	b.sample(ref)
	for i := range edits {
		p := &b.places[i]
		count(p.before, edits[i].Before, 1)
		count(p.after, edits[i].After, 1)
		if b.class == engine.Altered {
			count(p.base, edits[i].Base, 1)
		}
	}
}

// sample keeps the first of the twins.
func (b *bucket) sample(refs ...twin.Ref) {
	for _, ref := range refs {
		if n := len(b.samples); n == maxSamples && b.samples[n-1].Compare(ref) <= 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(b.samples, ref, twin.Ref.Compare)
		b.samples = slices.Insert(b.samples, i, ref)
		b.samples = b.samples[:min(len(b.samples), maxSamples)]
	}
}

// count counts a value n times more.
func count(in map[string]*Counted, v any, n int) {
	var room [64]byte
	key := twin.AppendJSON(room[:0], v)
	if c := in[string(key)]; c != nil {
		c.Count += n
	} else {
		in[string(key)] = &Counted{v, n}
	}
}

// add adds what is in another bucket of the same shape.
func (b *bucket) add(other *bucket) {
	b.count += other.count
	b.sample(other.samples...)
	for i, p := range other.places {
		sum(b.places[i].before, p.before)
		sum(b.places[i].after, p.after)
		sum(b.places[i].base, p.base)
	}
}

func sum(to, from map[string]*Counted) {
	for _, c := range from {
		count(to, c.Value, c.Count)
	}
}

// rows returns the rows, largest first.
func (g *grouping) rows() []Row {
	list := slices.SortedFunc(maps.Values(g.buckets), func(a, b *bucket) int {
		return cmp.Or(cmp.Compare(b.count, a.count), strings.Compare(a.owner, b.owner), strings.Compare(a.key, b.key))
	})
	out := make([]Row, len(list))
	for i, b := range list {
		out[i] = b.row()
	}
	return out
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
func histogram(m map[string]*Counted) []Counted {
	var list []Counted
	for _, key := range slices.Sorted(maps.Keys(m)) {
		list = append(list, *m[key])
	}
	slices.SortStableFunc(list, func(a, b Counted) int { return cmp.Compare(b.Count, a.Count) })
	return list
}
