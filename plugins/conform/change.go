package conform

import (
	"maps"

	"github.com/twinrules/twinrules/hub/twin"
)

// withValue returns t with another value at a place of one of its sections, or
// with nothing there.
func withValue(t *twin.Twin, place []string, v any, gone bool) *twin.Twin {
	sections := map[string]twin.Object{"tags": t.Tags(), "desired": t.Desired(), "reported": t.Reported()}
	sections[place[0]] = put(sections[place[0]], place[1:], v, gone)
	return rebuild(t, sections)
}

// put returns o with v at path, through objects that are made where there are
// none. It does not change o.
func put(o twin.Object, path []string, v any, gone bool) twin.Object {
	out := maps.Clone(o)
	if out == nil {
		out = twin.Object{}
	}
	switch {
	case len(path) == 1 && gone:
		delete(out, path[0])
	case len(path) == 1:
		out[path[0]] = v
	default:
		below, _ := out[path[0]].(twin.Object)
		out[path[0]] = put(below, path[1:], v, gone)
	}
	return out
}

// rebuild returns a twin that is t but for its sections.
func rebuild(t *twin.Twin, sections map[string]twin.Object) *twin.Twin {
	doc := twin.Object{
		"deviceId": t.Ref.Device, "status": t.Status, "connectionState": t.ConnectionState, "lastActivityTime": t.LastActivityTime, "modelId": t.ModelID,
		"capabilities": twin.Object{"iotEdge": t.Edge}, "tags": sections["tags"],
		"properties": twin.Object{"desired": sections["desired"], "reported": sections["reported"]},
	}
	if t.Ref.Module != "" {
		doc["moduleId"] = t.Ref.Module
	}
	out, err := twin.Parse(twin.Encode(doc))
	if err != nil {
		panic(err) // it was made of a twin
	}
	return out
}
