package main

import (
	"context"
	"errors"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm"
)

// byRuntime asks a module in a plain runtime, with its fuel counted or not, and puts
// nothing back.
func byRuntime(binary []byte, fuel bool) (func(int) error, error) {
	ctx := context.Background()
	if fuel {
		m, err := wasm.Parse(binary)
		if err != nil {
			return nil, err
		}
		metered, err := m.Meter(binary, 1<<62)
		if err != nil {
			return nil, err
		}
		binary = metered.Binary
	}
	mod, err := instantiate(ctx, binary)
	if err != nil {
		return nil, err
	}
	config := []byte(`{"low":20}`)
	at, err := put(ctx, mod, config)
	if err != nil {
		return nil, err
	}
	if _, err := mod.ExportedFunction(abi.Init).Call(ctx, uint64(at), uint64(len(config))); err != nil {
		return nil, err
	}
	if at, err = put(ctx, mod, input(twins-1)); err != nil {
		return nil, err
	}
	var inputs [twins][]byte
	for n := range inputs {
		inputs[n] = input(n)
	}
	evaluate, stack := mod.ExportedFunction(abi.Evaluate), make([]uint64, 2)
	return func(n int) error {
		mod.Memory().Write(at, inputs[n])
		stack[0], stack[1] = uint64(at), uint64(len(inputs[n]))
		err := evaluate.CallWithStack(ctx, stack)
		return unmatched(stack[0] == 0, err)
	}, nil
}

// put asks the module for room and writes text there.
func put(ctx context.Context, mod api.Module, text []byte) (uint32, error) {
	at, err := mod.ExportedFunction(abi.Alloc).Call(ctx, uint64(len(text)))
	if err != nil {
		return 0, err
	}
	if !mod.Memory().Write(uint32(at[0]), text) {
		return 0, errors.New("no room")
	}
	return uint32(at[0]), nil
}

// instantiate gives a module the imports that compilers want, none of which does
// anything.
func instantiate(ctx context.Context, binary []byte) (api.Module, error) {
	rt := wazero.NewRuntime(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, rt)
	nothing := func(context.Context, api.Module, []uint64) {}
	i32, f64 := api.ValueTypeI32, api.ValueTypeF64
	host := rt.NewHostModuleBuilder(abi.Host).NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(nothing), []api.ValueType{i32, i32, i32}, nil).Export(abi.Log)
	if _, err := host.Instantiate(ctx); err != nil {
		return nil, err
	}
	env := rt.NewHostModuleBuilder("env").
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(nothing), []api.ValueType{i32, i32, i32, i32}, nil).Export("abort").
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(nothing), nil, []api.ValueType{f64}).Export("seed")
	if _, err := env.Instantiate(ctx); err != nil {
		return nil, err
	}
	return rt.InstantiateWithConfig(ctx, binary, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
}
