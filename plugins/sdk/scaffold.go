package sdk

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// A File is one of those that a new plugin starts with.
type File struct {
	Path string // in the plugin's folder
	Doc  string // what it is for
	Data []byte
}

// The names of the files that every plugin's folder has.
const (
	ManifestFile = Stem + ".json"
	ModuleFile   = Stem + ".wasm"
	CasesFile    = Stem + ".cases.json"
)

var name = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// New returns the files of a new plugin in l, which is the sample of the language
// under another name, with a pack that uses it; dir is how its folder is called
// from where its author works. They compile as they are, and nothing has to be
// fetched.
func (l *Language) New(called, dir string) ([]File, error) {
	if len(called) > 64 || !name.MatchString(called) {
		return nil, fmt.Errorf("%q is no name of a plugin: small letters and digits, with hyphens between", called)
	}
	fill := strings.NewReplacer("NAME", called, "LANGUAGE", l.Title, "SOURCE", path.Base(l.source()), "EXPECT", l.expect(), "DIR", dir)
	files := []File{
		{l.source(), "the plugin", l.newSource(called)},
		{ManifestFile, "what it reads and may write, and how it is configured", []byte(strings.Replace(read(l.Manifest), `"name": "battery"`, `"name": "`+called+`"`, 1))},
		{CasesFile, "twins, and what it says of them", []byte(read(l.cases()))},
		{"pack.yaml", "a rule that uses it", []byte(fill.Replace(read("scaffold/pack.yaml")))},
		{"README.md", "what to do after a change", []byte(fill.Replace(read("scaffold/README.md")))},
	}
	return append(files, l.library(called)...), nil
}

// read returns a file that is known to be among [Files].
func read(name string) string {
	data, err := Files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func (l *Language) source() string {
	if l == Go {
		return path.Base(l.Sample)
	}
	return Stem + path.Ext(l.Sample)
}

func (l *Language) newSource(called string) []byte {
	text := strings.Replace(read(l.Sample), "battery finds", called+" finds", 1)
	text = strings.Replace(text, "battery.wasm battery.wat", "plugin.wasm plugin.wat", 1)
	return []byte(strings.Replace(text, `"`+goPackage+`"`, `"`+goModule(called)+`/twinrules"`, 1))
}

// The sample in WAT says less than the others.
func (l *Language) cases() string {
	if l == WAT {
		return "scaffold/cases.wat.json"
	}
	return "scaffold/cases.json"
}

func (l *Language) expect() string {
	if l == WAT {
		return "{tags: {power: saver}}"
	}
	return "{desired: {report: {brief: true, everyMin: 60}}, tags: {power: saver}}"
}

// library returns the SDK. That of Go becomes a package of the plugin's own module,
// so that it builds where there is no network.
func (l *Language) library(called string) (files []File) {
	const doc = "what is between it and the host; leave it as it is"
	if l != Go {
		if l.SDK == "" {
			return nil
		}
		return []File{{path.Base(l.SDK), doc, []byte(read(l.SDK))}}
	}
	files = append(files, File{"go.mod", "the module", []byte("module " + goModule(called) + "\n\ngo 1.24\n")})
	for _, file := range goFiles {
		files = append(files, File{path.Join("twinrules", path.Base(file)), doc, []byte(read(file))})
	}
	return files
}

const goPackage = "github.com/twinrules/twinrules/plugins/sdk/go"

// goFiles are the SDK for Go, of [Files].
var goFiles = []string{"go/doc.go", "go/main.go", "go/value.go", "go/answer.go", "go/exports_wasip1.go"}

// goModule names a module that is nowhere to be fetched from.
func goModule(called string) string { return "plugin.example/" + called }
