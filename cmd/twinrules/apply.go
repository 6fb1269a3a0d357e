package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/journal"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/rules"
)

// writesAtOnce is how many twins are written at once when nobody says.
const writesAtOnce = 8

func newApply(env *environment) *cobra.Command {
	var (
		source  sourceFlags
		state   stateFlags
		how     planFlags
		yes     bool
		workers int
	)
	cmd := &cobra.Command{
		Use:   "apply [PLAN|PACK]",
		Short: "Make the changes of a plan, and only those",
		Long: `apply makes the changes of a plan that plan --out wrote, or plans a pack, shows the plan and asks.

Every write is sent under the etag that its change was computed from. A twin that somebody else changed
at the same place is skipped and named. Each intent is in the journal before a byte is sent: an apply that
was killed goes on where it was when it is called again with the same plan.`,
		Example: "  twinrules apply plan.twp --hub contoso.azure-devices.net --yes",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.apply(cmd.Context(), args, &source, &state, how, yes, workers)
		},
	}
	source.add(cmd)
	state.add(cmd)
	how.add(cmd)
	how.addRead(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().IntVar(&workers, "writes", writesAtOnce, "writes at once")
	return cmd
}

func (env *environment) apply(ctx context.Context, args []string, source *sourceFlags, state *stateFlags, how planFlags, yes bool, workers int) error {
	if source.snapshot != "" {
		return usagef("a snapshot cannot be changed: give --hub HOST or --demo")
	}
	if !yes && !env.stdinTerminal {
		return usagef("stdin is no terminal to ask at: give --yes to apply without being asked")
	}
	plan, err := planOf(args)
	if err != nil {
		return err
	}
	if plan != nil && source.hub == "" && !source.demo {
		source.hub = plan.Hub
	}
	fleet, err := source.open(ctx, env, state)
	if err != nil {
		return err
	}
	defer fleet.Close()
	if plan == nil {
		if plan, err = env.planToApply(ctx, args, source, fleet, state, how); err != nil {
			return err
		}
	}
	defer plan.Close()
	if plan.Hub != fleet.hub {
		return &exitError{exitGuard, fmt.Errorf("the plan is for %q, and this is %q: plan again", plan.Hub, fleet.hub)}
	}
	if !plan.Empty() && plan.Obstacle() == "" && state.finished(env, plan) {
		fmt.Fprintln(env.stdout, "All of this plan ended in an earlier run, nothing is sent: plan again to see what the rules say now.")
		return env.write(ctx, plan, fleet, state, workers)
	}
	if err := report.Text.Plan(env.stdout, plan, &report.Options{Color: env.color(), Width: env.width}); err != nil {
		return err
	}
	if plan.Obstacle() != "" {
		return obstacleExit(plan)
	}
	if plan.Empty() {
		return planExit(plan, false)
	}
	env.foretell(plan, fleet)
	if !yes && !env.confirm(plan) {
		return errors.New("nothing was written")
	}
	return env.write(ctx, plan, fleet, state, workers)
}

// planOf reads the plan that args name; nil when they name a pack.
func planOf(args []string) (*engine.Plan, error) {
	path := packPath(args)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() || strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml") {
		return nil, nil
	}
	return loadPlan(path)
}

func (env *environment) planToApply(ctx context.Context, args []string, source *sourceFlags, fleet *fleet, state *stateFlags, how planFlags) (*engine.Plan, error) {
	program, err := openNamed(ctx, args, source.demo)
	if err != nil {
		return nil, err
	}
	defer program.Close(ctx)
	return env.observe(ctx, program, fleet, state, how)
}

// observe computes a plan that is to be applied, and notes how large the
// populations were.
func (env *environment) observe(ctx context.Context, program *compiled, fleet *fleet, state *stateFlags, how planFlags) (*engine.Plan, error) {
	plan, past, err := env.evaluateWith(ctx, program, fleet, state, how)
	if err != nil {
		return nil, err
	}
	if err := journal.SavePopulations(past.path, plan, program.Pack, past.populations); err != nil {
		return nil, errors.Join(err, plan.Close())
	}
	return plan, nil
}

// foretell says how long it will take to write a plan, when that is long enough
// to go and do something else.
func (env *environment) foretell(p *engine.Plan, f *fleet) {
	if f.pacer == nil {
		return
	}
	s := p.Summary()
	takes := max(f.pacer.Estimate(hub.TwinUpdates, s.Twins), f.pacer.Estimate(hub.ConfigurationOperations, s.Configurations))
	if takes < 10*time.Second {
		return
	}
	rate, per := f.pacer.Rate(hub.TwinUpdates)
	fmt.Fprintf(env.stderr, "\nWriting %s takes at least %s: the hub takes %d twin updates in %s, as far as is known (see --tier).\n",
		sizeOf(s), takes.Round(time.Second), rate, per)
}

// confirm asks; of a large plan it asks for its size.
func (env *environment) confirm(p *engine.Plan) bool {
	s := p.Summary()
	want, question := "yes", "yes"
	if s.Twins > 1000 {
		want = fmt.Sprint(s.Twins)
		question = "the number of twins"
	}
	fmt.Fprintf(env.stderr, "\nWrite %s in %s? Type %s: ", sizeOf(s), p.Hub, question)
	line, _ := bufio.NewReader(env.stdin).ReadString('\n')
	return strings.TrimSpace(line) == want
}

// sizeOf names what a plan writes.
func sizeOf(s engine.Summary) string {
	switch {
	case s.Configurations == 0:
		return plural(s.Twins, "twin")
	case s.Twins == 0:
		return plural(s.Configurations, "configuration")
	}
	return plural(s.Twins, "twin") + " and " + plural(s.Configurations, "configuration")
}

// write applies a plan under the hub's lock, with a journal, and says what came
// of it.
func (env *environment) write(ctx context.Context, plan *engine.Plan, fleet *fleet, state *stateFlags, workers int) error {
	lock, err := state.lock(env, fleet.hub)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	p := &pass{plan: plan}
	p.receipt, p.folder, err = env.applyPlan(ctx, plan, fleet, state, workers)
	return env.applied(ctx, p, err)
}

// applied prints the receipt of a pass and turns what came of it into an exit
// code.
func (env *environment) applied(ctx context.Context, p *pass, err error) error {
	if p.receipt != nil {
		env.printReceipt(p.receipt, p.folder)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		fmt.Fprintln(env.stderr, "twinrules: interrupted; call apply with the same plan to go on")
		return quiet(exitInterrupted)
	case err != nil && partial(err):
		return &exitError{exitPartial, err}
	case err != nil:
		return err
	case p.receipt != nil && !p.receipt.Complete():
		return quiet(exitPartial)
	}
	if p.closed != nil {
		return planExit(p.plan, false)
	}
	return obstacleExit(p.plan)
}

func (env *environment) applyPlan(ctx context.Context, plan *engine.Plan, fleet *fleet, state *stateFlags, workers int) (*engine.Receipt, string, error) {
	journal, folder, err := state.openRun(env, plan)
	if err != nil {
		return nil, "", err
	}
	defer journal.Close()
	bar := env.startProgress("twins written", plan.Changes.Len())
	defer bar.end()
	done := 0
	receipt, err := engine.Apply(ctx, plan, fleet.writer, journal, &engine.ApplyOptions{
		Workers: workers, Progress: func(engine.Outcome) { done++; bar.set(done) },
	})
	return receipt, folder, err
}

// printReceipt counts what came of the changes and names those that were not
// made.
func (env *environment) printReceipt(r *engine.Receipt, folder string) {
	const most = 20
	shown, moved, resumed := 0, 0, 0
	for _, o := range r.Outcomes {
		if o.Moved {
			moved++
		}
		if o.Resumed {
			resumed++
		}
		if o.Status == engine.Written || o.Status == engine.Converged {
			continue
		}
		if shown++; shown <= most {
			detail := strings.Replace(o.Detail, o.Ref.String()+": ", "", 1)
			fmt.Fprintf(env.stdout, "  %-9s %s: %s\n", o.Status, o.Ref, rules.Excerpt(detail, 300))
		}
	}
	if shown > most {
		fmt.Fprintf(env.stdout, "  and %d more\n", shown-most)
	}
	var counts []string
	for _, s := range []engine.Status{engine.Written, engine.Converged, engine.Changed, engine.Gone, engine.Rejected, engine.InDoubt} {
		if n := r.Count(s); n > 0 || s == engine.Written {
			counts = append(counts, fmt.Sprintf("%d %s", n, s))
		}
	}
	if r.Left > 0 {
		counts = append(counts, fmt.Sprintf("%d not tried", r.Left))
	}
	fmt.Fprintf(env.stdout, "\n%s.   journal %s\n", strings.Join(counts, ", "), folder)
	if resumed > 0 {
		fmt.Fprintf(env.stdout, "%d of these ended in an earlier run of this plan.\n", resumed)
	}
	if moved > 0 {
		fmt.Fprintf(env.stdout, "%s reported or changed elsewhere between plan and write: plan again to see what the rules say now.\n", plural(moved, "twin"))
	}
}
