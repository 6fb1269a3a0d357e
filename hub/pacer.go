package hub

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// How long requests of a class stop when the hub says that there are too many.
// It names 10 seconds in its answer and was not seen to send a Retry-After.
const (
	firstPause = 10 * time.Second
	maxPause   = time.Minute
	patience   = 15 * time.Minute
)

// PacerOptions holds the optional settings of [NewPacer].
type PacerOptions struct {
	// Tier and Units are the hub's. Without a tier the pacer starts with what
	// every hub allows and finds out how much more this one does.
	Tier  Tier
	Units int // 0 means 1

	// Pause is the first one after a 429 that does not say how long to wait; the
	// next ones in a row double, up to a minute or to Pause. 0 means 10 seconds.
	Pause time.Duration
	// Patience is how long a request is tried again that is answered with 429;
	// 0 means 15 minutes.
	Patience time.Duration
	// Paused, if not nil, is told when a pause of a class begins, and how long it
	// lasts. It may be called by several goroutines at once, and does not block.
	Paused func(c *Class, pause time.Duration)
	// Jitter spreads pauses, so that several who share a hub do not come back
	// together. It returns numbers from 0 up to 1; nil means random ones.
	Jitter func() float64
}

// A Pacer keeps the requests to one hub below its limits. It holds each back
// until there is room for it, in the order of arrival, and after a 429 all of
// that class together. Clients of the same hub should share one. It starts no
// goroutines.
type Pacer struct {
	options PacerOptions
	mu      sync.Mutex
	buckets map[*Class]*bucket
}

// NewPacer returns a pacer of one hub.
func NewPacer(opts *PacerOptions) (*Pacer, error) {
	p := &Pacer{buckets: map[*Class]*bucket{}}
	if opts != nil {
		p.options = *opts
	}
	o := &p.options
	if err := o.Tier.check(); err != nil {
		return nil, fmt.Errorf("pacer: %w", err)
	}
	if o.Pause <= 0 {
		o.Pause = firstPause
	}
	if o.Patience <= 0 {
		o.Patience = patience
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	return p, nil
}

// Rate returns how many requests of a class are let through at present, and in
// what time: the tier's limit, or less after a 429, or what was found out.
func (p *Pacer) Rate(c *Class) (int, time.Duration) {
	b := p.bucket(c)
	b.mu.Lock()
	defer b.mu.Unlock()
	return int(b.limit), c.per
}

// Estimate returns how long n requests of a class are held back at the present
// rate: as many go at once as it allows, as many again a [Class.Window] later, and
// so on. What the hub takes to answer comes on top.
func (p *Pacer) Estimate(c *Class, n int) time.Duration {
	rate, _ := p.Rate(c)
	return time.Duration(max(n-1, 0)/rate) * c.Window()
}

func (p *Pacer) bucket(c *Class) *bucket {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.buckets[c]
	if b == nil {
		b = newBucket(c, &p.options)
		p.buckets[c] = b
	}
	return b
}
