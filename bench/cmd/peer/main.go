// Peer runs one engine over one fleet and prints what it found as JSON. It also
// says what patches or a plan of twinrules hold, so that they can be compared.
//
//	peer -engine naive -rules 10 -out patches.ndjson fleet.ndjson
//	peer -patches patches.ndjson
//	peer -rules 10 -plan plan.twp
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/twinrules/twinrules/bench/pack"
	"github.com/twinrules/twinrules/bench/peer"
)

func main() {
	engine := flag.String("engine", "naive", engines())
	rules := flag.Int("rules", 10, "rules")
	out := flag.String("out", os.DevNull, "patches go to this `file`")
	patches := flag.String("patches", "", "say what is in this `file` of patches")
	plan := flag.String("plan", "", "say what is in this `file` of twinrules plan")
	flag.Parse()
	var err error
	switch {
	case *patches != "":
		err = readPatches(*patches)
	case *plan != "":
		err = readPlan(*plan, *rules)
	default:
		err = run(*engine, *rules, flag.Arg(0), *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

// engines lists the engines for the help.
func engines() string {
	text := "which `engine`:\n"
	for _, e := range peer.Engines() {
		text += e.Name + "\t" + e.Doc + "\n"
	}
	return text
}

func run(engine string, rules int, path, out string) (err error) {
	e, err := peer.Find(engine)
	if err != nil {
		return err
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	to, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	r, err := peer.Run(e, pack.Make(rules), in, to)
	return show(r, err)
}

func readPatches(path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	r, err := peer.ReadPatches(in)
	return show(r, err)
}

func readPlan(path string, rules int) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	r, err := peer.ReadPlan(in, pack.Make(rules))
	return show(r, err)
}

func show(r *peer.Result, err error) error {
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}
