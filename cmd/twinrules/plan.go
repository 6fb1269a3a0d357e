package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/rules"
)

// planFlags say how a plan is computed.
type planFlags struct {
	workers int
	audit   bool
	read    breadth
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
		queries  bool
		estimate estimateFlags
	)
	cmd := &cobra.Command{
		Use:     "plan [PACK]",
		Short:   "Show what a pack would change, and change nothing",
		Example: "  twinrules plan --demo\n  twinrules plan rules/ --snapshot fleet.ndjson.zst --out plan.twp\n  twinrules plan rules/ --read narrowed --explain-query\n  twinrules plan rules/ --hub contoso.azure-devices.net --tier S1 --units 2 --estimate",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if queries {
				return env.explainQueries(cmd.Context(), args, &source, how, &output)
			}
			if estimate.on {
				return env.estimatePlan(cmd.Context(), args, &source, &state, &estimate, &output)
			}
			if err := estimate.unused(); err != nil {
				return err
			}
			p, err := env.computePlan(cmd.Context(), args, &source, &state, how)
			if err != nil {
				return err
			}
			defer p.Close()
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
	how.addRead(cmd)
	estimate.add(cmd)
	cmd.Flags().BoolVar(&queries, "explain-query", false, "read nothing, and show what the hub would be asked on behalf of each rule, and what not (text or json)")
	cmd.Flags().StringVar(&out, "out", "", "write the plan to this file, for apply")
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 when there are changes")
	cmd.MarkFlagsMutuallyExclusive("estimate", "explain-query")
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

// obstacleExit turns what stands in a plan that was to be written into an exit
// code. That a rule goes in waves is no mistake of the plan's, and so nothing but
// the attempt to write it says it.
func obstacleExit(p *engine.Plan) error {
	s := p.Summary()
	if len(p.Staged()) == 0 || s.Conflicts > 0 || s.Breaches > 0 {
		return planExit(p, false)
	}
	return &exitError{exitGuard, errors.New(stagedText(p.Staged()))}
}

// stagedText says why rules that go in waves keep a plan from being written, and
// what to do.
func stagedText(staged []engine.RuleCount) string {
	r := staged[0]
	text := fmt.Sprintf("%s:%d: nothing was written: rule %s goes in waves, which this version plans and does not write, and to write %s at once is what its rollout forbids",
		r.File, r.Line, r.Rule, plural(r.Changed, "twin"))
	for _, other := range staged[1:] {
		text += fmt.Sprintf("; so does %s at %s:%d", other.Rule, other.File, other.Line)
	}
	return text + "; to write what other rules want, set mode: audit on it"
}

// computePlan opens pack and fleet and computes the plan.
func (env *environment) computePlan(ctx context.Context, args []string, source *sourceFlags, state *stateFlags, how planFlags) (p *engine.Plan, err error) {
	err = env.with(ctx, args, source, state, func(program *compiled, fleet *fleet) error {
		p, _, err = env.evaluateWith(ctx, program, fleet, state, how)
		return err
	})
	return p, err
}

// with opens the pack that args name, the demo's when --demo stands alone, and
// the fleet that the flags name, and calls do.
func (env *environment) with(ctx context.Context, args []string, source *sourceFlags, state *stateFlags, do func(*compiled, *fleet) error) (err error) {
	program, err := openNamed(ctx, args, source.demo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, program.Close(ctx)) }()
	fleet, err := source.open(ctx, env, state)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fleet.Close()) }()
	return do(program, fleet)
}

// openNamed opens the pack that args name.
func openNamed(ctx context.Context, args []string, demo bool) (*compiled, error) {
	if len(args) == 0 && demo {
		return openDemoPack(ctx)
	}
	return openPack(ctx, packPath(args))
}

// evaluateWith computes the plan for a hub with what the state folder remembers
// of it. The plan of a snapshot is the same everywhere, and so depends on no
// state.
func (env *environment) evaluateWith(ctx context.Context, program *compiled, fleet *fleet, state *stateFlags, how planFlags) (*engine.Plan, *remembered, error) {
	if fleet.writer == nil {
		plan, err := env.evaluate(ctx, program, fleet, how, &remembered{})
		return plan, nil, err
	}
	past, err := state.remember(env, fleet.hub, program.Pack)
	if err != nil {
		return nil, nil, err
	}
	plan, err := env.evaluate(ctx, program, fleet, how, past)
	return plan, past, err
}

func (env *environment) evaluate(ctx context.Context, program *compiled, fleet *fleet, how planFlags, past *remembered) (*engine.Plan, error) {
	moment := fleet.moment()
	moment.Memory = past.memory
	bar := env.startProgress("twins read", fleet.size)
	defer bar.end()
	plan, err := engine.Evaluate(ctx, program.Program, counting(fleet.Source), &engine.Options{
		Scratch: os.TempDir(), Workers: how.workers, Audit: how.audit, Read: rules.Breadth(how.read), Moment: moment, Incomplete: !fleet.complete, Populations: past.populations,
		Tool: version(), Progress: bar.set, Fuel: placeOf(ctx).budget,
	})
	if errors.Is(err, engine.ErrScratch) {
		err = fmt.Errorf("%w; set %s to a folder with more room", err, temporaryFolder())
	}
	return plan, err
}

// temporaryFolder is the variable that [os.TempDir] reads.
func temporaryFolder() string {
	if runtime.GOOS == "windows" {
		return "TMP"
	}
	return "TMPDIR"
}
