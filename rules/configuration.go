package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

// Labels of the configurations that twinrules owns. A configuration without
// both the id prefix and the owner label is somebody else's and never touched.
const (
	ConfigurationPrefix = "tr-"
	OwnerLabel          = "owner"
	Owner               = "twinrules"
	PackLabel           = "pack"
	RuleLabel           = "rule"
)

// Owned reports whether c was made by twinrules for the pack of that name.
func Owned(c *twin.Configuration, pack string) bool {
	return strings.HasPrefix(c.ID, ConfigurationPrefix) && c.Labels[OwnerLabel] == Owner && c.Labels[PackLabel] == pack
}

// Configurations returns what the hub itself should run: one configuration for
// each rule that asks for it, in the order of the rules. Their ETags are empty.
func (p *Program) Configurations() []*twin.Configuration {
	var list []*twin.Configuration
	for _, r := range p.rules {
		if r.configuration != nil && r.Mode == Enforce {
			list = append(list, r.configuration)
		}
	}
	return list
}

// configuration makes a rule's configuration, or reports why the hub cannot run
// the rule as it is written.
func (c *compilation) configuration(r *Rule, out *compiledRule) *twin.Configuration {
	spec := r.Configuration
	read := constantContent
	if spec.content.exists() {
		read = explicitContent
	}
	content, ok := read(r, out)
	where, exact := c.target(r, out)
	cfg := &twin.Configuration{
		ID:              ConfigurationPrefix + r.ID + "-" + contentHash(content),
		Labels:          map[string]string{OwnerLabel: Owner, PackLabel: c.pack.Name, RuleLabel: r.ID},
		Content:         content,
		TargetCondition: targetCondition(r.On, where),
		Priority:        spec.Priority,
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Metrics)) {
		if q, ok := c.exact(spec.Metrics[name], "a metric"); ok {
			if cfg.Metrics == nil {
				cfg.Metrics = map[string]string{}
			}
			cfg.Metrics[name] = metricQuery(r.On, query.And(where, q))
		}
	}
	if !ok || !exact {
		return nil
	}
	return cfg
}

// contentHash makes the id change with the content, because the hub keeps the
// content of a configuration as it was created.
func contentHash(content twin.Object) string {
	sum := sha256.Sum256(twin.Encode(content))
	return hex.EncodeToString(sum[:6])
}

// constantContent returns the patch as the content of a configuration.
func constantContent(r *Rule, out *compiledRule) (twin.Object, bool) {
	at := r.Configuration.at
	before := len(at.found)
	set := twin.Object{}
	for i, l := range out.leaves {
		switch {
		case l.section == "tags":
			r.patch[i].value.report(BadConfiguration, "set the tag in a rule of its own", "a configuration cannot set tags")
		case l.value == nil:
		case !l.value.constant():
			r.patch[i].value.report(BadConfiguration, "", "a configuration sets constants only")
		default:
			set["properties.desired."+strings.Join(l.path, ".")] = l.value.literal
		}
	}
	if r.Plugin != nil {
		r.Plugin.at.report(BadConfiguration, "", "the hub cannot run a plugin")
	}
	kind := deviceContent
	if !r.On.Devices() {
		kind = moduleContent
	}
	return twin.Object{kind: set}, len(at.found) == before
}

// target returns the condition under which the hub applies the configuration:
// the selector and the condition together.
func (c *compilation) target(r *Rule, out *compiledRule) (query.Expr, bool) {
	var when query.Expr
	ok := true
	if r.when.exists() {
		when, ok = c.exact(r.when, "the when of a configuration")
	}
	if what := untargetable(out.query); what != "" {
		r.selector.at.report(BadConfiguration, "", "the target of a configuration cannot read %s", what)
		return nil, false
	}
	if what := untargetable(when); what != "" {
		r.when.at.report(BadConfiguration, "", "the target of a configuration cannot read %s", what)
		return nil, false
	}
	where := query.And(out.query, when)
	if ok && where == nil && r.On.Module == "*" {
		// Unlike devices, modules have no "*", and nothing is known to hold for all.
		r.Configuration.at.report(BadConfiguration, "give the rule a selector", "a configuration of modules needs a condition")
		return nil, false
	}
	return where, ok
}

// untargetable names what a target condition reads and the hub does not let it,
// or returns "".
func untargetable(e query.Expr) (what string) {
	if e == nil {
		return ""
	}
	query.Paths(e, func(p query.Path) {
		switch {
		case what != "":
		case p[0] == "properties" && p[1] == "desired":
			what = "desired properties"
		case p[0] == "status" || p[0] == "connectionState":
			what = p[0]
		}
	})
	return what
}

// exact translates an expression of a configuration.
func (c *compilation) exact(e expressionSource, what string) (query.Expr, bool) {
	node := parse(e.at, 0, e.text)
	if node == nil {
		return nil, false
	}
	q, err := translator{c.pack.Vars}.translate(node)
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		from, to := extent(refused.node)
		e.at.span(from, to, BadConfiguration, refused.hint, "%s: %s", what, refused.reason)
		return nil, false
	case readsDesired(q):
		e.at.report(BadConfiguration, "", "%s cannot read desired properties", what)
		return nil, false
	}
	return q, true
}

func readsDesired(e query.Expr) (found bool) {
	query.Paths(e, func(p query.Path) { found = found || len(p) > 1 && p[1] == "desired" })
	return found
}

func targetCondition(on Target, where query.Expr) string {
	if on.Devices() {
		if where == nil {
			return "*"
		}
		return where.String()
	}
	if on.Module != "*" {
		where = query.And(query.Binary{Op: "=", Left: query.Path{"moduleId"}, Right: query.String(on.Module)}, where)
	}
	text := "FROM devices.modules"
	if where != nil {
		text += " WHERE " + where.String()
	}
	return text
}

func metricQuery(on Target, where query.Expr) string {
	from := "SELECT deviceId FROM devices"
	if !on.Devices() {
		from = "SELECT deviceId, moduleId FROM devices.modules"
	}
	if where == nil {
		return from
	}
	return from + " WHERE " + where.String()
}
