package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/sign"
	"github.com/twinrules/twinrules/rules"
)

func newPluginInspect(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:     "inspect MODULE|DIR",
		Short:   "Say what a plugin is, reads and may write, without running it",
		Example: "  twinrules plugin inspect geofence.wasm",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := moduleIn(args[0])
			data, err := readModule(path)
			if err != nil {
				return err
			}
			r, err := plugins.Inspect(data)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			env.printReport(r)
			env.printSigner(path)
			if len(r.Problems) > 0 {
				return quiet(exitFailed)
			}
			return nil
		},
	}
}

// A table prints labelled rows; those without text are left out.
type table [][2]string

func (env *environment) printTable(t table) {
	for _, row := range t {
		if row[1] != "" {
			fmt.Fprintf(env.stdout, "%-16s%s\n", row[0], rules.Excerpt(row[1], 500))
		}
	}
}

func (env *environment) printReport(r *plugins.Report) {
	if m := r.Manifest; m != nil {
		reads := strings.Join(m.Reads, ", ")
		if m.Reads == nil {
			reads = "the whole twin"
		}
		env.printTable(table{
			{"plugin", strings.TrimSpace(m.Name + " " + m.Version)}, {"description", m.Description},
			{"reads", reads}, {"writes", either(strings.Join(m.Writes, ", "), "nothing")},
		})
	}
	env.printTable(table{
		{"abi", either(r.ABI, "none that twinrules speaks")}, {"digest", r.Digest}, {"size", fmt.Sprintf("%d bytes, %d functions", r.Size, r.Functions)},
		{"memory", fmt.Sprintf("at least %d KiB", r.MinMemory>>10)},
		{"imports", either(strings.Join(r.Imports, ", "), "nothing")}, {"exports", strings.Join(r.Exports, ", ")},
	})
	for _, p := range r.Problems {
		fmt.Fprintf(env.stdout, "%-16s%s [%s]\n", "problem", rules.Excerpt(p.Text, 300), p.Code)
		if p.Hint != "" {
			fmt.Fprintf(env.stdout, "%-16s%s\n", "  hint", rules.Excerpt(p.Hint, 300))
		}
	}
}

// printSigner shows whose signature stands beside a module. There is no key to check
// it with.
func (env *environment) printSigner(path string) {
	text, err := signatureBeside(os.DirFS(filepath.Dir(path)), filepath.Base(path))
	if err != nil || text == "" {
		return
	}
	who := "a signature that cannot be read"
	if id, comment, err := sign.Claimed(text); err == nil {
		who = "key " + id + " of minisign, it says: " + comment
	}
	env.printTable(table{{"signed by", who}, {"  to check", env.self + " plugin verify " + path + " --key KEY"}})
}

func either(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// printAnswer shows what a plugin said of a twin, as JSON.
func (env *environment) printAnswer(a *plugins.Answer) error {
	out := twin.Object{"match": a.Finding != nil, "fuel": a.Fuel}
	if f := a.Finding; f != nil {
		out["facts"], out["patch"] = f.Facts, f.Patch.Document()
		if f.Message != "" {
			out["message"] = f.Message
		}
		if a.Severity != "" {
			out["severity"] = a.Severity
		}
		if len(a.Labels) > 0 {
			labels := twin.Object{}
			for key, text := range a.Labels {
				labels[key] = text
			}
			out["labels"] = labels
		}
	}
	for _, line := range a.Log {
		fmt.Fprintf(env.stderr, "plugin: %s\n", rules.Excerpt(fmt.Sprint(line), 600))
	}
	_, err := fmt.Fprintf(env.stdout, "%s\n", twin.Encode(out))
	return err
}
