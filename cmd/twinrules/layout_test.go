package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/twinrules/twinrules/"

// layout says for every package which of ours it may import besides the
// standard library. A new package starts with a line here.
var layout = map[string][]string{
	"hub/twin":                       {},
	"hub/query":                      {"hub/twin"},
	"hub":                            {"hub/twin"},
	"hub/credential":                 {"hub/twin"},
	"hub/blob":                       {},
	"hub/blob/blobtest":              {},
	"hub/snapshot":                   {"hub/query", "hub/twin"},
	"hub/emulator":                   {"hub/query", "hub/twin"},
	"hub/estimate":                   {"hub"},
	"hub/estimate/virtual":           {"hub", "hub/emulator", "hub/estimate", "hub/twin"},
	"hub/hubtest":                    {"hub", "hub/twin"},
	"rules":                          {"hub/query", "hub/twin"},
	"engine":                         {"rules", "hub/twin"},
	"engine/report":                  {"engine", "rules", "hub/twin"},
	"engine/journal":                 {"engine", "rules", "hub/twin"},
	"plugins":                        {"plugins/abi", "plugins/wasm", "rules", "hub/twin"},
	"plugins/abi":                    {},
	"plugins/conform":                {"plugins", "plugins/abi", "hub/twin"},
	"plugins/wasm":                   {},
	"plugins/wasm/wasmtest":          {"plugins/wasm"},
	"plugins/registry":               {"plugins", "plugins/wasm"},
	"plugins/registry/registrytest":  {},
	"plugins/sign":                   {},
	"plugins/sdk":                    {},
	"plugins/sdk/sdktest":            {"plugins", "plugins/sdk", "plugins/wasm"},
	"plugins/sdk/go":                 {},
	"plugins/sdk/go/battery":         {"plugins/sdk/go"},
	"examples/rules":                 {},
	"examples/rules/generate":        {"hub/snapshot", "hub/twin"},
	"examples/rules/geofence/plugin": {"plugins/sdk/go"},
	"examples/rules/pumps":           {},
	"cmd/twinrules":                  {"*"},
}

// doors says which packages may import a module of others, by the beginning of
// its path; everybody else stays free of it.
var doors = map[string][]string{
	"github.com/Azure/azure-sdk-for-go/sdk/azcore":     {"hub", "hub/blob", "hub/credential", "hub/estimate/virtual", "hub/hubtest"},
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity": {"hub/credential"},
	"github.com/AzureAD":                               {"hub/credential"},
	"github.com/expr-lang/expr":                        {"rules"},
	"gopkg.in/yaml.v3":                                 {"rules"},
	"github.com/tetratelabs/wazero":                    {"plugins"},
	"golang.org/x/sys":                                 {"plugins"},
	"github.com/santhosh-tekuri/jsonschema/v6":         {"plugins"},
	"github.com/zeebo/xxh3":                            {"hub/snapshot", "hub/twin"},
	"github.com/klauspost/compress":                    {"hub/snapshot", "engine"},
	"github.com/golang-jwt/jwt":                        {"hub/emulator"},
	"github.com/robfig/cron":                           {"engine"},
	"golang.org/x/mod":                                 {"rules"},
	"software.sslmate.com/src/go-pkcs12":               {"hub/credential"},
	"github.com/mattn/go-runewidth":                    {"engine/report", "cmd/twinrules"},
	"github.com/fatih/color":                           {"engine/report", "cmd/twinrules"},
	"github.com/spf13":                                 {"cmd/twinrules"},
	"github.com/vbauerster/mpb":                        {"cmd/twinrules"},
	"github.com/prometheus/client_golang":              {"cmd/twinrules"},
	"github.com/gofrs/flock":                           {"cmd/twinrules", "hub/emulator"},
	"golang.org/x/term":                                {"cmd/twinrules"},
	"golang.org/x/crypto":                              {"plugins/sign"},
	"oras.land/oras-go":                                {"plugins/registry"},
	"github.com/opencontainers":                        {"plugins/registry"},
}

// TestLayout reads the files and holds their imports against the tables. It does
// not ask the go command, whose answer the test cache would serve stale.
func TestLayout(t *testing.T) {
	checkLayout(t, os.DirFS("../.."), t.Errorf)
}

// checkLayout reports what breaks the tables.
func checkLayout(t *testing.T, fsys fs.FS, report func(format string, args ...any)) {
	t.Helper()
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".") {
			return fs.SkipDir
		}
		if d.IsDir() && name != "." {
			if _, err := fs.Stat(fsys, path.Join(name, "go.mod")); err == nil {
				return fs.SkipDir // another module, such as bench, whose imports are its own
			}
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		checkFile(name, file, report)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkFile(name string, file *ast.File, report func(format string, args ...any)) {
	folder := path.Dir(name)
	allowed, known := layout[folder]
	if !known {
		report("%s: the folder %s is not in the layout table", name, folder)
		return
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			report("%s: an init function; list values in a slice instead", name)
		}
	}
	if strings.HasSuffix(name, "_test.go") {
		return // tests may wire what they test to real things
	}
	for _, spec := range file.Imports {
		checkImport(name, folder, allowed, spec, report)
	}
}

func checkImport(name, folder string, allowed []string, spec *ast.ImportSpec, report func(format string, args ...any)) {
	imported, _ := strconv.Unquote(spec.Path.Value)
	if ours, ok := strings.CutPrefix(imported, module); ok {
		if !slices.Contains(allowed, ours) && !slices.Contains(allowed, "*") {
			report("%s: %s must not import %s", name, folder, ours)
		}
		return
	}
	if imported == "C" || !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
		if imported == "C" {
			report("%s: cgo", name)
		}
		return
	}
	for start, who := range doors {
		if imported == start || strings.HasPrefix(imported, start+"/") {
			if !slices.Contains(who, folder) {
				report("%s: %s must not import %s; its door is %s", name, folder, imported, strings.Join(who, ", "))
			}
			return
		}
	}
	report("%s: %s has no door in the layout table", name, imported)
}

// TestLayoutBites plants bad imports and looks whether they are found.
func TestLayoutBites(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"upwards":           {"rules/x.go", "package rules\nimport _ \"github.com/twinrules/twinrules/engine\"", "rules must not import engine"},
		"hub in engine":     {"engine/x.go", "package engine\nimport _ \"github.com/twinrules/twinrules/hub\"", "engine must not import hub"},
		"a foreign door":    {"rules/x.go", "package rules\nimport _ \"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy\"", "rules must not import"},
		"a module unknown":  {"rules/x.go", "package rules\nimport _ \"example.com/x\"", "has no door"},
		"a new folder":      {"util/x.go", "package util", "not in the layout table"},
		"an init":           {"rules/x.go", "package rules\nfunc init() {}", "an init function"},
		"an init in a test": {"rules/x_test.go", "package rules\nfunc init() {}", "an init function"},
		"cgo":               {"rules/x.go", "package rules\nimport \"C\"", "cgo"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(c.file)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			found := ""
			checkLayout(t, os.DirFS(dir), func(format string, args ...any) { found += strings.TrimSpace(fmt.Sprintf(format, args...)) + "\n" })
			if !strings.Contains(found, c.want) {
				t.Errorf("got %q, want %q", found, c.want)
			}
		})
	}
}

// A folder with a go.mod is another module: what its files import is not held
// against the tables.
func TestLayoutLeavesOtherModulesAlone(t *testing.T) {
	other := &fstest.MapFile{Data: []byte("package race\nimport _ \"example.com/x\"")}
	checkLayout(t, fstest.MapFS{"bench/go.mod": {}, "bench/race/x.go": other}, t.Errorf)
	found := 0
	checkLayout(t, fstest.MapFS{"bench/race/x.go": other}, func(string, ...any) { found++ })
	if found == 0 {
		t.Error("without a go.mod it is one of ours, and nothing was said")
	}
}

// TestPackagesSayWhatTheyAreFor looks for a package comment in every folder; in one
// with nothing but tests, theirs.
func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	for folder := range layout {
		found := false
		all, _ := filepath.Glob(filepath.Join("../..", folder, "*.go"))
		files := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return strings.HasSuffix(name, "_test.go") })
		if len(files) == 0 {
			files = all
		}
		for _, name := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			found = found || file.Doc != nil && len(file.Doc.Text()) > 80
		}
		if !found && len(files) > 0 {
			t.Errorf("%s has no package comment", folder)
		}
	}
}
