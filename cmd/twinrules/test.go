package main

import (
	"context"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/rules"
)

// testFlags are the flags of test.
type testFlags struct {
	format   string
	run      string
	least    int
	mutate   bool
	mutation rules.MutationOptions
	verbose  bool
}

func newTest(env *environment) *cobra.Command {
	var f testFlags
	cmd := &cobra.Command{
		Use:     "test [PACK]",
		Short:   "Run the tests of a pack, and say what they do not see",
		Example: "  twinrules test rules/\n  twinrules test rules/ -o junit --coverage-min 80\n  twinrules test rules/ --mutate",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.test(cmd.Context(), packPath(args), &f)
		},
	}
	flags := cmd.Flags()
	var names []string
	for _, format := range report.TestFormats {
		names = append(names, format.Name)
	}
	flags.StringVarP(&f.format, "output", "o", "text", "format of the result: "+strings.Join(names, ", "))
	flags.StringVar(&f.run, "run", "", `run only the tests whose "rule: name" matches this regular expression`)
	flags.IntVar(&f.least, "coverage-min", 0, "fail when the tests see less than this percentage of the rules, or of the outcomes of conditions")
	flags.BoolVar(&f.mutate, "mutate", false, "put small mistakes into the rules, one at a time, and list those that no test notices")
	flags.IntVar(&f.mutation.Most, "mutants", 1000, "how many mistakes to try; of more, a sample")
	flags.Uint64Var(&f.mutation.Seed, "seed", 1, "says which, where there are more")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show the tests that passed, too, and what they do not see of selectors")
	return cmd
}

// test runs the tests of the pack at path and shows what became of them.
func (env *environment) test(ctx context.Context, path string, f *testFlags) error {
	format, err := report.FindTest(f.format)
	if err != nil {
		return usage(err)
	}
	wanted, err := regexp.Compile(f.run)
	if err != nil {
		return usagef("--run: %v", err)
	}
	program, err := openPack(ctx, path)
	if err != nil {
		return err
	}
	defer program.Close(ctx)
	tab, ctx, done := openTab(ctx, program.Pack)
	defer done()
	run := env.runTests(ctx, program, wanted, tab)
	if err := tab.err(); err != nil {
		return err
	}
	run.Verbose, run.Partial = f.verbose, f.run != ""
	snapshots, err := env.testSnapshots(ctx, program, path, wanted, tab)
	if err != nil {
		return err
	}
	run.Cases = append(run.Cases, snapshots...)
	if f.mutate && run.Failed() == 0 {
		if tab.bill != nil {
			f.mutation.Workers = 1 // the tab is for one at a time, and what it says of more is not always the same
		}
		run.Mutation = program.Mutate(ctx, env.testMoment(tab), &f.mutation)
	}
	if err := tab.err(); err != nil {
		return err
	}
	if err := format.Write(env.stdout, run); err != nil {
		return err
	}
	return env.testExit(run, f)
}

func (env *environment) testExit(run *report.TestRun, f *testFlags) error {
	switch {
	case run.Failed() > 0:
		return quiet(exitFailed)
	case len(run.Cases) == 0 && f.run != "":
		return usagef("--run: no test matches %q", f.run)
	case run.Coverage() < f.least:
		return &exitError{exitFailed, coverageError{run.Coverage(), f.least}}
	}
	return nil
}

// testMoment is when tests run that do not say when.
func (env *environment) testMoment(tab *fuelTab) rules.Moment {
	return rules.Moment{Now: env.now().UTC(), Bill: tab.bill}
}

// runTests runs the tests that stand beside the rules.
func (env *environment) runTests(ctx context.Context, program *compiled, wanted *regexp.Regexp, tab *fuelTab) *report.TestRun {
	at := env.testMoment(tab)
	run := &report.TestRun{Pack: program.Pack.Name, Rules: len(program.Pack.Rules)}
	var results []rules.CaseResult
	tested := map[*rules.Rule]bool{}
	for _, r := range program.Test(ctx, at) {
		if !wanted.MatchString(r.Rule.ID + ": " + r.Case.Name) {
			continue
		}
		results = append(results, r)
		tested[r.Rule] = true
		c := report.TestCase{Rule: r.Rule.ID, Name: r.Case.Name, Pos: r.Case.Pos, Problem: r.Problem}
		if r.Problem != "" {
			c.Detail = mismatchLines(r, program.Trace(ctx, at, r))
		}
		run.Cases = append(run.Cases, c)
	}
	for _, r := range program.Pack.Rules {
		if !tested[r] {
			run.Untested = append(run.Untested, r)
		}
	}
	run.Branches = program.Cover(ctx, at, results)
	return run
}

// mismatchLines shows what differs, place by place, and why the rule came to
// what it wants.
func mismatchLines(r rules.CaseResult, why rules.Explanation) []string {
	var b strings.Builder
	for _, m := range r.Mismatches() {
		if m.HasWanted {
			b.WriteString("      - " + m.Place + "   " + valueText(m.Wanted) + "\n")
		}
		if m.HasGot {
			b.WriteString("      + " + m.Place + "   " + valueText(m.Got) + "\n")
		}
	}
	writeWhy(&b, why)
	if r.Case.Gate != "" {
		writeGate(&b, why.Standing)
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}
