package emulator

import (
	"encoding/json"
	"maps"

	"github.com/twinrules/twinrules/hub/twin"
)

// A writing is the moment of one write to a section, as its metadata says it.
type writing struct {
	time    string
	version json.Number // "" for reported properties, which have none there
}

func (w writing) stamp() twin.Object {
	s := twin.Object{"$lastUpdated": w.time}
	if w.version != "" {
		s["$lastUpdatedVersion"] = w.version
	}
	return s
}

// restamp returns the metadata of a section into which patch was merged, which
// made it after. Metadata mirrors the section: each object and leaf that the
// patch names has the stamp, and so have the objects above it; arrays are
// leaves. A key of a section cannot begin with "$", so the two do not meet.
func (w writing) restamp(meta, patch, after twin.Object) twin.Object {
	out := maps.Clone(meta)
	if out == nil {
		out = twin.Object{}
	}
	maps.Copy(out, w.stamp())
	for key, want := range patch {
		now, exists := after[key]
		if !exists {
			delete(out, key)
			continue
		}
		below, _ := now.(twin.Object)
		if want, ok := want.(twin.Object); ok {
			old, _ := out[key].(twin.Object)
			out[key] = w.restamp(old, want, below)
			continue
		}
		out[key] = w.stamp()
	}
	return out
}
