package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/plugins"
)

// dumpFlag is a flag of every command, since most of them run plugins.
const dumpFlag = "dump-failures"

func addDumpFlag(root *cobra.Command) {
	root.PersistentFlags().String(dumpFlag, "", "write what plugins were given when they failed into this folder, to make the calls again")
}

// A dumper is told of the calls of plugins that failed, and writes them into a
// folder, or says once that it could.
type dumper struct {
	env *environment
	dir string // "" for none

	mu   sync.Mutex
	told int
}

// maxDumps bounds the files of one run: a plugin that fails for one device fails
// for many.
const maxDumps = 100

func (d *dumper) failed(f *plugins.Failure) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.told >= maxDumps:
	case d.dir != "":
		d.told++
		d.dump(f)
	case f.Err.Code != plugins.EvalError: // which is an answer, and no bug
		d.told = maxDumps
		fmt.Fprintf(d.env.stderr, "twinrules: %s, after %d units of fuel; with --%s DIR the call is written down, to be made again\n", oneLine(f.Err), f.Err.Fuel, dumpFlag)
	}
}

// dump writes a failure, of a twin that may be confidential, and says of the first
// one how to go on.
func (d *dumper) dump(f *plugins.Failure) {
	data := f.Format()
	name := fmt.Sprintf("%s-%s.json", unsafeInName.ReplaceAllString(f.Err.Plugin+"-"+f.Err.Ref.Device, "_"), digestOf(data)[len("sha256:"):][:12])
	path := filepath.Join(d.dir, name)
	err := os.MkdirAll(d.dir, 0o700)
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	switch {
	case err != nil:
		d.told = maxDumps
		fmt.Fprintf(d.env.stderr, "twinrules: --%s: %v\n", dumpFlag, err)
	case d.told == 1:
		fmt.Fprintf(d.env.stderr, "twinrules: plugin %s failed; make the call again: %s plugin run MODULE --replay %s\n", f.Err.Plugin, d.env.self, path)
	}
}
