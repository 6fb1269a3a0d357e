package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/plugins/sdk"
)

func newPluginNew(env *environment) *cobra.Command {
	var lang, dir string
	cmd := &cobra.Command{
		Use:   "new NAME --lang LANGUAGE",
		Short: "Start a plugin: a source that works, its cases, and a pack that uses it",
		Long: `new writes a folder with a plugin that compiles and passes its cases as it is, the SDK it needs, and a pack with
one rule that uses it, which has something to do on the sample fleet. It asks nothing, fetches nothing and
overwrites nothing.`,
		Example: "  twinrules plugin new battery --lang rust",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := findLanguage(lang)
			if err != nil {
				return err
			}
			if dir == "" {
				dir = args[0]
			}
			return env.newPlugin(l, args[0], dir)
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "", "what it is written in: "+languageNames())
	cmd.Flags().StringVar(&dir, "dir", "", "the folder to write (default NAME)")
	return cmd
}

func languageNames() string {
	var names []string
	for _, l := range sdk.Languages {
		names = append(names, l.Name)
	}
	return strings.Join(names, ", ")
}

func findLanguage(name string) (*sdk.Language, error) {
	for _, l := range sdk.Languages {
		if l.Name == name || l.Short == name && name != "" {
			return l, nil
		}
	}
	return nil, usagef("--lang: %q is none of %s", name, languageNames())
}

func (env *environment) newPlugin(l *sdk.Language, name, dir string) error {
	list, err := l.New(name, dir)
	if err != nil {
		return usage(err)
	}
	switch entries, err := os.ReadDir(dir); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case len(entries) > 0:
		return fmt.Errorf("nothing was written: %s is not empty; name another folder with --dir", dir)
	}
	width := 0
	var files []newFile
	for _, f := range list {
		files = append(files, newFile{filepath.Join(dir, filepath.FromSlash(f.Path)), f.Doc, f.Data})
		width = max(width, len(files[len(files)-1].path))
	}
	for _, f := range files {
		if err := f.create(); err != nil {
			return fmt.Errorf("write the plugin: %w", err)
		}
		fmt.Fprintf(env.stdout, "%-*s  # %s\n", width, f.path, f.doc)
	}
	env.printNextSteps(l, dir)
	return nil
}

func (env *environment) printNextSteps(l *sdk.Language, dir string) {
	fmt.Fprintf(env.stdout, "\nNext:\n")
	for _, next := range [][2]string{
		{"plugin build " + dir, "compiles it with " + l.Tool},
		{"plugin test " + dir, "holds it against its cases, and against what rules count on"},
		{"plugin lock " + dir, "notes which module the pack means"},
		{"plan " + dir + " --demo", "what its rule would change on the sample fleet"},
	} {
		fmt.Fprintf(env.stdout, "  %-*s  # %s\n", len(env.self+dir)+14, env.self+" "+next[0], next[1])
	}
}
