package emulator

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// patchDigitalTwin does a JSON patch on the digital twin, all of it or nothing.
// What it sets become desired properties.
func (h *hub) patchDigitalTwin(c *call) (*answer, error) {
	ops, err := readDigitalPatch(c.body)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	d, err := h.document(c.ref())
	if err != nil {
		return nil, err
	}
	o := d.decode()
	before := withoutHubKeys(section(o, "desired"))
	after := before
	for _, op := range ops {
		if after, err = op.apply(after, section(o, "reported")); err != nil {
			return nil, err
		}
	}
	if d, err = h.writeDocument(c.ref(), &edit{desired: twin.Diff(before, after)}, c.ifMatch, c.now); err != nil {
		return nil, err
	}
	a := newAnswer(202, nil)
	a.header["ETag"] = []string{`"` + d.parse().ETag + `"`}
	a.header.Set("Location", "https://"+h.gate.hubName+c.path)
	return a, nil
}

// A digitalOp is one operation of a patch that was found right.
type digitalOp struct {
	name  string
	path  []string // a property; a component; a property of a component
	value any      // as a device twin holds it; nil for remove
}

const (
	maxDigitalDepth = 5
	maxDigitalName  = 64
)

var digitalName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// readDigitalPatch reads the body of a PATCH.
func readDigitalPatch(body []byte) ([]digitalOp, error) {
	v, err := twin.Decode(body)
	if err != nil {
		return nil, refuse("IotHubFormatError", "%v", err)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, refuse("InvalidDigitalTwinJsonPatch", "The body is not an array of JSON patch operations.")
	}
	var ops []digitalOp
	for _, item := range list {
		op, err := readDigitalOp(item)
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
	return ops, nil
}

func readDigitalOp(item any) (op digitalOp, err error) {
	o, _ := item.(twin.Object)
	op.name, _ = o["op"].(string)
	switch op.name {
	case "add", "replace":
		value, ok := o["value"]
		if !ok || value == nil {
			return op, refuse("InvalidDigitalTwinJsonPatch", "The operation '%s' has no value.", op.name)
		}
		op.value = value
	case "remove":
	default:
		return op, refuse("InvalidDigitalTwinJsonPatch", "The operation '%s' is none of add, replace and remove.", op.name)
	}
	text, _ := o["path"].(string)
	if op.path, err = readDigitalPath(text); err != nil || op.value == nil {
		return op, err
	}
	op.value, err = digitalValue(op.value, op.path)
	return op, err
}

// readDigitalPath reads a JSON pointer to a property or a component.
func readDigitalPath(text string) ([]string, error) {
	rest, ok := strings.CutPrefix(text, "/")
	path := strings.Split(rest, "/")
	if !ok || len(path) > maxDigitalDepth {
		return nil, refuse("InvalidDigitalTwinPatchPath", "The path '%s' is not that of a property or a component.", text)
	}
	for _, name := range path {
		if err := checkDigitalName(name); err != nil {
			return nil, err
		}
	}
	return path, nil
}

func checkDigitalName(name string) error {
	if len(name) > maxDigitalName || !digitalName.MatchString(name) {
		return refuse("InvalidDigitalTwinPatchPath", "The name '%s' has other than letters, digits and '_', does not begin with a letter, or is longer than %d.", name, maxDigitalName)
	}
	return nil
}

// digitalValue returns a value as a device twin holds it: the object of a
// component, which has "$metadata", gets the mark of one instead.
func digitalValue(value any, path []string) (any, error) {
	o, ok := value.(twin.Object)
	if !ok {
		return value, checkDigitalValue(value, len(path))
	}
	meta, isComponent := o["$metadata"]
	if isComponent && (len(path) > 1 || !twin.Equal(meta, twin.Object{})) {
		return nil, refuse("InvalidDigitalTwinPatch", "Only a component has '$metadata', and an empty one.")
	}
	out := twin.Object{}
	for key, below := range o {
		if key != "$metadata" {
			out[key] = below
		}
	}
	if err := checkDigitalValue(out, len(path)); err != nil {
		return nil, err
	}
	if isComponent {
		out[componentMark] = "c"
	}
	return out, nil
}

func checkDigitalValue(value any, depth int) error {
	switch value := value.(type) {
	case []any:
		return refuse("InvalidDigitalTwinPatch", "A property cannot be an array.")
	case nil:
		return refuse("InvalidDigitalTwinPatch", "A property cannot be null.")
	case twin.Object:
		if depth >= maxDigitalDepth {
			return refuse("InvalidDigitalTwinPatch", "Objects nest more than %d deep.", maxDigitalDepth)
		}
		for key, below := range value {
			if err := checkDigitalName(key); err != nil {
				return err
			}
			if err := checkDigitalValue(below, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// apply returns desired after op. As in RFC 6902 what is replaced or removed
// has to be there: in the digital twin, which has reported properties too.
func (op digitalOp) apply(desired, reported twin.Object) (twin.Object, error) {
	if err := op.checkComponent(desired, reported); err != nil {
		return nil, err
	}
	_, wished := desired.Lookup(op.path...)
	_, known := reported.Lookup(op.path...)
	if op.name != "add" && !wished && !known {
		return nil, refuse("InvalidDigitalTwinPatch", "There is nothing to %s at '/%s'.", op.name, strings.Join(op.path, "/"))
	}
	removed := desired
	if wished {
		removed = twin.Merge(desired, twin.Set(nil, op.path, nil))
	}
	if op.name == "remove" {
		return removed, nil
	}
	patch := twin.Set(nil, op.path, op.value)
	if len(op.path) > 1 {
		patch = twin.Set(patch, []string{op.path[0], componentMark}, "c")
	}
	return twin.Merge(removed, patch), nil
}

// checkComponent refuses to write below something that is there and is no
// component.
func (op digitalOp) checkComponent(desired, reported twin.Object) error {
	if len(op.path) == 1 {
		return nil
	}
	for _, s := range []twin.Object{desired, reported} {
		value, ok := s[op.path[0]]
		if c, isObject := value.(twin.Object); ok && (!isObject || c[componentMark] != "c") {
			return notConformant(op.path[0])
		}
	}
	return nil
}

func notConformant(name string) error {
	return refuse("ArgumentInvalid", "%s", fmt.Sprintf("'%s' exists within the device twin and is not digital twin conformant property. "+
		"Please refer to aka.ms/dtpatch to update this to be conformant.", name))
}
