package emulator

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"
)

// defaultBacklog is how long a request waits at most for its turn when nobody
// says. A hub was seen to hold requests back for 3 s and to refuse others; where
// it draws the line is not known.
const defaultBacklog = 10 * time.Second

// A throttle lets n pass in any span of time. It is a bucket of n tokens, each
// of which comes back a span after it was taken, so that no window of that
// length, wherever it begins, has more than n in it.
type throttle struct {
	per time.Duration

	mu     sync.Mutex  // guards what follows
	tokens []time.Time // when each was taken; in the future for those who wait
	oldest int
}

func newThrottle(c *class, t *tier, units int) *throttle {
	return &throttle{per: c.per, tokens: make([]time.Time, c.rates[t.rates].of(max(units, 1)))}
}

// admit returns when something that costs so many tokens may pass. It takes
// nothing and returns false if that is longer than patience from now.
func (t *throttle) admit(now time.Time, cost int, patience time.Duration) (time.Time, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	cost = min(cost, len(t.tokens))
	when := now
	for i := range cost {
		if free := t.tokens[(t.oldest+i)%len(t.tokens)]; !free.IsZero() && free.Add(t.per).After(when) {
			when = free.Add(t.per)
		}
	}
	if when.Sub(now) > patience {
		return when, false
	}
	for range cost {
		t.tokens[t.oldest] = when
		t.oldest = (t.oldest + 1) % len(t.tokens)
	}
	return when, true
}

// Shaping holds requests back that are more than the tier bears: they wait, and
// are refused when they would wait too long.
type shaping struct {
	throttles map[*class]*throttle // empty without a tier
	backlog   time.Duration
	after     time.Duration // sent as Retry-After; 0 for none, as a hub does
}

func newShaping(o *Options, t *tier) shaping {
	s := shaping{throttles: map[*class]*throttle{}, backlog: o.Backlog, after: o.RetryAfter}
	if t == nil {
		return s
	}
	for _, c := range classes {
		s.throttles[c] = newThrottle(c, t, o.Units)
	}
	s.throttles[deviceJobs] = newThrottle(deviceJobs, t, o.Units)
	return s
}

// shape returns when the hub has a place for the call, and fails with what a hub
// says when it has none. The wait counts for the first class that owns route.
func (h *hub) shape(r *http.Request, route *route, c *call) error {
	for _, class := range classes {
		if !class.owns(route) {
			continue
		}
		throttle := h.shaping.throttles[class]
		if throttle == nil {
			return nil
		}
		cost := 1
		if class.cost != nil {
			cost = class.cost(c)
		}
		when, ok := throttle.admit(c.now, cost, h.shaping.backlog)
		if !ok {
			return refuse("ThrottlingBacklogTimeout", "The request has been throttled. Wait 10 seconds and try again. Operation type: %s", operationOf(r))
		}
		return h.await(c, when)
	}
	return nil
}

// errClosing ends a request without an answer: the emulator is going away.
var errClosing = errors.New("the emulator closes")

// await holds a call back until the hub's clock shows when: on the real clock by
// waiting, on another until somebody has moved it and the hub catches up. The
// client may have gone by then; its request is performed all the same.
func (h *hub) await(c *call, when time.Time) error {
	if !when.After(c.now) {
		return nil
	}
	turn := make(chan struct{})
	if h.real {
		timer := time.AfterFunc(when.Sub(c.now), func() { close(turn) })
		defer timer.Stop()
	} else {
		h.mu.Lock()
		h.agenda.plan(when, func(time.Time) { close(turn) })
		h.mu.Unlock()
	}
	select {
	case <-turn:
		c.now = h.now()
		return nil
	case <-h.ctx.Done():
		return errClosing
	}
}

// countItems returns how many items a JSON array has, 0 for anything else.
func countItems(body []byte) int {
	var items []json.RawMessage
	if json.Unmarshal(body, &items) != nil {
		return 0
	}
	return len(items)
}
