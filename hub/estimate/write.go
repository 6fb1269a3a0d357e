package estimate

import (
	"fmt"

	"github.com/twinrules/twinrules/hub"
)

// Changes is how much there will be to write.
type Changes struct {
	Twins          int
	Configurations int // that the pack's rules ask for
	AtOnce         int // writes at once; 0 means one after the other
}

// A writing makes the way for one kind of writing.
type writing func(h Hub, c Changes) Way

// writings lists the ways to write, in the order of reports.
var writings = []writing{patches, bulk, jobs, asConfiguration}

// Writing returns the ways to make changes, in a fixed order.
func Writing(h Hub, c Changes) []Way {
	ways := make([]Way, len(writings))
	for i, w := range writings {
		ways[i] = w(h, c)
	}
	return ways
}

// Samples is how many twins apply reads first, to tell a hub from another of its
// name.
const Samples = 3

// patches writes each twin under its etag. A twin that nobody ever wrote, or that
// somebody else has just written, is read again, which is not counted here.
func patches(h Hub, c Changes) Way {
	return Way{Name: "patch each twin under its etag", Command: "apply"}.add(h,
		Step{Class: hub.TwinReads, Calls: min(Samples, c.Twins)},
		Step{Class: hub.TwinUpdates, Calls: c.Twins, AtOnce: c.AtOnce},
		Step{Class: hub.ConfigurationOperations, Calls: c.Configurations})
}

// bulk writes a hundred twins in one request to the registry. Each of them counts
// against its limit, says the documentation; if only requests counted, it would
// be a hundred times as quick.
func bulk(h Hub, c Changes) Way {
	requests := (c.Twins + hub.MaxRegistryUpdates - 1) / hub.MaxRegistryUpdates
	once := h.time(Step{Class: hub.RegistryOperations, Calls: requests})
	return Way{
		Name: "bulk update of the registry, with etags",
		Barred: fmt.Sprintf("unproven on a hub: each twin counts, as documented; if only requests counted, it would be %s. twinrules has no command that writes so",
			Show(once)),
	}.add(h, Step{Class: hub.RegistryOperations, Calls: requests, Charge: hub.MaxRegistryUpdates})
}

// jobs lets the hub write equal patches to what a condition selects: at least one
// request to begin and one to look, and no device before its turn.
func jobs(h Hub, c Changes) Way {
	w := Way{
		Name:   "twin update job",
		Misses: []string{"writes of others in between: a job's patch takes no etag", "twins whose values differ: a job writes one patch"},
		Barred: "it cannot be guarded by etags, and twinrules has no command that writes so",
	}
	if c.Twins == 0 {
		return w
	}
	return w.add(h, Step{Class: hub.JobOperations, Calls: 2}, Step{Class: hub.JobDevices, Calls: c.Twins, Inside: true})
}

// asConfiguration leaves the writing to the hub, for rules that say so.
func asConfiguration(h Hub, c Changes) Way {
	w := Way{
		Name: "automatic configuration", Command: "apply", Open: "the hub applies it at its own pace, and looks again every 5 minutes (documented)",
		Misses: []string{"tags, and values that are computed for each twin"},
		Barred: "no rule of the pack says configuration:",
	}
	if c.Configurations > 0 {
		w.Barred = fmt.Sprintf("it is for the %d of the pack's rules that say configuration:, beside the patches", c.Configurations)
	}
	return w.add(h, Step{Class: hub.ConfigurationOperations, Calls: c.Configurations})
}
