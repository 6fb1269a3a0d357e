package wasm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/twinrules/twinrules/plugins/wasm"
)

// specDir returns where the tests of WebAssembly's specification lie that wazero
// publishes with its source.
func specDir(t *testing.T) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	dir := filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest")
	if _, missing := os.Stat(dir); err != nil || missing != nil {
		t.Skipf("the specification's tests are not here: %v %v", err, missing)
	}
	return dir
}

// A script is a file of the specification's tests.
type script struct {
	Commands []struct {
		Type     string
		Line     int
		Name     string
		As       string
		Filename string
		Module   string `json:"module_type"`
		Action   action
	}
}

type action struct {
	Type   string
	Field  string
	Module string
	Args   []struct {
		Type  string
		Lane  string `json:"lane_type"`
		Value any
	}
}

// TestMeteringChangesNothing runs the specification's tests on modules as they
// are and metered: every call answers the same, or traps for the same reason, and
// leaves the same memory. What is no module does not become one.
func TestMeteringChangesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("one goroutine does all of it")
	}
	dir := specDir(t)
	spectest, err := os.ReadFile(filepath.Join(dir, "testdata", "spectest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, version := range []string{"v1", "v2"} {
		files, err := filepath.Glob(filepath.Join(dir, version, "testdata", "*.json"))
		if err != nil || len(files) < 50 {
			t.Fatal(len(files), err)
		}
		for _, file := range files {
			t.Run(version+"/"+strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
				p := newPair(t, filepath.Dir(file), spectest, seen)
				defer p.close()
				p.run(file)
			})
		}
	}
	t.Log(seen)
	for what, least := range map[string]int{"metered": 1000, "answer": 30_000, "trap": 3000, "refused": 2000} {
		if seen[what] < least {
			t.Errorf("only %d: %s", seen[what], what)
		}
	}
}

// A pair is two worlds that should not be told apart.
type pair struct {
	*testing.T
	ctx    context.Context
	dir    string
	worlds [2]world // as it is, and metered
	seen   map[string]int
}

// A world has the modules of one script.
type world struct {
	runtime wazero.Runtime
	named   map[string]api.Module
	last    api.Module
}

func newPair(t *testing.T, dir string, spectest []byte, seen map[string]int) *pair {
	p := &pair{T: t, ctx: context.Background(), dir: dir, seen: seen}
	for i := range p.worlds {
		config := wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2)
		p.worlds[i] = world{runtime: wazero.NewRuntimeWithConfig(p.ctx, config), named: map[string]api.Module{}}
		if _, err := p.worlds[i].runtime.InstantiateWithConfig(p.ctx, spectest, wazero.NewModuleConfig()); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p *pair) close() {
	for _, w := range p.worlds {
		w.runtime.Close(p.ctx)
	}
}

func (p *pair) run(file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		p.Fatal(err)
	}
	var s script
	if err := json.Unmarshal(text, &s); err != nil {
		p.Fatal(err)
	}
	for i, c := range s.Commands {
		switch c.Type {
		case "module":
			as := ""
			if i+1 < len(s.Commands) && s.Commands[i+1].Type == "register" {
				as = s.Commands[i+1].As
			}
			p.instantiate(c.Filename, c.Name, as)
		case "assert_return", "assert_trap", "action":
			p.act(c.Line, c.Action)
		case "assert_malformed", "assert_invalid":
			if c.Module != "text" {
				p.refuse(c.Filename)
			}
		}
	}
}

func (p *pair) read(name string) []byte {
	binary, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.Fatal(err)
	}
	return binary
}

// metered returns binary with fuel, or as it is where it cannot have any.
func (p *pair) metered(binary []byte) []byte {
	m, err := wasm.Parse(binary)
	if err != nil {
		p.seen["not read"]++
		return binary
	}
	out, err := m.Meter(binary, 1<<62)
	if err != nil {
		p.seen["not to be metered"]++
		return binary
	}
	p.seen["metered"]++
	return out.Binary
}

// instantiate makes a module in both worlds. One that neither can make is left out.
func (p *pair) instantiate(file, name, as string) {
	binary := p.read(file)
	var failed [2]error
	for i, b := range [2][]byte{binary, p.metered(binary)} {
		w := &p.worlds[i]
		w.last = nil
		mod, err := w.runtime.InstantiateWithConfig(p.ctx, b, wazero.NewModuleConfig().WithName(as).WithStartFunctions())
		if err == nil {
			if start := mod.ExportedFunction(wasm.StartExport); start != nil {
				_, err = start.Call(p.ctx)
			}
		}
		if failed[i] = err; err == nil {
			w.last = mod
			if w.named[name] = mod; name == "" {
				delete(w.named, name)
			}
		}
	}
	if (failed[0] == nil) != (failed[1] == nil) {
		p.Errorf("%s: %v as it is, and %v metered", file, failed[0], failed[1])
	}
}

func (w *world) module(name string) api.Module {
	if name == "" {
		return w.last
	}
	return w.named[name]
}

// act calls a function in both worlds, or reads a global.
func (p *pair) act(line int, a action) {
	if p.worlds[0].module(a.Module) == nil || p.worlds[1].module(a.Module) == nil {
		return
	}
	var told [2]string
	for i := range p.worlds {
		mod := p.worlds[i].module(a.Module)
		if a.Type == "get" {
			told[i] = fmt.Sprint(mod.ExportedGlobal(a.Field).Get())
			continue
		}
		told[i] = p.call(mod, a) + " " + memoryOf(mod)
	}
	if told[0] != told[1] {
		p.Errorf("line %d: %s says %.300s as it is, and %.300s metered", line, a.Field, told[0], told[1])
	}
}

func (p *pair) call(mod api.Module, a action) string {
	var args []uint64
	for _, v := range a.Args {
		args = append(args, words(v.Type, v.Lane, v.Value)...)
	}
	f := mod.ExportedFunction(a.Field)
	results, err := f.Call(p.ctx, args...)
	if err != nil {
		p.seen["trap"]++
		reason, _, _ := strings.Cut(err.Error(), "\n")
		return reason
	}
	p.seen["answer"]++
	for i, kind := range f.Definition().ResultTypes() {
		if kind == api.ValueTypeExternref || kind == 0x70 { // addresses of this process
			results[i] = 0
		}
	}
	return fmt.Sprint(results)
}

func memoryOf(mod api.Module) string {
	if reflect.ValueOf(mod.Memory()).IsNil() {
		return "no memory"
	}
	data, _ := mod.Memory().Read(0, mod.Memory().Size())
	return strconv.Itoa(len(data)) + " bytes of memory: " + string(bytes.TrimRight(data, "\x00"))
}

// refuse checks that what is no module is none when it has fuel.
func (p *pair) refuse(file string) {
	p.seen["refused"]++
	binary := p.metered(p.read(file))
	if mod, err := p.worlds[1].runtime.CompileModule(p.ctx, binary); err == nil {
		mod.Close(p.ctx)
		if original, wrong := p.worlds[0].runtime.CompileModule(p.ctx, p.read(file)); wrong != nil {
			p.Errorf("%s is a module when it has fuel, and none before: %v", file, wrong)
		} else {
			original.Close(p.ctx)
		}
	}
}

// words are how an argument is passed.
func words(kind, lane string, value any) []uint64 {
	if kind == "v128" {
		return lanes(lane, value.([]any))
	}
	text, _ := value.(string)
	switch {
	case text == "null" || value == nil:
		return []uint64{0}
	case kind == "externref":
		n, _ := strconv.ParseUint(text, 10, 64)
		return []uint64{n + 1}
	}
	return []uint64{number(text, strings.HasSuffix(kind, "32"))}
}

func number(text string, narrow bool) uint64 {
	if strings.HasPrefix(text, "nan") && narrow {
		return 0x7fc00000
	} else if strings.HasPrefix(text, "nan") {
		return 0x7ff8000000000000
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		signed, _ := strconv.ParseInt(text, 10, 64)
		if n = uint64(signed); narrow {
			n = uint64(uint32(signed))
		}
	}
	return n
}

func lanes(lane string, values []any) []uint64 {
	out := make([]uint64, 2)
	width := 128 / len(values)
	for i, v := range values {
		n := number(v.(string), lane == "f32")
		if width < 64 {
			n &= 1<<width - 1
		}
		out[i*width/64] |= n << (i * width % 64)
	}
	return out
}
