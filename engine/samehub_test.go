package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/twinrules/twinrules/engine"
)

// TestAnotherHub applies a plan to a hub on which some or all devices have been
// registered anew since, with every twin, its etag and its versions as they were.
func TestAnotherHub(t *testing.T) {
	limits := "  - {id: r, limits: {maxTwins: 1000, maxPercent: 100}, patch: {desired: {interval: 900}}}\n"
	for name, c := range map[string]struct {
		devices int
		anew    func(i int) bool
		want    string // of the receipt; "" when it is refused
		moved   int
	}{
		"the same":         {10, func(int) bool { return false }, "10 written", 0},
		"all of them":      {10, func(int) bool { return true }, "", 0},
		"one of them":      {10, func(i int) bool { return i == 4 }, "10 written", 1},
		"all but the last": {10, func(i int) bool { return i < 9 }, "10 written", 9},
		"the only one":     {1, func(int) bool { return true }, "1 written", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := fleet(c.devices)
				for i := range c.devices {
					m.twins[device(i)].identity = fmt.Sprint("before", i)
				}
				plan := evaluate(t, pack(t, limits), m, nil)
				for i := range c.devices {
					if c.anew(i) {
						m.twins[device(i)].identity = fmt.Sprint("after", i)
					}
				}
				r, err := engine.Apply(t.Context(), plan, m, newNotebook(), nil)
				if c.want == "" {
					if !errors.Is(err, engine.ErrNotApplicable) || !strings.Contains(err.Error(), "another hub under the same name") || len(m.writes) > 0 {
						t.Errorf("got %v after %d writes", err, len(m.writes))
					}
					return
				}
				moved := 0
				for _, o := range r.Outcomes {
					if o.Moved && strings.Contains(o.Detail, "registered anew") {
						moved++
					}
				}
				if err != nil || summary(r) != c.want || moved != c.moved {
					t.Errorf("got %v, %s, %d marked; want %s, %d", err, summary(r), moved, c.want, c.moved)
				}
			})
		})
	}
}
