package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// A JSONPatch is a list of changes to a digital twin, made with Add, Replace and
// Remove, the only ones the hub takes. The zero value is an empty one. A path
// names a member, or a component and its member.
type JSONPatch struct{ steps []patchStep }

type patchStep struct {
	op    string
	path  []string
	value any
}

// Add sets the member at path, whether or not there is one. The value of a
// component needs a member "$metadata" that is an empty object.
func (p *JSONPatch) Add(value any, path ...string) *JSONPatch {
	p.steps = append(p.steps, patchStep{"add", path, value})
	return p
}

// Replace sets the member at path, which must be there.
func (p *JSONPatch) Replace(value any, path ...string) *JSONPatch {
	p.steps = append(p.steps, patchStep{"replace", path, value})
	return p
}

// Remove takes the member at path away.
func (p *JSONPatch) Remove(path ...string) *JSONPatch {
	p.steps = append(p.steps, patchStep{"remove", path, nil})
	return p
}

// body returns the patch as the hub reads it.
func (p JSONPatch) body() ([]byte, error) {
	if len(p.steps) == 0 {
		return nil, errors.New("the patch is empty")
	}
	list := []any{}
	for _, s := range p.steps {
		if len(s.path) == 0 {
			return nil, errors.New("a step of the patch has no path")
		}
		o := map[string]any{"op": s.op, "path": s.pointer()}
		if s.op != "remove" {
			value, err := json.Marshal(s.value)
			if err != nil {
				return nil, fmt.Errorf("value of %s: %w", s.pointer(), err)
			}
			o["value"] = json.RawMessage(value)
		}
		list = append(list, o)
	}
	return twin.Encode(list), nil
}

// pointer returns the path as a JSON pointer (RFC 6901).
func (s patchStep) pointer() string {
	var b strings.Builder
	for _, key := range s.path {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
	}
	return b.String()
}

// done reports whether a digital twin is as the patch leaves it. The value of a
// property is what the device reports; what was written stands in the metadata.
func (p JSONPatch) done(body []byte) bool {
	doc, err := twin.DecodeObject(body)
	if err != nil {
		return false
	}
	for _, s := range p.steps {
		if !s.done(doc) {
			return false
		}
	}
	return true
}

func (s patchStep) done(doc twin.Object) bool {
	last := len(s.path) - 1
	value, exists := doc.Lookup(s.path...)
	written, wanted := doc.Lookup(append(append(append([]string{}, s.path[:last]...), "$metadata"), s.path[last], "desiredValue")...)
	if s.op == "remove" {
		return !wanted
	}
	data, err := json.Marshal(s.value)
	if err != nil {
		return false
	}
	want, err := twin.Decode(data)
	return err == nil && (wanted && twin.Equal(written, want) || !wanted && exists && contains(value, want))
}
