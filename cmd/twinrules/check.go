package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newCheck(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:     "check [PACK]",
		Short:   "Show every mistake in a pack, at its place",
		Example: "  twinrules check rules/",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			program, err := openPack(cmd.Context(), packPath(args))
			if err != nil {
				return err
			}
			defer program.Close(cmd.Context())
			_, err = fmt.Fprintf(env.stdout, "%s: %s, no mistakes\n", program.Pack.Name, plural(len(program.Pack.Rules), "rule"))
			return err
		},
	}
}
