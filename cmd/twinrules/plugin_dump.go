package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// failed is told of f; read returns the module of a plugin.
func (d *dumper) failed(f *plugins.Failure, read func(plugin string) ([]byte, error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.told >= maxDumps:
	case d.dir != "":
		d.told++
		d.dump(f, read)
	case f.Err.Code != plugins.EvalError: // which is an answer, and no bug
		d.told = maxDumps
		d.env.note(fmt.Sprintf("rule %s: %s, after %d units of fuel; with --%s DIR the call is written down, to be made again", f.Err.Rule, oneLine(f.Err), f.Err.Fuel, dumpFlag))
	}
}

// dump writes a failure, of a twin that may be confidential, with the module, and
// says of the first one how to go on.
func (d *dumper) dump(f *plugins.Failure, read func(plugin string) ([]byte, error)) {
	name := unsafeInName.ReplaceAllString(f.Err.Plugin, "_")
	module := filepath.Join(d.dir, name+"-"+beginning(f.Module)+".wasm")
	data := f.Format()
	call := filepath.Join(d.dir, name+"-"+unsafeInName.ReplaceAllString(f.Err.Ref.Device, "_")+"-"+beginning(digestOf(data))+".json")
	err := keepModule(module, func() ([]byte, error) { return read(f.Err.Plugin) })
	if err == nil {
		err = writeWhole(call, data, 0o600)
	}
	switch {
	case err != nil:
		d.told = maxDumps
		d.env.note(fmt.Sprintf("--%s: %v", dumpFlag, err))
	case d.told == 1:
		d.env.note(fmt.Sprintf("rule %s: plugin %s failed; make the call again: %s plugin run %s --replay %s", f.Err.Rule, f.Err.Plugin, d.env.self, module, call))
	}
}

// keepModule writes a module, unless it is there.
func keepModule(path string, read func() ([]byte, error)) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	data, err := read()
	if err != nil {
		return err
	}
	return writeWhole(path, data, 0o600)
}

// beginning returns the part of a digest by which people tell things apart.
func beginning(digest string) string { return strings.TrimPrefix(digest, "sha256:")[:12] }
