package rules

import (
	"strconv"
	"strings"
	"time"
)

// A Rollout says that what a rule wants reaches its population in waves, and what
// must be seen before the next wave begins. Everything that the rule writes goes
// this way, what it takes back when it ends, too.
type Rollout struct {
	By     Path   // what makes twins one unit, such as tags.site; nil: each twin is one
	Waves  []Wave // of which each holds the ones before it; the last is everybody
	Soak   time.Duration
	Gate   Gate
	OnFail OnFail

	pack, rule string // whose it is
	at, by     setting
}

// A Wave is a part of a population: the units with the smallest hashes, by number
// or by share. One of the two is 0.
type Wave struct {
	Count int   // units
	Share Share // of the hashes that there can be
}

// String returns the wave as a pack spells it.
func (w Wave) String() string {
	if w.Share > 0 {
		return w.Share.String()
	}
	return strconv.Itoa(w.Count)
}

// A Share is a part of a whole, in parts of [Everybody]: so shares are calculated with
// in whole numbers.
type Share int

// Everybody is the share of all: 100 %.
const Everybody Share = 10_000

// String returns the share as a pack spells it, such as "2.5%".
func (s Share) String() string {
	text := strconv.Itoa(int(s) / 100)
	if s%100 != 0 {
		decimals := strconv.Itoa(100 + int(s)%100)[1:]
		text += "." + strings.TrimRight(decimals, "0")
	}
	return text + "%"
}

// A Gate says what a wave must come to before the next one begins. It is read from
// the twins as they are then, never from the hub's index.
type Gate struct {
	OK, Fail string // the sources; Fail may be ""
	// At least MinOK of the wave's written twins must be ok, and not more than
	// MaxFail of them failed, after the soak and before the timeout.
	MinOK, MaxFail Share
	Timeout        time.Duration

	ok, fail expressionSource
}

// OnFail says what is done when a gate is not passed.
type OnFail string

// The answers to a gate that is not passed.
const (
	Pause    OnFail = "pause"    // no further wave begins
	Rollback OnFail = "rollback" // and what the waves wrote is taken back
)

// Counted returns how many of the smallest hashes of a population decide the
// waves: the largest that is given by a number. Where it is 0 the waves of a twin
// do not depend on the others.
func (r *Rollout) Counted() (n int) {
	for _, w := range r.Waves {
		n = max(n, w.Count)
	}
	return n
}

// SpellSpan spells a time span as a pack does: 24h, not 24h0m0s.
func SpellSpan(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
