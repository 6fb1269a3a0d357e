package virtual

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub"
)

// A Measurement is what a lane took.
type Measurement struct {
	Calls   map[*hub.Class]int // requests, also those that were refused
	Refused int                // of these, with 429
	Took    time.Duration      // virtual
}

// Total returns the number of all requests.
func (m Measurement) Total() (n int) {
	for _, calls := range m.Calls {
		n += calls
	}
	return n
}

// A Lane is a way to read or write, as a client goes it.
type Lane func(ctx context.Context, h *Hub, c *hub.Client) error

// rest is longer than any limit's period: what was before a measurement does not
// count against it.
const rest = 2 * time.Minute

// Measure goes a lane with a client of its own that knows the hub's tier.
func (h *Hub) Measure(ctx context.Context, lane Lane) (Measurement, error) {
	time.Sleep(rest)
	m := &meter{latency: h.Latency, http: h.http, Measurement: Measurement{Calls: map[*hub.Class]int{}}}
	c, err := h.client(m)
	if err != nil {
		return Measurement{}, err
	}
	began := time.Now()
	if err := lane(ctx, h, c); err != nil {
		return Measurement{}, fmt.Errorf("measure: %w", err)
	}
	m.Took = time.Since(began)
	return m.Measurement, nil
}

func (h *Hub) client(m *meter) (*hub.Client, error) {
	pacer, err := hub.NewPacer(&hub.PacerOptions{Tier: h.Tier, Units: h.Units, Jitter: func() float64 { return 0.5 }})
	if err != nil {
		return nil, err
	}
	o := &hub.ClientOptions{Pacer: pacer, Hosts: []string{h.emulator.HubName()}, ClientOptions: azcore.ClientOptions{Transport: m}}
	return hub.NewClientFromConnectionString(h.emulator.ConnectionStringOf("iothubowner"), o)
}

// A meter counts requests, and lets each answer take its time.
type meter struct {
	latency time.Duration
	http    *http.Client

	mu sync.Mutex // guards what follows
	Measurement
}

// Do sends a request.
func (m *meter) Do(req *http.Request) (*http.Response, error) {
	if m.latency > 0 {
		time.Sleep(m.latency)
	}
	resp, err := m.http.Do(req)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Calls[classOf(req)]++
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		m.Refused++
	}
	return resp, err
}

// classOf returns the limit that a request of a lane counts against.
func classOf(req *http.Request) *hub.Class {
	switch {
	case strings.HasSuffix(req.URL.Path, "/devices/query"):
		return hub.Queries
	case strings.HasPrefix(req.URL.Path, "/configurations"):
		return hub.ConfigurationOperations
	case strings.HasPrefix(req.URL.Path, "/twins/") && req.Method == http.MethodGet:
		return hub.TwinReads
	case strings.HasPrefix(req.URL.Path, "/twins/"):
		return hub.TwinUpdates
	}
	return hub.RegistryOperations
}
