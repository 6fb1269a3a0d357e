// Fleet writes a made-up fleet: as a snapshot to each path given, plain or in zstd
// by its name, or its twins alone to standard output.
//
//	fleet -n 100000 fleet.ndjson fleet.ndjson.zst
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/twinrules/twinrules/bench/fleet"
	"github.com/twinrules/twinrules/hub/snapshot"
)

func main() {
	n := flag.Int("n", 10_000, "devices")
	var o fleet.Options
	flag.Uint64Var(&o.Seed, "seed", 1, "the fleet's `number`; the same makes the same bytes")
	flag.IntVar(&o.Churn, "churn", 0, "twins in a thousand that have been written once more")
	flag.IntVar(&o.Adrift, "adrift", 150, "twins in a thousand that differ at each place that rules write")
	flag.Parse()
	if err := write(flag.Args(), *n, &o); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func write(paths []string, n int, o *fleet.Options) error {
	if len(paths) == 0 {
		return fleet.Write(os.Stdout, n, o)
	}
	return fleet.Record(paths, n, o, func(path string, h snapshot.Header) {
		fmt.Fprintf(os.Stderr, "%s: %d twins of %d devices, seed %d, %s\n", path, h.Twins, n, o.Seed, h.Digest)
	})
}
