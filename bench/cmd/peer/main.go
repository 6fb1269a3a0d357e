// Peer runs one engine over one file and prints what it found as JSON:
//
//	peer -engine naive -rules 10 -out patches.ndjson fleet.ndjson
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
	engine := flag.String("engine", "naive", "which `engine`")
	rules := flag.Int("rules", 10, "rules")
	out := flag.String("out", os.DevNull, "patches go to this `file`")
	flag.Parse()
	if err := run(*engine, *rules, flag.Arg(0), *out); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
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
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}
