// Package sdktest builds plugins for tests, and holds the modules that are
// committed against what their sources make.
//
// Start with [Plugin.Hold]. The tools other than Go's are looked for in the folders
// that the variable TWINRULES_TEST_TOOLS lists, as PATH does. Tests that need them
// skip only when it is not set.
package sdktest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/sdk"
	"github.com/twinrules/twinrules/plugins/wasm"
)

// A Plugin says where the parts of a plugin are.
type Plugin struct {
	Language *sdk.Language
	Source   string
	SDK      string // the language's file, "" when it stands beside the source or there is none
	Manifest string
	Module   string // as it is committed
}

// tools is the variable that lists folders.
const tools = "TWINRULES_TEST_TOOLS"

// Tool returns the compiler of a language. The test is skipped when there is none.
func Tool(t testing.TB, l *sdk.Language) string {
	t.Helper()
	if l == sdk.Go {
		return l.Tool
	}
	list := os.Getenv(tools)
	if list == "" {
		t.Skipf("%s is not built: %s does not say where %s is", l.Name, tools, l.Tool)
	}
	for _, dir := range filepath.SplitList(list) {
		if name := filepath.Join(dir, l.Tool); exists(name) {
			return name
		}
	}
	t.Fatalf("%s is in none of %s, which %s lists", l.Tool, list, tools)
	return ""
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// Build returns the module that p's source makes, with its manifest. The test is
// skipped when there is no compiler.
func (p Plugin) Build(t testing.TB) []byte {
	t.Helper()
	name, source := Tool(t, p.Language), p.Source
	if p.SDK != "" {
		dir := t.TempDir()
		source = filepath.Join(dir, filepath.Base(p.Source))
		write(t, source, Read(t, p.Source))
		write(t, filepath.Join(dir, filepath.Base(p.SDK)), Read(t, p.SDK))
	}
	built, err := p.Language.Compile(t.Context(), name, source)
	if err == nil {
		built, err = plugins.Embed(built, Read(t, p.Manifest))
	}
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// Hold builds p and finds that the committed module is what comes out, or, where
// that was made by another version of the compiler, that use is content with what
// comes out. UPDATE=1 commits what comes out.
func (p Plugin) Hold(t *testing.T, use func(t *testing.T, built []byte)) {
	t.Helper()
	built := p.Build(t)
	if os.Getenv("UPDATE") != "" {
		write(t, p.Module, built)
		return
	}
	committed := Read(t, p.Module)
	if then, now := producers(t, committed), producers(t, built); then != now {
		t.Logf("%s was built by %q, and now by %q", p.Module, then, now)
		use(t, built)
	} else if !bytes.Equal(built, committed) {
		t.Errorf("%s is out of date: run UPDATE=1 go test with %s, %d bytes here and %d there", p.Module, tools, len(built), len(committed))
	}
}

// Read reads a file.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// producers returns what a toolchain wrote of its version, "" when it did not.
func producers(t testing.TB, binary []byte) string {
	t.Helper()
	m, err := wasm.Parse(binary)
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.Custom("producers")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s", text)
}
