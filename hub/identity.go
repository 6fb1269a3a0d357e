package hub

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Device is the identity of a device: who it is and how it proves that. What
// the hub says beyond these fields is kept and sent back with an update, which
// replaces the whole identity.
type Device struct {
	ID           string
	ETag         azcore.ETag // of the identity, not of the twin
	GenerationID string      // tells a device from an earlier one of the same id

	Status         string // "enabled" or "disabled"; "" leaves it to the hub
	StatusReason   string
	Authentication Authentication
	Edge           bool     // an IoT Edge device
	Scope          string   // of an edge device or its child; the hub wants it back unchanged
	ParentScopes   []string // of the edge devices above it

	ConnectionState           string // "Connected" or "Disconnected"; read only, as what follows
	ConnectionStateUpdated    string // times as the hub spells them, see [twin.ParseTime]
	StatusUpdated             string
	LastActivity              string
	CloudToDeviceMessageCount int

	rest rest
}

// A Module is the identity of a module on a device. See [Device] for updates.
type Module struct {
	ID, DeviceID   string
	ETag           azcore.ETag
	GenerationID   string
	ManagedBy      string // "iotEdge" for the modules of an edge device; an update without it clears it
	Authentication Authentication

	ConnectionState           string
	ConnectionStateUpdated    string
	LastActivity              string
	CloudToDeviceMessageCount int

	rest rest
}

// Authentication is how an identity proves itself. Without keys or thumbprints
// of a new identity the hub makes keys.
type Authentication struct {
	Type                                   string // "sas", "selfSigned", "certificateAuthority" or "none"; "" leaves it to the hub
	PrimaryKey, SecondaryKey               Key
	PrimaryThumbprint, SecondaryThumbprint string
}

// A rest is an identity as the hub sent it. It holds keys, so it is not printed.
type rest struct{ reveal func() twin.Object }

func (r rest) object() twin.Object {
	if r.reveal == nil {
		return twin.Object{}
	}
	return maps.Clone(r.reveal())
}

func parseDevice(data []byte) (*Device, error) {
	o, err := twin.DecodeObject(data)
	if err != nil {
		return nil, fmt.Errorf("read device: %w", err)
	}
	capabilities, _ := o["capabilities"].(twin.Object)
	edge, _ := capabilities["iotEdge"].(bool)
	return &Device{
		ID: text(o, "deviceId"), ETag: azcore.ETag(text(o, "etag")), GenerationID: text(o, "generationId"),
		Status: text(o, "status"), StatusReason: text(o, "statusReason"), Authentication: parseAuthentication(o),
		Edge: edge, Scope: text(o, "deviceScope"), ParentScopes: texts(o["parentScopes"]),
		ConnectionState: text(o, "connectionState"), ConnectionStateUpdated: text(o, "connectionStateUpdatedTime"),
		StatusUpdated: text(o, "statusUpdatedTime"), LastActivity: text(o, "lastActivityTime"),
		CloudToDeviceMessageCount: number(o, "cloudToDeviceMessageCount"),
		rest:                      rest{func() twin.Object { return o }},
	}, nil
}

func parseModule(data []byte) (*Module, error) {
	o, err := twin.DecodeObject(data)
	if err != nil {
		return nil, fmt.Errorf("read module: %w", err)
	}
	return &Module{
		ID: text(o, "moduleId"), DeviceID: text(o, "deviceId"), ETag: azcore.ETag(text(o, "etag")), GenerationID: text(o, "generationId"),
		ManagedBy: text(o, "managedBy"), Authentication: parseAuthentication(o),
		ConnectionState: text(o, "connectionState"), ConnectionStateUpdated: text(o, "connectionStateUpdatedTime"),
		LastActivity: text(o, "lastActivityTime"), CloudToDeviceMessageCount: number(o, "cloudToDeviceMessageCount"),
		rest: rest{func() twin.Object { return o }},
	}, nil
}

func parseAuthentication(identity twin.Object) Authentication {
	o, _ := identity["authentication"].(twin.Object)
	keys, _ := o["symmetricKey"].(twin.Object)
	prints, _ := o["x509Thumbprint"].(twin.Object)
	return Authentication{
		Type:       text(o, "type"),
		PrimaryKey: NewKey(text(keys, "primaryKey")), SecondaryKey: NewKey(text(keys, "secondaryKey")),
		PrimaryThumbprint: text(prints, "primaryThumbprint"), SecondaryThumbprint: text(prints, "secondaryThumbprint"),
	}
}

// document returns the device as the body of a PUT.
func (d *Device) document() twin.Object {
	o := d.rest.object()
	o["deviceId"] = d.ID
	set(o, "status", d.Status)
	set(o, "statusReason", d.StatusReason)
	set(o, "deviceScope", d.Scope)
	if d.Edge || o["capabilities"] != nil {
		o["capabilities"] = with(o["capabilities"], twin.Object{"iotEdge": d.Edge})
	}
	delete(o, "parentScopes")
	if len(d.ParentScopes) > 0 {
		scopes := []any{}
		for _, s := range d.ParentScopes {
			scopes = append(scopes, s)
		}
		o["parentScopes"] = scopes
	}
	d.Authentication.put(o)
	return o
}

// document returns the module as the body of a PUT.
func (m *Module) document() twin.Object {
	o := m.rest.object()
	o["deviceId"], o["moduleId"] = m.DeviceID, m.ID
	set(o, "managedBy", m.ManagedBy)
	m.Authentication.put(o)
	return o
}

func (a Authentication) put(identity twin.Object) {
	o := twin.Object{}
	set(o, "type", a.Type)
	have, _ := identity["authentication"].(twin.Object)
	if a.PrimaryKey.Reveal() != "" || a.SecondaryKey.Reveal() != "" || have["symmetricKey"] != nil {
		o["symmetricKey"] = with(have["symmetricKey"], twin.Object{"primaryKey": orNull(a.PrimaryKey.Reveal()), "secondaryKey": orNull(a.SecondaryKey.Reveal())})
	}
	if a.PrimaryThumbprint != "" || a.SecondaryThumbprint != "" || have["x509Thumbprint"] != nil {
		o["x509Thumbprint"] = with(have["x509Thumbprint"], twin.Object{"primaryThumbprint": orNull(a.PrimaryThumbprint), "secondaryThumbprint": orNull(a.SecondaryThumbprint)})
	}
	if len(o) > 0 || have != nil {
		identity["authentication"] = with(have, o)
	}
}

// with returns the object in v, or an empty one, with members set.
func with(v any, members twin.Object) twin.Object {
	o, _ := v.(twin.Object)
	if o = maps.Clone(o); o == nil {
		o = twin.Object{}
	}
	maps.Copy(o, members)
	return o
}

// set sets a member, or takes it away when there is nothing to set.
func set(o twin.Object, key, value string) {
	if value == "" {
		delete(o, key)
		return
	}
	o[key] = value
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func text(o twin.Object, key string) string {
	s, _ := o[key].(string)
	return s
}

func texts(v any) (out []string) {
	list, _ := v.([]any)
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func number(o twin.Object, key string) int {
	n, _ := o[key].(json.Number)
	i, _ := n.Int64()
	return int(i)
}
