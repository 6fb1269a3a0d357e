package emulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// The kinds of content that a configuration can have, one at a time.
const (
	deviceContent = "deviceContent"
	moduleContent = "moduleContent"
	edgeContent   = "modulesContent" // of an IoT Edge deployment
)

// A content is what a configuration writes.
type content struct {
	kind  string
	patch twin.Object // to desired properties; nil for IoT Edge
	// modules are those of an IoT Edge deployment; nil for other content.
	modules map[string]moduleSettings
	json    json.RawMessage
}

// readContent reads the content of a configuration, and refuses what a hub
// does: none or several kinds, and anything but desired properties.
func readContent(text json.RawMessage) (*content, error) {
	o, err := twin.DecodeObject(text)
	if err != nil {
		return nil, badContent("The content is missing or not an object.")
	}
	maps.DeleteFunc(o, func(_ string, value any) bool { return value == nil })
	keys := slices.Sorted(maps.Keys(o))
	if len(keys) != 1 || !slices.Contains([]string{deviceContent, moduleContent, edgeContent}, keys[0]) {
		return nil, badContent("The content has to be one of deviceContent, moduleContent and modulesContent.")
	}
	c := &content{kind: keys[0], json: twin.Encode(o)}
	settings, ok := o[c.kind].(twin.Object)
	switch {
	case !ok:
		return nil, badContent(c.kind + " is not an object.")
	case c.kind == edgeContent:
		c.modules, err = readModules(settings)
		return c, err
	}
	c.patch, err = desiredOf(settings)
	return c, err
}

func badContent(text string) error { return refuse("InvalidConfigurationContent", "%s", text) }

// desiredOf returns settings such as {"properties.desired.fan.max": 3} as a
// patch of desired properties.
func desiredOf(settings twin.Object) (twin.Object, error) {
	patch := twin.Object{}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		rest, ok := strings.CutPrefix(key+".", "properties.desired.")
		path := strings.Split(strings.TrimSuffix(rest, "."), ".")
		if !ok || rest != "" && slices.Contains(path, "") {
			return nil, badContent("'" + key + "' does not stand under properties.desired.")
		}
		value := settings[key]
		whole, isObject := value.(twin.Object)
		switch {
		case rest == "" && !isObject:
			return nil, badContent("properties.desired is not an object.")
		case rest == "":
			patch = over(patch, whole)
		default:
			patch = over(patch, twin.Set(nil, path, value))
		}
	}
	if found := twin.CheckDesired(patch); len(found) > 0 {
		return nil, badContent(found[0].String())
	}
	return patch, nil
}

// over returns the patch that does first what below and then what above does:
// unlike in a merge, nulls stay.
func over(below, above twin.Object) twin.Object {
	out := maps.Clone(below)
	if out == nil {
		out = twin.Object{}
	}
	for key, value := range above {
		old, wasObject := out[key].(twin.Object)
		if now, ok := value.(twin.Object); ok && wasObject {
			value = over(old, now)
		}
		out[key] = value
	}
	return out
}

// without returns the patch that removes the leaves which patch sets.
func without(patch twin.Object) twin.Object {
	out := twin.Object{}
	for key, value := range patch {
		out[key] = nil
		if below, ok := value.(twin.Object); ok && len(below) > 0 {
			out[key] = without(below)
		}
	}
	return out
}
