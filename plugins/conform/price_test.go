package conform_test

import (
	"errors"
	"testing"
	"time"

	"github.com/twinrules/twinrules/plugins/conform"
)

// TestMeasure has a clock that moves by what each round takes: the first one warms
// up, and the quickest of the others counts.
func TestMeasure(t *testing.T) {
	now := time.Unix(0, 0)
	takes := []time.Duration{9000, 4000, 2000, 3000, 50_000}
	n := 0
	p, err := conform.Measure(func() time.Time { return now }, 10_000, func() (int, error) {
		now = now.Add(takes[n])
		n++
		return 10, nil
	})
	if err != nil || p.Nanoseconds != 200 || n != 5 {
		t.Errorf("got %v, %v after %d rounds, want 200 ns of 5", p, err, n)
	}
	if p.Allocations > 1 {
		t.Errorf("%v allocations, where there are none", p.Allocations)
	}
}

func TestMeasureStops(t *testing.T) {
	reason := errors.New("the run is over")
	n := 0
	_, err := conform.Measure(time.Now, time.Hour, func() (int, error) {
		if n++; n > 3 {
			return 0, reason
		}
		return 1, nil
	})
	if !errors.Is(err, reason) {
		t.Errorf("got %v, want the reason", err)
	}
}
