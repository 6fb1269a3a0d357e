package virtual

import (
	"context"
	"crypto/rsa"
	"fmt"
	"iter"
	"net/http"
	"time"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// A Size says how large a hub and its fleet are.
type Size struct {
	Devices int
	Every   int // one in so many devices is to change
	Tier    hub.Tier
	Units   int
	Latency time.Duration // of each answer
}

// Changing is how many devices are to change.
func (s Size) Changing() int { return (s.Devices + s.Every - 1) / s.Every }

// A Hub is an emulated one with a made-up fleet.
type Hub struct {
	Size
	emulator *emulator.Emulator
	http     *http.Client
}

// Start runs a hub. Its key, which takes a while to make and may be shared, signs
// the tokens of an authority that nobody asks.
func Start(size Size, key *rsa.PrivateKey) (*Hub, error) {
	e, err := emulator.Start(context.Background(), &emulator.Options{
		Twins: size.fleet(), Tier: string(size.Tier), Units: size.Units, InMemory: true, SigningKey: key, MaxIdentities: max(size.Devices, 1),
	})
	if err != nil {
		return nil, err
	}
	return &Hub{size, e, e.HTTPClient()}, nil
}

// Close ends the hub.
func (h *Hub) Close() error {
	h.http.CloseIdleConnections()
	return h.emulator.Close()
}

// The queries of the fleet: everybody, and who is to change.
const (
	Everybody = "SELECT * FROM devices"
	Concerned = "SELECT * FROM devices WHERE properties.reported.low = true"
	Counted   = "SELECT COUNT() AS n FROM devices"
)

// fleet yields twins of a few hundred bytes.
func (s Size) fleet() iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		for i := range s.Devices {
			t, err := twin.Parse(fmt.Appendf(nil, `{"deviceId":%q,"tags":{"site":"muc"},"properties":{"desired":{"slow":false},"reported":{"low":%t}}}`, name(i), i%s.Every == 0))
			if !yield(t, err) {
				return
			}
		}
	}
}

func name(i int) string { return fmt.Sprintf("d%07d", i) }
