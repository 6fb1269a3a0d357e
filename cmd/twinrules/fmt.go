package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/rules"
)

func newFmt(env *environment) *cobra.Command {
	var check, diff bool
	cmd := &cobra.Command{
		Use:   "fmt [PATH...]",
		Short: "Lay out the files of a pack, changing white space only",
		Long: `fmt lays out files, and the *.yaml and *.yml files in folders, by default the current one, and names those
that it changed. Comments, the order of keys, quotes and line breaks stay. Before a file is written it is
read again, to prove that it means the same. A file with mistakes in its YAML is left as it is.`,
		Example: "  twinrules fmt rules/\n  twinrules fmt --check --diff rules/",
		RunE: func(_ *cobra.Command, args []string) error {
			files, err := filesToFormat(args)
			if err != nil {
				return err
			}
			return env.formatAll(files, check, diff)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit with 1 when a file is laid out otherwise")
	cmd.Flags().BoolVar(&diff, "diff", false, "write nothing; show what would change")
	return cmd
}

// filesToFormat returns the files that paths name, those of folders by their
// end.
func filesToFormat(paths []string) ([]string, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("read files: %w", err)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		inside, err := yamlFiles(path)
		if err != nil {
			return nil, fmt.Errorf("read files: %w", err)
		}
		files = append(files, inside...)
	}
	return files, nil
}

// yamlFiles returns the files at the top of a folder that a pack may consist of.
func yamlFiles(folder string) (files []string, err error) {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); e.Type().IsRegular() && (ext == ".yaml" || ext == ".yml") {
			files = append(files, filepath.Join(folder, e.Name()))
		}
	}
	return files, err
}

// formatAll formats files and names those that change. The mistakes of all come
// at the end.
func (env *environment) formatAll(files []string, check, diff bool) error {
	var mistakes rules.Diagnostics
	changed := 0
	for _, path := range files {
		different, err := env.format(path, check, diff)
		var list rules.Diagnostics
		if errors.As(err, &list) {
			mistakes = append(mistakes, list...)
		} else if err != nil {
			return err
		}
		if different {
			changed++
		}
	}
	switch {
	case len(mistakes) > 0:
		return mistakes
	case check && changed > 0:
		return quiet(exitFailed)
	}
	return nil
}

// format formats one file and reports whether it was laid out otherwise.
func (env *environment) format(path string, check, diff bool) (bool, error) {
	before, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	after, err := rules.Format(path, before)
	if err != nil || bytes.Equal(before, after) {
		return false, err
	}
	if diff {
		_, err = env.stdout.Write(unified(path, string(before), string(after)))
		return true, err
	}
	if !check {
		if err := replaceFile(path, after); err != nil {
			return true, err
		}
	}
	_, err = fmt.Fprintln(env.stdout, path)
	return true, err
}

// replaceFile writes a file anew, with the permissions that it has: whoever
// reads it meanwhile sees the old one or the new one, whole.
func replaceFile(path string, data []byte) (err error) {
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(path), ".twinrules-*")
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	err = errors.Join(err, out.Chmod(info.Mode().Perm()), out.Sync(), out.Close())
	if err == nil {
		err = os.Rename(out.Name(), path)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(os.Remove(out.Name())))
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
