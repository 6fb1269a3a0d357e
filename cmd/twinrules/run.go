package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
)

func newRun(env *environment) *cobra.Command {
	var (
		source  sourceFlags
		state   stateFlags
		how     planFlags
		workers int
	)
	cmd := &cobra.Command{
		Use:   "run [PACK]",
		Short: "One scheduled pass: plan, guard, write, and exit",
		Long: `run is what a CronJob, a Container Apps job or a systemd timer calls: it takes the hub's lock, plans the
pack, and applies the plan unless a limit or a conflict is in the way. Outside the window of the pack's
schedule it plans and writes nothing.`,
		Example: "  twinrules run rules/ --hub contoso.azure-devices.net --credential workload-identity",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if source.snapshot != "" {
				return usagef("a snapshot cannot be changed: give --hub HOST or --demo")
			}
			return env.with(cmd.Context(), args, &source, &state, func(program *compiled, fleet *fleet) error {
				return env.lockedPass(cmd.Context(), program, fleet, &state, how, workers)
			})
		},
	}
	source.add(cmd)
	state.add(cmd)
	how.add(cmd)
	how.addRead(cmd)
	cmd.Flags().IntVar(&workers, "writes", writesAtOnce, "writes at once")
	return cmd
}

// lockedPass runs one pass under the hub's lock and prints it.
func (env *environment) lockedPass(ctx context.Context, program *compiled, fleet *fleet, state *stateFlags, how planFlags, workers int) error {
	lock, err := state.lock(env, fleet.hub)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	p, err := env.pass(ctx, program, fleet, state, how, workers)
	if p == nil {
		return err
	}
	defer p.plan.Close()
	return env.finish(ctx, p, err)
}

// A pass is one scheduled pass of a pack.
type pass struct {
	plan    *engine.Plan
	receipt *engine.Receipt // nil when nothing was to be written, or could not be
	folder  string
	closed  *engine.Window // outside of which the pass ran, so that nothing was written; else nil
}

// pass plans and applies, with the hub's lock held by the caller.
func (env *environment) pass(ctx context.Context, program *compiled, fleet *fleet, state *stateFlags, how planFlags, workers int) (*pass, error) {
	window, err := engine.NewWindow(program.Pack.Schedule)
	if err != nil {
		return nil, err
	}
	plan, err := env.observe(ctx, program, fleet, state, how)
	if err != nil {
		return nil, err
	}
	p := &pass{plan: plan}
	if !window.Open(env.now()) {
		p.closed = window
		return p, nil
	}
	if plan.Obstacle() != "" || plan.Empty() {
		return p, nil
	}
	p.receipt, p.folder, err = env.applyPlan(ctx, plan, fleet, state, workers)
	return p, err
}

// closed says that nothing was written, and when something may be.
func (env *environment) closed(w *engine.Window) string {
	text := "Nothing was written: the pack's window is closed (" + w.String() + ")"
	if at, ok := w.Turns(env.now()); ok {
		text += "; it opens at " + at.UTC().Format(time.RFC3339)
	}
	return text + "."
}

// finish prints a pass, which may have ended with an error, and turns it into an
// exit code.
func (env *environment) finish(ctx context.Context, p *pass, err error) error {
	if err := report.Text.Plan(env.stdout, p.plan, &report.Options{Color: env.color(), Width: env.width}); err != nil {
		return err
	}
	if p.receipt != nil || p.closed != nil {
		fmt.Fprintln(env.stdout)
	}
	if p.closed != nil {
		fmt.Fprintln(env.stdout, env.closed(p.closed))
	}
	return env.applied(ctx, p, err)
}
