package hub

import (
	"context"
	"math"
	"sync"
	"time"
)

const (
	decrease   = 0.8             // of the rate is left after a 429
	growEvery  = time.Minute     // after a 429 the rate grows at most that often
	probeFirst = 5 * time.Minute // until more than was found is tried
	probeMost  = time.Hour       // such times double up to this
)

// A bucket lets requests of one class through. What leaves it comes back one
// window later, so that no window sees more than the limit; one that fills
// steadily would let through twice the limit in its first window.
type bucket struct {
	class   *Class
	options *PacerOptions
	turn    chan struct{} // held by whoever waits for room; the others stand in line for it
	wake    chan struct{} // tells the holder that there may be room sooner

	mu     sync.Mutex // guards what follows
	sends  []*send    // of the last window, oldest first
	used   int        // by these
	flying int        // of these, without an answer yet
	limit  float64    // at least 1
	most   float64    // to which limit grows; infinite until it is found
	quiet  int        // answered without a 429 since the limit changed
	grown  time.Time  // when the limit last changed
	until  time.Time  // the pause lasts
	pauses int        // so far
	inRow  int        // pauses without an answer in between
	spaced bool       // one by one, not in bursts
	wall   float64    // the limit at the last 429, 0 if there was none
	probe  probe
}

// A send is what went out at one time.
type send struct {
	at     time.Time
	charge int
}

// A ticket is the leave to send a request, given after so many pauses.
type ticket struct {
	*send
	pauses int
}

// A probe is the search for a higher limit in a hub of unknown tier.
type probe struct {
	on    bool
	good  float64 // the limit that was let through
	next  time.Time
	every time.Duration
}

func newBucket(c *Class, o *PacerOptions) *bucket {
	limit, _ := c.Limit(o.Tier, o.Units)
	b := &bucket{
		class: c, options: o, turn: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		limit: float64(limit), most: float64(limit), probe: probe{every: probeFirst},
	}
	if o.Tier == "" {
		b.most = math.Inf(1)
	}
	return b
}

// wait returns when a request of that charge may be sent. It fails when ctx ends.
func (b *bucket) wait(ctx context.Context, charge int) (ticket, error) {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return ticket{}, ctx.Err()
	}
	for {
		t, delay := b.take(charge)
		if delay <= 0 {
			return t, nil
		}
		if err := b.sleep(ctx, delay); err != nil {
			return ticket{}, err
		}
	}
}

// sleep waits for that long, less when there is news.
func (b *bucket) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.wake:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// take makes room for a request, or says how long there is none.
func (b *bucket) take(charge int) (ticket, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.forget(now)
	charge = min(max(charge, 1), int(b.limit)) // more than a bucket takes a whole one
	if delay := max(b.until.Sub(now), b.room(charge, now), b.gap(now)); delay > 0 {
		return ticket{}, delay
	}
	s := &send{now, charge}
	b.sends = append(b.sends, s)
	b.used += charge
	b.flying += charge
	return ticket{s, b.pauses}, 0
}

// forget drops what no longer counts.
func (b *bucket) forget(now time.Time) {
	for len(b.sends) > 0 && !now.Before(b.sends[0].at.Add(b.class.Window())) {
		b.used -= b.sends[0].charge
		b.sends = b.sends[1:]
	}
}

// room returns how long it takes until enough sends count no longer.
func (b *bucket) room(charge int, now time.Time) (delay time.Duration) {
	left := b.used
	for _, s := range b.sends {
		if left+charge <= int(b.limit) {
			break
		}
		left -= s.charge
		delay = s.at.Add(b.class.Window()).Sub(now)
	}
	return delay
}

// gap returns how long to keep from the last send.
func (b *bucket) gap(now time.Time) time.Duration {
	if !b.spaced || len(b.sends) == 0 {
		return 0
	}
	last := b.sends[len(b.sends)-1]
	return last.at.Add(time.Duration(float64(last.charge) / b.limit * float64(b.class.Window()))).Sub(now)
}

// passed notes an answer that was no 429.
func (b *bucket) passed(t ticket) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flying -= t.charge
	if t.pauses != b.pauses {
		return // sent before the pause, it says nothing of the time after
	}
	b.inRow = 0
	b.quiet += t.charge
	b.grow(time.Now())
}

// grow lets more through after a bucket that was answered without a 429. A hub
// of unknown tier is given twice as much at once until its first 429, so that
// one that allows everything is not waited for.
func (b *bucket) grow(now time.Time) {
	switch {
	case math.IsInf(b.most, 1):
		if 2*b.quiet >= int(b.limit) {
			b.change(2*b.limit, now)
		}
	case b.quiet < int(b.limit) || now.Sub(b.grown) < growEvery:
		return
	case b.limit < b.most:
		b.change(min(b.most, b.limit+max(1, b.step())), now)
	case b.options.Tier == "" && !now.Before(b.probe.next):
		if !b.probe.on {
			b.probe.on, b.probe.good = true, b.limit
		}
		b.most += max(1, b.most/10)
		b.change(b.most, now)
	}
}

// step is how much the limit grows at once: little near the last 429.
func (b *bucket) step() float64 {
	if b.wall*0.9 < b.limit && b.limit < b.wall*1.1 {
		return b.limit / 30
	}
	return b.limit / 7
}

func (b *bucket) change(limit float64, now time.Time) {
	b.limit, b.grown, b.quiet = max(1, limit), now, 0
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// throttled notes a 429 and returns how long nothing of the class is sent; asked
// is what the hub asked for, 0 for nothing. All who were sent before a pause hit
// the same wall, and make no second pause.
func (b *bucket) throttled(t ticket, asked time.Duration) time.Duration {
	left, begun := b.holdBack(t, asked)
	if begun && b.options.Paused != nil {
		b.options.Paused(b.class, left)
	}
	return left
}

func (b *bucket) holdBack(t ticket, asked time.Duration) (left time.Duration, begun bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.forget(now)
	if begun = t.pauses == b.pauses; begun {
		b.slow(now)
		b.until = now.Add(b.pause(asked))
		b.pauses++
	}
	b.flying -= t.charge
	b.takeBack(t.send, now)
	return b.until.Sub(now), begun
}

// takeBack forgets a send of which nothing came.
func (b *bucket) takeBack(s *send, now time.Time) {
	if now.Before(s.at.Add(b.class.Window())) { // else it has been forgotten
		b.used -= s.charge
	}
	s.charge = 0
}

// lost notes that there was no answer.
func (b *bucket) lost(t ticket) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flying -= t.charge
}

// slow lowers the limit to what the hub took, within reason. One that takes far
// less than was tried does not like bursts.
func (b *bucket) slow(now time.Time) {
	took := float64(b.used - b.flying)
	b.wall = b.limit
	switch floor, _ := b.class.Limit("", 1); {
	case math.IsInf(b.most, 1): // the first 429 tells the tier
		b.most = max(float64(floor), took)
		b.change(b.most, now)
	case b.probe.on:
		b.most = b.probe.good
		b.probe.every = min(2*b.probe.every, probeMost)
		b.change(b.most, now)
	default:
		b.spaced = b.spaced || took < b.limit/2
		b.change(min(max(took, b.limit/2), b.limit*decrease), now)
	}
	b.probe.on, b.probe.next = false, now.Add(b.probe.every)
}

func (b *bucket) pause(asked time.Duration) time.Duration {
	b.inRow++
	if asked > 0 {
		return asked
	}
	first := b.options.Pause
	most := max(first, maxPause)
	wait := most
	if b.inRow < 10 {
		wait = min(most, first<<(b.inRow-1))
	}
	return wait + time.Duration(b.options.Jitter()*float64(wait)/2)
}
