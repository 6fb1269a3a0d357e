package emulator

import (
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// An identity is a device in the registry, in the observed order of members.
// What is not used is null, not absent.
type identity struct {
	DeviceID         string         `json:"deviceId"`
	GenerationID     string         `json:"generationId"`
	ETag             string         `json:"etag"`
	ConnectionState  string         `json:"connectionState"`
	Status           string         `json:"status"`
	StatusReason     any            `json:"statusReason"`
	ConnectionUpdate any            `json:"connectionStateUpdatedTime"`
	StatusUpdate     any            `json:"statusUpdatedTime"`
	LastActivity     any            `json:"lastActivityTime"`
	MessageCount     any            `json:"cloudToDeviceMessageCount"`
	Authentication   authentication `json:"authentication"`
	Capabilities     any            `json:"capabilities"`
	DeviceScope      any            `json:"deviceScope,omitempty"`
	ParentScopes     any            `json:"parentScopes,omitempty"`
}

// A moduleIdentity is a module in the registry. It has no status of its own.
type moduleIdentity struct {
	ModuleID         string         `json:"moduleId"`
	ManagedBy        *string        `json:"managedBy"`
	DeviceID         string         `json:"deviceId"`
	GenerationID     string         `json:"generationId"`
	ETag             string         `json:"etag"`
	ConnectionState  string         `json:"connectionState"`
	ConnectionUpdate any            `json:"connectionStateUpdatedTime"`
	LastActivity     any            `json:"lastActivityTime"`
	MessageCount     any            `json:"cloudToDeviceMessageCount"`
	Authentication   authentication `json:"authentication"`
}

// An authentication is how a device proves who it is, on the wire.
type authentication struct {
	SymmetricKey symmetricKey `json:"symmetricKey"`
	Thumbprint   any          `json:"x509Thumbprint"`
	Type         any          `json:"type"`
}

type symmetricKey struct {
	Primary   *string `json:"primaryKey"`
	Secondary *string `json:"secondaryKey"`
}

// identityOf returns the registry's side of a device's document. The caller
// holds the lock.
func (h *hub) identityOf(d *document) identity {
	t, o, r := d.parse(), d.decode(), h.registration(d.ref)
	return identity{
		DeviceID: t.Ref.Device, GenerationID: r.Generation, ETag: t.DeviceETag,
		ConnectionState: t.ConnectionState, Status: t.Status, StatusReason: o["statusReason"],
		ConnectionUpdate: r.connectionUpdate(), StatusUpdate: o["statusUpdateTime"], LastActivity: o["lastActivityTime"],
		MessageCount: o["cloudToDeviceMessageCount"], Authentication: r.authentication(o),
		Capabilities: o["capabilities"], DeviceScope: o["deviceScope"], ParentScopes: o["parentScopes"],
	}
}

func (h *hub) moduleIdentityOf(d *document) moduleIdentity {
	t, o, r := d.parse(), d.decode(), h.registration(d.ref)
	return moduleIdentity{
		ModuleID: t.Ref.Module, ManagedBy: r.ManagedBy, DeviceID: t.Ref.Device, GenerationID: r.Generation, ETag: t.DeviceETag,
		ConnectionState: t.ConnectionState, ConnectionUpdate: r.connectionUpdate(), LastActivity: o["lastActivityTime"],
		MessageCount: o["cloudToDeviceMessageCount"], Authentication: r.authentication(o),
	}
}

func (r registration) authentication(o twin.Object) authentication {
	a := authentication{Thumbprint: o["x509Thumbprint"], Type: o["authenticationType"]}
	if a.Type == "sas" {
		a.SymmetricKey = symmetricKey{&r.PrimaryKey, &r.SecondaryKey}
	}
	return a
}

// newlyCreated writes the times of an identity as the answer to its creation
// was observed to: those that have not come lack their "Z".
func (i identity) newlyCreated() identity {
	for _, at := range []*any{&i.ConnectionUpdate, &i.StatusUpdate, &i.LastActivity} {
		if *at == never {
			*at = strings.TrimSuffix(never, "Z")
		}
	}
	return i
}
