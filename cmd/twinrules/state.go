package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/journal"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// stateFlags name where journals, locks and plans are kept.
type stateFlags struct{ dir string }

func (f *stateFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "state", "", "folder of journals and locks (default $XDG_STATE_HOME/twinrules or ~/.local/state/twinrules)")
}

// folder returns a folder of the state, which it makes for this user alone.
func (f *stateFlags) folder(env *environment, names ...string) (string, error) {
	dir, err := f.root(env)
	if err != nil {
		return "", err
	}
	dir = filepath.Join(append([]string{dir}, names...)...)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make state folder: %w", err)
	}
	return dir, nil
}

func (f *stateFlags) root(env *environment) (string, error) {
	if f.dir != "" {
		return f.dir, nil
	}
	if dir, ok := env.lookup("XDG_STATE_HOME"); ok && filepath.IsAbs(dir) {
		return filepath.Join(dir, "twinrules"), nil
	}
	home, ok := env.lookup("HOME")
	if !ok || home == "" {
		return "", usagef("there is no home folder to keep the state in: give --state DIR")
	}
	return filepath.Join(home, ".local", "state", "twinrules"), nil
}

var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// errLocked says that another process writes to the hub.
var errLocked = errors.New("another twinrules writes to this hub: wait for it, or stop it")

// lock takes the lock of a hub, which every command that writes holds. The
// caller releases it.
func (f *stateFlags) lock(env *environment, hub string) (*flock.Flock, error) {
	dir, err := f.folder(env, "locks")
	if err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(dir, unsafeInName.ReplaceAllString(hub, "_")+".lock"), flock.SetPermissions(0o600))
	held, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", l.Path(), err)
	}
	if !held {
		return nil, &exitError{exitGuard, fmt.Errorf("%w (%s)", errLocked, l.Path())}
	}
	return l, nil
}

// remembered is what the state folder knows that a plan depends on.
type remembered struct {
	memory      rules.Memory
	populations map[string]int
	path        string // of the populations
}

// remember reads what earlier runs left of a pack on a hub.
func (f *stateFlags) remember(env *environment, hub string, pack *rules.Pack) (*remembered, error) {
	runs, err := f.folder(env, "runs")
	if err != nil {
		return nil, err
	}
	populations, err := f.folder(env, "populations")
	if err != nil {
		return nil, err
	}
	r := &remembered{path: filepath.Join(populations, unsafeInName.ReplaceAllString(hub, "_")+"_"+pack.Name+".json")}
	if r.memory, err = journal.Remember(runs, hub, journal.Restoring(pack)); err != nil {
		return nil, err
	}
	r.populations, err = journal.Populations(r.path, hub, pack)
	return r, err
}

// runName is what the folder of a plan's run is called.
func runName(digest string) string { return strings.TrimPrefix(digest, "sha256:")[:16] }

// finished reports whether the journal of a plan knows how each of its changes ended.
// What cannot be read does not say so: who opens the run finds out why.
func (f *stateFlags) finished(env *environment, p *engine.Plan) bool {
	root, err := f.root(env)
	if err != nil {
		return false
	}
	digest, err := p.Digest()
	if err != nil {
		return false
	}
	run, err := journal.Read(filepath.Join(root, "runs", runName(digest)))
	return err == nil && run.Plan == digest && endedAll(run.Outcomes, p)
}

// endedAll reports whether outcomes say of each of a plan's changes how it ended.
func endedAll(outcomes []engine.Outcome, p *engine.Plan) bool {
	ended := map[twin.Ref]bool{}
	for _, o := range outcomes {
		ended[o.Ref] = o.Status != engine.InDoubt
	}
	for c, err := range p.Changes.All() {
		if err != nil || !ended[c.Ref] {
			return false
		}
	}
	return !slices.ContainsFunc(p.Configurations, func(c engine.ConfigurationChange) bool {
		return !ended[twin.Ref{Configuration: c.ID}]
	})
}

// openRun opens the folder of a plan's run: the plan itself and its journal.
func (f *stateFlags) openRun(env *environment, p *engine.Plan) (*journal.Journal, string, error) {
	digest, err := p.Digest()
	if err != nil {
		return nil, "", err
	}
	dir, err := f.folder(env, "runs", runName(digest))
	if err != nil {
		return nil, "", err
	}
	if err := savePlan(filepath.Join(dir, journal.PlanName), p); err != nil {
		return nil, "", err
	}
	j, err := journal.Open(dir, journal.Begin{Plan: digest, Hub: p.Hub, At: env.now().UTC()})
	return j, dir, err
}

// savePlan writes a plan in one step: a reader finds it whole or not at all.
func savePlan(path string, p *engine.Plan) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".plan-*")
	if err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	defer os.Remove(f.Name()) // does nothing once it has been renamed
	if err := errors.Join(engine.WritePlan(f, p), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write plan %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

// loadPlan reads a plan's file.
func loadPlan(path string) (*engine.Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := engine.ReadPlan(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}
