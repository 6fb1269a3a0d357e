package emulator

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNoWindowHasMore is the law of a throttle: whatever comes when, no window of
// its span has more than its tokens' worth in it, and nothing that could have
// passed earlier waits longer.
func TestNoWindowHasMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "tokens")
		throttle := &throttle{per: time.Minute, tokens: make([]time.Time, n)}
		now, patience := morning, time.Duration(rapid.IntRange(0, 120).Draw(t, "patience"))*time.Second
		var passed []time.Time // once for each token
		for range rapid.IntRange(1, 40).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "pause")) * time.Second)
			cost := rapid.IntRange(1, n).Draw(t, "cost")
			when, ok := throttle.admit(now, cost, patience)
			if ok != (when.Sub(now) <= patience) {
				t.Fatalf("taken: %t, after %v", ok, when.Sub(now))
			}
			if !ok {
				continue
			}
			for range cost {
				passed = append(passed, when)
			}
			inWindow := 0
			for _, p := range passed {
				if p.After(when.Add(-time.Minute)) && !p.After(when) {
					inWindow++
				}
			}
			if inWindow > n {
				t.Fatalf("%d in the minute to %v, want at most %d", inWindow, when, n)
			}
		}
	})
}

func TestCosts(t *testing.T) {
	for _, test := range []struct {
		method, body  string
		items, pieces int
	}{
		{"POST", `[{"id":"a"},{"id":"b"}]`, 2, 1},
		{"POST", `[]`, 1, 1},
		{"POST", `no array`, 1, 1},
		{"PUT", `[1,2,3]`, 1, 1},
		{"POST", string(make([]byte, 4096)), 1, 1},
		{"POST", string(make([]byte, 4097)), 1, 2},
	} {
		c := &call{method: test.method, body: []byte(test.body)}
		if itemsOf(c) != test.items || piecesOf(c) != test.pieces {
			t.Errorf("%s %.20q: got %d items, %d pieces, want %d and %d", test.method, test.body, itemsOf(c), piecesOf(c), test.items, test.pieces)
		}
	}
}

// TestEveryRouteKnowsItsClass lists what passes without a rate.
func TestEveryRouteKnowsItsClass(t *testing.T) {
	for _, r := range routes {
		free := strings.HasPrefix(r.action, "statistics/") || strings.HasPrefix(r.action, "cloudToDeviceMessages/")
		owned := 0
		for _, c := range classes {
			if c.owns(&r) {
				owned++
			}
		}
		if want := !free; want != (owned > 0) {
			t.Errorf("%s %s is owned by %d classes", r.method, r.path, owned)
		}
	}
}
