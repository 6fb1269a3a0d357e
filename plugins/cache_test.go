package plugins_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/plugins"
)

// answers loads a module with a cache and lets it judge a twin.
func answers(t *testing.T, cache string) *plugins.Host {
	t.Helper()
	h := newHost(t, &plugins.Options{Cache: cache})
	a, err := load(t, h, echo, nil).Judge(t.Context(), parse(t, pump), noon)
	if err != nil || a == nil {
		t.Fatal(a, err)
	}
	return h
}

// kept lists the files below a folder.
func kept(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestCompiledCodeIsKept(t *testing.T) {
	if newHost(t, nil).Interpreted() {
		t.Skip("nothing is compiled on this platform")
	}
	dir := filepath.Join(t.TempDir(), "below", "compiled")
	for range 2 {
		if err := answers(t, dir).CacheProblem(); err != nil {
			t.Error(err)
		}
		if files := kept(t, dir); len(files) != 1 {
			t.Errorf("%q is kept", files)
		}
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has %v %v", info.Mode(), err)
	}
}

// TestACacheOfOthersIsNotUsed: what is there would be run.
func TestACacheOfOthersIsNotUsed(t *testing.T) {
	for name, make := range map[string]func(dir string) error{
		"others may write": func(dir string) error {
			if err := os.Mkdir(dir, 0o700); err != nil {
				return err
			}
			return os.Chmod(dir, 0o770)
		},
		"a link":    func(dir string) error { return os.Symlink(t.TempDir(), dir) },
		"no folder": func(dir string) error { return os.WriteFile(dir, nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "cache")
			if err := make(dir); err != nil {
				t.Fatal(err)
			}
			if err := answers(t, dir).CacheProblem(); err == nil || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v", err)
			}
			if info, err := os.Lstat(dir); err == nil && info.IsDir() && len(kept(t, dir)) > 0 {
				t.Error("something was written there")
			}
		})
	}
}

// TestADamagedCacheIsNotUsed: the module is compiled, and its user told.
func TestADamagedCacheIsNotUsed(t *testing.T) {
	if newHost(t, nil).Interpreted() {
		t.Skip("nothing is compiled on this platform")
	}
	dir := filepath.Join(t.TempDir(), "cache")
	answers(t, dir)
	file := kept(t, dir)[0]
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 3, len(whole) / 2} {
		if err := os.WriteFile(file, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := answers(t, dir).CacheProblem(); err == nil || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%d bytes of %d: got %v", size, len(whole), err)
		}
	}
}
