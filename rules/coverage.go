package rules

import "context"

// A Branch is a condition that decides what a rule does, and how often tests have
// seen it true and false. Conditions made with and, or and not are the sum of
// their parts and are not counted themselves; what is the same for every twin is
// no branch.
type Branch struct {
	Rule        *Rule
	Field       string // "selector", "when", "until", "patch", "gate.ok" or "gate.fail"
	Text        string // as it is written, on one line
	Pos         Pos
	True, False int
}

// Seen returns how many of its two outcomes tests have seen.
func (b Branch) Seen() int { return min(b.True, 1) + min(b.False, 1) }

// Cover runs the tests of cases again and returns every branch of the pack, in the
// order of the rules and of their text. A part that the evaluation does not come
// to, because the part before it decided, has not been seen.
func (p *Program) Cover(ctx context.Context, at Moment, cases []CaseResult) []Branch {
	c := &coverage{map[*part]*[2]int{}}
	for _, r := range p.rules {
		for _, result := range cases {
			if result.Rule == r.Rule {
				in := p.caseScope(result.Case, at)
				in.coverage = c
				r.eval(ctx, in)
				if result.Case.Gate != "" {
					r.gate.state(in)
				}
			}
		}
	}
	var list []Branch
	for _, r := range p.rules {
		for _, f := range r.fields() {
			for _, e := range f.expressions {
				list = c.branches(list, r.Rule, f.name, e.parts())
			}
		}
	}
	return list
}

// A field is one key of a rule with the expressions in it.
type field struct {
	name        string
	expressions []*expression
}

// fields returns the expressions of a rule, in the order in which they are asked.
func (r *compiledRule) fields() (list []field) {
	for _, f := range []struct {
		name string
		*expression
	}{{"selector", r.selector}, {"when", r.when}, {"until", r.until}} {
		if f.expression != nil {
			list = append(list, field{f.name, []*expression{f.expression}})
		}
	}
	patch := field{name: "patch"}
	for _, l := range r.leaves {
		patch.expressions = append(patch.expressions, l.value.expressions()...)
	}
	list = append(list, patch)
	if r.gate != nil && r.gate.ok != nil {
		list = append(list, field{"gate.ok", []*expression{r.gate.ok}})
	}
	if r.gate != nil && r.gate.fail != nil {
		list = append(list, field{"gate.fail", []*expression{r.gate.fail}})
	}
	return list
}

// A coverage counts what conditions came to, by part: false and true. It is used
// by one goroutine.
type coverage struct{ seen map[*part]*[2]int }

func (p *part) isBranch() bool { return p.kind != value && !p.logical() && !p.fixed }

func (c *coverage) branches(list []Branch, r *Rule, name string, p *part) []Branch {
	if p.isBranch() {
		b := Branch{Rule: r, Field: name, Text: p.text, Pos: p.start()}
		if n := c.seen[p]; n != nil {
			b.False, b.True = n[0], n[1]
		}
		list = append(list, b)
	}
	for _, sub := range p.of {
		list = c.branches(list, r, name, sub)
	}
	return list
}

// note follows the evaluation of a whole expression through its parts.
func (c *coverage) note(p *part, in *scope) {
	plain := *in
	plain.coverage = nil
	c.follow(p, &plain)
}

// follow returns what p comes to, having looked at what an evaluation looks at.
func (c *coverage) follow(p *part, in *scope) (any, error) {
	switch p.op {
	case "and", "or":
		deciding := p.op == "or"
		left, err := c.follow(p.of[0], in)
		if err == nil && left == deciding {
			return left, nil
		}
		right, err2 := c.follow(p.of[1], in)
		if err == nil || err2 == nil && right == deciding {
			return right, err2
		}
		return nil, err
	case "not":
		v, err := c.follow(p.of[0], in)
		b, _ := v.(bool)
		return !b, err
	}
	c.below(p, in)
	v, err := p.eval(in)
	if err == nil && p.isBranch() {
		c.count(p, v == true)
	}
	return v, err
}

// below follows the parts of what is not made of conditions.
func (c *coverage) below(p *part, in *scope) {
	if len(p.of) == 0 {
		return
	}
	first, err := c.follow(p.of[0], in)
	switch {
	case err != nil:
	case p.op == "?" && first == true:
		c.follow(p.of[1], in)
	case p.op == "?":
		c.follow(p.of[2], in)
	case p.op != "??" || first == nil:
		c.follow(p.of[1], in)
	}
}

func (c *coverage) count(p *part, holds bool) {
	n := c.seen[p]
	if n == nil {
		n = new([2]int)
		c.seen[p] = n
	}
	n[rank(holds)]++
}
