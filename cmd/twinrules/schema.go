package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/rules"
)

func newSchema(env *environment) *cobra.Command {
	var write string
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of packs, for editors",
		Long: `schema prints the JSON Schema (draft-07) of a pack's files. An editor with the YAML language server completes
keys by it, explains them and underlines what is wrong, when a file begins with
  ` + rules.Modeline + `
check is stricter: it knows expressions, and what one part of a pack says about another.`,
		Example: "  twinrules schema --write rules/",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if write == "" {
				_, err := env.stdout.Write(rules.Schema())
				return err
			}
			path := filepath.Join(write, rules.SchemaFile)
			if err := os.WriteFile(path, rules.Schema(), 0o644); err != nil {
				return fmt.Errorf("write the schema: %w", err)
			}
			_, err := fmt.Fprintln(env.stdout, path)
			return err
		},
	}
	cmd.Flags().StringVar(&write, "write", "", "write it into this folder as "+rules.SchemaFile)
	return cmd
}
