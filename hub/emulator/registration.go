package emulator

import (
	"fmt"

	"github.com/twinrules/twinrules/hub/twin"
)

// A registration is what the registry knows of an identity that its twin does
// not show.
type registration struct {
	Generation       string  `json:"generation"`
	PrimaryKey       string  `json:"primaryKey,omitempty"` // base64; both or neither
	SecondaryKey     string  `json:"secondaryKey,omitempty"`
	ConnectionUpdate string  `json:"connectionUpdate,omitempty"` // "" for never
	ManagedBy        *string `json:"managedBy,omitempty"`
}

func (r registration) connectionUpdate() string { return either(r.ConnectionUpdate, never) }

// A registry keeps the registrations that are not as the seed makes them. It is
// guarded by its hub.
type registry struct {
	known  map[twin.Ref]registration
	births int64 // identities created so far, so that no two are of one generation
}

// registration returns that of a twin. A twin that was there at the start has
// one that belongs to its name and the seed.
func (h *hub) registration(ref twin.Ref) registration { return h.registrationIn(h.registry.known, ref) }

func (h *hub) registrationIn(known map[twin.Ref]registration, ref twin.Ref) registration {
	if r, ok := known[ref]; ok {
		return r
	}
	name := ref.String()
	return registration{
		Generation: h.generation(name),
		PrimaryKey: h.dice.keyOf("primary " + name), SecondaryKey: h.dice.keyOf("secondary " + name),
	}
}

func (r *registry) keep(ref twin.Ref, kept registration) {
	if r.known == nil {
		r.known = map[twin.Ref]registration{}
	}
	r.known[ref] = kept
}

// generation returns the 18 digits that a device keeps until it is made anew.
func (h *hub) generation(name string) string {
	return fmt.Sprintf("6%017d", h.dice.of("generation "+name)%1e17)
}

// renew gives an identity that is made without a service a generation of its
// own, and returns the etag it has then.
func (h *hub) renew(ref twin.Ref) string {
	r := h.registration(ref)
	born, etag := h.bear(ref)
	r.Generation = born.Generation
	h.registry.keep(ref, r)
	return etag
}

// bear returns the registration and the first etag of the next identity called
// ref.
func (h *hub) bear(ref twin.Ref) (registration, string) {
	h.registry.births++
	name := fmt.Sprintf("%d %s", h.registry.births, ref)
	return registration{Generation: h.generation(name)}, decimalETag(int64(h.dice.of("etag "+name) % 1e9))
}
