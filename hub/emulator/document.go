package emulator

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// A document is one twin as the hub holds it. It is immutable: a write makes
// another one, so that queries that began before it keep what they saw.
type document struct {
	ref  twin.Ref
	json []byte // as a row of a query has it
	// trimmed is what GET answers with, where that is less than a row: the
	// capabilities of a module and what configurations did were seen in
	// queries only.
	trimmed []byte
	// replaced says that a PUT made it, which changes how its event is told.
	replaced bool
}

// order is the order of a twin's members as observed. Others follow it.
var order = []string{
	"deviceId", "moduleId", "etag", "deviceEtag", "status", "statusReason", "statusUpdateTime", "connectionState",
	"lastActivityTime", "cloudToDeviceMessageCount", "authenticationType", "x509Thumbprint", "modelId", "version",
	"tags", "properties", "configurations", "capabilities", "deviceScope", "parentScopes",
}

// newDocument renders a twin that has every member the hub gives it.
func newDocument(ref twin.Ref, o twin.Object) *document {
	return spelled(ref, o, render(o, nil))
}

// spelled is newDocument for a twin whose rendering is there already.
func spelled(ref twin.Ref, o twin.Object, json []byte) *document {
	d := &document{ref: ref, json: json}
	hidden := []string{"configurations"}
	if ref.Module != "" {
		hidden = append(hidden, "capabilities")
	}
	for _, key := range hidden {
		if _, ok := o[key]; ok {
			d.trimmed = render(o, hidden)
		}
	}
	return d
}

// answer returns the document as GET, PATCH and PUT answer with it.
func (d *document) answer() []byte {
	if d.trimmed != nil {
		return d.trimmed
	}
	return d.json
}

// parse returns the document as a twin of its own.
func (d *document) parse() *twin.Twin {
	t, err := twin.Parse(d.json)
	if err != nil {
		panic(err) // rendered from what was parsed before
	}
	return t
}

// decode returns the document's members, to be changed and rendered anew.
func (d *document) decode() twin.Object {
	o, err := twin.DecodeObject(d.json)
	if err != nil {
		panic(err) // as in parse
	}
	return o
}

// render writes a twin in the hub's order of members, without hidden ones.
func render(o twin.Object, hidden []string) []byte {
	var b bytes.Buffer
	sep := byte('{')
	for _, key := range inOrder(o, order) {
		if slices.Contains(hidden, key) {
			continue
		}
		sep = renderKey(&b, sep, key)
		if properties, ok := o[key].(twin.Object); ok && key == "properties" {
			renderProperties(&b, properties)
			continue
		}
		renderValue(&b, o[key])
	}
	b.WriteByte('}')
	return b.Bytes()
}

// propertiesJSON is renderProperties alone.
func propertiesJSON(properties twin.Object) []byte {
	var b bytes.Buffer
	renderProperties(&b, properties)
	return b.Bytes()
}

// renderProperties writes desired before reported, and in each what the hub
// adds behind what others wrote.
func renderProperties(b *bytes.Buffer, properties twin.Object) {
	sep := byte('{')
	for _, name := range inOrder(properties, []string{"desired", "reported"}) {
		sep = renderKey(b, sep, name)
		section, _ := properties[name].(twin.Object)
		renderSection(b, section)
	}
	b.WriteByte('}')
}

func renderSection(b *bytes.Buffer, section twin.Object) {
	sep := byte('{')
	if user := withoutHubKeys(section); len(user) > 0 {
		b.Write(bytes.TrimSuffix(twin.Encode(user), []byte("}")))
		sep = ','
	}
	for _, key := range []string{"$metadata", "$version"} {
		sep = renderKey(b, sep, key)
		renderValue(b, section[key])
	}
	b.WriteByte('}')
}

// renderKey writes what stands before a value, and returns the next separator.
func renderKey(b *bytes.Buffer, sep byte, key string) byte {
	b.WriteByte(sep)
	renderValue(b, key)
	b.WriteByte(':')
	return ','
}

// renderValue writes any value; a plain string or a number, of which a twin has
// many, without the detour.
func renderValue(b *bytes.Buffer, v any) {
	text, isString := v.(string)
	n, isNumber := v.(json.Number)
	switch {
	case isNumber:
		b.WriteString(string(n))
	case isString && !strings.ContainsFunc(text, needsEscape):
		b.WriteByte('"')
		b.WriteString(text)
		b.WriteByte('"')
	default:
		b.Write(twin.Encode(v))
	}
}

func needsEscape(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r >= 0x7f }

// inOrder returns the keys of o: those of first in its order, then the others.
func inOrder(o twin.Object, first []string) []string {
	var keys, others []string
	for _, key := range first {
		if _, ok := o[key]; ok {
			keys = append(keys, key)
		}
	}
	for key := range o {
		if !slices.Contains(first, key) {
			others = append(others, key)
		}
	}
	slices.Sort(others)
	return append(keys, others...)
}

// section returns the desired or reported properties of a decoded twin.
func section(o twin.Object, name string) twin.Object {
	properties, _ := o["properties"].(twin.Object)
	s, _ := properties[name].(twin.Object)
	return s
}

// withoutHubKeys returns what others wrote into a section.
func withoutHubKeys(section twin.Object) twin.Object {
	out := twin.Object{}
	for key, value := range section {
		if key != "$metadata" && key != "$version" {
			out[key] = value
		}
	}
	return out
}

// number returns n as JSON.
func number(n int64) json.Number { return json.Number(formatInt(n)) }
