package estimate_test

import (
	"fmt"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/estimate"
)

// A hundred thousand devices, of which a condition may concern two thousand.
func Example() {
	s1 := estimate.Hub{Tier: hub.TierS1, Units: 1, Latency: estimate.SeenLatency}
	ways := estimate.Reading(s1, estimate.Fleet{Devices: 100_000, Selected: 80_000, Narrowed: 2000, Counts: 2})
	for _, w := range ways {
		fmt.Printf("%s: %d calls, %s\n", w.Name, w.Calls, estimate.Show(w.Takes))
	}
	best, why := estimate.Pick(ways)
	fmt.Printf("%s: %s\n", ways[best].Command, why)
	// Output:
	// narrowed query: 23 calls, 1 min 02 s
	// query of what rules select: 801 calls, 39 min 50 s
	// query of everybody: 1001 calls, 50 min 02 s
	// export job: 3 calls, 1 s
	// point reads of a known inventory: 100001 calls, 17 min 00 s
	// plan --read narrowed: the least time of those that come into question; the next, query of what rules select, takes 39 min 50 s
}
