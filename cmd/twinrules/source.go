package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/rules"
)

// That a hub and a snapshot fit the engine, for the compiler.
var (
	_ engine.Source              = (*hub.Client)(nil)
	_ engine.Writer              = (*hub.Client)(nil)
	_ engine.ConfigurationWriter = (*hub.Client)(nil)
	_ engine.Source              = (*snapshot.Snapshot)(nil)
	_ engine.Recording           = recording{}
)

// A recording is a snapshot of twins as the hub writes them.
type recording struct{ *snapshot.Snapshot }

// Blocks yields its twins as text.
func (r recording) Blocks(ctx context.Context) iter.Seq2[engine.Block, error] {
	return func(yield func(engine.Block, error) bool) {
		for b, err := range r.Snapshot.Blocks(ctx) {
			if !yield(b, err) {
				return
			}
		}
	}
}

// sourceOf returns a snapshot as what the engine reads fastest.
func sourceOf(s *snapshot.Snapshot) engine.Source {
	if s.Whole() {
		return recording{s}
	}
	return s
}

// sourceFlags are the flags of every command that reads a fleet.
type sourceFlags struct {
	signInFlags
	snapshot string
	demo     bool
	now      string
}

func (f *sourceFlags) add(cmd *cobra.Command) {
	f.signInFlags.add(cmd, false)
	flags := cmd.Flags()
	flags.StringVar(&f.snapshot, "snapshot", "", "read this recorded fleet")
	flags.BoolVar(&f.demo, "demo", false, "read the embedded emulator with its sample fleet")
	flags.StringVar(&f.now, "now", "", "the time that rules see as now (default: the snapshot's, else the present)")
	cmd.MarkFlagsMutuallyExclusive("hub", "snapshot", "demo")
}

// A fleet is an opened source.
type fleet struct {
	engine.Source
	writer   engine.Writer // nil for a snapshot
	hub      string        // host name, "" when it is not known
	now      time.Time     // what rules see as now
	complete bool
	size     int        // twins, when that is known; else 0
	pacer    *hub.Pacer // of a hub; else nil
	close    func() error
}

// Close frees what the source holds.
func (f *fleet) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

func (f *fleet) moment() rules.Moment { return rules.Moment{Now: f.now, Hub: f.hub} }

// open opens the source that the flags name.
func (f *sourceFlags) open(ctx context.Context, env *environment, state *stateFlags) (*fleet, error) {
	opened, err := f.source(ctx, env, state)
	if err != nil || f.now == "" {
		return opened, err
	}
	if opened.now, err = time.Parse(time.RFC3339, f.now); err != nil {
		return nil, usagef("--now: %q is not a time such as 2026-11-21T06:00:00Z", f.now)
	}
	return opened, nil
}

func (f *sourceFlags) source(ctx context.Context, env *environment, state *stateFlags) (*fleet, error) {
	switch {
	case f.snapshot != "":
		return openSnapshot(env, f.snapshot)
	case f.demo:
		return openDemo(ctx, env, state)
	case f.hub != "", f.usesKey():
		return f.openHub(env)
	}
	return nil, usagef("which fleet? give --hub HOST, --snapshot FILE or --demo")
}

func openSnapshot(env *environment, path string) (*fleet, error) {
	s, err := snapshot.Open(path)
	if err != nil {
		return nil, err
	}
	f := &fleet{Source: sourceOf(s), hub: s.Hub, now: s.TakenAt, complete: s.Complete, size: s.Header.Twins}
	if f.now.IsZero() {
		fmt.Fprintf(env.stderr, "twinrules: %s does not say when it was taken; rules see the present as now (set it with --now)\n", path)
		f.now = env.now().UTC()
	}
	return f, nil
}

func (f *sourceFlags) openHub(env *environment) (*fleet, error) {
	client, err := f.client(env)
	if err != nil {
		return nil, err
	}
	return &fleet{Source: client, writer: client, hub: client.Host(), now: env.now().UTC(), complete: true, pacer: client.Pacer()}, nil
}
