package estimate

import (
	"time"

	"github.com/twinrules/twinrules/hub"
)

// SeenLatency is what a hub took to answer: the median of 250 reads of its
// registry, on one hub of tier F1. What a page of a query takes was not measured.
const SeenLatency = 135 * time.Millisecond

// A Hub is what limits requests.
type Hub struct {
	Tier    hub.Tier // "" for one that is not known: it is taken for one unit of S1
	Units   int      // 0 means 1
	Latency time.Duration
}

// A Step is a number of like requests.
type Step struct {
	Class  *hub.Class
	Calls  int
	AtOnce int // how many are under way together; 0 means one after the other
	// Charge is what one request counts against the limit; 0 means 1.
	Charge int
	// Inside: it is the hub that does it, in a job of its own, and nobody's request.
	Inside bool
}

// time returns how long a step takes at least. As many requests as the limit
// allows go as fast as they are answered; the next one waits until the first
// counts no longer, which is [hub.Class.Window] after it went. Answers that take
// longer than that leave nobody waiting for the limit.
func (h Hub) time(s Step) time.Duration {
	if s.Calls <= 0 {
		return 0
	}
	latency, atOnce := h.Latency, max(1, s.AtOnce)
	if s.Inside {
		latency = 0
	}
	limit, window := h.limit(s)
	full, rest := (s.Calls-1)/limit, (s.Calls-1)%limit+1
	inTurn := time.Duration((rest+atOnce-1)/atOnce) * latency
	return time.Duration(full)*max(window, time.Duration(limit)*latency/time.Duration(atOnce)) + inTurn
}

// limit returns how many requests of a step a hub allows in a window, at least
// one: a request that counts for more than there is takes all of it.
func (h Hub) limit(s Step) (n int, window time.Duration) {
	limit, per := s.Class.Limit(h.Tier, h.Units)
	if s.Inside {
		return limit, per // the hub keeps its own time
	}
	return max(1, limit/max(1, s.Charge)), s.Class.Window()
}
