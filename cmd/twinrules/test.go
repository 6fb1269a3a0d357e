package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/rules"
)

func newTest(env *environment) *cobra.Command {
	var verbose bool
	cmd := &cobra.Command{
		Use:     "test [PACK]",
		Short:   "Run the tests that stand beside the rules of a pack",
		Example: "  twinrules test rules/",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			program, err := openPack(cmd.Context(), packPath(args))
			if err != nil {
				return err
			}
			defer program.Close(cmd.Context())
			results := program.Test(cmd.Context(), rules.Moment{Now: env.now().UTC()})
			return writeResults(env.stdout, program.Pack, results, verbose)
		},
	}
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "show the tests that passed, too")
	return cmd
}

func writeResults(w io.Writer, pack *rules.Pack, results []rules.CaseResult, verbose bool) error {
	failed := 0
	tested := map[string]bool{}
	for _, r := range results {
		tested[r.Rule.ID] = true
		switch {
		case r.Problem != "":
			failed++
			fmt.Fprintf(w, "FAIL  %s: %s\n      %s\n      %s\n", r.Rule.ID, rules.Excerpt(r.Case.Name, 120), r.Case.Pos, rules.Excerpt(r.Problem, 1000))
		case verbose:
			fmt.Fprintf(w, "ok    %s: %s\n", r.Rule.ID, rules.Excerpt(r.Case.Name, 120))
		}
	}
	for _, r := range pack.Rules {
		if !tested[r.ID] {
			fmt.Fprintf(w, "note  rule %s has no test (%s)\n", r.ID, r.Pos)
		}
	}
	fmt.Fprintf(w, "%s: %d passed, %d failed, %d of %s tested\n", pack.Name, len(results)-failed, failed, len(tested), plural(len(pack.Rules), "rule"))
	if failed > 0 {
		return quiet(exitFailed)
	}
	return nil
}
