package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/rules"
)

func newPluginLock(env *environment) *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "lock [PACK]",
		Short: "Note which modules the plugins of a pack are",
		Long: `lock writes ` + rules.LockFile + ` beside the pack: for each plugin its module's digest, and that of the manifest in it.
Every command that uses the pack refuses other modules. With --check it writes nothing, and fails when
the file would change.`,
		Example: "  twinrules plugin lock rules/\n  twinrules plugin lock rules/ --check",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return env.lockPlugins(packPath(args), check)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "only say whether the file is as it should be")
	return cmd
}

func (env *environment) lockPlugins(path string, check bool) error {
	pack, err := loadPlugins(path)
	if err != nil {
		return err
	}
	lock, err := lockOf(env.store(), pack)
	if err != nil {
		return err
	}
	file := filepath.Join(folderOf(path), rules.LockFile)
	before, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	env.printLocked(before, lock)
	switch after := lock.Format(); {
	case bytes.Equal(before, after):
		return nil
	case check:
		return fmt.Errorf("%s is not up to date; %s plugin lock %s writes it", file, env.self, path)
	case before == nil:
		return os.WriteFile(file, after, 0o644)
	default:
		return replaceFile(file, after)
	}
}

// folderOf returns the folder of a pack, which is named or has one of its files
// named.
func folderOf(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return filepath.Dir(path)
	}
	return path
}

// lockOf reads the modules of a pack. Where the pack itself names a digest it has
// to be that.
func lockOf(s *store, pack *rules.Pack) (rules.Lock, error) {
	lock := rules.Lock{}
	for _, p := range pack.Plugins {
		// A name in a registry may come to mean another module; the lock does not.
		data, signed, err := readSource(s, pack, p, cmp.Or(p.Digest, s.last(p.Source)))
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; twinrules plugin build makes a module of its source", err)
		}
		if err != nil {
			return nil, fmt.Errorf("lock plugin %s: %w", p.Name, err)
		}
		r, err := plugins.Inspect(data)
		if err != nil {
			return nil, fmt.Errorf("lock plugin %s: %w", p.Name, err)
		}
		if stated := p.Stated(); stated != "" && stated != r.Digest {
			return nil, fmt.Errorf("lock plugin %s: %s: the digest there is that of another module than %s; take it out, or write %s", p.Name, p.Pos, p.Source, r.Digest)
		}
		if err := trust(p.Name, p.Verify, data, signed); err != nil {
			return nil, fmt.Errorf("lock plugin %s: %w", p.Name, err)
		}
		lock[p.Name] = rules.Locked{Source: p.Source, Digest: r.Digest, Manifest: r.ManifestDigest}
	}
	return lock, nil
}

// printLocked shows what there is and how it differs from what was written down
// before.
func (env *environment) printLocked(before []byte, lock rules.Lock) {
	old, err := rules.ParseLock(before)
	if err != nil {
		old = rules.Lock{}
	}
	all := maps.Clone(old)
	maps.Copy(all, lock)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, had := old[name]
		is, has := lock[name]
		mark, shown := " ", is
		switch {
		case !has:
			mark, shown = "-", was
		case !had:
			mark = "+"
		case was != is:
			mark = "~"
		}
		fmt.Fprintf(env.stdout, "%s %s  %s  %s\n", mark, name, rules.Excerpt(shown.Source, 200), shown.Digest)
	}
}
