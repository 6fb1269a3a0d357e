package rules

import (
	"context"
	"time"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

// A Program is a compiled pack. It is immutable and safe for concurrent use.
type Program struct {
	Pack  *Pack
	rules []*compiledRule
}

// A Moment is what a run knows beside the twins.
type Moment struct {
	Now time.Time // frozen: the snapshot's in a dry run, the run's start otherwise
	Hub string    // host name
}

// A Verdict is what one rule says of one twin.
type Verdict struct {
	Rule     *Rule
	Selected bool        // the twin is in the rule's population
	Matched  bool        // and its condition holds
	Leaves   []twin.Leaf // what the rule wants of a twin it matches
	Message  string      // of the plugin, for people
	Err      error       // the rule could not judge this twin and wants nothing of it
}

// maxQuery is the longest query text that the hub takes, in characters.
const maxQuery = 8192

// Queries returns the queries, in the hub's language, that together list every
// twin some rule selects: one for devices, one for modules, each only when a
// rule is about them.
func (p *Program) Queries() []string {
	var list []string
	for _, collection := range []string{"devices", "devices.modules"} {
		if where, any := p.population(collection == "devices"); any {
			list = append(list, selectFrom(collection, where))
		}
	}
	return list
}

// population returns the condition that some rule's selector holds.
func (p *Program) population(devices bool) (where query.Expr, any bool) {
	var selectors []query.Expr
	for _, r := range p.rules {
		if r.Mode != Off && r.On.Devices() == devices {
			selectors = append(selectors, r.target())
		}
	}
	return query.Or(selectors...), len(selectors) > 0
}

// target returns the rule's selector with the module it is about.
func (r *compiledRule) target() query.Expr {
	if r.On.Devices() || r.On.Module == "*" {
		return r.query
	}
	return query.And(query.Binary{Op: "=", Left: query.Path{"moduleId"}, Right: query.String(r.On.Module)}, r.query)
}

func selectFrom(collection string, where query.Expr) string {
	all := "SELECT * FROM " + collection
	if where == nil {
		return all
	}
	if text := all + " WHERE " + where.String(); len(text) <= maxQuery {
		return text
	}
	return all
}

// Eval judges t by every rule that is about such a document and not off, in the
// order of the pack. It does not look at whether a wish already holds.
func (p *Program) Eval(ctx context.Context, t *twin.Twin, at Moment) []Verdict {
	var list []Verdict
	in := &scope{twin: t, now: at.Now, hub: at.Hub, vars: p.Pack.Vars}
	for _, r := range p.rules {
		if r.Mode != Off && r.On.Covers(t.Ref) {
			list = append(list, r.eval(ctx, in))
		}
	}
	return list
}

// Reads lists the paths that the pack's rules look at, in the order of the
// rules, with repetitions.
func (p *Program) Reads() []string {
	var list []string
	for _, r := range p.rules {
		for _, s := range r.reads() {
			list = append(list, s.String())
		}
		if r.plugin != nil {
			list = append(list, r.plugin.Reads()...)
		}
	}
	return list
}

func (r *compiledRule) eval(ctx context.Context, in *scope) Verdict {
	v := Verdict{Rule: r.Rule}
	if v.Selected, v.Err = r.selects(in); !v.Selected || v.Err != nil {
		return v
	}
	scoped := *in
	finding, matched, err := r.judge(ctx, &scoped)
	if v.Matched, v.Err = matched, err; !matched || err != nil {
		return v
	}
	if v.Leaves, v.Err = r.wishes(&scoped, finding); finding != nil {
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

// judge asks the plugin and then the condition.
func (r *compiledRule) judge(ctx context.Context, in *scope) (*Finding, bool, error) {
	var finding *Finding
	if r.plugin != nil {
		var err error
		finding, err = r.plugin.Eval(ctx, in.twin, in.now)
		if err != nil && r.Plugin.OnError == Skip {
			return nil, false, nil
		}
		if err != nil || finding == nil {
			return nil, false, err
		}
		in.facts = finding.Facts
	}
	if r.when == nil {
		return finding, true, nil
	}
	holds, err := r.when.holds(in)
	return finding, holds, err
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
