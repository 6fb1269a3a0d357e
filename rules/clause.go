package rules

import (
	"slices"
	"strings"
)

// A clause is a set of demands that are to be met together, by term.
type clause struct {
	terms map[string]*known
	order []string // of terms, as they came
	// clash holds the demands that no twin can meet together; nil when there are none
	// that are known.
	clash []demand
}

// A known is what the demands of a clause leave of a term.
type known struct {
	region  region
	path    Path
	of      string
	demands []demand
}

// newClause returns the clause of some demands on a twin of the kind of on.
func newClause(on Target, demands []demand) *clause {
	c := &clause{terms: map[string]*known{}}
	for _, d := range demands {
		c.add(d)
	}
	c.draw(on)
	return c
}

// joined returns the clause of the demands of two on a twin of the kind of on.
func joined(on Target, x, y *clause) *clause {
	c := &clause{terms: make(map[string]*known, len(x.terms)+len(y.terms)), order: slices.Clone(x.order)}
	for name, k := range x.terms {
		own := *k
		c.terms[name] = &own
	}
	for _, name := range y.order {
		own := *y.terms[name]
		k := c.terms[name]
		if k == nil {
			c.terms[name], c.order = &own, append(c.order, name)
			continue
		}
		k.demands = slices.Concat(k.demands, own.demands)
		c.narrow(k, own.region, nil)
	}
	c.draw(on)
	return c
}

// draw draws what follows for the terms from the kind of twin and from each other.
func (c *clause) draw(on Target) {
	if k := c.terms["moduleId"]; k != nil {
		module := everything()
		switch {
		case on.Devices():
			module, _ = values(nil)
		case on.Module != "*":
			module, _ = values(on.Module)
		}
		c.narrow(k, module, nil)
	}
	c.nest()
}

func (c *clause) add(d demand) {
	k := c.terms[d.term]
	if k == nil {
		k = &known{region: everything(), path: d.path, of: d.of}
		c.terms[d.term] = k
		c.order = append(c.order, d.term)
	}
	k.demands = append(k.demands, d)
	c.narrow(k, d.region, nil)
}

func (c *clause) narrow(k *known, in region, because []demand) {
	k.region = k.region.and(in)
	if k.region.empty() && c.clash == nil {
		c.clash = append(slices.Clone(because), k.demands...)
	}
}

// nest draws what follows for paths of which one leads through the other: below
// what is no object everything is missing.
func (c *clause) nest() {
	for _, name := range c.order {
		below := c.terms[name]
		for n := 1; n < len(below.path) && c.clash == nil; n++ {
			above := c.terms[below.path[:n].String()]
			if above == nil {
				continue
			}
			gone, _ := values(nil)
			if !above.region.object && below.of == "" {
				c.narrow(below, gone, above.demands)
			}
			if !below.region.missing && c.clash == nil {
				c.narrow(above, region{object: true}, below.demands)
			}
		}
	}
}

// implies reports whether a twin that meets c also meets d.
func (c *clause) implies(d demand) bool {
	k := c.terms[d.term]
	return k != nil && d.term != unsaid && k.region.within(d.region)
}

// said returns demands as a person would write them, each once.
func said(list []demand) string {
	var texts []string
	for _, d := range list {
		if text := d.shown(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, " and ")
}
