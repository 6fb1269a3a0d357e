package engine_test

import (
	"strings"
	"testing"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// theirs is a configuration of somebody else that sets desired.interval.
func theirs(target string) *twin.Configuration {
	return &twin.Configuration{ID: "base", TargetCondition: target, Content: twin.Object{"deviceContent": twin.Object{"properties.desired.interval": "30"}}}
}

// TestForeignWriters is which configurations stand in the way of a rule that sets
// desired.interval, and why.
func TestForeignWriters(t *testing.T) {
	conflict, doubt := `conflict desired.interval r=900 ="30"`, "what the hub makes of its target condition for this twin is not known"
	of := func(kind, key string, value any) *twin.Configuration {
		return &twin.Configuration{ID: "base", TargetCondition: "*", Content: twin.Object{kind: twin.Object{key: value}}}
	}
	labelled := func(id, pack string) *twin.Configuration {
		c := theirs("*")
		c.ID, c.Labels = id, map[string]string{"owner": "twinrules", "pack": pack, "rule": "r"}
		return c
	}
	for name, c := range map[string]struct {
		with        string // keys of the rule
		other       *twin.Configuration
		want, doubt string
	}{
		"on all devices":              {"", theirs("*"), conflict, ""},
		"on none":                     {"", theirs(""), "", ""},
		"on this one":                 {"", theirs("tags.kind = 'a'"), conflict, ""},
		"on others":                   {"", theirs("tags.kind = 'b'"), "", ""},
		"by its id":                   {"", theirs("deviceId IN ['d0000', 'x']"), conflict, ""},
		"not by its id":               {"", theirs("deviceId NIN ['d0000', 'x']"), "", ""},
		"by a number":                 {"", theirs("properties.reported.pct < 20 AND IS_DEFINED(tags.kind)"), conflict, ""},
		"not by a number":             {"", theirs("properties.reported.pct >= 20"), "", ""},
		"by what is missing":          {"", theirs("tags.nothing = 'x'"), "", ""},
		"by a letter's case":          {"", theirs("tags.kind = 'A'"), conflict, doubt},
		"by what may be missing":      {"", theirs("tags.nothing != 'x'"), conflict, doubt},
		"not what may be missing":     {"", theirs("NOT (tags.nothing = 'x')"), conflict, doubt},
		"and what is certain":         {"", theirs("tags.nothing != 'x' AND tags.kind = 'b'"), "", ""},
		"or what is certain":          {"", theirs("tags.nothing != 'x' OR tags.kind = 'a'"), conflict, ""},
		"by another type":             {"", theirs("properties.reported.pct = '0'"), conflict, doubt},
		"by the order of texts":       {"", theirs("tags.kind > 'A'"), conflict, doubt},
		"by a field not known":        {"", theirs("capabilities.iotEdge = true"), conflict, doubt},
		"by what cannot be read":      {"", theirs("tags.kind LIKE 'a%'"), conflict, "its target condition cannot be read"},
		"allowed":                     {"allowForeign: [base], ", theirs("*"), "", ""},
		"another allowed":             {"allowForeign: [other], ", theirs("*"), conflict, ""},
		"another place":               {"", of("deviceContent", "properties.desired.other", "30"), "", ""},
		"the same value, too":         {"", of("deviceContent", "properties.desired.interval", twin.Object{"x": true}), `conflict desired.interval r=900 ={"x":true}`, ""},
		"a place below":               {"", of("deviceContent", "properties.desired.interval.sec", "30"), conflict, ""},
		"all of desired":              {"", of("deviceContent", "properties.desired", twin.Object{"interval": "30"}), conflict, ""},
		"modules":                     {"", of("moduleContent", "properties.desired.interval", "30"), "", ""},
		"modules of an edge device":   {"", of("modulesContent", "meter", twin.Object{"properties.desired.interval": "30"}), "", ""},
		"the rule's own":              {"", labelled("tr-r-1", "p"), "", ""},
		"another pack's":              {"", labelled("tr-r-1", "q"), conflict, ""},
		"the pack's name, not its id": {"", labelled("base", "p"), conflict, ""},
		"a rule that does not match":  {"when: false, ", theirs("*"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := fleet(1)
			m.configurations = []*twin.Configuration{c.other}
			plan := evaluate(t, pack(t, "  - {id: r, "+c.with+"patch: {desired: {interval: 900}, tags: {x: 1}}}\n"), m, nil)
			if got := troubles(plan); got != c.want {
				t.Fatalf("got %s, want %s", got, c.want)
			}
			if c.want == "" {
				return
			}
			if got := plan.Conflicts[0]; got.Doubt != c.doubt || got.Foreign() != c.other.ID || len(changesIn(plan.Changes)[0].Edits) != 1 {
				t.Errorf("got %+v and %s", got, lines(changesIn(plan.Changes)))
			}
			if got := plan.Obstacle(); got != "a configuration on the hub writes the same place" {
				t.Errorf("the obstacle is %q", got)
			}
		})
	}
}

// TestForeignWritersOfModules: of an edge deployment the condition cannot be
// asked, since the device is not read with its modules.
func TestForeignWritersOfModules(t *testing.T) {
	p := pack(t, "  - {id: r, on: module/*, patch: {desired: {interval: 900}}}\n")
	for name, c := range map[string]struct {
		content         twin.Object
		target, foreign string
	}{
		"a deployment":          {twin.Object{"modulesContent": twin.Object{"meter": twin.Object{"properties.desired": twin.Object{"interval": true}}}}, "tags.kind = 'nobody'", "base"},
		"of another module":     {twin.Object{"modulesContent": twin.Object{"other": twin.Object{"properties.desired": twin.Object{"interval": true}}}}, "*", ""},
		"to nobody":             {twin.Object{"modulesContent": twin.Object{"meter": twin.Object{"properties.desired": twin.Object{"interval": true}}}}, "", ""},
		"modules":               {twin.Object{"moduleContent": twin.Object{"properties.desired.interval": true}}, "FROM devices.modules WHERE moduleId = 'meter'", "base"},
		"other modules":         {twin.Object{"moduleContent": twin.Object{"properties.desired.interval": true}}, "from devices.modules where moduleId = 'x'", ""},
		"a condition of device": {twin.Object{"moduleContent": twin.Object{"properties.desired.interval": true}}, "moduleId = 'x'", "base"},
		"devices":               {twin.Object{"deviceContent": twin.Object{"properties.desired.interval": true}}, "*", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			m.add(twin.Ref{Device: "d", Module: "meter"}, twin.Object{}, twin.Object{}, twin.Object{})
			m.configurations = []*twin.Configuration{{ID: "base", TargetCondition: c.target, Content: c.content}}
			plan, got := evaluate(t, p, m, nil), ""
			for _, conflict := range plan.Conflicts {
				got = conflict.Foreign()
			}
			if got != c.foreign {
				t.Errorf("got %q, want %q", got, c.foreign)
			}
		})
	}
}

// TestForeignWritersOfOtherSorts: rules of audit are told, rules that the hub runs
// and rules that leave are stopped.
func TestForeignWritersOfOtherSorts(t *testing.T) {
	for name, c := range map[string]struct{ rule, want string }{
		"audit":   {"mode: audit, patch: {desired: {interval: 900}}", "devices/d0000 r: configuration base writes desired.interval on the hub, too"},
		"the hub": {"patch: {desired: {interval: 900}}, configuration: {priority: 10}", `conflict desired.interval r=900 ="30"`},
		"content": {"configuration: {content: {deviceContent: {properties.desired.interval: 900}}}", `conflict desired.interval r=900 ="30"`},
		"leaving": {"when: false, patch: {desired: {interval: 60}}, onExit: remove", `conflict desired.interval r=null ="30"`},
	} {
		m := fleet(1)
		m.configurations = []*twin.Configuration{theirs("*")}
		plan := evaluate(t, pack(t, "  - {id: r, "+c.rule+"}\n"), m, nil)
		if got := troubles(plan); got != c.want || (plan.Obstacle() == "") != strings.HasPrefix(c.want, "devices") {
			t.Errorf("%s: got %s and %q, want %s", name, got, plan.Obstacle(), c.want)
		}
	}
}

// TestExplicitContent: the configuration is the one that was spelled, and rules
// that would write the same places conflict with it.
func TestExplicitContent(t *testing.T) {
	body := `
  - id: edge
    selector: tags.kind == "a"
    configuration: {priority: 5, content: {modulesContent: {$edgeAgent: {}, $edgeHub: {properties.desired.routes.up: "FROM /messages/* INTO $upstream"}}}}
  - id: fan
    configuration: {content: {deviceContent: {properties.desired.fan: {max: 3, old: null}, properties.desired.fan.min: 1}}}
`
	plan := evaluate(t, pack(t, body), fleet(2), nil)
	want := []string{
		`{"modulesContent":{"$edgeAgent":{},"$edgeHub":{"properties.desired.routes.up":"FROM /messages/* INTO $upstream"}}} tags.kind = 'a'`,
		`{"deviceContent":{"properties.desired.fan":{"max":3,"old":null},"properties.desired.fan.min":1}} *`,
	}
	for i, c := range plan.Configurations {
		if got := string(twin.Encode(c.After.Content)) + " " + c.After.TargetCondition; c.Action != engine.Create || got != want[i] {
			t.Errorf("got %s %s, want %s", c.Action, got, want[i])
		}
	}
	if len(plan.Configurations) != 2 || plan.Changes.Len() > 0 {
		t.Errorf("got %d configurations, %s", len(plan.Configurations), lines(changesIn(plan.Changes)))
	}
	plan = evaluate(t, pack(t, body+"  - {id: ours, patch: {desired: {fan: {max: 4}}}}\n"), fleet(1), nil)
	if got := troubles(plan); got != "conflict desired.fan.max ours=4 fan=3" {
		t.Error(got)
	}
}

// TestAConflictWithAConfigurationInAPlanFile: it is read as it was written.
func TestAConflictWithAConfigurationInAPlanFile(t *testing.T) {
	m := fleet(1)
	m.configurations = []*twin.Configuration{theirs("tags.kind = 'A'")}
	plan := evaluate(t, pack(t, "  - {id: r, patch: {desired: {interval: 900}}}\n  - {id: s, when: false, patch: {tags: {kind: a}}, onExit: remove}\n"), m, nil)
	again, err := engine.ReadPlan(strings.NewReader(string(planBytes(t, plan))))
	if err != nil || digest(again) != digest(plan) || again.Conflicts[0].Foreign() != "base" || changesIn(again.Changes)[0].Edits[0].Why != "left: removed" {
		t.Errorf("got %v, %+v", err, again)
	}
}
