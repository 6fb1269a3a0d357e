package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
)

// planFlags say how a plan is computed.
type planFlags struct {
	workers int
	audit   bool
}

func (f *planFlags) add(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.workers, "workers", 0, "twins judged at once (default: one for each processor)")
	cmd.Flags().BoolVar(&f.audit, "audit", false, "run every rule in mode audit: report, and write nothing")
}

func newPlan(env *environment) *cobra.Command {
	var (
		source   sourceFlags
		state    stateFlags
		output   outputFlags
		how      planFlags
		out      string
		detailed bool
	)
	cmd := &cobra.Command{
		Use:     "plan [PACK]",
		Short:   "Show what a pack would change, and change nothing",
		Example: "  twinrules plan --demo\n  twinrules plan rules/ --snapshot fleet.ndjson.zst --out plan.twp",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := env.computePlan(cmd.Context(), packPath(args), len(args) == 0, &source, &state, how)
			if err != nil {
				return err
			}
			if out != "" {
				if err := savePlan(out, p); err != nil {
					return err
				}
			}
			if err := output.write(env, planAs(p)); err != nil {
				return err
			}
			return planExit(p, detailed)
		},
	}
	source.add(cmd)
	state.add(cmd)
	output.add(cmd)
	how.add(cmd)
	cmd.Flags().StringVar(&out, "out", "", "write the plan to this file, for apply")
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 when there are changes")
	return cmd
}

func planAs(p *engine.Plan) func(*report.Format, io.Writer, *report.Options) error {
	return func(f *report.Format, w io.Writer, o *report.Options) error { return f.Plan(w, p, o) }
}

// planExit turns what stands in a plan into an exit code.
func planExit(p *engine.Plan, detailed bool) error {
	s := p.Summary()
	switch {
	case s.Conflicts > 0:
		return quiet(exitFailed)
	case s.Breaches > 0:
		return quiet(exitGuard)
	case s.Errors > 0 || !p.Fleet.Complete:
		return quiet(exitPartial)
	case detailed && !p.Empty():
		return quiet(exitChanges)
	}
	return nil
}

// computePlan opens pack and source and computes the plan. With --demo and no
// pack named it takes the pack of the demo.
func (env *environment) computePlan(ctx context.Context, pack string, unnamed bool, source *sourceFlags, state *stateFlags, how planFlags) (*engine.Plan, error) {
	program, err := env.openNamed(ctx, pack, unnamed && source.demo)
	if err != nil {
		return nil, err
	}
	defer program.Close(ctx)
	fleet, err := source.open(ctx, env, state)
	if err != nil {
		return nil, err
	}
	defer fleet.Close()
	return env.evaluate(ctx, program, fleet, how)
}

// openNamed opens the pack at path, or the demo's.
func (env *environment) openNamed(ctx context.Context, path string, demo bool) (*compiled, error) {
	if demo {
		return openDemoPack(ctx)
	}
	return openPack(ctx, path)
}

func (env *environment) evaluate(ctx context.Context, program *compiled, fleet *fleet, how planFlags) (*engine.Plan, error) {
	bar := env.startProgress("twins read", fleet.size)
	defer bar.end()
	return engine.Evaluate(ctx, program.Program, fleet, &engine.Options{
		Workers: how.workers, Audit: how.audit, Moment: fleet.moment(), Incomplete: !fleet.complete,
		Tool: version(), Progress: bar.set,
	})
}
