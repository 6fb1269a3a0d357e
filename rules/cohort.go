package rules

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Cohort is where a twin stands in a rollout: the unit that it belongs to, and
// the place of that unit in the order in which units are reached.
type Cohort struct {
	Unit string // "devices/pump-7", or with by: `tags.site="muc"`
	Hash uint64
}

// Cohort returns where t stands on a hub.
func (r *Rollout) Cohort(t *twin.Twin, hub string) Cohort {
	return CohortOf(r.pack, r.rule, hub, r.Unit(t))
}

// CohortOf returns where a unit stands in the rollout of a rule. The answer depends
// on these names and on nothing else, so that it is the same in every run and every
// version: testdata/cohorts.txt holds it to that.
func CohortOf(pack, rule, hub, unit string) Cohort {
	h := sha256.Sum256([]byte(pack + "/" + rule + "\x00" + strings.ToLower(hub) + "\x00" + unit))
	return Cohort{unit, binary.BigEndian.Uint64(h[:8])}
}

// Unit names the unit that t belongs to. No two units have one name: those of By
// begin with a path, others with "devices/".
//
// A twin without a value at By, or with one that is neither a text, a number nor
// true or false, is a unit of its own: together such twins would be one large
// unit, and might be the first wave.
func (r *Rollout) Unit(t *twin.Twin) string {
	if r.By == nil {
		return t.Ref.String()
	}
	root, _ := findName(r.By[0])
	v, _ := (slot{root: root, path: r.By[1:]}).raw(&scope{twin: t})
	text, ok := unitValue(v)
	if !ok {
		return t.Ref.String()
	}
	return r.By.String() + "=" + text
}

// unitValue spells a value that makes a unit; numbers that are equal are spelled
// alike.
func unitValue(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string, bool:
		return string(twin.Encode(v)), true
	case json.Number:
		switch n := toExpr(v).(type) {
		case int:
			return strconv.Itoa(n), true
		case float64:
			if n == 0 {
				n = 0 // also of -0.0
			}
			return strconv.FormatFloat(n, 'f', -1, 64), true
		}
	}
	return "", false
}

// Place returns the hash as text that orders as hashes do.
func (c Cohort) Place() string { return fmt.Sprintf("%016x", c.Hash) }

// Percent returns how far down the order the unit stands, in percent: a wave of a
// larger share holds it.
func (c Cohort) Percent() float64 { return float64(c.Hash) / (1 << 64) * 100 }

// counted reports whether the rule's waves depend on its population.
func (r *compiledRule) counted() bool { return r.Rollout != nil && r.Rollout.Counted() > 0 }

// A Bound is where a wave ends: the [Cohort.Place] of the last hash that is in it;
// "" where it holds nobody. Bounds order as waves do.
type Bound string

// Holds reports whether a wave with this bound holds c.
func (b Bound) Holds(c Cohort) bool { return c.Place() <= string(b) }

// Bounds returns where each wave ends in a population whose smallest hashes are
// least, in order, each once, and no fewer than [Rollout.Counted] unless there are
// no more. No wave ends before one that stands before it: of few units, a count
// may be more than the share that follows.
func (r *Rollout) Bounds(least []uint64) []Bound {
	var last Bound
	list := make([]Bound, len(r.Waves))
	for i, w := range r.Waves {
		last = max(last, w.bound(least))
		list[i] = last
	}
	return list
}

func (w Wave) bound(least []uint64) Bound {
	if w.Share > 0 {
		return w.Share.Bound()
	}
	if len(least) == 0 {
		return ""
	}
	return Bound(Cohort{Hash: least[min(w.Count, len(least))-1]}.Place())
}

// Bound returns where a wave of this share ends, in whole numbers: at the last hash
// that is less than ⌊2^64·s⌋.
func (s Share) Bound() Bound {
	if s >= Everybody {
		return Bound(Cohort{Hash: ^uint64(0)}.Place())
	}
	end, _ := bits.Div64(uint64(s), 0, uint64(Everybody))
	return Bound(Cohort{Hash: end - 1}.Place())
}

// WaveOf returns the first wave that holds c, counted from 1. The last one holds
// everybody.
func WaveOf(bounds []Bound, c Cohort) int {
	for i, b := range bounds {
		if b.Holds(c) {
			return i + 1
		}
	}
	return len(bounds)
}
