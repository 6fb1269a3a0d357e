package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// charge is what the n-th twin reports, all of which is enough.
func charge(n int) int { return 30 + n }

func document(n int) []byte {
	return fmt.Appendf(nil, `{"deviceId":"pump-%d","tags":{"owner":"ann","site":"muc"},"properties":{"reported":{"battery":{"pct":%d}}}}`, n, charge(n))
}

// contenders lists expr first, then the samples as rules use them, Extism's two
// hosts, and the samples with and without fuel.
func contenders(sdk, goModule string) ([]contender, error) {
	list := []contender{{name: "expr, compiled, machine reused", once: byExpr()}}
	samples := []struct{ name, file string }{
		{"C", "battery.c.wasm"}, {"Rust", "battery.rust.wasm"}, {"AssemblyScript", "battery.assemblyscript.wasm"}, {"WAT", "battery.wat.wasm"}, {"Go", goModule},
	}
	var bare []contender
	for _, s := range samples {
		path := filepath.Join(sdk, "testdata", s.file)
		if s.name == "Go" {
			if path = goModule; path == "" {
				continue
			}
		}
		binary, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		once, err := byPlugin(binary)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		list = append(list, contender{name: s.name, once: once})
		for _, fuel := range []bool{false, true} {
			once, err := byRuntime(binary, fuel)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			bare = append(bare, contender{name: fmt.Sprintf("%s on wazero, fuel %v, nothing else", s.name, fuel), once: once})
		}
	}
	module, err := os.ReadFile(filepath.Join(sdk, "testdata", "extism.wasm"))
	if err != nil {
		return nil, err
	}
	ours, err := byPlugin(module)
	if err != nil {
		return nil, err
	}
	theirs, err := byExtism(module)
	if err != nil {
		return nil, err
	}
	const c = 1 // the place of the sample in C
	list = append(list, contender{"C as a plugin of Extism, our host", ours, c}, contender{"C as a plugin of Extism, its Go SDK", theirs, c})
	for i, b := range bare {
		b.than = len(list) - i%2
		list = append(list, b)
	}
	return list, nil
}

func byExpr() func(int) error {
	program, err := expr.Compile(`reported.battery?.pct != nil and reported.battery.pct < 20`, expr.AsBool())
	if err != nil {
		panic(err)
	}
	var decoded [twins]map[string]any
	for n := range decoded {
		decoded[n] = map[string]any{
			"tags":     map[string]any{"owner": "ann", "site": "muc"},
			"reported": map[string]any{"battery": map[string]any{"pct": float64(charge(n))}},
		}
	}
	var machine vm.VM
	return func(n int) error {
		match, err := machine.Run(program, decoded[n])
		return unmatched(match != true, err)
	}
}

var errMatch = errors.New("it matches, and should not")

func unmatched(ok bool, err error) error {
	if err == nil && !ok {
		err = errMatch
	}
	return err
}

// byPlugin asks a plugin as rules do: declared reads, fuel, everything put back.
func byPlugin(binary []byte) (func(int) error, error) {
	ctx := context.Background()
	host, err := plugins.NewHost(ctx, nil)
	if err != nil {
		return nil, err
	}
	m, err := host.Load(ctx, "battery", binary)
	if err != nil {
		return nil, err
	}
	i, err := m.Instance(ctx, twin.Object{"low": json.Number("20")})
	if err != nil {
		return nil, err
	}
	var parsed [twins]*twin.Twin
	for n := range parsed {
		if parsed[n], err = twin.Parse(document(n)); err != nil {
			return nil, err
		}
	}
	return func(n int) error {
		a, err := i.Judge(ctx, parsed[n], noon)
		return unmatched(a == nil || a.Finding == nil, err)
	}, nil
}

// byExtism asks the same of the SDK that people would use, with what our host
// would hand over.
func byExtism(binary []byte) (func(int) error, error) {
	ctx := context.Background()
	manifest := extism.Manifest{Wasm: []extism.Wasm{extism.WasmData{Data: binary}}, Config: map[string]string{"low": "20"}}
	p, err := extism.NewPlugin(ctx, manifest, extism.PluginConfig{RuntimeConfig: wazero.NewRuntimeConfig()}, nil)
	if err != nil {
		return nil, err
	}
	var inputs [twins][]byte
	for n := range inputs {
		inputs[n] = input(n)
	}
	return func(n int) error {
		_, out, err := p.Call("evaluate", inputs[n])
		return unmatched(len(out) == 0, err)
	}, nil
}

// input is what a plugin that declares its reads gets of a twin.
func input(n int) []byte {
	return fmt.Appendf(nil, `{"now":%d,"twin":{"tags":{"owner":"ann"},"properties":{"reported":{"battery":{"pct":%d}}}}}`, noon.UnixMilli(), charge(n))
}
