package rules

import (
	"cmp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/twinrules/twinrules/hub/query"
)

// A Breadth says how much of a fleet is read.
type Breadth string

// The breadths, from the widest.
const (
	// ReadAll: every device, and every module where a rule is about modules.
	ReadAll Breadth = "all"
	// ReadSelected: the twins that some rule selects.
	ReadSelected Breadth = "selected"
	// ReadNarrowed: of these, the ones that a rule may match or be at work on, as
	// far as the hub can tell. The others are counted.
	ReadNarrowed Breadth = "narrowed"
)

// Breadths lists them.
var Breadths = []Breadth{ReadAll, ReadSelected, ReadNarrowed}

// A Listing is one query, which lists the devices or the modules that a program
// is to judge, and what is counted beside it.
type Listing struct {
	Query     string
	Modules   bool // it lists modules; else devices
	Everybody bool // it lists all of them
	Narrowed  bool // it lists fewer twins than the rules select
	// Counts are asked for beside a narrowed query: the populations of which it
	// lists a part only.
	Counts []Census
	Rules  []Narrowing // of the rules about these twins that are not off, in the order of the pack
}

// A Census is a query for one row with one column, n: the number of twins in a
// population.
type Census struct {
	Rule  string // whose population it is; "" for that of all the rules of its listing together
	Query string
}

// A Narrowing says what the hub is asked on behalf of one rule.
type Narrowing struct {
	Rule     *Rule
	Selector string   // in the hub's language; "" for everybody
	When     string   // what holds wherever when does; "" for nothing
	AtWork   string   // what holds wherever the rule is at work, of a rule that does something there; else ""
	Whole    string   // why every twin that the rule selects is read; "" when not every one is
	Untold   []Untold // parts of when that the hub is not asked, or not wholly

	target, need query.Expr // who, and who of them; nil for everybody
}

// An Untold is a part of a condition that is only asked here.
type Untold struct {
	Pos    Pos
	Text   string
	Reason string
}

// Listings returns how the twins are read that the program judges: one query for
// devices, one for modules, each only when a rule is about them. A query that
// would be longer than the hub takes gives way to the next wider one. Where the
// hub's index does not lag they all lead to the same changes.
func (p *Program) Listings(b Breadth) (list []Listing) {
	for _, collection := range []string{"devices", "devices.modules"} {
		if about := p.about(collection == "devices"); len(about) > 0 {
			l := p.listing(collection, about, b)
			l.Modules, l.Everybody = collection != "devices", l.Query == selectAll+collection
			list = append(list, l)
		}
	}
	return list
}

// about returns the rules about devices, or about modules, that are not off.
func (p *Program) about(devices bool) (list []*compiledRule) {
	for _, r := range p.rules {
		if r.Mode != Off && r.On.Devices() == devices {
			list = append(list, r)
		}
	}
	return list
}

func (p *Program) listing(collection string, about []*compiledRule, b Breadth) Listing {
	var narrowings []Narrowing
	for _, r := range about {
		narrowings = append(narrowings, p.narrowing(r))
	}
	population := population(about)
	switch {
	case b == ReadAll:
		return Listing{Query: selectAll + collection, Rules: whole(narrowings, "every twin is read")}
	case b != ReadNarrowed:
		return Listing{Query: selectFrom(collection, population), Rules: whole(narrowings, "narrowing is not asked for")}
	case collection != "devices":
		// A count over them is in no example of the hub's makers or users.
		return Listing{Query: selectFrom(collection, population), Rules: whole(narrowings, "whether the hub counts modules is not known")}
	}
	r, fits := narrowed(collection, narrowings, population)
	if !fits {
		return Listing{Query: selectFrom(collection, population), Rules: whole(narrowings, "the query, or one that counts, would be longer than the hub takes")}
	}
	return r
}

// population returns the condition that some rule's selector holds.
func population(about []*compiledRule) query.Expr {
	where := nowhere
	for _, r := range about {
		where = beside(where, r.target())
	}
	return where
}

// beside is [eitherOf] of a list that is made term by term: what is in it already
// is not put in again.
func beside(list, e query.Expr) query.Expr {
	if e == nil || list == nil {
		return nil
	}
	for rest := list; ; {
		b, chain := rest.(query.Binary)
		chain = chain && b.Op == "OR"
		last := rest
		if chain {
			last = b.Right
		}
		switch {
		case last.String() == e.String():
			return list
		case !chain:
			return eitherOf(list, e)
		}
		rest = b.Left
	}
}

// whole notes why every population is read.
func whole(list []Narrowing, why string) []Narrowing {
	for i := range list {
		if list[i].Whole == "" {
			list[i].Whole = why
		}
	}
	return list
}

// narrowed returns the listing of what the rules may concern, and whether
// its queries are short enough.
func narrowed(collection string, rules []Narrowing, population query.Expr) (r Listing, fits bool) {
	read := map[string]bool{} // populations that are read as a whole
	for _, n := range rules {
		if n.Whole != "" {
			read[conditionText(n.target)] = true
		}
	}
	where, wholly := nowhere, true
	for i, n := range rules {
		switch {
		case n.Whole != "":
			where = beside(where, n.target)
			continue
		case read[conditionText(n.target)] || read[""]:
			rules[i].Whole = "another rule reads the same twins"
			continue
		}
		wholly = false
		where = beside(where, bothOf(n.target, n.need))
		r.Counts = append(r.Counts, Census{n.Rule.ID, countFrom(collection, n.target)})
	}
	r.Query, r.Narrowed, r.Rules = statement(selectAll, collection, where), !wholly, rules
	if r.Narrowed {
		r.Counts = append(r.Counts, Census{"", countFrom(collection, population)})
	}
	fits = len(r.Query) <= maxQuery
	for _, c := range r.Counts {
		fits = fits && len(c.Query) <= maxQuery
	}
	return r, fits
}

// narrowing says what the hub can be asked on behalf of r: where when may be
// true, and where the rule is at work already, because there it ends, or asserts
// what it computes without asking when.
func (p *Program) narrowing(r *compiledRule) Narrowing {
	n := Narrowing{Rule: r.Rule, target: r.target()}
	n.Selector = conditionText(n.target)
	switch {
	case r.when == nil:
		n.Whole = "it has no when"
		return n
	case r.counted():
		n.Whole = "how many units there are decides the waves of its rollout"
		return n
	}
	w := &wide{translator: translator{p.Pack.Vars}}
	n.need = w.holds(parse(r.Rule.when.at, 0, r.Rule.when.text))
	n.Untold = w.untold(r.Rule.when.at)
	n.When = conditionText(n.need)
	if n.need == nil {
		n.Whole = "of its when the hub cannot be asked anything"
	}
	if n.need != nil && r.stateful {
		at := w.atWork(r)
		n.AtWork = conditionText(at)
		if n.need = eitherOf(n.need, at); at == nil {
			n.Whole = "the hub cannot be asked where it is at work"
		}
	}
	return n
}

// untold returns what w has not told the hub, in the order of the file.
func (w *wide) untold(at setting) (list []Untold) {
	places, text := at.src.positions(at.node), []rune(at.node.Value)
	for _, u := range w.left {
		all := &extents{from: u.node.Location().From, to: u.node.Location().To}
		ast.Walk(&u.node, all)
		from, to := balanced(text, all.from, min(all.to, len(text)))
		list = append(list, Untold{places[from], oneSpace(string(text[from:to])), u.reason})
	}
	slices.SortStableFunc(list, func(a, b Untold) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	return list
}

// balanced widens a part of an expression to the brackets that belong to it, which
// expr's places leave out at both ends.
func balanced(text []rune, from, to int) (int, int) {
	depth, low, quote := 0, 0, rune(0)
	for i := from; i < to; i++ {
		switch r := text[i]; {
		case quote != 0 && r == '\\' && quote != '`':
			i++
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case strings.ContainsRune("\"'`", r):
			quote = r
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r):
			depth--
			low = min(low, depth)
		}
	}
	for open := -low; open > 0 && from > 0; {
		if from--; strings.ContainsRune("([{", text[from]) {
			open--
		}
	}
	for open := depth - low; open > 0 && to < len(text); to++ {
		if strings.ContainsRune(")]}", text[to]) {
			open--
		}
	}
	return from, to
}

const selectAll = "SELECT * FROM "

// statement returns a query with a condition, nil for none.
func statement(head, collection string, where query.Expr) string {
	if where == nil {
		return head + collection
	}
	return head + collection + " WHERE " + where.String()
}

// countFrom counts under the name that [Census] promises.
func countFrom(collection string, where query.Expr) string {
	return statement("SELECT COUNT() AS n FROM ", collection, where)
}

func conditionText(e query.Expr) string {
	if e == nil {
		return ""
	}
	return e.String()
}
