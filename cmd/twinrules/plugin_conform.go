package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/conform"
	"github.com/twinrules/twinrules/plugins/sdk"
	"github.com/twinrules/twinrules/rules"
)

// conformFlags are the flags of plugin test.
type conformFlags struct {
	cases, format   string
	update, verbose bool
}

func newPluginTest(env *environment) *cobra.Command {
	var f conformFlags
	cmd := &cobra.Command{
		Use:   "test MODULE|DIR",
		Short: "Hold a plugin against its author's cases, and against what rules count on",
		Long:  "Hold a plugin against its author's cases, and against what rules count on:\n\n" + checksHelp() + "\nDIR is a folder that plugin build was called for. The cases stand beside the module, in a file that ends\nin .cases.json; --update writes into it what the plugin says.",
		Example: "  twinrules plugin test battery\n  twinrules plugin test battery.wasm --cases cases.json -o junit\n" +
			"  twinrules plugin test battery --update",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.testPlugin(cmd.Context(), moduleIn(args[0]), &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.cases, "cases", "", "the file of cases (default MODULE as .cases.json)")
	flags.StringVarP(&f.format, "output", "o", "text", "format of the result: "+strings.Join(conformFormatNames(), ", "))
	flags.BoolVar(&f.update, "update", false, "write into the file of cases what the plugin says of them")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show what went well, too")
	return cmd
}

func checksHelp() string {
	var b strings.Builder
	for _, c := range conform.Checks {
		fmt.Fprintf(&b, "  %-10s%s\n", c.Name, c.Doc)
	}
	return b.String()
}

// moduleIn returns the module that is meant: in a folder the one that plugin build
// makes there.
func moduleIn(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, sdk.Stem+".wasm")
	}
	return path
}

// testPlugin runs the kit on a module and shows what it found.
func (env *environment) testPlugin(ctx context.Context, path string, f *conformFlags) error {
	show, err := findConformFormat(f.format)
	if err != nil {
		return err
	}
	suite, file, err := readCases(path, f.cases)
	if err != nil {
		return err
	}
	return env.withModule(ctx, path, path, func(m *plugins.Module) error {
		if f.update {
			if err := env.fillCases(ctx, m, suite, file); err != nil {
				return err
			}
		}
		result, err := conform.Run(ctx, m, suite)
		if err != nil {
			return err
		}
		if err := show(env.stdout, &conformRun{nameOf(m, path), file, result, f.verbose}); err != nil {
			return err
		}
		if result.Failed() > 0 {
			return quiet(exitFailed)
		}
		return nil
	})
}

// loadPlugin reads and loads a module. One that is not there is perhaps not built.
func (env *environment) loadPlugin(ctx context.Context, host *plugins.Host, path, name string) (*plugins.Module, error) {
	data, err := readModule(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; build it: %s plugin build %s", err, env.self, filepath.Dir(path))
	}
	if err != nil {
		return nil, err
	}
	return host.Load(ctx, name, data)
}

func nameOf(m *plugins.Module, path string) string {
	if manifest := m.Report().Manifest; manifest != nil {
		return manifest.Name
	}
	return filepath.Base(path)
}

// readCases reads the file of cases, or that beside the module when it is there.
func readCases(module, file string) (*conform.Suite, string, error) {
	named := file != ""
	if !named {
		file = strings.TrimSuffix(module, filepath.Ext(module)) + ".cases.json"
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !named {
		data, err = []byte("{}"), nil
	}
	if err != nil {
		return nil, file, err
	}
	suite, err := conform.ParseSuite(data)
	if err != nil {
		err = fmt.Errorf("%s: %w", file, err)
	}
	return suite, file, err
}

// fillCases writes what the plugin says into its file of cases.
func (env *environment) fillCases(ctx context.Context, m *plugins.Module, suite *conform.Suite, file string) error {
	n, err := suite.Fill(ctx, m)
	if err != nil || n == 0 {
		return err
	}
	fmt.Fprintf(env.stderr, "twinrules: %s: wrote what is wanted of %s\n", file, plural(n, "case"))
	return replaceFile(file, suite.Format())
}

// A conformRun is what the kit found of one plugin.
type conformRun struct {
	plugin, file string
	*conform.Report
	verbose bool
}

// conformFormats lists the ways to show it.
var conformFormats = []struct {
	name  string
	write func(io.Writer, *conformRun) error
}{{"text", conformText}, {"json", conformJSON}, {"junit", conformJUnit}}

func conformFormatNames() (names []string) {
	for _, f := range conformFormats {
		names = append(names, f.name)
	}
	return names
}

func findConformFormat(name string) (func(io.Writer, *conformRun) error, error) {
	for _, f := range conformFormats {
		if f.name == name {
			return f.write, nil
		}
	}
	return nil, usagef("-o: %q is none of %s", name, strings.Join(conformFormatNames(), ", "))
}

func conformText(w io.Writer, r *conformRun) error {
	var b strings.Builder
	for _, c := range r.Results {
		name := c.Check + ": " + rules.Excerpt(c.Name, 120)
		switch {
		case c.Problem == "" && r.verbose:
			fmt.Fprintf(&b, "ok    %s\n", name)
		case c.Problem != "":
			fmt.Fprintf(&b, "FAIL  %s\n      %s\n", name, rules.Excerpt(c.Problem, 1000))
			for _, line := range c.Detail {
				fmt.Fprintf(&b, "      %s\n", rules.Excerpt(line, 1000))
			}
		}
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "note  %s\n", rules.Excerpt(note, 1000))
	}
	failed := r.Failed()
	fmt.Fprintf(&b, "%s: %d passed, %d failed, in %s; at most %d of %d units of fuel, %d of %d KiB\n", rules.Excerpt(r.plugin, 100), len(r.Results)-failed, failed,
		plural(r.Calls, "call"), r.Fuel.Most, r.Fuel.Limit, r.Memory.Most>>10, r.Memory.Limit>>10)
	_, err := io.WriteString(w, b.String())
	return err
}

func conformJSON(w io.Writer, r *conformRun) error {
	return report.WriteJSON(w, struct {
		Schema string `json:"schema"`
		Plugin string `json:"plugin"`
		Passed int    `json:"passed"`
		Failed int    `json:"failed"`
		*conform.Report
	}{"twinrules/plugin-test/v1.0", r.plugin, len(r.Results) - r.Failed(), r.Failed(), r.Report})
}

// conformJUnit writes each result as a test, of a suite for each check.
func conformJUnit(w io.Writer, r *conformRun) error {
	run := &report.TestRun{Pack: r.plugin}
	for _, c := range r.Results {
		run.Cases = append(run.Cases, report.TestCase{Rule: c.Check, Name: c.Name, Pos: rules.Pos{File: r.file, Line: 1, Col: 1}, Problem: c.Problem, Detail: c.Detail})
	}
	return report.JUnit.Write(w, run)
}
