package emulator

import (
	"encoding/json"
	"iter"
	"maps"

	"github.com/twinrules/twinrules/hub/twin"
)

// withoutKeysWarning begins an export without keys. That there is such a line,
// which is no JSON, was observed; its words were not.
const withoutKeysWarning = "WARNING: this export was made with excludeKeysInExport and holds no authentication keys."

// An exportedDevice is a line of devices.txt.
type exportedDevice struct {
	ID             string          `json:"id"`
	Module         string          `json:"moduleId,omitempty"`
	ETag           string          `json:"eTag"`
	Status         any             `json:"status"`
	StatusReason   any             `json:"statusReason,omitempty"`
	Authentication *authentication `json:"authentication"`
	TwinETag       string          `json:"twinETag"`
	Tags           any             `json:"tags"`
	Properties     json.RawMessage `json:"properties"`
	Capabilities   any             `json:"capabilities,omitempty"`
	DeviceScope    any             `json:"deviceScope,omitempty"`
	ParentScopes   any             `json:"parentScopes,omitempty"`
}

// deviceLines yields the lines of devices.txt as the fleet is now: each device,
// and each of its modules on a line of its own. They are made without the lock.
func (h *hub) deviceLines(withoutKeys bool) iter.Seq[[]byte] {
	documents, known := h.fleet.all(), maps.Clone(h.registry.known)
	return func(yield func([]byte) bool) {
		if withoutKeys && !yield([]byte(withoutKeysWarning)) {
			return
		}
		for _, d := range documents {
			if !yield(marshal(exported(d, h.registrationIn(known, d.ref), withoutKeys))) {
				return
			}
		}
	}
}

// exported returns d as a line. Without keys they are null, as the page says.
func exported(d *document, r registration, withoutKeys bool) exportedDevice {
	o := d.decode()
	tags := o["tags"]
	if tags == nil {
		tags = twin.Object{}
	}
	auth := r.authentication(o)
	if withoutKeys {
		auth.SymmetricKey = symmetricKey{}
	}
	properties, _ := o["properties"].(twin.Object)
	etag, _ := o["deviceEtag"].(string)
	twinETag, _ := o["etag"].(string)
	return exportedDevice{
		ID: d.ref.Device, Module: d.ref.Module, ETag: etag, Status: o["status"], StatusReason: o["statusReason"],
		Authentication: &auth, TwinETag: twinETag, Tags: tags, Properties: propertiesJSON(properties),
		Capabilities: o["capabilities"], DeviceScope: o["deviceScope"], ParentScopes: o["parentScopes"],
	}
}

// An exportedConfiguration is a line of configurations.txt, whose keys begin
// with capitals, as was observed; that so does the kind of its content is a
// guess, and an import takes both.
type exportedConfiguration struct {
	ID              string            `json:"Id"`
	SchemaVersion   *string           `json:"SchemaVersion"`
	Labels          map[string]string `json:"Labels"`
	Content         json.RawMessage   `json:"Content"`
	TargetCondition string            `json:"TargetCondition"`
	Created         string            `json:"CreatedTimeUtc"`
	Updated         string            `json:"LastUpdatedTimeUtc"`
	Priority        int               `json:"Priority"`
	SystemMetrics   exportedMetrics   `json:"SystemMetrics"`
	Metrics         exportedMetrics   `json:"Metrics"`
	ETag            string            `json:"ETag"`
}

type exportedMetrics struct {
	Results map[string]int64  `json:"Results"`
	Queries map[string]string `json:"Queries"`
}

// configurationLines yields the lines of configurations.txt as they are now, and
// makes them without the lock.
func (h *hub) configurationLines() iter.Seq[[]byte] {
	list := h.configurations.all()
	return func(yield func([]byte) bool) {
		for _, c := range list {
			b := c.body
			line := exportedConfiguration{
				b.ID, b.SchemaVersion, b.Labels, capitalKeys(b.Content), b.TargetCondition, b.Created, b.Updated, b.Priority,
				exportedMetrics(b.SystemMetrics), exportedMetrics(b.Metrics), b.ETag,
			}
			if !yield(marshal(line)) {
				return
			}
		}
	}
}

// capitalKeys returns a content with its kind as DeviceContent and so on. What
// stands below is data and stays.
func capitalKeys(content json.RawMessage) json.RawMessage {
	o, err := twin.DecodeObject(content)
	if err != nil {
		panic(err) // understood when it came
	}
	out := twin.Object{}
	for key, value := range o {
		out[title(key)] = value
	}
	return twin.Encode(out)
}
