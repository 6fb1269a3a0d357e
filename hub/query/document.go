package query

import (
	"encoding/json"

	"github.com/twinrules/twinrules/hub/twin"
)

// A document is what a path leads into.
type document interface {
	// enter returns the value that the first keys of p name, and the keys left.
	// It is called with at least one key.
	enter(p Path) (value any, rest Path, ok bool)
}

// lookup returns the value at p, or Undefined.
func lookup(p Path, d document) any {
	if len(p) == 0 {
		return Undefined{}
	}
	value, rest, ok := d.enter(p)
	for _, key := range rest {
		parent, _ := value.(twin.Object)
		if value, ok = parent[key]; !ok {
			break
		}
	}
	if !ok {
		return Undefined{}
	}
	return value
}

// An object is a document as it stands.
type object twin.Object

func (o object) enter(p Path) (any, Path, bool) {
	value, ok := o[p[0]]
	return value, p[1:], ok
}

// A twinDocument reads a twin member by member, decoding what is asked for.
type twinDocument struct {
	twin    *twin.Twin
	members map[string]json.RawMessage // of the twin's JSON, nil until needed
}

func (d *twinDocument) enter(p Path) (any, Path, bool) {
	switch p[0] {
	case "tags":
		tags := d.twin.Tags()
		return tags, p[1:], len(tags) > 0 // a twin without tags has no such member
	case "properties":
		return d.properties(p[1:])
	}
	if s := d.field(p[0]); s != "" {
		return s, p[1:], true
	}
	value, ok := d.member(p[0])
	return value, p[1:], ok
}

// properties decodes only the section that is asked for.
func (d *twinDocument) properties(p Path) (any, Path, bool) {
	if len(p) == 0 {
		return twin.Object{"desired": d.twin.Desired(), "reported": d.twin.Reported()}, nil, true
	}
	if p[0] == "tags" {
		return nil, nil, false // a section, but not one of properties
	}
	section, ok := d.twin.Section(p[0])
	return section, p[1:], ok
}

// field returns a member that the twin holds decoded, "" if it holds none.
func (d *twinDocument) field(name string) string {
	switch name {
	case "deviceId":
		return d.twin.Ref.Device
	case "moduleId":
		return d.twin.Ref.Module
	case "status":
		return d.twin.Status
	case "connectionState":
		return d.twin.ConnectionState
	case "lastActivityTime":
		return d.twin.LastActivityTime
	case "modelId":
		return d.twin.ModelID
	}
	return ""
}

// member decodes a member of the twin's JSON.
func (d *twinDocument) member(name string) (any, bool) {
	if d.members == nil {
		d.members = map[string]json.RawMessage{}
		if raw := d.twin.JSON(); raw != nil {
			_ = json.Unmarshal(raw, &d.members) // twin.Parse has checked it
		}
	}
	raw, ok := d.members[name]
	if !ok {
		return nil, false
	}
	value, err := twin.Decode(raw)
	return value, err == nil
}
