package rules

import (
	"context"
	"time"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

// A Program is a compiled pack. It is immutable and safe for concurrent use.
type Program struct {
	Pack    *Pack
	rules   []*compiledRule
	rereads bool // some rule looks at what some rule writes
	// circular is whether what a rule writes may come back to it.
	circular bool
}

// A Moment is what a run knows beside the twins.
type Moment struct {
	Now time.Time // frozen: the snapshot's in a dry run, the run's start otherwise
	Hub string    // host name
	// Memory is asked by rules that give back what stood at a place before them;
	// nil remembers nothing.
	Memory Memory
	// Bill is told what plugins use; nil for nobody.
	Bill *Bill
}

// A Verdict is what one rule says of one twin.
type Verdict struct {
	Rule     *Rule
	Selected bool        // the twin is in the rule's population
	Matched  bool        // and is to be as the patch says
	In       bool        // the rule is at work on it already: every constant leaf of its patch holds
	Leaving  bool        // it is, and ends here: Leaves are what is done to its values
	Leaves   []twin.Leaf // what the rule wants
	Why      []string    // of a rule that leaves: for each of Leaves, what is done there
	Message  string      // of the plugin, for people
	Err      error       // the rule could not judge this twin and wants nothing of it
	Excused  error       // its plugin failed, and onError makes that no match; Warned says whether people are told

	rule *compiledRule
}

// Warned reports whether people are to be told that the rule's plugin failed.
func (v *Verdict) Warned() bool { return v.Excused != nil && v.Rule.Plugin.OnError == Warn }

// maxQuery is the longest query text that the hub takes, in characters.
const maxQuery = 8192

// Queries returns the queries, in the hub's language, that together list every
// twin some rule selects: those of [Program.Listings] for [ReadSelected].
func (p *Program) Queries() (list []string) {
	for _, r := range p.Listings(ReadSelected) {
		list = append(list, r.Query)
	}
	return list
}

// target returns the rule's selector with the module it is about.
func (r *compiledRule) target() query.Expr {
	if r.On.Devices() || r.On.Module == "*" {
		return r.query
	}
	return query.And(query.Binary{Op: "=", Left: query.Path{"moduleId"}, Right: query.String(r.On.Module)}, r.query)
}

// selectFrom lists a population, or everybody where that would take too long a
// query.
func selectFrom(collection string, where query.Expr) string {
	if text := statement(selectAll, collection, where); len(text) <= maxQuery {
		return text
	}
	return selectAll + collection
}

// Eval judges t by every rule that is about such a document and not off, in the
// order of the pack. It does not look at whether a wish already holds.
func (p *Program) Eval(ctx context.Context, t *twin.Twin, at Moment) []Verdict {
	list := make([]Verdict, 0, len(p.rules))
	in := p.scope(t, at)
	for _, r := range p.rules {
		if r.Mode != Off && r.On.Covers(t.Ref) {
			list = append(list, r.eval(ctx, in))
		}
	}
	return list
}

func (p *Program) scope(t *twin.Twin, at Moment) *scope {
	return (&scope{vars: p.Pack.Vars}).of(t, at)
}

// of returns what an expression can see of a twin, with the vars of s.
func (s *scope) of(t *twin.Twin, at Moment) *scope {
	return &scope{twin: t, now: at.Now, hub: at.Hub, vars: s.vars, memory: at.Memory, bill: at.Bill}
}

func (r *compiledRule) eval(ctx context.Context, in *scope) Verdict {
	v := Verdict{Rule: r.Rule, rule: r}
	if v.Selected, v.Err = r.selects(in); !v.Selected || v.Err != nil {
		return v
	}
	scoped := *in
	finding, err := r.judge(ctx, &scoped, &v)
	switch {
	case err != nil:
		v.Matched, v.Leaving, v.Err = false, false, err
	case v.Matched:
		v.Leaves, v.Err = r.wishes(&scoped, finding)
	case v.Leaving:
		v.Err = r.leave(&scoped, finding, &v)
	}
	if finding != nil && v.Matched {
		v.Message = finding.Message
	}
	return v
}

func (r *compiledRule) selects(in *scope) (bool, error) {
	if r.selector == nil {
		return true, nil
	}
	return r.selector.holds(in)
}

// judge asks the plugin and then the conditions, and notes in v whether the rule
// is at work on the twin, and whether it is to be.
func (r *compiledRule) judge(ctx context.Context, in *scope, v *Verdict) (*Finding, error) {
	v.In = r.stateful && r.holds(in.twin)
	finding, found, err := r.find(ctx, in)
	if err != nil {
		if r.Plugin.OnError != Skip && r.Plugin.OnError != Warn {
			return nil, err
		}
		v.Excused = err
		return nil, nil
	}
	v.Matched = found
	if found && r.when != nil && !(v.In && r.until != nil) {
		if v.Matched, err = r.when.holds(in); err != nil {
			return finding, err
		}
	}
	return finding, r.passage(in, v)
}

// find asks the plugin, if there is one. Its facts are seen from then on.
func (r *compiledRule) find(ctx context.Context, in *scope) (_ *Finding, found bool, _ error) {
	if r.plugin == nil {
		return nil, true, nil
	}
	finding, fuel, err := r.plugin.Eval(ctx, in.twin, in.now)
	in.bill.add(r.place, fuel)
	if err != nil || finding == nil {
		return nil, false, err
	}
	in.facts = finding.Facts
	return finding, true, nil
}

// wishes computes the rule's patch, and adds the plugin's where the rule itself
// says nothing.
func (r *compiledRule) wishes(in *scope, finding *Finding) ([]twin.Leaf, error) {
	var list []twin.Leaf
	for _, l := range r.leaves {
		v, err := l.value.eval(in)
		if err != nil {
			return nil, err
		}
		if o, ok := v.(twin.Object); ok && len(o) > 0 {
			list = append(list, twin.Leaves(l.section, twin.Set(nil, l.path, v))...)
			continue
		}
		list = append(list, twin.Leaf{Section: l.section, Path: l.path, Value: v})
	}
	if finding == nil {
		return list, nil
	}
	own := list
	for _, wish := range append(twin.Leaves("tags", finding.Patch.Tags), twin.Leaves("desired", finding.Patch.Desired)...) {
		if !overlapsAny(wish, own) {
			list = append(list, wish)
		}
	}
	return list, nil
}

func overlapsAny(l twin.Leaf, list []twin.Leaf) bool {
	for _, other := range list {
		if l.Overlaps(other) {
			return true
		}
	}
	return false
}
