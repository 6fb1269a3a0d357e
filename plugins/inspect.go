package plugins

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm"
)

// A Report is what can be said of a module without running it.
type Report struct {
	Digest   string // of the file, as "sha256:…"
	Size     int    // bytes
	ABI      string // abi.Version, or "" when the module has not its exports
	Manifest *abi.Manifest
	// ManifestDigest is that of the manifest's text, as "sha256:…", "" without one.
	ManifestDigest string
	Imports        []string // as "module.name"
	Exports        []string
	Functions      int
	Code           int // bytes
	MinMemory      int64
	Problems       []Problem // why [Host.Load] would refuse it with the default limits
}

// A Problem is a reason to refuse a module.
type Problem struct {
	Code Code
	Text string
	Hint string // the one good next step, or ""
}

// Inspect reads a module without running or compiling any of it, and lists all
// that is wrong with it. It fails on bytes that are not a module, with a
// [*wasm.FormatError].
func Inspect(binary []byte) (*Report, error) {
	_, report, err := inspect(binary, (*Options)(nil).withDefaults().Memory)
	return report, err
}

// inspect is Inspect for a host that gives an instance at most memory bytes.
func inspect(binary []byte, memory int64) (*wasm.Module, *Report, error) {
	r := &Report{Digest: digest(binary), Size: len(binary)}
	if len(binary) > wasm.MaxSize {
		r.problem(LoadLimit, fmt.Sprintf("%d bytes, at most %d are taken", len(binary), wasm.MaxSize), "")
		return nil, r, nil
	}
	m, err := wasm.Parse(binary)
	if err != nil {
		return nil, nil, err
	}
	r.describe(m)
	r.checkManifest(m)
	r.checkImports(m)
	r.checkExports(m)
	r.checkLimits(m, memory)
	return m, r, nil
}

func digest(binary []byte) string {
	sum := sha256.Sum256(binary)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (r *Report) problem(code Code, text, hint string) {
	r.Problems = append(r.Problems, Problem{code, text, hint})
}

func (r *Report) describe(m *wasm.Module) {
	r.Functions = len(m.Bodies)
	for _, b := range m.Bodies {
		r.Code += b.Size
	}
	for _, i := range m.Imports {
		r.Imports = append(r.Imports, i.Module+"."+i.Name)
	}
	for _, e := range m.Exports {
		r.Exports = append(r.Exports, e.Name)
	}
	for _, mem := range m.Memories {
		r.MinMemory += int64(mem.Min) * pageSize
	}
}

func (r *Report) checkManifest(m *wasm.Module) {
	text, err := m.Custom(abi.Section)
	if err == nil && text != nil {
		r.ManifestDigest = digest(text)
		r.Manifest, err = ParseManifest(text)
	}
	if err != nil {
		r.problem(LoadManifest, err.Error(), "")
	}
	if r.Manifest != nil && r.Manifest.ABI != abi.Version && r.Manifest.ABI != abi.Extism {
		r.problem(LoadABI, fmt.Sprintf("the manifest names the ABI %q, this host has %q and %q", r.Manifest.ABI, abi.Version, abi.Extism), "")
	}
}

func (r *Report) checkImports(m *wasm.Module) {
	var foreign []string
	speaks := r.speaks(m)
	for _, i := range m.Imports {
		_, err := find(i)
		if i.Module == abi.ExtismHost && speaks != abi.Extism {
			err = fmt.Errorf("%s %s.%s", i.Kind, i.Module, i.Name)
		}
		if err != nil && !slices.Contains(foreign, err.Error()) {
			foreign = append(foreign, err.Error())
		}
	}
	if len(foreign) > 0 {
		r.problem(LoadImport, "it imports "+strings.Join(foreign, ", ")+", which no plugin gets", importHint(foreign))
	}
}

// importHint guesses from its imports how a module was built.
func importHint(foreign []string) string {
	all := strings.Join(foreign, " ")
	switch {
	case strings.Contains(all, " gojs.") || strings.Contains(all, " go."):
		return "build it with GOOS=wasip1, not GOOS=js"
	case strings.Contains(all, "wbindgen"):
		return "build it for wasm32-unknown-unknown without wasm-bindgen"
	case strings.Contains(all, "emscripten") || strings.Contains(all, " env.invoke"):
		return "build it with clang for wasm32, without Emscripten's runtime"
	case strings.Contains(all, " "+abi.ExtismHost):
		return "it was built for Extism: say abi: " + abi.Extism + " in its manifest"
	case strings.Contains(all, " extism:"):
		return "it gets the functions that all hosts of Extism have, and none that one host adds"
	case strings.Contains(all, " env.extism_"):
		return "build it with an Extism kit of version 1"
	case strings.Contains(all, "memory env."):
		return "let the module define its memory and export it"
	}
	return "a plugin computes from its input alone; remove what asks the outside"
}

// A want is a function that a module exports for its host.
type want struct {
	name            string
	params, results string
	optional        bool
}

// wanted lists the functions of each ABI.
var wanted = map[string][]want{
	abi.Version: {
		{abi.Alloc, "i", "i", false},
		{abi.Evaluate, "ii", "I", false},
		{abi.Init, "ii", "I", true},
		{abi.Initialize, "", "", true},
	},
	abi.Extism: {
		{abi.ExtismEvaluate, "", "i", false},
		{abi.Initialize, "", "", true},
		{abi.Constructors, "", "", true},
		{abi.Haskell, "ii", "", true},
	},
}

// speaks says which ABI a module is held to: that of its manifest, and without one
// Extism's when it imports from there.
func (r *Report) speaks(m *wasm.Module) string {
	extism := slices.ContainsFunc(m.Imports, func(i wasm.Import) bool { return i.Module == abi.ExtismHost })
	if r.Manifest != nil {
		extism = r.Manifest.ABI == abi.Extism
	}
	if extism {
		return abi.Extism
	}
	return abi.Version
}

func (r *Report) checkExports(m *wasm.Module) {
	var wrong []string
	speaks := r.speaks(m)
	for _, w := range wanted[speaks] {
		e, ok := m.Export(w.name)
		switch {
		case !ok && w.optional:
		case !ok:
			wrong = append(wrong, "it does not export "+w.name)
		case e.Kind != wasm.Function || !slices.Equal(e.Type.Params, valTypes(w.params)) || !slices.Equal(e.Type.Results, valTypes(w.results)):
			wrong = append(wrong, fmt.Sprintf("its export %s has another type than (%s) → (%s)", w.name, typeNames(w.params), typeNames(w.results)))
		}
	}
	if e, ok := m.Export(abi.Memory); !ok || e.Kind != wasm.Memory {
		wrong = append(wrong, "it does not export its memory as "+abi.Memory)
	}
	if len(wrong) == 0 {
		r.ABI = speaks
		return
	}
	r.problem(LoadABI, strings.Join(wrong, "; "), exportHint(m, speaks))
}

func typeNames(spelled string) string {
	return strings.NewReplacer("i", "i32 ", "I", "i64 ", "F", "f64 ").Replace(spelled)
}

func exportHint(m *wasm.Module, speaks string) string {
	if _, ok := m.Export(abi.ExtismEvaluate); !ok && speaks == abi.Extism {
		return "the function that is asked is called " + abi.ExtismEvaluate
	}
	for _, e := range m.Exports {
		switch {
		case e.Name == "_start":
			return "it is a program; build a library (Go: -buildmode=c-shared, C: -mexec-model=reactor)"
		case strings.HasPrefix(e.Name, "twinrules_v"):
			return "the exports of " + abi.Version + " start with twinrules_v1_"
		}
	}
	return ""
}

func (r *Report) checkLimits(m *wasm.Module, memory int64) {
	if r.Manifest != nil && r.Manifest.Limits != nil && r.Manifest.Limits.Memory > 0 {
		memory = min(memory, r.Manifest.Limits.Memory)
	}
	for _, text := range m.Over(uint32(memory / pageSize)) {
		r.problem(LoadLimit, text, "")
	}
	if len(m.Stateful) > 0 {
		r.problem(LoadLimit, "it uses "+strings.Join(m.Stateful, ", ")+", whose effects would outlive a call", "build it without threads and without tables that change")
	}
	if err := m.Meterable(); err != nil && len(m.Stateful) == 0 {
		r.problem(LoadLimit, err.Error(), "")
	}
}

// err returns the first problem as an error about the plugin called name.
func (r *Report) err(name string) error {
	if len(r.Problems) == 0 {
		return nil
	}
	var texts []string
	for _, p := range r.Problems {
		texts = append(texts, p.Text)
	}
	first := r.Problems[0]
	return &Error{Code: first.Code, Plugin: name, Hint: first.Hint, Err: errors.New(strings.Join(texts, "; "))}
}
