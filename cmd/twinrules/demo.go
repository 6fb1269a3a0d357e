package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	examples "github.com/twinrules/twinrules/examples/rules"
	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/snapshot"
)

// demoHub is the name that the demo's hub goes by.
const demoHub = "demo.azure-devices.net"

func newDemo(env *environment) *cobra.Command {
	var (
		state stateFlags
		reset bool
	)
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Print a real plan from an embedded hub and its sample fleet; no account needed",
		Long: `demo starts the hub emulator on loopback with a sample fleet, signs in at its authority with a real token,
reads the fleet through the hub's API, and prints what the pack of examples/rules/cold-chain would change.
What --demo commands change is kept in the state folder until demo --reset.`,
		Example: "  twinrules demo",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if reset {
				if err := resetDemo(env, &state); err != nil {
					return err
				}
			}
			fmt.Fprintln(env.stderr, "twinrules: starting an emulated hub with its sample fleet; nothing leaves this machine")
			plan, err := env.computePlan(ctx, nil, &sourceFlags{demo: true}, &state, planFlags{})
			if err != nil {
				return err
			}
			defer plan.Close()
			if err := (&outputFlags{format: "text"}).write(env, planAs(plan)); err != nil {
				return err
			}
			device := "reefer-0001"
			for c, err := range plan.Changes.All() {
				if err != nil {
					return err
				}
				device = c.Ref.Device
				break
			}
			env.printNext(device, &state)
			return nil
		},
	}
	state.add(cmd)
	cmd.Flags().BoolVar(&reset, "reset", false, "begin again with the fleet as it was")
	return cmd
}

// printNext says what to try, with commands that work as they are printed.
func (env *environment) printNext(device string, state *stateFlags) {
	flag := ""
	if state.dir != "" {
		flag = " --state " + state.dir
	}
	fmt.Fprintf(env.stdout, "\nNothing was written. Next:\n")
	for _, next := range [][2]string{
		{"explain " + device + " --demo", "why does this device get that value?"},
		{"apply --demo --yes", "write it, each twin under its etag"},
		{"plan --demo", "then nothing is left to do"},
	} {
		fmt.Fprintf(env.stdout, "  %-*s  # %s\n", len(env.self+flag)+27, env.self+" "+next[0]+flag, next[1])
	}
}

// openDemoPack opens the pack of the demo.
func openDemoPack(ctx context.Context) (*compiled, error) {
	fsys, err := fs.Sub(examples.ColdChain, "cold-chain")
	if err != nil {
		return nil, err
	}
	return compile(ctx, fsys)
}

// demoFleet returns the file that holds the demo's fleet, which it makes from
// the sample when there is none.
func demoFleet(env *environment, state *stateFlags) (string, error) {
	dir, err := state.folder(env, "demo")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "fleet.ndjson.zst")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	data, err := fs.ReadFile(examples.ColdChain, "cold-chain/fleet.ndjson.zst")
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(path, data, 0o600)
}

func resetDemo(env *environment, state *stateFlags) error {
	dir, err := state.folder(env, "demo")
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, "fleet.ndjson.zst")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// openDemo starts the emulator and opens it as any hub is opened: over TLS, with
// a token.
func openDemo(ctx context.Context, env *environment, state *stateFlags) (*fleet, error) {
	path, err := demoFleet(env, state)
	if err != nil {
		return nil, err
	}
	s, e, err := startDemo(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("%w; begin again with demo --reset", err)
	}
	client, err := demoClient(e)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return &fleet{
		Source: client, writer: client, hub: demoHub, now: env.now().UTC(), complete: true, size: s.Header.Twins,
		close: func() error { return errors.Join(keepDemo(e, path, s), e.Close()) },
	}, nil
}

// startDemo starts an emulator of the fleet at path.
func startDemo(ctx context.Context, path string) (*snapshot.Snapshot, *emulator.Emulator, error) {
	s, err := snapshot.Open(path)
	if err != nil {
		return nil, nil, err
	}
	o := &emulator.Options{HubName: demoHub, Seed: rand.Uint64()}
	if err := seedFrom(ctx, o, s); err != nil {
		return nil, nil, err
	}
	e, err := emulator.Start(context.WithoutCancel(ctx), o)
	return s, e, err
}

func demoClient(e *emulator.Emulator) (*hub.Client, error) {
	secret := func(string) (string, bool) { return e.Secret(), true }
	cred, err := credential.New(credential.Config{
		Kinds: []string{credential.ClientSecret.Name}, TenantID: e.Tenant(), ClientID: e.Client(),
		Authority: e.Authority(), RootCAs: e.CertPool(),
	}, secret)
	if err != nil {
		return nil, err
	}
	return hub.NewClient(e.HubAddr(), cred, &hub.ClientOptions{RootCAs: e.CertPool()})
}

// keepDemo writes the fleet back when the command has changed it.
func keepDemo(e *emulator.Emulator, path string, s *snapshot.Snapshot) error {
	if !slices.ContainsFunc(e.Requests(), func(r emulator.Request) bool { return r.Method == "PATCH" || r.Method == "PUT" || r.Method == "DELETE" }) {
		return nil
	}
	r, err := snapshot.Create(path, demoHub, s.TakenAt, s.Queries)
	if err != nil {
		return err
	}
	for t := range e.Twins() {
		if err := r.Twin(t); err != nil {
			return errors.Join(err, r.Abort())
		}
	}
	for _, c := range e.Configurations() {
		if err := r.Configuration(c); err != nil {
			return errors.Join(err, r.Abort())
		}
	}
	_, err = r.Finish(true)
	return err
}
