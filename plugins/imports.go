package plugins

import (
	"context"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm"
)

// An offer is a function that modules may import. Its types are spelled i for
// i32, I for i64 and F for f64.
type offer struct {
	module, name    string
	params, results string
	// call reads its parameters from the front of stack and writes its result
	// there. What it does must be bounded by the fuel that it takes from e.
	call func(e *env, mod api.Module, stack []uint64)
}

const wasi = "wasi_snapshot_preview1"

// offers lists every function that a module may import.
var offers = slices.Concat(extismOffers, []offer{
	{abi.Host, abi.Log, "iii", "", (*env).log},
	{"env", "abort", "iiii", "", (*env).abort}, // AssemblyScript's
	{"env", "seed", "", "F", (*env).seed},      // AssemblyScript's

	{wasi, "args_get", "ii", "i", succeed},
	{wasi, "args_sizes_get", "ii", "i", (*env).noStrings},
	{wasi, "environ_get", "ii", "i", succeed},
	{wasi, "environ_sizes_get", "ii", "i", (*env).noStrings},
	{wasi, "clock_res_get", "ii", "i", (*env).clockResolution},
	{wasi, "clock_time_get", "iIi", "i", (*env).clockTime},
	{wasi, "fd_write", "iiii", "i", (*env).write},
	{wasi, "fd_fdstat_get", "ii", "i", (*env).fileStatus},
	{wasi, "poll_oneoff", "iiii", "i", (*env).poll},
	{wasi, "proc_exit", "i", "", (*env).exit},
	{wasi, "random_get", "ii", "i", (*env).randomBytes},
	{wasi, "sched_yield", "", "i", succeed},
},
	refusals("iIIi", "fd_advise", "fd_filestat_set_times"),
	refusals("iII", "fd_allocate", "fd_fdstat_set_rights"),
	refusals("i", "fd_close", "fd_datasync", "fd_sync", "proc_raise"),
	refusals("ii", "fd_fdstat_set_flags", "fd_filestat_get", "fd_prestat_get", "fd_renumber", "fd_tell", "sock_shutdown"),
	refusals("iI", "fd_filestat_set_size"),
	refusals("iiiIi", "fd_pread", "fd_pwrite", "fd_readdir"),
	refusals("iii", "fd_prestat_dir_name", "path_create_directory", "path_remove_directory", "path_unlink_file", "sock_accept"),
	refusals("iiii", "fd_read"),
	refusals("iIii", "fd_seek"),
	refusals("iiiii", "path_filestat_get", "path_symlink", "sock_send"),
	refusals("iiiiIIi", "path_filestat_set_times"),
	refusals("iiiiiii", "path_link"),
	refusals("iiiiiIIii", "path_open"),
	refusals("iiiiii", "path_readlink", "path_rename", "sock_recv"),
)

// refusals are functions of WASI that toolchains import and plugins do not get:
// there are no files and no network.
func refusals(params string, names ...string) (list []offer) {
	for _, name := range names {
		list = append(list, offer{wasi, name, params, "i", refuse})
	}
	return list
}

var offeredTypes = map[rune]wasm.ValType{'i': wasm.I32, 'I': wasm.I64, 'F': wasm.F64}

func valTypes(spelled string) (list []wasm.ValType) {
	for _, r := range spelled {
		list = append(list, offeredTypes[r])
	}
	return list
}

func apiTypes(spelled string) []api.ValueType {
	list := []api.ValueType{}
	for _, t := range valTypes(spelled) {
		list = append(list, api.ValueType(t))
	}
	return list
}

// find returns what is offered for an import, or says why nothing is.
func find(i wasm.Import) (offer, error) {
	at := slices.IndexFunc(offers, func(o offer) bool { return o.module == i.Module && o.name == i.Name })
	if at < 0 || i.Kind != wasm.Function {
		return offer{}, fmt.Errorf("%s %s.%s", i.Kind, i.Module, i.Name)
	}
	o := offers[at]
	if !slices.Equal(i.Type.Params, valTypes(o.params)) || !slices.Equal(i.Type.Results, valTypes(o.results)) {
		return offer{}, fmt.Errorf("function %s.%s with other types", i.Module, i.Name)
	}
	return o, nil
}

// provide gives rt what a module imports, which [find] has found.
func provide(ctx context.Context, rt wazero.Runtime, imports []wasm.Import) error {
	builders := map[string]wazero.HostModuleBuilder{}
	for _, i := range imports {
		o, err := find(i)
		if err != nil {
			return err
		}
		if builders[o.module] == nil {
			builders[o.module] = rt.NewHostModuleBuilder(o.module)
		}
		builders[o.module].NewFunctionBuilder().
			WithGoModuleFunction(o.function(), apiTypes(o.params), apiTypes(o.results)).Export(o.name)
	}
	for _, b := range builders {
		if _, err := b.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (o offer) function() api.GoModuleFunc {
	return func(ctx context.Context, mod api.Module, stack []uint64) {
		e := ctx.Value(envKey{}).(*env)
		e.charge(mod, callCost)
		o.call(e, mod, stack)
	}
}
