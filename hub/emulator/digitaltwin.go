package emulator

import (
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

var digitalTwinRoutes = []route{
	{"GET", "/digitaltwins/*", "twins/read", (*hub).getDigitalTwin},
	{"PATCH", "/digitaltwins/*", "twins/write", (*hub).patchDigitalTwin},
	{"POST", "/digitaltwins/*/commands/*", "directMethods/invoke/action", (*hub).invokeCommand},
	{"POST", "/digitaltwins/*/components/*/commands/*", "directMethods/invoke/action", (*hub).invokeCommand},
}

// getDigitalTwin answers with a device twin as a digital twin, of devices
// without a model too.
func (h *hub) getDigitalTwin(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d, err := h.document(c.ref())
	if err != nil {
		return nil, err
	}
	a := reply(d.digital())
	a.header["ETag"] = []string{`"` + d.parse().ETag + `"`}
	return a, nil
}

// digital returns d as a digital twin: properties at the root and components
// below it, each with metadata beside its properties.
func (d *document) digital() twin.Object {
	o, t := d.decode(), d.parse()
	out := part{section(o, "desired"), section(o, "reported"), metaOf(o, "desired"), metaOf(o, "reported")}.digital()
	out["$dtId"] = t.Ref.Device
	out["$metadata"].(twin.Object)["$model"] = t.ModelID
	return out
}

func metaOf(o twin.Object, name string) twin.Object {
	meta, _ := section(o, name)["$metadata"].(twin.Object)
	return meta
}

// A part is the root or a component of a device twin: what was wished and what
// was reported, with the metadata of each.
type part struct{ desired, reported, desiredMeta, reportedMeta twin.Object }

// digital returns a part with "$metadata". A property has the value that the
// device reported; one that it has not is in the metadata alone, which is
// inferred from the examples of the documentation.
func (p part) digital() twin.Object {
	out, meta := twin.Object{}, twin.Object{}
	for key := range union(p.desired, p.reported) {
		if strings.HasPrefix(key, "$") || key == componentMark {
			continue
		}
		if below := p.below(key); below.isComponent() {
			out[key] = below.digital()
			continue
		}
		meta[key] = p.propertyMeta(key)
		if value, ok := p.reported[key]; ok {
			out[key] = reportedValue(value)
		}
	}
	out["$metadata"] = meta
	return out
}

func union(a, b twin.Object) map[string]bool {
	keys := map[string]bool{}
	for _, o := range []twin.Object{a, b} {
		for key := range o {
			keys[key] = true
		}
	}
	return keys
}

// componentMark stands in the objects of a device twin that are components.
const componentMark = "__t"

func (p part) isComponent() bool {
	return p.desired[componentMark] == "c" || p.reported[componentMark] == "c"
}

func (p part) below(key string) part {
	at := func(o twin.Object) twin.Object {
		below, _ := o[key].(twin.Object)
		return below
	}
	return part{at(p.desired), at(p.reported), at(p.desiredMeta), at(p.reportedMeta)}
}

// An acknowledgement is a reported property with what the device made of the
// wish: value, and code, version and description in short.
func acknowledgement(v any) (twin.Object, bool) {
	o, ok := v.(twin.Object)
	if !ok {
		return nil, false
	}
	_, hasValue := o["value"]
	_, hasCode := o["ac"]
	_, hasVersion := o["av"]
	return o, hasValue && hasCode && hasVersion
}

func reportedValue(v any) any {
	if ack, ok := acknowledgement(v); ok {
		return ack["value"]
	}
	return v
}

func (p part) propertyMeta(key string) twin.Object {
	meta := twin.Object{}
	below := p.below(key)
	if wish, ok := p.desired[key]; ok {
		meta["desiredValue"] = wish
		set(meta, "desiredVersion", below.desiredMeta["$lastUpdatedVersion"])
		set(meta, "lastUpdateTime", below.desiredMeta["$lastUpdated"])
	}
	reported, ok := p.reported[key]
	if !ok {
		return meta
	}
	set(meta, "lastUpdateTime", below.reportedMeta["$lastUpdated"])
	if ack, ok := acknowledgement(reported); ok {
		for name, short := range map[string]string{"ackVersion": "av", "ackCode": "ac", "ackDescription": "ad"} {
			set(meta, name, ack[short])
		}
	}
	return meta
}
