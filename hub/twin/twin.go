package twin

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// A Twin is a device or module twin as it was read at one moment. It keeps the
// hub's JSON and decodes a section when it is asked for, once. A Twin may be
// used by one goroutine at a time.
type Twin struct {
	Ref        Ref
	ETag       string // guards tags and desired, not reported; "" when unknown
	DeviceETag string // of the identity; "" when unknown
	Version    int64  // moves with every change, reported ones too; 0 when unknown

	Status           string // "enabled" or "disabled"
	ConnectionState  string // "Connected" or "Disconnected"
	LastActivityTime string // as the hub spells it
	ModelID          string
	Edge             bool   // an IoT Edge device
	DeviceScope      string // see [Twin.Parent]
	ParentScope      string // the first of parentScopes

	raw                     []byte
	rawTags                 []byte // checked spelling of a section, nil when absent
	rawDesired, rawReported []byte
	tags, desired, reported Object // decoded when not nil
}

// Parse reads a twin as the hub writes it, in one pass that decodes nothing but
// the fields of [Twin]; members that twinrules does not know stay in the bytes.
// It keeps data, which must not change afterwards. Anything but an object with a
// valid deviceId is refused, and so is what [Decode] would refuse.
func Parse(data []byte) (*Twin, error) {
	t := &Twin{raw: data}
	d := &decoder{data: data}
	if d.peek() != '{' {
		d.fail("not an object")
	} else {
		d.each(0, t.member)
		d.end()
	}
	if d.err != nil {
		return nil, fmt.Errorf("read twin: %w", d.err)
	}
	return t, t.checkRef()
}

func (t *Twin) checkRef() error {
	if err := CheckID(t.Ref.Device); err != nil {
		return fmt.Errorf("read twin: deviceId %q: %w", t.Ref.Device, err)
	}
	if t.Ref.Module == "" {
		return nil
	}
	if err := CheckID(t.Ref.Module); err != nil {
		return fmt.Errorf("read twin: moduleId %q: %w", t.Ref.Module, err)
	}
	return nil
}

// member reads one top-level member of a twin.
func (t *Twin) member(d *decoder, key string) {
	switch key {
	case "deviceId":
		t.Ref.Device = d.textOrNull()
	case "moduleId":
		t.Ref.Module = d.textOrNull()
	case "etag":
		t.ETag = d.textOrNull()
	case "deviceEtag":
		t.DeviceETag = d.textOrNull()
	case "version":
		t.Version = d.integer()
	case "status":
		t.Status = d.textOrNull()
	case "connectionState":
		t.ConnectionState = d.textOrNull()
	case "lastActivityTime":
		t.LastActivityTime = d.textOrNull()
	case "modelId":
		t.ModelID = d.textOrNull()
	case "deviceScope":
		t.DeviceScope = d.textOrNull()
	case "parentScopes":
		t.ParentScope = d.scopes(1)
	case "tags":
		t.rawTags = d.section(1)
	case "capabilities", "properties":
		if d.peek() == '{' {
			d.each(1, t.nested)
			return
		}
		d.skip(1)
	default:
		d.skip(1)
	}
}

// nested reads one member of properties or capabilities.
func (t *Twin) nested(d *decoder, key string) {
	switch key {
	case "desired":
		t.rawDesired = d.section(2)
	case "reported":
		t.rawReported = d.section(2)
	case "iotEdge":
		at := d.pos
		d.skip(2)
		t.Edge = string(bytes.TrimSpace(d.data[at:d.pos])) == "true"
	default:
		d.skip(2)
	}
}

// JSON returns the twin as the hub wrote it. It must not be changed.
func (t *Twin) JSON() []byte { return t.raw }

// Tags returns the tags, empty when there are none.
func (t *Twin) Tags() Object { return section(&t.tags, t.rawTags) }

// Desired returns the desired properties with the hub's $metadata and $version,
// empty when there are none.
func (t *Twin) Desired() Object { return section(&t.desired, t.rawDesired) }

// Reported returns the reported properties with the hub's $metadata and
// $version, empty when there are none.
func (t *Twin) Reported() Object { return section(&t.reported, t.rawReported) }

// section decodes raw into memory unless that has been done.
func section(decoded *Object, raw []byte) Object {
	if *decoded == nil {
		*decoded = Object{}
		if raw != nil {
			*decoded, _ = DecodeObject(raw) // Parse has checked it
		}
	}
	return *decoded
}

// Section returns the tags, desired or reported properties by name, and whether
// there is a section of that name.
func (t *Twin) Section(name string) (Object, bool) {
	switch name {
	case "tags":
		return t.Tags(), true
	case "desired":
		return t.Desired(), true
	case "reported":
		return t.Reported(), true
	}
	return nil, false
}

// DesiredVersion returns the desired section's $version, 0 when unknown. It decodes
// nothing else of the section.
func (t *Twin) DesiredVersion() int64 {
	var at [1]Span
	if t.rawDesired == nil {
		return 0
	}
	if _, err := sectionVersion.Scan(t.rawDesired, at[:]); err != nil {
		return 0
	}
	v, _ := strconv.ParseInt(string(at[0].Of(t.rawDesired)), 10, 64)
	return v
}

// sectionVersion finds the version that the hub adds to a section.
var sectionVersion = NewScanner([][]string{{"$version"}})

// Updated returns when the hub last changed the value at path of the desired or
// reported section, from the section's $metadata, and whether it says so.
func (t *Twin) Updated(section string, path ...string) (time.Time, bool) {
	o, _ := t.Section(section)
	meta, _ := o["$metadata"].(Object)
	at, _ := meta.Lookup(append(path[:len(path):len(path)], "$lastUpdated")...)
	text, _ := at.(string)
	when, err := ParseTime(text)
	return when, err == nil
}

// With returns a copy of t into which p is merged, as the twin would be read
// after the write. Its JSON is that of t: only the sections differ.
func (t *Twin) With(p Patch) *Twin {
	c := *t
	c.tags = Merge(t.Tags(), p.Tags)
	c.desired = Merge(t.Desired(), p.Desired)
	return &c
}
