package emulator

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// birth returns t as a document, with the members it lacks as the hub makes
// them when a device is created at now. A twin that lacks none, as one recorded
// on a hub, stays byte for byte.
func birth(t *twin.Twin, d *dice, now time.Time) (*document, error) {
	o, err := twin.DecodeObject(t.JSON())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Ref, err)
	}
	if t.Ref.Module != "" {
		now = time.Time{} // as observed: a module's first metadata has no time
	}
	complete := true
	for _, m := range birthMembers {
		if o[m.key] == nil {
			o[m.key] = m.value(t.Ref, d)
			complete = false
		}
	}
	if tags, ok := o["tags"]; ok && !isFilled(tags) {
		delete(o, "tags") // never an empty one
		complete = false
	}
	for _, name := range []string{"desired", "reported"} {
		if s := section(o, name); !isWhole(s) {
			setSection(o, name, birthSection(s, name == "desired", now))
			complete = false
		}
	}
	if complete {
		return spelled(t.Ref, o, t.JSON()), nil
	}
	return newDocument(t.Ref, o), nil
}

func isFilled(tags any) bool {
	o, ok := tags.(twin.Object)
	return ok && len(o) > 0
}

// isWhole reports whether a section has all that the hub adds, and nothing that
// it would not store.
func isWhole(section twin.Object) bool {
	_, hasMeta := section["$metadata"].(twin.Object)
	_, hasVersion := section["$version"].(json.Number)
	return hasMeta && hasVersion && !hasNull(section)
}

func hasNull(o twin.Object) bool {
	for _, value := range o {
		if below, ok := value.(twin.Object); value == nil || ok && hasNull(below) {
			return true
		}
	}
	return false
}

// A birthMember is a member of every twin with its value at creation.
type birthMember struct {
	key   string
	value func(ref twin.Ref, d *dice) any
}

func always(v any) func(twin.Ref, *dice) any { return func(twin.Ref, *dice) any { return v } }

var birthMembers = []birthMember{
	{"etag", always(firstTwinETag)},
	{"deviceEtag", func(ref twin.Ref, d *dice) any { return decimalETag(int64(d.of("etag "+ref.String()) % 1e9)) }},
	{"status", always("enabled")},
	{"statusUpdateTime", always(never)},
	{"connectionState", always("Disconnected")},
	{"lastActivityTime", always(never)},
	{"cloudToDeviceMessageCount", always(number(0))},
	{"authenticationType", always("sas")},
	{"x509Thumbprint", always(twin.Object{"primaryThumbprint": nil, "secondaryThumbprint": nil})},
	{"modelId", always("")},
	{"version", always(number(2))},
	{"capabilities", always(twin.Object{"iotEdge": false})},
}

// birthSection returns a section with version and metadata: what it lacks of
// them is of one write at now.
func birthSection(s twin.Object, desired bool, now time.Time) twin.Object {
	values := twin.Merge(nil, withoutHubKeys(s)) // the hub stores no null
	version, ok := s["$version"].(json.Number)
	if !ok {
		version = number(1)
	}
	meta, ok := s["$metadata"].(twin.Object)
	if !ok {
		w := writing{time: stamp(now)}
		if desired && len(values) > 0 {
			w.version = version
		}
		meta = w.restamp(nil, values, values)
	}
	values["$version"], values["$metadata"] = version, meta
	return values
}
