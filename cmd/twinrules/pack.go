package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/rules"
)

// A compiled is a pack that is ready to run, with the plugin host it holds.
type compiled struct {
	*rules.Program
	host *plugins.Host
}

// Close frees the plugins.
func (c *compiled) Close(ctx context.Context) error { return c.host.Close(ctx) }

// openPack loads and compiles the pack at path, a folder or one file. Its
// mistakes come as rules.Diagnostics whose files are named from where the
// command was called.
func openPack(ctx context.Context, path string) (*compiled, error) {
	fsys, err := packFS(path)
	if err != nil {
		return nil, fmt.Errorf("read pack: %w", err)
	}
	program, err := compile(ctx, fsys)
	return program, inFolder(err, path)
}

// inFolder puts the pack's folder before the names of the files with mistakes.
func inFolder(err error, path string) error {
	var list rules.Diagnostics
	if !errors.As(err, &list) {
		return err
	}
	folder := path
	if info, statErr := os.Stat(path); statErr == nil && !info.IsDir() {
		folder = filepath.Dir(path)
	}
	for _, d := range list {
		d.Pos.File = filepath.Join(folder, d.Pos.File)
	}
	return list
}

// packFS returns the files of a pack. Nothing outside its folder can be reached
// through it, by symbolic links neither.
func packFS(path string) (fs.FS, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		root, err := os.OpenRoot(path)
		if err != nil {
			return nil, err
		}
		return root.FS(), nil
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	return oneFile{root.FS(), filepath.Base(path)}, nil
}

// A oneFile is a folder in which only one file is seen; others, such as
// plugins, can be opened by name.
type oneFile struct {
	fs.FS
	name string
}

// ReadDir lists the one file.
func (f oneFile) ReadDir(string) ([]fs.DirEntry, error) {
	info, err := fs.Stat(f.FS, f.name)
	if err != nil {
		return nil, err
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(info)}, nil
}

// compile loads and compiles the pack in fsys. All mistakes are found at once:
// those of the files do not hide those of the expressions.
func compile(ctx context.Context, fsys fs.FS) (*compiled, error) {
	pack, host, opts, err := load(ctx, fsys)
	if err != nil {
		return nil, err
	}
	program, err := rules.Compile(ctx, pack, opts)
	if err != nil {
		return nil, errors.Join(err, host.Close(ctx))
	}
	placeOf(ctx).warn(host)
	return &compiled{program, host}, nil
}

// load reads the pack in fsys, whose mistakes are noted in it, and what its plugins
// run in.
func load(ctx context.Context, fsys fs.FS) (*rules.Pack, *plugins.Host, *rules.Options, error) {
	pack, err := rules.Load(fsys)
	if pack == nil {
		return nil, nil, nil, err
	}
	place := placeOf(ctx)
	read := func(plugin string) ([]byte, error) { return readPlugin(place.store, pack, plugin) }
	host, err := place.host(ctx, read)
	if err != nil {
		return nil, nil, nil, err
	}
	set := plugins.NewSet(host, func(_ context.Context, name string) ([]byte, error) { return read(name) })
	return pack, host, &rules.Options{Plugins: set}, nil
}

// checkPack loads and checks the pack at path. What is found has the names of
// files from where the command was called.
func checkPack(ctx context.Context, path string) (*rules.Pack, rules.Diagnostics, error) {
	fsys, err := packFS(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read pack: %w", err)
	}
	pack, list, err := check(ctx, fsys)
	if err != nil || len(list) == 0 {
		return pack, nil, err
	}
	inFolder(list, path)
	return pack, list, nil
}

func check(ctx context.Context, fsys fs.FS) (*rules.Pack, rules.Diagnostics, error) {
	pack, host, opts, err := load(ctx, fsys)
	if err != nil {
		return nil, nil, err
	}
	list := rules.Check(ctx, pack, opts)
	placeOf(ctx).warn(host)
	return pack, list, host.Close(ctx)
}

// packPath returns the pack that args name, the current folder by default.
func packPath(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return "."
}
