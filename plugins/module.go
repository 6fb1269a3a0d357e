package plugins

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm"
)

// A Module is a plugin that has been checked and compiled, without a
// configuration. It is safe for concurrent use and lives as long as its host.
type Module struct {
	host    *Host
	name    string
	report  *Report
	sum     [sha256.Size]byte
	runtime wazero.Runtime
	code    wazero.CompiledModule
	state   int // mutable globals
	schema  *jsonschema.Schema
	options Options // of the host, lowered by the manifest
	log     *slog.Logger
}

// Load checks and compiles a module, which is called name in messages. It runs
// none of it. Its error is an [*Error], unless the host is closed.
func (h *Host) Load(ctx context.Context, name string, binary []byte) (*Module, error) {
	parsed, report, err := inspect(binary, h.options.Memory)
	if err != nil {
		return nil, &Error{Code: LoadFormat, Plugin: name, Err: err}
	}
	if err := report.err(name); err != nil {
		return nil, err
	}
	m := &Module{
		host: h, name: name, report: report, sum: sha256.Sum256(binary),
		options: h.options, log: h.options.Log.With("plugin", name),
	}
	if err := m.useManifest(report.Manifest); err != nil {
		return nil, &Error{Code: LoadManifest, Plugin: name, Err: err}
	}
	if err := m.compile(ctx, h, parsed, binary); errors.Is(err, errClosed) {
		return nil, fmt.Errorf("load plugin %s: %w", name, err)
	} else if err != nil {
		return nil, &Error{Code: LoadFormat, Plugin: name, Err: err}
	}
	return m, nil
}

func (m *Module) useManifest(manifest *abi.Manifest) (err error) {
	if manifest == nil {
		return nil
	}
	if l := manifest.Limits; l != nil {
		m.options.Fuel = lower(m.options.Fuel, l.Fuel)
		m.options.Memory = lower(m.options.Memory, l.Memory)
	}
	if manifest.Config != nil {
		m.schema, err = compileSchema(manifest.Config.Schema)
	}
	return err
}

func lower(have, want int64) int64 {
	if want <= 0 {
		return have
	}
	return min(have, want)
}

// compile makes code of a module. What is kept of it and cannot be read is made
// anew.
func (m *Module) compile(ctx context.Context, h *Host, parsed *wasm.Module, binary []byte) error {
	metered, err := parsed.Meter(binary, m.options.InitFuel)
	if err != nil {
		return err
	}
	m.state = metered.State
	err = m.translate(ctx, h, parsed, metered.Binary)
	if err != nil && strings.Contains(err.Error(), "compilationcache") {
		h.noCache(fmt.Errorf("%s: what is kept there cannot be read, remove it: %w", h.options.Cache, err))
		err = m.translate(ctx, h, parsed, metered.Binary)
	}
	return err
}

func (m *Module) translate(ctx context.Context, h *Host, parsed *wasm.Module, binary []byte) (err error) {
	if m.runtime, err = h.newRuntime(ctx, uint32(m.options.Memory/pageSize)); err != nil {
		return err
	}
	if err = provide(ctx, m.runtime, parsed.Imports); err == nil {
		ctx = experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0))
		m.code, err = m.runtime.CompileModule(ctx, binary)
	}
	if err != nil {
		h.release(ctx, m.runtime)
		return fmt.Errorf("compile: %s", firstLine(err))
	}
	return nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimSuffix(line, " (recovered by wazero)")
}

// Report returns what [Inspect] says of the module.
func (m *Module) Report() *Report { return m.report }

// Instance gives the module a configuration, which it may refuse, and returns it
// ready to judge twins. A nil config is an empty one. Its error is an [*Error].
func (m *Module) Instance(ctx context.Context, config twin.Object) (*Instance, error) {
	if config == nil {
		config = twin.Object{}
	}
	if err := m.checkConfig(config); err != nil {
		return nil, &Error{Code: InitConfig, Plugin: m.name, Err: err}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	i := newInstance(m, config)
	if err := i.initialize(ctx, twin.Encode(config)); err != nil {
		return nil, err
	}
	return i, nil
}

func (m *Module) checkConfig(config twin.Object) error {
	if m.schema != nil {
		return checkConfig(m.schema, config)
	}
	_, reads := m.code.ExportedFunctions()[abi.Init]
	if m.report.ABI == abi.Extism {
		reads = slices.Contains(m.report.Imports, abi.ExtismHost+"."+abi.ExtismConfig)
	}
	if !reads && len(config) > 0 {
		return errors.New("it takes no configuration")
	}
	return nil
}
