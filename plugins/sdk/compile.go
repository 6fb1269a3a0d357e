package sdk

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Stem is the name that the parts of a plugin share which has a folder of its own:
// plugin.json, plugin.wasm, and but for Go plugin.c and so on.
const Stem = "plugin"

// Find returns the language of a source, by the end of its name, or nil. A folder
// is in the language of the source called [Stem] in it, and without one a package
// of Go.
func Find(source string) *Language {
	if info, err := os.Stat(source); err == nil && info.IsDir() {
		for _, l := range Languages {
			if _, err := os.Stat(l.In(source)); err == nil && l != Go {
				return l
			}
		}
		return Go
	}
	for _, l := range Languages {
		if filepath.Ext(source) == filepath.Ext(l.Sample) {
			return l
		}
	}
	return nil
}

// In returns the source in a folder: the file called [Stem], and for Go the folder.
func (l *Language) In(folder string) string {
	if l == Go {
		return folder
	}
	return filepath.Join(folder, Stem+filepath.Ext(l.Sample))
}

// Folder returns where the tool of l is called for a source: in the folder of a
// package of Go, and beside the file otherwise.
func (l *Language) Folder(source string) string {
	if l == Go && filepath.Ext(source) != ".go" {
		return source
	}
	return filepath.Dir(source)
}

// A ToolError is a compiler that did not make a module.
type ToolError struct {
	Call string // the tool and its arguments
	Said string // what it printed, in lines
	Err  error
}

func (e *ToolError) Error() string { return e.Call + ": " + e.Err.Error() + "\n" + e.Said }

func (e *ToolError) Unwrap() error { return e.Err }

// Compile returns the module that tool, which is that of l or a path to it, makes
// of source. It is without a manifest; plugins.Embed gives it one. Its error is a
// [*ToolError], unless there is no room for files.
func (l *Language) Compile(ctx context.Context, tool, source string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "twinrules-plugin-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "plugin.wasm")
	cmd := exec.CommandContext(ctx, tool, l.args(filepath.Base(source), out)...)
	cmd.Dir, cmd.Env = l.Folder(source), append(os.Environ(), l.env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, &ToolError{l.Tool + " " + strings.Join(cmd.Args[1:], " "), string(bytes.TrimSpace(text)), err}
	}
	return os.ReadFile(out)
}
