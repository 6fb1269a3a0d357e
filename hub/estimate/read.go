package estimate

import (
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub"
)

// A Fleet is what is known of a hub and of a pack before any twin is read.
type Fleet struct {
	Devices  int // on the hub
	Selected int // of these, that some rule selects; -1 when no rule is about devices
	// Narrowed is how many of them the hub lists when it is asked for those that
	// some condition may concern; -1 when it cannot be asked that.
	Narrowed int
	Counts   int  // queries that count populations beside a narrowed listing
	Modules  bool // modules are read, too. How many there are no hub was seen to tell.
	// Export is how long the hub's last export took; 0 when that is not known.
	Export time.Duration
	// Unexported are the members of twins that the pack looks at and that an export
	// lacks.
	Unexported []string
}

// Rows is how many twins a hub puts on a page of a query. Some pages say more;
// this is what the newest says, and what package hub asks for.
const Rows = 100

// The lag of an index is documented as "up to 30 minutes" in the worst case.
const lag = "what the hub's index has not heard of yet (documented: up to 30 minutes)"

// A reading makes the way for one kind of reading.
type reading func(h Hub, f Fleet) Way

// readings lists the ways to read, in the order of reports.
var readings = []reading{narrowed, selected, everything, exported, pointReads}

// Reading returns the ways to read what a plan needs, in a fixed order. Each
// includes the one request for the hub's configurations.
func Reading(h Hub, f Fleet) []Way {
	var ways []Way
	for _, r := range readings {
		ways = append(ways, r(h, f))
	}
	return ways
}

// narrowed reads what rules may concern, and counts the rest.
func narrowed(h Hub, f Fleet) Way {
	w := Way{
		Name: "narrowed query", Command: "plan --read narrowed",
		Misses: []string{lag, "twins that a rule cannot judge, which other ways report"},
	}
	if f.Narrowed < 0 {
		w.Barred = "the hub cannot be asked for less than what rules select (see --explain-query)"
		return w
	}
	all := pages(f.Narrowed, f)
	all.Calls += f.Counts // which count against the same limit
	return w.add(h, configurations, all)
}

// selected reads what the selectors hold for.
func selected(h Hub, f Fleet) Way {
	return Way{Name: "query of what rules select", Command: "plan", Misses: []string{lag}}.add(h, configurations, pages(f.Selected, f))
}

// everything reads the whole fleet.
func everything(h Hub, f Fleet) Way {
	n := f.Devices
	if f.Selected < 0 {
		n = -1
	}
	return Way{Name: "query of everybody", Command: "plan --read all", Misses: []string{lag}}.add(h, configurations, pages(n, f))
}

// exported lets the hub write everything into a blob. That this takes one request
// to begin and some to look is certain; how long a hub takes is in no page.
func exported(h Hub, f Fleet) Way {
	w := Way{
		Name: "export job", Command: "snapshot pull --via export, then plan --snapshot",
		Misses: []string{"what changes after the job has begun", "versions of twins, by which apply notices reports that came after the plan"},
	}.add(h, configurations, Step{Class: hub.JobOperations, Calls: 2})
	switch {
	case f.Export > 0:
		w.Takes += f.Export
	default:
		w.Open = "how long a hub exports is documented nowhere"
	}
	if len(f.Unexported) > 0 {
		w.Barred = "an export does not tell " + strings.Join(f.Unexported, ", ") + ", which rules read"
	}
	return w
}

// readers is how many twins are read at once, by default the connections of a
// client of package hub.
const readers = 64

// pointReads reads the twins of a list of names one by one.
func pointReads(h Hub, f Fleet) Way {
	return Way{
		Name:   "point reads of a known inventory",
		Misses: []string{"devices that were registered after the inventory was made"},
		Barred: "twinrules has no command that reads so",
	}.add(h, configurations, Step{Class: hub.TwinReads, Calls: f.Devices, AtOnce: readers})
}

// configurations is the request for all configurations, of which a hub has at
// most 100.
var configurations = Step{Class: hub.ConfigurationOperations, Calls: 1}

// pages are the queries for n devices, none for fewer than 0, and at least one for
// modules if these are read. Pages of one query come one after the other.
func pages(n int, f Fleet) Step {
	calls := 0
	if n >= 0 {
		calls = max(1, (n+Rows-1)/Rows)
	}
	if f.Modules {
		calls++
	}
	return Step{Class: hub.Queries, Calls: calls}
}
