package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine/report"
)

// outputFlags say how a result is shown, and where else it goes.
type outputFlags struct {
	format string
	files  []string // format=path
}

func (f *outputFlags) add(cmd *cobra.Command) {
	var names []string
	for _, format := range report.Formats {
		names = append(names, format.Name)
	}
	cmd.Flags().StringVarP(&f.format, "output", "o", "text", "format of the result: "+strings.Join(names, ", "))
	cmd.Flags().StringArrayVar(&f.files, "output-file", nil, "also write the result to a file, as FORMAT=PATH; can be repeated")
}

// write shows a result on stdout and writes it to the files asked for.
func (f *outputFlags) write(env *environment, show func(*report.Format, io.Writer, *report.Options) error) error {
	format, err := report.Find(f.format)
	if err != nil {
		return usage(err)
	}
	for _, file := range f.files {
		if err := writeFile(file, show); err != nil {
			return err
		}
	}
	return show(format, env.stdout, &report.Options{Color: env.color(), Width: env.width})
}

func writeFile(file string, show func(*report.Format, io.Writer, *report.Options) error) error {
	name, path, ok := strings.Cut(file, "=")
	if !ok {
		return usagef("--output-file: %q is not FORMAT=PATH", file)
	}
	format, err := report.Find(name)
	if err != nil {
		return usage(fmt.Errorf("--output-file: %w", err))
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(show(format, out, nil), out.Close())
}
