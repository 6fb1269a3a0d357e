// Race runs twinrules and every other engine that is here over one fleet, each in
// a process of its own, in interleaved rounds; compares what they found; and
// prints medians of ratios. It fails when engines disagree.
//
//	race -dir DIR -rules 10 -rounds 3
//
// Race.sh builds what DIR holds: the programs, the fleet and the rules.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

func main() {
	var r race
	flag.StringVar(&r.dir, "dir", ".", "where programs, fleet and rules are")
	flag.StringVar(&r.programs, "programs", "programs", "where node.cjs and duckdb.cjs are")
	flag.StringVar(&r.fleet, "fleet", "fleet.ndjson", "the fleet, plain; in zstd it has .zst behind its name")
	flag.IntVar(&r.rules, "rules", 10, "rules")
	flag.IntVar(&r.rounds, "rounds", 3, "rounds; engines that take seconds for little run in the first only")
	only := flag.String("only", "", "run rows that match this `pattern`, and the first")
	flag.Parse()
	if err := r.start(*only); err != nil {
		fmt.Fprintln(os.Stderr, "race:", err)
		os.Exit(1)
	}
}

func (r *race) start(only string) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if r.dir, err = filepath.Abs(r.dir); err != nil { // programs are found by path
		return err
	}
	if err := r.run(pattern); err != nil {
		return err
	}
	r.print(os.Stdout)
	return r.agree()
}
