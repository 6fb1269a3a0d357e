package emulator

import (
	"fmt"
	"strings"
	"time"
)

// A tier is a size of hub, with what one of it bears at once. The numbers are
// those of the page "IoT Hub quotas and throttling".
type tier struct {
	name  string
	rates int // which column of the page's table it has: 0, 1 or 2
	slots int // scheduled jobs at once
}

var tiers = []*tier{{"F1", 0, 1}, {"S1", 0, 1}, {"S2", 1, 5}, {"S3", 2, 10}}

// maxUnits is more than a hub can have without asking Microsoft, and keeps the
// tokens of a throttle countable.
const maxUnits = 200

// tierNamed returns the tier called name, nil for "".
func tierNamed(name string) (*tier, error) {
	var names []string
	for _, t := range tiers {
		if t.name == name {
			return t, nil
		}
		names = append(names, t.name)
	}
	if name == "" {
		return nil, nil
	}
	return nil, fmt.Errorf("unknown tier %q, known are %s", name, strings.Join(names, ", "))
}

// jobSlots is how many scheduled jobs a hub of t takes at once. Without a tier
// it is what the smallest has, so that nobody comes to depend on more.
func (t *tier) jobSlots() int {
	if t == nil {
		return 1
	}
	return t.slots
}

// A rate is how many operations a hub takes in a span of time: some however
// small it is, or more when its units are many.
type rate struct{ flat, unit int }

func (r rate) of(units int) int { return max(r.flat, r.unit*units) }

// A class is operations that are throttled together.
type class struct {
	name  string
	per   time.Duration
	rates [3]rate // by column
	owns  func(r *route) bool
	cost  func(c *call) int // nil for one each
}

// deviceJobs is what jobs do to devices; no request is of it.
var deviceJobs = &class{name: "jobs on devices", per: time.Second, rates: [3]rate{{10, 0}, {10, 1}, {0, 50}}}

// classes lists what is throttled. The page has no rate for statistics,
// feedback and purging, so these are let pass; what it calls "job operations"
// is taken to include import and export.
var classes = []*class{
	{"identity registry", time.Minute, [3]rate{{0, 100}, {0, 100}, {0, 5000}}, actsOn("devices/"), itemsOf},
	{"queries", time.Minute, [3]rate{{0, 20}, {0, 20}, {0, 1000}}, isQuery, nil},
	{"twin reads", time.Second, [3]rate{{100, 0}, {100, 10}, {0, 500}}, actsOn("twins/read"), nil},
	{"twin updates", time.Second, [3]rate{{50, 0}, {50, 5}, {0, 250}}, actsOn("twins/write"), nil},
	{"jobs", time.Minute, [3]rate{{0, 100}, {0, 100}, {0, 5000}}, actsOn("jobs/"), nil},
	{"configurations", time.Minute, [3]rate{{0, 20}, {0, 20}, {0, 20}}, actsOn("configurations/"), nil},
	// 160 KB, 480 KB and 24 MB a second, counted in pieces of 4 KB.
	{"direct methods", time.Second, [3]rate{{0, 40}, {0, 120}, {0, 6144}}, actsOn("directMethods/"), piecesOf},
}

// actsOn selects the routes whose data action begins with prefix.
func actsOn(prefix string) func(*route) bool {
	return func(r *route) bool { return strings.HasPrefix(r.action, prefix) }
}

func isQuery(r *route) bool { return r.path == "/devices/query" }

// itemsOf counts each item of a bulk request, as the page says.
func itemsOf(c *call) int {
	if c.method != "POST" {
		return 1
	}
	return max(1, countItems(c.body))
}

// piecesOf counts what is sent to a device in pieces of 4 KB.
func piecesOf(c *call) int { return max(1, (len(c.body)+4095)/4096) }
