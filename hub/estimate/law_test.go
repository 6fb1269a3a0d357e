package estimate_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/estimate"
)

// TestLaws holds for any fleet and any hub: more twins never take less, more
// units, and answers that come sooner, never more; a narrower query never makes
// more calls than a wider one but for its counts; and the pick is not barred, and
// none that comes into question is quicker.
func TestLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tiers := hub.PossibleTierValues()
	for range 5000 {
		h := estimate.Hub{Tier: tiers[r.IntN(len(tiers))], Units: 1 + r.IntN(20), Latency: time.Duration(r.IntN(500)) * time.Millisecond}
		f := estimate.Fleet{Devices: r.IntN(1_000_000), Counts: r.IntN(5), Modules: r.IntN(2) == 0}
		f.Selected = r.IntN(f.Devices + 1)
		f.Narrowed = r.IntN(f.Selected+2) - 1
		ways := estimate.Reading(h, f)

		more, larger, sooner := f, h, h
		more.Devices, more.Selected = f.Devices+r.IntN(1000), f.Selected+r.IntN(1000)
		larger.Units += r.IntN(20)
		sooner.Latency /= 2
		for i, w := range ways {
			if now := estimate.Reading(h, more)[i]; now.Calls < w.Calls || now.Takes < w.Takes {
				t.Fatalf("%+v: more twins take less by %s: %s, not %s", f, w.Name, now.Takes, w.Takes)
			}
			// A burst of as many as a larger limit allows waits for its answers, too.
			slack := h.Latency
			if now := estimate.Reading(larger, f)[i]; now.Takes > w.Takes+slack {
				t.Fatalf("%+v on %+v: more units take longer by %s: %s, not %s", f, h, w.Name, now.Takes, w.Takes)
			}
			if now := estimate.Reading(sooner, f)[i]; now.Takes > w.Takes {
				t.Fatalf("%+v on %+v: sooner answers take longer by %s: %s, not %s", f, h, w.Name, now.Takes, w.Takes)
			}
		}
		if n := ways[0].Calls; n > ways[1].Calls+f.Counts || ways[1].Calls > ways[2].Calls {
			t.Fatalf("%+v: narrower queries take more calls: %d, %d, %d", f, n, ways[1].Calls, ways[2].Calls)
		}
		best, _ := estimate.Pick(ways)
		for _, w := range ways {
			if picked := ways[best]; picked.Barred != "" || picked.Open == "" && w.Barred == "" && w.Open == "" && w.Takes < picked.Takes {
				t.Fatalf("%+v: %s is picked, and %s takes %s, not %s", f, picked.Name, w.Name, w.Takes, picked.Takes)
			}
		}
	}
}
