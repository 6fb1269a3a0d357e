package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/twinrules/twinrules/hub/twin"
)

func (l *loader) rule(s setting) *Rule {
	m := s.shaped(ruleShape)
	r := &Rule{Description: m.get("description").text(), Pos: s.pos(), at: s}
	if id := m.need("id"); id.exists() {
		r.ID, r.Pos = id.name(), id.pos()
	}
	r.On = readTarget(m.get("on"))
	r.Selector, r.selector = readExpression(m.get("selector"))
	r.When, r.when = readExpression(m.get("when"))
	r.Until, r.until = readExpression(m.get("until"))
	r.onExit = m.get("onExit")
	r.OnExit = OnExit(r.onExit.word(string(KeepValues), string(KeepValues), string(RemoveValues), string(RestoreValues)))
	r.AllowForeign = readForeign(m.get("allowForeign"))
	r.Priority, _ = m.get("priority").whole(-1000, 1000)
	r.Mode = readMode(m.get("mode"), l.defaults.mode)
	r.Limits = readLimits(m.get("limits"), l.defaults.limits)
	r.Plugin = readPluginUse(m.get("plugin"))
	r.Configuration = readConfiguration(m.get("configuration"))
	if r.Rollout = readRollout(m.get("rollout")); r.Rollout != nil {
		r.Rollout.pack, r.Rollout.rule = l.pack.Name, r.ID
	}
	l.patch(r, m)
	l.tests(r, m.get("tests"))
	m.done()
	return r
}

func readTarget(s setting) Target {
	if !s.exists() {
		return Target{}
	}
	text := s.text()
	if text == "device" {
		return Target{}
	}
	module, ok := strings.CutPrefix(text, "module/")
	if !ok || module != "*" && twin.CheckID(module) != nil {
		s.report(WrongValue, "", `%q is none of device, module/<moduleId>, module/*`, text)
		return Target{}
	}
	return Target{Module: module}
}

func readExpression(s setting) (string, expressionSource) {
	if !s.exists() {
		return "", expressionSource{}
	}
	if s.node.Kind == yaml.ScalarNode && s.node.Style&yaml.TaggedStyle != 0 {
		return "", expressionSource{} // reported with its tag
	}
	if s.node.Kind == yaml.ScalarNode && strings.TrimSpace(s.node.Value) == "" {
		s.report(EmptyExpression, "leave the key out to say always", "an empty expression")
		return "", expressionSource{}
	}
	if s.node.Kind != yaml.ScalarNode {
		s.report(WrongType, "", "%s where an expression must stand", kindName(s.node))
		return "", expressionSource{}
	}
	return strings.TrimSpace(s.node.Value), expressionSource{s.node.Value, s} // "when: true" is one, too
}

func readPluginUse(s setting) *PluginUse {
	if !s.exists() {
		return nil
	}
	m := s.shaped(pluginUseShape)
	use := &PluginUse{Use: m.need("use").name(), with: m.get("with"), at: s}
	use.with.mapping() // reports what is none
	use.OnError = OnError(m.get("onError").word(string(Fail), string(Fail), string(Skip), string(Warn)))
	m.done()
	return use
}

func readConfiguration(s setting) *ConfigurationSpec {
	if !s.exists() {
		return nil
	}
	m := s.shaped(configurationShape)
	spec := &ConfigurationSpec{Metrics: map[string]expressionSource{}, at: s}
	spec.Priority, _ = m.get("priority").whole(0, largestCount)
	spec.content = m.get("content")
	metrics := m.get("metrics").mapping()
	for _, key := range metrics.keys {
		if _, e := readExpression(metrics.get(key.node.Value)); e.exists() {
			spec.Metrics[key.name()] = e
		}
	}
	if len(spec.Metrics) > maxMetrics {
		metrics.report(BadConfiguration, "", "%d metrics, the hub takes %d", len(spec.Metrics), maxMetrics)
	}
	m.done()
	return spec
}

// maxMetrics is how many custom metrics the hub keeps for a configuration.
const maxMetrics = 5

// patch reads the leaves of the rule's patch.
func (l *loader) patch(r *Rule, m *mapping) {
	s := m.get("patch")
	if !s.exists() {
		if r.Plugin == nil && m.exists() && (r.Configuration == nil || !r.Configuration.content.exists()) {
			m.report(MissingKey, "", `the key "patch" is missing`)
		}
		return
	}
	before := len(l.found)
	p := s.shaped(patchShape)
	for _, section := range []string{"desired", "tags"} {
		if v := p.get(section); v.exists() {
			r.patch = v.leaves(r.patch, section, nil)
		}
	}
	for _, key := range p.keys {
		if name := key.node.Value; name == "reported" || name == "properties" {
			p.asked = append(p.asked, name)
			key.report(BadPatch, "", "a patch sets desired and tags, not %s", name)
		}
	}
	p.done()
	if len(r.patch) == 0 && len(l.found) == before {
		s.report(BadPatch, "", "a patch that sets nothing")
	}
	checkLiteralLimits(r.patch)
}

// leaves appends what s sets below path: every value that is not a mapping with
// something in it.
func (s setting) leaves(list []leafSource, section string, path []string) []leafSource {
	if s.node.Kind != yaml.MappingNode && len(path) == 0 {
		s.report(WrongType, "", "%s where a mapping must stand", kindName(s.node))
		return list
	}
	if s.node.Kind != yaml.MappingNode || len(s.node.Content) == 0 && len(path) > 0 {
		return append(list, leafSource{section, path, s})
	}
	m := s.mapping()
	for _, key := range m.keys {
		if name := key.node.Value; len(path) == 0 && (name == "$metadata" || name == "$version") {
			key.report(BadPatch, "", "%s is the hub's own", name)
			continue
		}
		list = m.get(key.node.Value).leaves(list, section, append(slices.Clone(path), key.node.Value))
	}
	return list
}

func (l *loader) tests(r *Rule, s setting) {
	for _, t := range s.list() {
		if c := l.testCase(r, t); c != nil {
			if slices.ContainsFunc(r.Tests, func(other *Case) bool { return other.Name == c.Name }) {
				t.report(DuplicateID, "", "a second test with the name %q", c.Name)
			}
			r.Tests = append(r.Tests, c)
		}
	}
}

func (l *loader) testCase(r *Rule, s setting) *Case {
	m := s.shaped(testShape)
	c := &Case{Name: m.need("name").text(), Pos: s.pos()}
	c.Twin = readTwin(m.need("twin"), r.On)
	c.Now = readNow(m.get("now"))
	c.Gate = readGateTest(r, m.get("gate"))
	if before := m.get("before"); before.exists() {
		c.Before = readSections(before)
	}
	expect := m.get("expect")
	if c.Gate == "" && !expect.exists() && m.exists() {
		m.need("expect")
	}
	m.done()
	if c.Twin == nil {
		return nil
	}
	if expect.exists() {
		readExpect(c, expect)
	}
	return c
}

// readSections reads a mapping of tags and desired.
func readSections(s setting) *twin.Patch {
	m := s.shaped(beforeShape)
	defer m.done()
	return &twin.Patch{Tags: m.get("tags").object(), Desired: m.get("desired").object()}
}

func readExpect(c *Case, s setting) {
	if s.node.Kind == yaml.ScalarNode {
		c.None = s.node.Value == "none"
		if !c.None {
			s.report(BadTest, "", `%q is neither none, nor a patch, nor error: "text"`, s.node.Value)
		}
		return
	}
	m := s.shaped(expectShape)
	c.Error = m.get("error").text()
	c.Patch = twin.Patch{Tags: m.get("tags").object(), Desired: m.get("desired").object()}
	m.done()
	if c.Error == "" && c.Patch.Empty() {
		s.report(BadTest, "write expect: none", "a test that expects an empty patch")
	}
}

// readTwin makes the twin of a test from its short form.
func readTwin(s setting, on Target) *twin.Twin {
	if !s.exists() {
		return nil
	}
	m := s.shaped(testTwinShape)
	doc := twin.Object{"deviceId": "test", "status": "enabled", "connectionState": "Disconnected"}
	if !on.Devices() {
		doc["moduleId"] = strings.ReplaceAll(on.Module, "*", "test")
	}
	if v := m.get("id"); v.exists() {
		doc["deviceId"] = v.text()
	}
	for _, key := range []string{"moduleId", "status", "connectionState", "lastActivityTime", "modelId"} {
		if v := m.get(key); v.exists() {
			doc[key] = v.text()
		}
	}
	doc["capabilities"] = twin.Object{"iotEdge": m.get("edge").truth()}
	if v := m.get("parent"); v.exists() {
		doc["parentScopes"] = []any{twin.ScopeOf(v.text())}
	}
	if v := m.get("tags"); v.exists() {
		doc["tags"] = v.object()
	}
	properties := twin.Object{}
	for _, section := range []string{"desired", "reported"} {
		if v := m.get(section); v.exists() {
			properties[section] = v.object()
		}
	}
	doc["properties"] = properties
	m.done()
	t, err := twin.Parse(twin.Encode(doc))
	if err != nil {
		s.report(BadTest, "", "%v", err)
		return nil
	}
	for _, section := range []string{"tags", "desired", "reported"} {
		t.Section(section) // decoded now: tests of one rule may run at once, and a twin decodes when first asked
	}
	return t
}

func readSchedule(s setting) *Schedule {
	if !s.exists() {
		return nil
	}
	m := s.shaped(scheduleShape)
	every, cron, zone := m.get("every"), m.get("cron"), m.get("timeZone")
	window := readWindow(m.get("window"))
	m.done()
	if every.exists() == cron.exists() {
		s.report(WrongValue, "", "a schedule has either every or cron")
		return nil
	}
	schedule := &Schedule{Cron: cron.text(), TimeZone: zone.text(), Window: window}
	if every.exists() {
		schedule.Every = every.duration(time.Second)
	}
	zone.checkZone()
	if err := schedule.check(); err != nil {
		cron.report(WrongValue, "", "%v", err)
	}
	return schedule
}

// checkZone reports a text that is no time zone. "Local" would be another one on
// every machine.
func (s setting) checkZone() {
	if !s.exists() {
		return
	}
	if name := s.text(); name == "Local" {
		s.report(WrongValue, "", "%q is no time zone such as Europe/Berlin", name)
	} else if _, err := time.LoadLocation(name); err != nil {
		s.report(WrongValue, "", "%q is no time zone such as Europe/Berlin", name)
	}
}

// check says what is wrong with the fields of cron; their meaning is the
// engine's.
func (s *Schedule) check() error {
	if n := len(strings.Fields(s.Cron)); s.Cron != "" && n != 5 {
		return fmt.Errorf("cron has 5 fields, not %d: minute, hour, day, month, weekday", n)
	}
	return nil
}

// duration reads a time span such as 15m that is at least low.
func (s setting) duration(low time.Duration) time.Duration {
	d, err := time.ParseDuration(s.text())
	if err != nil {
		s.report(WrongValue, "", "not a time span such as 15m")
		return low
	}
	if d < low {
		s.report(WrongValue, "", "%s is less than %s", d, low)
	}
	return d
}
