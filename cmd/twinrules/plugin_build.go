package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/sdk"
)

func newPluginBuild(env *environment) *cobra.Command {
	var out, manifest string
	cmd := &cobra.Command{
		Use:   "build SOURCE",
		Short: "Compile a plugin and give it its manifest",
		Long: `Compile a plugin and give it its manifest.

SOURCE is a file in C, Rust, AssemblyScript or WAT, beside that of its SDK, a folder that
has one called plugin, or a folder with a package in Go. The compiler has to be installed.`,
		Example: "  twinrules plugin build battery\n  twinrules plugin build battery.c",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.buildPlugin(cmd.Context(), args[0], out, manifest)
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write (default SOURCE as .wasm)")
	cmd.Flags().StringVar(&manifest, "manifest", "", "the manifest (default SOURCE as .json, in a folder plugin.json)")
	return cmd
}

func (env *environment) buildPlugin(ctx context.Context, source, out, manifest string) error {
	if _, err := os.Stat(source); err != nil {
		return err
	}
	l := sdk.Find(source)
	if l == nil {
		return usagef("%s is in no language that is known: .c, .rs, .ts, .wat, or a folder with .go", source)
	}
	if info, err := os.Stat(source); err == nil && info.IsDir() {
		source = l.In(source)
	}
	out, manifest = beside(l, source, out, manifest)
	text, err := os.ReadFile(manifest)
	if err != nil {
		return err
	}
	binary, err := l.Compile(ctx, l.Tool, source)
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is not installed, which compiles %s: %s", l.Tool, l.Title, l.Install)
	}
	if failed, ok := errors.AsType[*sdk.ToolError](err); ok {
		fmt.Fprintln(env.stderr, failed.Said) // as it is, with its lines and places
		return fmt.Errorf("build %s: %s: %w", source, l.Tool, failed.Err)
	}
	if err != nil {
		return fmt.Errorf("build %s: %w", source, err)
	}
	if binary, err = plugins.Embed(binary, text); err != nil {
		return fmt.Errorf("%s: %w", manifest, err)
	}
	report, err := plugins.Inspect(binary)
	if err != nil {
		return fmt.Errorf("build %s: %w", source, err)
	}
	if err := os.WriteFile(out, binary, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%s: {source: %s, digest: %q} # %d bytes\n", report.Manifest.Name, filepath.Base(out), report.Digest, report.Size)
	if len(report.Problems) > 0 {
		return fmt.Errorf("%s would be refused: %s", out, report.Problems[0].Text)
	}
	return nil
}

// beside returns the files that belong to a source, where they are not given.
func beside(l *sdk.Language, source, out, manifest string) (string, string) {
	stem := strings.TrimSuffix(source, filepath.Ext(source))
	if l == sdk.Go {
		stem = filepath.Join(l.Folder(source), sdk.Stem)
	}
	return cmp.Or(out, stem+".wasm"), cmp.Or(manifest, stem+".json")
}
