package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/rules"
)

func newCheck(env *environment) *cobra.Command {
	var (
		fix    bool
		strict bool
		format string
	)
	cmd := &cobra.Command{
		Use:   "check [PACK]",
		Short: "Show every mistake in a pack, at its place",
		Long: `check shows every mistake in a pack, with its line and the next step. The code at the end of a message names
its entry in docs/codes.md. A warning is about a pack that does what it says, which may not be what is meant; with
--strict check fails on those, too. With -o junit each mistake is a test that failed, and a warning one that passed
and says so. With --fix it first writes anew what can only be meant in one way: expressions that YAML reads as
something else become blocks. It shows what it changed.`,
		Example: "  twinrules check rules/\n  twinrules check --fix rules/\n  twinrules check rules/ -o junit > check.xml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			show, err := findCheckFormat(format)
			if err != nil {
				return err
			}
			if fix {
				if err := env.fix(packPath(args)); err != nil {
					return err
				}
			}
			return show(cmd.Context(), env, packPath(args), strict)
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "put right what can only be meant in one way, and show it")
	cmd.Flags().BoolVar(&strict, "strict", false, "fail on warnings, too")
	cmd.Flags().StringVarP(&format, "output", "o", "text", "format of the result: text, json, junit")
	return cmd
}

// findCheckFormat returns what shows the result of check.
func findCheckFormat(name string) (func(context.Context, *environment, string, bool) error, error) {
	switch name {
	case "text":
		return checkText, nil
	case "json":
		return checkJSON, nil
	case "junit":
		return checkJUnit, nil
	}
	return nil, usagef("-o: %q is none of text, json, junit", name)
}

// checkText shows warnings, and leaves mistakes to be printed as those of every
// command.
func checkText(ctx context.Context, env *environment, path string, strict bool) error {
	pack, list, err := checkPack(ctx, path)
	if err != nil {
		return err
	}
	if failing(list, strict) {
		return list
	}
	summary := plural(len(pack.Rules), "rule") + ", no mistakes"
	if len(list) > 0 {
		writeDiagnostics(env.stderr, list)
		summary += ", " + plural(len(list), "warning")
	}
	_, err = fmt.Fprintf(env.stdout, "%s: %s\n", pack.Name, summary)
	return err
}

// failing reports whether what was found makes check fail.
func failing(list rules.Diagnostics, strict bool) bool {
	return len(list) > 0 && (strict || list.Warnings() < len(list))
}

// A mistake is a diagnostic in JSON; lines and columns count from 1.
type mistake struct {
	File    string     `json:"file"`
	Line    int        `json:"line"`
	Column  int        `json:"column"`
	Width   int        `json:"width"`
	Code    rules.Code `json:"code"`
	Level   string     `json:"level"` // "mistake" or "warning"
	Message string     `json:"message"`
	Hint    string     `json:"hint,omitempty"`
}

func checkJSON(ctx context.Context, env *environment, path string, strict bool) error {
	_, list, err := checkPack(ctx, path)
	if err != nil {
		return err
	}
	mistakes := make([]mistake, len(list))
	for i, d := range list {
		mistakes[i] = mistake{d.Pos.File, d.Pos.Line, d.Pos.Col, d.Width, d.Code, "mistake", d.Message, d.Hint}
		if d.Warning() {
			mistakes[i].Level = "warning"
		}
	}
	out := json.NewEncoder(env.stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(map[string]any{"mistakes": mistakes}); err != nil {
		return err
	}
	if failing(list, strict) {
		return quiet(exitFailed)
	}
	return nil
}

// checkJUnit writes what build servers read. A pack that cannot be read at all is
// no test that failed, but an error as in the other formats.
func checkJUnit(ctx context.Context, env *environment, path string, strict bool) error {
	_, list, err := checkPack(ctx, path)
	if err != nil {
		return err
	}
	whole, err := filepath.Abs(path) // so that "." has a name
	if err != nil {
		return err
	}
	if err := report.JUnitDiagnostics(env.stdout, filepath.Base(whole), list, strict); err != nil {
		return err
	}
	if failing(list, strict) {
		return quiet(exitFailed)
	}
	return nil
}

// fix mends the files of the pack at path and shows the difference on stderr,
// beside the mistakes that are left.
func (env *environment) fix(path string) error {
	files, err := filesToFormat([]string{path})
	if err != nil {
		return err
	}
	for _, file := range files {
		before, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		after, n := rules.Fix(file, before)
		if n == 0 {
			continue
		}
		if err := replaceFile(file, after); err != nil {
			return err
		}
		if _, err := env.stderr.Write(unified(file, string(before), string(after))); err != nil {
			return err
		}
	}
	return nil
}
