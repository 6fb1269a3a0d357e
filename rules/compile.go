package rules

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

// Options holds the optional settings of [Compile].
type Options struct {
	Plugins Plugins // makes the plugins of the pack; nil: a rule that uses one is a mistake
}

// Compile compiles every expression of pack, translates its selectors and loads
// its plugins. Its error is a [Diagnostics] that lists every mistake of the
// pack, those that [Load] found too. A pack is compiled by one goroutine at a
// time. What only [Check] finds stands in nobody's way.
func Compile(ctx context.Context, pack *Pack, opts *Options) (*Program, error) {
	program, found := compilePack(ctx, pack, opts, nil)
	if len(found) > 0 {
		return nil, found
	}
	return program, nil
}

// compilePack compiles pack, lets prove add to what was found, and returns all of
// it. The program is whole when nothing was.
func compilePack(ctx context.Context, pack *Pack, opts *Options, prove func(*Program)) (*Program, Diagnostics) {
	if opts == nil {
		opts = &Options{}
	}
	c := &compilation{ctx: ctx, pack: pack, plugins: opts.Plugins}
	if pack.reporter == nil {
		pack.reporter = &reporter{}
	}
	loaded := len(pack.reporter.found)
	program := &Program{Pack: pack}
	for place, r := range pack.Rules {
		before := len(pack.reporter.found)
		out := c.rule(r)
		out.place = place
		out.sound = !r.mistaken && len(pack.reporter.found) == before
		program.rules = append(program.rules, out)
	}
	g := newGraph(program.rules, func(r *compiledRule) []twin.Leaf { return r.sees })
	program.rereads, program.circular = g.linked(), len(g.circles()) > 0
	if prove != nil {
		prove(program)
	}
	found := pack.reporter.sorted()
	pack.reporter.found = pack.reporter.found[:loaded] // so that it can be compiled again
	return program, found
}

// A compilation compiles one pack.
type compilation struct {
	ctx     context.Context
	pack    *Pack
	plugins Plugins
}

// A compiledRule is a rule that can be evaluated.
type compiledRule struct {
	*Rule
	place         int         // in the pack
	selector      *expression // nil: every twin of the target
	query         query.Expr  // the selector in the hub's language; nil: every twin
	when          *expression // nil: always
	until         *expression // nil: until when no longer holds
	stateful      bool        // what the twin holds decides what the rule does next
	leaves        []leaf
	plugin        Plugin
	configuration *twin.Configuration
	gate          *compiledGate // of its rollout
	sees          []twin.Leaf   // the places of tags and desired that decide what it wants
	sound         bool          // no mistake was found in it
}

// A leaf is one leaf of a compiled patch.
type leaf struct {
	section string
	path    []string
	value   *template
}

func (c *compilation) rule(r *Rule) *compiledRule {
	out := &compiledRule{Rule: r}
	if r.selector.exists() {
		out.selector = compileExpression(r.selector.at, 0, r.selector.text, selection)
		out.query = c.query(r.selector)
	}
	if r.when.exists() {
		out.when = compileExpression(r.when.at, 0, r.when.text, condition)
	}
	if r.until.exists() {
		out.until = compileExpression(r.until.at, 0, r.until.text, condition)
	}
	for _, l := range r.patch {
		out.leaves = append(out.leaves, leaf{l.section, l.path, compileTemplate(l.value)})
	}
	c.plugin(r, out)
	checkSelectorReads(r, out)
	checkExit(r, out)
	out.gate = c.gate(r, out)
	if r.Configuration != nil {
		out.configuration = c.configuration(r, out)
	}
	out.sees = out.seen()
	return out
}

// query translates a selector that has no other mistake.
func (c *compilation) query(e expressionSource) query.Expr {
	node := parse(e.at.quiet(), 0, e.text)
	if node == nil {
		return nil
	}
	q, err := translator{c.pack.Vars}.translate(node)
	var r *refusal
	if errors.As(err, &r) {
		from, to := extent(r.node)
		e.at.span(from, to, BadSelector, r.hint, "%s", r.reason)
	}
	return q
}

func (c *compilation) plugin(r *Rule, out *compiledRule) {
	if r.Plugin == nil {
		if usesPlugin(out) {
			r.reportHere(MissingKey, "", "rule %q reads plugin.* and uses no plugin", r.ID)
		}
		return
	}
	use := r.Plugin
	declared := make([]string, len(c.pack.Plugins))
	for i, p := range c.pack.Plugins {
		declared[i] = p.Name
	}
	at := slices.Index(declared, use.Use)
	if at < 0 {
		use.at.report(BadPlugin, didYouMean(use.Use, declared), "the pack declares no plugin %q", use.Use)
		return
	}
	if c.pack.Plugins[at].Digest == "" {
		return // the lock was at fault, and is reported
	}
	if c.plugins == nil {
		use.at.report(BadPlugin, "", "plugins cannot be run here")
		return
	}
	config, ok := c.pluginConfig(use)
	if !ok {
		return
	}
	var err error
	if out.plugin, err = c.plugins.Instance(c.ctx, r, config); err != nil {
		use.at.report(BadPlugin, nextStep(err), "%v", err)
	}
}

// nextStep returns what an error knows of how to mend it.
func nextStep(err error) string {
	if e, ok := errors.AsType[interface {
		error
		NextStep() string
	}](err); ok {
		return e.NextStep()
	}
	return ""
}

// pluginConfig computes a plugin's configuration, whose ${ } may read the pack's
// vars and nothing else: it is the same for every twin.
func (c *compilation) pluginConfig(use *PluginUse) (twin.Object, bool) {
	if !use.with.exists() || use.with.node.Kind != yaml.MappingNode {
		return nil, !use.with.exists()
	}
	before := len(use.at.found)
	config := compileTemplate(use.with)
	for _, e := range config.expressions() {
		for _, s := range e.slots {
			if s.root.Name != "vars" {
				use.with.report(BadPlugin, "let the plugin read it from the twin", "the configuration of a plugin reads vars only, not %s", s)
			}
		}
	}
	if len(use.at.found) > before {
		return nil, false
	}
	v, err := config.eval(&scope{twin: &twin.Twin{}, vars: c.pack.Vars})
	if err != nil {
		use.with.report(BadPlugin, "", "%v", err)
		return nil, false
	}
	return v.(twin.Object), true
}

func usesPlugin(r *compiledRule) bool {
	return slices.ContainsFunc(r.reads(), func(s slot) bool { return s.root.Name == "plugin" })
}

// checkSelectorReads refuses a selector that reads what the rule or its plugin
// writes: it would change its own population.
func checkSelectorReads(r *Rule, out *compiledRule) {
	if out.selector == nil {
		return
	}
	for _, s := range out.selector.slots {
		read := twin.Leaf{Section: s.root.Name, Path: s.path}
		if slices.ContainsFunc(out.writes(), read.Overlaps) {
			r.selector.at.report(SelectorReads, toWhen, "the selector reads %s, which the rule writes", s.key)
		}
	}
}

// placeOf returns the place that a plugin's manifest names, such as
// "desired.fan".
func placeOf(path string) twin.Leaf {
	section, below, _ := strings.Cut(path, ".")
	return twin.Leaf{Section: section, Path: strings.FieldsFunc(below, func(c rune) bool { return c == '.' })}
}

// checkLiteralLimits reports leaves that the hub would refuse on any twin.
func checkLiteralLimits(leaves []leafSource) {
	for _, l := range leaves {
		found := len(l.value.found)
		v := l.value.json()
		l.value.found = l.value.found[:found] // reported when it is compiled
		if _, isNumber := v.(json.Number); isNumber {
			v = "" // its range is checked where numbers are read
		}
		check := twin.CheckDesired
		if l.section == "tags" {
			check = twin.CheckTags
		}
		for _, violation := range check(twin.Set(nil, l.path, v)) {
			l.value.report(HubLimit, "", "the hub would refuse %s", violation)
		}
	}
}

// reportHere reports a mistake of the rule as a whole.
func (r *Rule) reportHere(code Code, hint, format string, args ...any) {
	r.at.reportAt(r.Pos, runes(r.ID), code, hint, format, args...)
}
