package rules

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/twinrules/twinrules/hub/twin"
)

// The kinds of content that a configuration can have, one at a time.
const (
	deviceContent  = "deviceContent"
	moduleContent  = "moduleContent"
	modulesContent = "modulesContent" // of an IoT Edge deployment
)

// maxModules is how many modules a deployment may have.
const maxModules = 50

// configurationID is what the hub takes as the id of a configuration.
var configurationID = regexp.MustCompile(`^[a-z0-9\-+%_*!']{1,128}$`)

// explicitContent reads the content that a rule spells out instead of a patch. Of
// device and module content it adds the places to the rule's own, so that they
// are weighed against those of other rules.
func explicitContent(r *Rule, out *compiledRule) (twin.Object, bool) {
	s := r.Configuration.content
	before := len(s.found)
	m := s.mapping()
	kinds := []setting{m.get(deviceContent), m.get(moduleContent), m.get(modulesContent)}
	m.done()
	kinds = slices.DeleteFunc(kinds, func(s setting) bool { return !s.exists() })
	switch {
	case len(r.patch) > 0 || r.Plugin != nil:
		s.report(BadConfiguration, "", "a rule has either a patch or explicit content")
	case len(kinds) != 1 && len(s.found) == before:
		s.report(BadConfiguration, "", "the content has to be one of %s, %s and %s", deviceContent, moduleContent, modulesContent)
	}
	if len(s.found) > before {
		return nil, false
	}
	content := s.json().(twin.Object)
	switch kind, _ := contentKind(content); {
	case (kind == moduleContent) == r.On.Devices():
		m.keys[0].report(BadConfiguration, "", "a rule on %s has no %s", r.On, kind)
	case kind == modulesContent:
		checkModules(kinds[0])
	default:
		for _, place := range kinds[0].properties() {
			out.leaves = append(out.leaves, leaf{place.Section, place.Path, &template{literal: place.Value}})
		}
	}
	return content, len(s.found) == before
}

// contentKind returns the one kind of content that o has and what stands there.
func contentKind(o twin.Object) (kind string, settings twin.Object) {
	for _, kind := range []string{deviceContent, moduleContent, modulesContent} {
		if settings, ok := o[kind].(twin.Object); ok {
			return kind, settings
		}
	}
	return "", nil
}

// checkModules reports what the hub would refuse of an IoT Edge deployment.
func checkModules(s setting) {
	m := s.mapping()
	if _, has := m.values["$edgeAgent"]; !has {
		s.report(BadConfiguration, `add "$edgeAgent": {}`, "%s lacks $edgeAgent, without which the hub takes none", modulesContent)
	}
	if len(m.keys) > maxModules {
		s.report(HubLimit, "", "%d modules, a deployment has at most %d", len(m.keys), maxModules)
	}
	for _, key := range m.keys {
		if err := twin.CheckID(key.node.Value); err != nil {
			key.report(BadConfiguration, "", "%v", err)
		}
		m.values[key.node.Value].properties()
	}
}

// properties reads settings such as {"properties.desired.fan.max": 3} as leaves
// of the desired properties, and reports what the hub would refuse.
func (s setting) properties() []twin.Leaf {
	m, before := s.mapping(), len(s.found)
	var patch twin.Object
	for _, key := range m.keys {
		value := m.values[key.node.Value]
		value.plainText()
		if path, ok := desiredPath(key.node.Value); !ok {
			key.report(BadConfiguration, "", "%q does not stand under properties.desired", key.node.Value)
		} else if v := value.json(); len(path) > 0 {
			patch = over(patch, twin.Set(nil, path, v))
		} else if whole, ok := v.(twin.Object); ok {
			patch = over(patch, whole)
		} else {
			value.report(BadConfiguration, "", "properties.desired is not a mapping")
		}
	}
	if len(s.found) > before {
		return nil
	}
	for _, violation := range twin.CheckDesired(patch) {
		s.report(HubLimit, "", "the hub would refuse %s", violation)
	}
	return twin.Leaves("desired", patch)
}

// desiredPath returns the keys below the desired properties that a key of a
// content names; none for properties.desired itself.
func desiredPath(key string) (path []string, ok bool) {
	if key == "properties.desired" {
		return nil, true
	}
	rest, ok := strings.CutPrefix(key, "properties.desired.")
	path = strings.Split(rest, ".")
	return path, ok && !slices.Contains(path, "")
}

// over returns the patch that does first what below and then what above does:
// unlike in a merge, nulls stay.
func over(below, above twin.Object) twin.Object {
	out := twin.Object{}
	for key, value := range below {
		out[key] = value
	}
	for key, value := range above {
		old, was := out[key].(twin.Object)
		if now, is := value.(twin.Object); is && was {
			value = over(old, now)
		}
		out[key] = value
	}
	return out
}

// plainText reports texts with ${ }, which the hub would write as they stand.
func (s setting) plainText() {
	for _, n := range s.node.Content {
		s.at(n).plainText()
	}
	if s.node.Kind == yaml.ScalarNode && strings.Contains(s.node.Value, "${") {
		s.report(BadConfiguration, "", "a configuration sets constants only")
	}
}
