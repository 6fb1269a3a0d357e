package plugins

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tetratelabs/wazero"
)

// openCache returns what keeps compiled code in dir, which is made if it is not
// there. Code from there is run as it is, so that nobody else may be able to write
// to it.
func openCache(dir string) (wazero.CompilationCache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	if err := private(info); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return wazero.NewCompilationCacheWithDir(dir)
}

// private says why a folder is not its user's alone.
func private(info fs.FileInfo) error {
	switch {
	case !info.IsDir():
		return errors.New("it is no folder")
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("others may use it (mode %#o), and what is in it is run: chmod 700", info.Mode().Perm())
	case !owned(info):
		return errors.New("it belongs to somebody else, and what is in it is run")
	}
	return nil
}

// CacheProblem says why compiled code is not kept in [Options.Cache], nil when it
// is or none is wanted.
func (h *Host) CacheProblem() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cacheProblem
}

// noCache has modules compiled without a cache from now on.
func (h *Host) noCache(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cacheProblem = err
}
