package conform

import (
	"runtime"
	"time"
)

// A Price is what one call of something takes.
type Price struct {
	Nanoseconds float64 `json:"nanoseconds"` // in the best round, which others on the machine disturb least
	Allocations float64 `json:"allocations"`
}

// Measure repeats round, which returns how many calls it made, until budget is used
// up by clock, but twice at least: the first one warms up and does not count.
func Measure(clock func() time.Time, budget time.Duration, round func() (calls int, err error)) (Price, error) {
	var p Price
	if _, err := round(); err != nil {
		return p, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	total := 0
	for end := clock().Add(budget); ; {
		start := clock()
		calls, err := round()
		now := clock()
		if err != nil || calls == 0 {
			return Price{}, err
		}
		if each := float64(now.Sub(start)) / float64(calls); total == 0 || each < p.Nanoseconds {
			p.Nanoseconds = each
		}
		if total += calls; !now.Before(end) {
			break
		}
	}
	runtime.ReadMemStats(&after)
	p.Allocations = float64(after.Mallocs-before.Mallocs) / float64(total)
	return p, nil
}
