package emulator

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/twinrules/twinrules/hub/twin"
)

// An edit is what a service writes to a twin. Nil sections are not written.
type edit struct {
	tags, desired twin.Object
	replace       bool // the sections as they are given, instead of merging
}

// readEdit takes tags and properties.desired from the body of a PATCH or PUT.
// Clients send whole twins, so everything else is ignored.
func readEdit(body []byte, replace bool) (*edit, error) {
	o, err := twin.DecodeObject(body)
	if err != nil {
		return nil, refuse("IotHubFormatError", "%v", err)
	}
	e := &edit{replace: replace}
	if e.tags, err = readSection(o, "tags", replace); err != nil {
		return nil, err
	}
	properties, err := readSection(o, "properties", replace)
	if err != nil {
		return nil, err
	}
	if e.desired, err = readSection(properties, "desired", replace); err != nil {
		return nil, err
	}
	if e.desired != nil {
		e.desired = withoutHubKeys(e.desired)
	}
	return e, nil
}

// readSection returns a member that is an object, nil when there is none. What
// the hub makes of a null section in a PATCH is not known, so it is refused; in
// a PUT it can only mean none.
func readSection(o twin.Object, name string, nullable bool) (twin.Object, error) {
	value, exists := o[name]
	if !exists || value == nil && nullable {
		return nil, nil
	}
	s, ok := value.(twin.Object)
	if !ok {
		return nil, refuse("ArgumentInvalid", "%s is not an object", name)
	}
	return s, nil
}

// write returns the twin after e, written at now. Tags move the etag and the
// version; desired properties, even equal ones, also move their own version and
// metadata. It fails with the refusal that the hub has for the result.
func (d *document) write(e *edit, now time.Time) (*document, error) {
	o := d.decode()
	if err := e.writeTags(o); err != nil {
		return nil, err
	}
	if err := e.writeDesired(o, now); err != nil {
		return nil, err
	}
	etag, _ := o["etag"].(string)
	o["etag"] = nextTwinETag(etag)
	o["version"] = next(o["version"])
	after := newDocument(d.ref, o)
	after.replaced = e.replace
	return after, nil
}

func (e *edit) writeTags(o twin.Object) error {
	if e.tags == nil && !e.replace {
		return nil
	}
	before, _ := o["tags"].(twin.Object)
	after := e.result(before, e.tags)
	if err := refuseAny("tags", append(twin.CheckTags(e.tags), twin.CheckTags(after)...)); err != nil {
		return err
	}
	o["tags"] = after
	if len(after) == 0 {
		delete(o, "tags")
	}
	return nil
}

func (e *edit) writeDesired(o twin.Object, now time.Time) error {
	before := section(o, "desired")
	values := withoutHubKeys(before)
	if e.desired == nil && (!e.replace || len(values) == 0) {
		return nil
	}
	after := e.result(values, e.desired)
	if err := refuseAny("desired", append(twin.CheckDesired(e.desired), twin.CheckDesired(after)...)); err != nil {
		return err
	}
	w := writing{time: stamp(now), version: next(before["$version"])}
	meta, _ := before["$metadata"].(twin.Object)
	if e.replace {
		meta = nil
	}
	after["$metadata"] = w.restamp(meta, e.desired, withoutHubKeys(after))
	after["$version"] = w.version
	setSection(o, "desired", after)
	return nil
}

// result returns a section after the edit, in an object of its own.
func (e *edit) result(before, want twin.Object) twin.Object {
	if e.replace {
		return twin.Merge(nil, want)
	}
	return twin.Merge(before, want)
}

// report returns the twin after its device has reported patch. The etag stays:
// it guards only what a service writes.
func (d *document) report(patch twin.Object, now time.Time) (*document, error) {
	o := d.decode()
	before := section(o, "reported")
	after := twin.Merge(withoutHubKeys(before), patch)
	if err := refuseAny("reported", append(twin.CheckDesired(patch), twin.CheckDesired(after)...)); err != nil {
		return nil, err
	}
	w := writing{time: stamp(now)}
	meta, _ := before["$metadata"].(twin.Object)
	after["$metadata"] = w.restamp(meta, patch, withoutHubKeys(after))
	after["$version"] = next(before["$version"])
	setSection(o, "reported", after)
	o["version"] = next(o["version"])
	return newDocument(d.ref, o), nil
}

func setSection(o twin.Object, name string, value twin.Object) {
	properties, _ := o["properties"].(twin.Object)
	changed := twin.Object{name: value}
	for key, other := range properties {
		if key != name {
			changed[key] = other
		}
	}
	o["properties"] = changed
}

// next returns the number after v, 1 when v is none.
func next(v any) (n json.Number) {
	text, _ := v.(json.Number)
	i, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return number(1)
	}
	return number(i + 1)
}

// refuseAny returns a refusal for the first of violations in a section, nil
// when there is none. Only the text for the characters of a key is known.
func refuseAny(section string, violations []twin.Violation) error {
	if len(violations) == 0 {
		return nil
	}
	v := violations[0]
	if len(v.Path) > 0 {
		if key := v.Path[len(v.Path)-1]; strings.ContainsFunc(key, isForbidden) {
			return refuse("ArgumentInvalid", "Property or Tag name has invalid characters. Error in Property/Tag %s. "+
				"Must not contain Control Characters, '.', '$', '#', or ' '.", key)
		}
	}
	return refuse("ArgumentInvalid", "%s", fmt.Sprintf("%s: %s", section, v))
}

func isForbidden(r rune) bool { return unicode.IsControl(r) || strings.ContainsRune(".$# ", r) }
