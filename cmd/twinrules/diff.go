package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/snapshot"
)

func newDiff(env *environment) *cobra.Command {
	var (
		source        sourceFlags
		state         stateFlags
		output        outputFlags
		how           planFlags
		base, baseDir string
		detailed      bool
	)
	cmd := &cobra.Command{
		Use:   "diff [PACK]",
		Short: "Show what a change of a pack does: plan(head) minus plan(base) on one fleet",
		Long: `diff computes what the pack does as it is and as it was, on the same twins at the same moment, and
shows the difference. What the pack would do anyway is only counted.`,
		Example: "  twinrules diff rules/ --base main --snapshot fleet.ndjson.zst -o markdown",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (base == "") == (baseDir == "") {
				return usagef("compare with what? give --base REV or --base-dir DIR")
			}
			d, err := env.computeDiff(cmd.Context(), packPath(args), base, baseDir, &source, &state, how)
			if err != nil {
				return err
			}
			defer d.Close()
			err = output.write(env, func(f *report.Format, w io.Writer, o *report.Options) error { return f.Difference(w, d, o) })
			if err == nil && detailed && !d.Empty() {
				err = quiet(exitChanges)
			}
			return err
		},
	}
	source.add(cmd)
	state.add(cmd)
	output.add(cmd)
	how.add(cmd)
	cmd.Flags().StringVar(&base, "base", "", "compare with the pack as of this git revision")
	cmd.Flags().StringVar(&baseDir, "base-dir", "", "compare with the pack in this folder")
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 when the change has an effect")
	return cmd
}

func (env *environment) computeDiff(ctx context.Context, head, base, baseDir string, source *sourceFlags, state *stateFlags, how planFlags) (*engine.Difference, error) {
	headPack, err := openPack(ctx, head)
	if err != nil {
		return nil, err
	}
	defer headPack.Close(ctx)
	basePack, err := openBase(ctx, head, base, baseDir)
	if err != nil {
		return nil, err
	}
	if basePack != nil {
		defer basePack.Close(ctx)
	}
	fleet, err := source.open(ctx, env, state)
	if err != nil {
		return nil, err
	}
	defer fleet.Close()
	pinned, err := env.pin(ctx, fleet)
	if err != nil {
		return nil, err
	}
	defer pinned.Close()
	was := &engine.Plan{}
	if basePack != nil {
		if was, err = env.evaluate(ctx, basePack, pinned, how, &remembered{}); err != nil {
			return nil, err
		}
	}
	is, err := env.evaluate(ctx, headPack, pinned, how, &remembered{})
	if err != nil {
		return nil, errors.Join(err, was.Close())
	}
	return engine.Compare(was, is)
}

// openBase opens the pack to compare with; nil when there was none.
func openBase(ctx context.Context, head, base, baseDir string) (*compiled, error) {
	if baseDir != "" {
		return openPack(ctx, baseDir)
	}
	fsys, err := gitFS(ctx, head, base)
	if err != nil || fsys == nil {
		return nil, err
	}
	program, err := compile(ctx, fsys)
	return program, inFolder(err, base+":"+head)
}

// pin records a hub, so that both plans see the same twins; a snapshot is
// pinned already.
func (env *environment) pin(ctx context.Context, f *fleet) (*fleet, error) {
	if f.writer == nil {
		return &fleet{Source: f.Source, hub: f.hub, now: f.now, complete: f.complete, size: f.size}, nil
	}
	dir, err := os.MkdirTemp("", "twinrules-*")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "fleet.ndjson.zst")
	if _, err := env.record(ctx, f, path); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	s, err := snapshot.Open(path)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return &fleet{Source: sourceOf(s), hub: f.hub, now: f.now, complete: f.complete, size: s.Header.Twins, close: func() error { return os.RemoveAll(dir) }}, nil
}

var _ fs.ReadDirFS = oneFile{}
