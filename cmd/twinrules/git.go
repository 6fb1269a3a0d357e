package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// maxArchive bounds how much of a revision is read, in bytes.
const maxArchive = 256 << 20

// gitFS returns the files of the pack at path as they were at a revision, from
// git's own store: nothing is checked out. It is nil when the revision had no
// such folder.
func gitFS(ctx context.Context, path, revision string) (fs.FS, error) {
	dir, file := path, ""
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.IsDir() {
		dir, file = filepath.Dir(path), filepath.Base(path)
	}
	commit, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if err != nil {
		return nil, usagef("--base: git knows no commit %q here: fetch it, or name another", revision)
	}
	id := strings.TrimSpace(string(commit))
	if _, err := git(ctx, dir, "cat-file", "-e", id+":./"+file); err != nil {
		return nil, nil
	}
	archive, err := git(ctx, dir, "archive", "--format=zip", id)
	if err != nil {
		return nil, fmt.Errorf("read the pack at %s: %w", revision, err)
	}
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("read the pack at %s: %w", revision, err)
	}
	if file != "" {
		return oneFile{files, file}, nil
	}
	return files, nil
}

// git runs git in dir and returns what it printed.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &capped{w: &out, left: maxArchive}, &capped{w: &said, left: 4096}
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("git is not installed, and --base needs it: use --base-dir")
	case err != nil:
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, oneLine(errors.New(said.String())))
	}
	return out.Bytes(), nil
}

// A capped passes on a bounded number of bytes and then fails.
type capped struct {
	w    *bytes.Buffer
	left int
}

func (c *capped) Write(b []byte) (int, error) {
	if len(b) > c.left {
		return 0, errors.New("too much output")
	}
	c.left -= len(b)
	return c.w.Write(b)
}
