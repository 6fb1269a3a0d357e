package rules

import (
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// What a condition may come to before it is taken as one atom.
const (
	maxTerms = 16
	maxAtoms = 32
)

// A sieveBuilder makes a [Sieve].
type sieveBuilder struct {
	*Sieve
	atoms    map[string]*atom // by what they say
	bits     int              // that are given away
	terms    map[*atom]*marks
	asserted map[string][]*assertion // by place
	dials    map[string]*dial        // by what they show
}

// marks are the bits of a row that an atom's word decides.
type marks struct {
	whenTrue, whenFalse []int // that end
}

func newSieveBuilder(p *Program, at Moment) *sieveBuilder {
	s := &Sieve{at: &scope{now: at.Now, hub: at.Hub, vars: p.Pack.Vars}, paths: newPathSet(), rereads: p.Rereads()}
	for _, r := range p.rules {
		if r.Mode != Off {
			s.rules = append(s.rules, r)
		}
	}
	s.words = (len(s.rules) + 63) / 64
	for _, r := range []*row{&s.watched, &s.asked, &s.stateful, &s.until, &s.computed, &s.audited, &s.hubs, &s.judging, &s.writing} {
		*r = make(row, s.words)
	}
	return &sieveBuilder{Sieve: s, atoms: map[string]*atom{}, terms: map[*atom]*marks{}, asserted: map[string][]*assertion{}, dials: map[string]*dial{}, bits: planes * s.words * 64}
}

func (r row) set(bit int) { r[bit/64] |= 1 << (bit % 64) }

// bit returns the bit of a rule in a plane.
func (b *sieveBuilder) bit(plane, rule int) int { return plane*b.words*64 + rule }

func (b *sieveBuilder) rule(i int, r *compiledRule) {
	for _, bit := range append(b.condition(selected, i, r.selector), b.bit(selected, i)) {
		b.mark(covering(r, b.paths), bit, false)
	}
	if r.plugin != nil || r.counted() {
		b.asked.set(i) // what a plugin says of a twin nobody can know, and of a rollout all units are wanted
		b.time(i, r)
		return
	}
	b.condition(entered, i, r.when)
	b.condition(ended, i, r.until)
	if r.Mode == Audit {
		b.audited.set(i)
	}
	if r.Rollout != nil {
		b.computed.set(i) // the twin's unit is told from the twin
	}
	if r.Configuration != nil {
		b.hubs.set(i)
	}
	if r.stateful {
		b.stateful.set(i)
	}
	if r.until != nil {
		b.until.set(i)
	}
	for _, l := range r.leaves {
		b.leaf(i, l)
	}
}

// condition gives each term of a condition a bit, which its atoms decide. It
// returns the bits of those behind the first, which has the rule's own.
func (b *sieveBuilder) condition(plane, rule int, e *expression) (further []int) {
	if e == nil {
		return nil
	}
	if !b.paths.know(e.slots) {
		b.asked.set(rule)
		b.time(rule, b.rules[rule])
		return nil
	}
	terms := e.terms()
	home := b.bit(plane, rule)
	for n, term := range terms {
		bit := home
		if n > 0 {
			bit = b.bits
			b.bits++
			b.more, further = append(b.more, more{bit, home}), append(further, bit)
		}
		for _, l := range term {
			b.clock(rule, l.part)
			whole := len(terms) == 1 && len(term) == 1
			b.mark(conditionAtom(l.part, whole, b), bit, l.negated)
		}
	}
	return further
}

// mark notes that an atom decides a bit. Atoms that say the same are one.
func (b *sieveBuilder) mark(a *atom, bit int, negated bool) {
	if known, ok := b.atoms[a.says]; ok {
		a = known
	} else {
		b.atoms[a.says], b.terms[a] = a, &marks{}
	}
	m := b.terms[a]
	if negated {
		m.whenTrue = append(m.whenTrue, bit)
	} else {
		m.whenFalse = append(m.whenFalse, bit)
	}
}

func (b *sieveBuilder) leaf(rule int, l leaf) {
	if !l.value.constant() {
		b.computed.set(rule)
		for _, e := range l.value.expressions() {
			if e.timed() {
				b.writing.set(rule)
			}
			if !b.paths.know(e.slots) {
				b.asked.set(rule)
				return
			}
		}
		b.mark(computedAtom(l, b.paths), b.bit(met, rule), false)
		return
	}
	wanted := twin.Leaf{Section: l.section, Path: l.path, Value: l.value.literal}
	a := leafAtom(wanted, b.paths)
	b.mark(a, b.bit(met, rule), false)
	b.mark(a, b.bit(standing, rule), false)
	asserted := b.assert(wanted, rule)
	a.by = &asserted.by
	b.mark(a, asserted.holds, false)
}

// watch notes which rules are to be judged wherever they match: those that write
// what a configuration of others writes, and those that write into what another
// one says is no object, with which they may disagree although both find what they
// want.
func (b *sieveBuilder) watch(foreign []*Foreign) {
	ends := map[string][]int{}
	for i, r := range b.rules {
		if slices.ContainsFunc(foreign, func(f *Foreign) bool { return f.concerns(r) }) {
			b.watched.set(i)
			b.whole = true // what decides whether it has the twin may stand anywhere
		}
		for _, l := range r.leaves {
			key := leafKey(l.section, l.path)
			ends[key] = append(ends[key], i)
		}
	}
	for i, r := range b.rules {
		for _, l := range r.leaves {
			for n := 1; n < len(l.path); n++ {
				for _, other := range ends[leafKey(l.section, l.path[:n])] {
					b.watched.set(i)
					b.watched.set(other)
				}
			}
		}
	}
}

func leafKey(section string, path []string) string {
	return section + "\x00" + strings.Join(path, "\x00")
}

// finish gathers atoms that read the same paths into groups.
func (b *sieveBuilder) finish() *Sieve {
	b.width = (b.bits + 63) / 64
	b.orderAssertions()
	b.finger()
	b.wind()
	for i, path := range statePaths {
		b.state[i] = b.paths.add(path)
	}
	b.scanner = twin.NewScanner(b.paths.list)
	groups := map[string]*group{}
	for _, a := range b.ordered() {
		key := a.reads()
		g := groups[key]
		if g == nil {
			g = &group{spans: a.spans}
			groups[key], b.groups = g, append(b.groups, g)
		}
		g.add(a, b.terms[a], b.width)
	}
	for _, g := range b.groups {
		g.finish(b.words, b.width)
	}
	return b.Sieve
}

// ordered lists the atoms in an order that does not depend on a map's.
func (b *sieveBuilder) ordered() (list []*atom) {
	for _, a := range b.atoms {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *atom) int { return strings.Compare(a.says, b.says) })
	return list
}

// A literal is what one atom answers, as it stands or negated.
type literal struct {
	*part
	negated bool
}

// terms returns e as an or of terms, each an and of literals, and as the one
// literal that it is itself when that would be long.
func (e *expression) terms() [][]literal {
	p := e.parts()
	if p.atoms() <= maxAtoms {
		if terms := p.terms(false); len(terms) <= maxTerms {
			return terms
		}
	}
	return [][]literal{{{&part{expression: e}, false}}}
}

func (p *part) atoms() int {
	if !p.logical() {
		return 1
	}
	n := 0
	for _, sub := range p.of {
		n += sub.atoms()
	}
	return n
}

// terms returns p, or its negation, as an or of ands; too many when it would be
// long.
func (p *part) terms(negated bool) [][]literal {
	switch {
	case p.op == "not":
		return p.of[0].terms(!negated)
	case !p.logical():
		return [][]literal{{{p, negated}}}
	}
	left, right := p.of[0].terms(negated), p.of[1].terms(negated)
	if (p.op == "or") != negated {
		return append(left, right...)
	}
	if len(left)*len(right) > maxTerms {
		return make([][]literal, maxTerms+1)
	}
	var product [][]literal
	for _, a := range left {
		for _, b := range right {
			product = append(product, slices.Concat(a, b))
		}
	}
	return product
}
