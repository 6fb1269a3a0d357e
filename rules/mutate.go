package rules

import (
	"context"
	"math/rand/v2"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Mutant is a rule with one small mistake put in.
type Mutant struct {
	Rule     *Rule
	Pos      Pos    // of the mistake
	From, To string // what stands there, and what the mutant has in its place

	build func() *compiledRule // nil from it: the change means nothing
}

// MutationOptions holds the optional settings of [Program.Mutate].
type MutationOptions struct {
	Most    int    // mutants that are run; 0 means 1000
	Seed    uint64 // says which, where there are more
	Workers int    // mutants at once; 0 means GOMAXPROCS
}

// A Mutation says which mistakes the tests of a pack would notice.
type Mutation struct {
	All       int // mutants that could be made of the rules with tests
	Run       int // that were run
	Survivors []Mutant
}

// Mutate flips operators, constants and literals of the conditions and patches of
// every rule that has tests, one at a time, and runs the rule's tests against
// each such mutant. One for which all pass survives: a mistake like it would not
// be noticed. The result depends on the pack and the seed alone. Tests that fail
// without a mistake must be mended first.
func (p *Program) Mutate(ctx context.Context, at Moment, opts *MutationOptions) *Mutation {
	if opts == nil {
		opts = &MutationOptions{}
	}
	all := p.mutants()
	chosen := sample(all, positive(opts.Most, 1000), opts.Seed)
	outcomes := make([]mutantOutcome, len(chosen))
	next := make(chan int)
	var wg sync.WaitGroup
	for range positive(opts.Workers, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				outcomes[i] = p.try(ctx, at, chosen[i])
			}
		})
	}
	for i := range chosen {
		next <- i
	}
	close(next)
	wg.Wait()
	m := &Mutation{All: len(all)}
	for i, o := range outcomes {
		switch o {
		case meaningless:
			m.All--
			continue
		case survived:
			m.Survivors = append(m.Survivors, chosen[i])
		}
		m.Run++
	}
	return m
}

func positive(n, fallback int) int {
	if n <= 0 {
		return fallback
	}
	return n
}

// sample returns most of list, in its order.
func sample(list []Mutant, most int, seed uint64) []Mutant {
	if len(list) <= most {
		return list
	}
	picked := rand.New(rand.NewPCG(seed, 0)).Perm(len(list))[:most]
	slices.Sort(picked)
	out := make([]Mutant, most)
	for i, n := range picked {
		out[i] = list[n]
	}
	return out
}

type mutantOutcome int

const (
	noticed mutantOutcome = iota
	survived
	meaningless // it does not compile
)

func (p *Program) try(ctx context.Context, at Moment, m Mutant) mutantOutcome {
	r := m.build()
	if r == nil {
		return meaningless
	}
	for _, c := range r.Tests {
		if p.test(ctx, r, c, at).Problem != "" {
			return noticed
		}
	}
	return survived
}

// mutants lists what can be changed, in the order of the rules.
func (p *Program) mutants() (list []Mutant) {
	for _, r := range p.rules {
		if len(r.Tests) > 0 {
			list = append(list, r.mutants()...)
		}
	}
	return list
}

func (r *compiledRule) mutants() (list []Mutant) {
	conditions := []mutable{
		{r.selector, func(c *compiledRule, e *expression) { c.selector = e }},
		{r.when, func(c *compiledRule, e *expression) { c.when = e }},
		{r.until, func(c *compiledRule, e *expression) { c.until = e }},
	}
	if r.gate != nil && slices.ContainsFunc(r.Tests, func(c *Case) bool { return c.Gate != "" }) {
		conditions = append(conditions, r.gateConditions()...)
	}
	for _, c := range conditions {
		if c.e != nil {
			list = append(list, c.e.mutants(r, c.put)...)
		}
	}
	for i, l := range r.leaves {
		with := func(c *compiledRule, t *template) {
			c.leaves = slices.Clone(c.leaves)
			c.leaves[i].value = t
		}
		list = append(list, l.value.mutants(r, r.patch[i].value.pos(), with)...)
		list = append(list, Mutant{r.Rule, r.patch[i].value.pos(), l.name(), "nothing", r.changed(func(c *compiledRule) {
			c.leaves = slices.Delete(slices.Clone(c.leaves), i, i+1)
		})})
	}
	return list
}

// A mutable is a condition of a rule, and how another one is put in its place.
type mutable struct {
	e   *expression
	put func(*compiledRule, *expression)
}

// gateConditions are those of the gate, which only tests that ask it can notice.
func (r *compiledRule) gateConditions() []mutable {
	return []mutable{
		{r.gate.ok, func(c *compiledRule, e *expression) { c.gate = &compiledGate{e, r.gate.fail} }},
		{r.gate.fail, func(c *compiledRule, e *expression) { c.gate = &compiledGate{r.gate.ok, e} }},
	}
}

func (l leaf) name() string { return PathString(append([]string{l.section}, l.path...)) }

// changed returns what makes a copy of r with a change.
func (r *compiledRule) changed(change func(*compiledRule)) func() *compiledRule {
	return func() *compiledRule {
		c := *r
		change(&c)
		return &c
	}
}

// mutants returns the mutants of a computed value, and of a literal.
func (t *template) mutants(r *compiledRule, at Pos, put func(*compiledRule, *template)) (list []Mutant) {
	switch {
	case t.whole != nil:
		return t.whole.mutants(r, func(c *compiledRule, e *expression) { put(c, &template{whole: e}) })
	case t.text != nil:
		for i, part := range t.text {
			if part.expression == nil {
				continue
			}
			list = append(list, part.expression.mutants(r, func(c *compiledRule, e *expression) {
				parts := slices.Clone(t.text)
				parts[i].expression = e
				put(c, &template{text: parts})
			})...)
		}
		return list
	case !t.constant():
		return nil
	}
	if other, ok := otherLiteral(t.literal); ok {
		list = append(list, Mutant{r.Rule, at, string(twin.Encode(t.literal)), string(twin.Encode(other)),
			r.changed(func(c *compiledRule) { put(c, &template{literal: other}) })})
	}
	return list
}

func otherLiteral(v any) (any, bool) {
	switch v := v.(type) {
	case bool:
		return !v, true
	case string:
		return otherText(v), true
	}
	if n, ok := successor(v); ok {
		return n, true
	}
	return nil, false
}

// successor returns the number after v, as a twin spells it.
func successor(v any) (any, bool) {
	x := toExpr(v)
	switch n := x.(type) {
	case int:
		out, err := fromExpr(n + 1)
		return out, err == nil
	case float64:
		out, err := fromExpr(n + 1)
		return out, err == nil
	}
	return nil, false
}

// otherText returns a text of the same sort: "2.3.0" becomes "2.3.1", and "24h"
// "25h".
func otherText(s string) string {
	where := lastDigits.FindStringSubmatchIndex(s)
	if where == nil {
		return s + "~"
	}
	n, err := strconv.Atoi(s[where[2]:where[3]])
	if err != nil {
		return s + "~"
	}
	return s[:where[2]] + strconv.Itoa(n+1) + s[where[3]:]
}

var lastDigits = regexp.MustCompile(`([0-9]+)[^0-9]*$`)

// mutants returns the mutants of an expression.
func (e *expression) mutants(r *compiledRule, put func(*compiledRule, *expression)) (list []Mutant) {
	text := []rune(e.source)
	for _, edit := range mutations(e.source) {
		list = append(list, Mutant{r.Rule, e.at.src.positions(e.at.node)[e.offset+edit.from], string(text[edit.from:edit.to]), edit.with, func() *compiledRule {
			changed := compileExpression(e.at.quiet(), e.offset, string(text[:edit.from])+edit.with+string(text[edit.to:]), e.kind)
			if changed == nil {
				return nil
			}
			c := *r
			put(&c, changed)
			return &c
		}})
	}
	return list
}

// A textEdit replaces the characters from from to to.
type textEdit struct {
	from, to int
	with     string
}

// swaps are the operators that a mutant has in place of another.
var swaps = map[string][]string{
	"<": {"<=", ">="}, "<=": {"<", ">"}, ">": {">=", "<="}, ">=": {">", "<"}, "==": {"!="}, "!=": {"=="},
	"and": {"or"}, "&&": {"||"}, "or": {"and"}, "||": {"&&"}, "+": {"-"}, "-": {"+"}, "*": {"/"}, "/": {"*"}, "%": {"*"},
	"not": {" "}, "!": {" "}, "in": {"not in"}, "matches": {"not matches"}, "contains": {"not contains"},
	"startsWith": {"not startsWith"}, "endsWith": {"not endsWith"},
}

// mutations lists the small changes of an expression's text.
func mutations(source string) (list []textEdit) {
	tokens, err := lexer.Lex(file.NewSource(source))
	if err != nil {
		return nil
	}
	for i, t := range tokens {
		negated := i > 0 && tokens[i-1].Is(lexer.Operator, "not")
		for _, with := range replacements(t, negated) {
			list = append(list, textEdit{t.From, t.To, with})
		}
	}
	return list
}

// replacements returns what may stand in place of a token.
func replacements(t lexer.Token, negated bool) []string {
	switch t.Kind {
	case lexer.Operator:
		if negated && len(swaps[t.Value]) == 1 && len(swaps[t.Value][0]) > len(t.Value)+3 {
			return nil // taking the not away is the mutant
		}
		return swaps[t.Value]
	case lexer.Number:
		if n, ok := successor(jsonNumberOf(t.Value)); ok {
			return []string{string(twin.Encode(n))}
		}
	case lexer.String:
		return []string{strconv.Quote(otherText(t.Value))}
	case lexer.Identifier:
		if t.Value == "true" || t.Value == "false" {
			return []string{strconv.FormatBool(t.Value == "false")}
		}
	}
	return nil
}
