package plugins

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Options holds the optional settings of [NewHost].
type Options struct {
	Fuel     int64 // units for one twin; 0 means 10 million, 10 to 40 ms on a fast machine
	InitFuel int64 // units for init; 0 means 200 million
	Memory   int64 // bytes of one instance; 0 means 64 MiB
	// Instances bounds the calls of one configured plugin that run at once, each in
	// an instance of its own; 0 means GOMAXPROCS.
	Instances int
	// Interpreter makes the host interpret modules even where it can compile them.
	// The answers and the fuel are the same.
	Interpreter bool
	// PerRun leaves memory as calls leave it, which saves putting it back: for plugins
	// that are known to keep nothing that would show. One twin in 256 is asked about
	// again with memory put back, and so is each that a plugin fails for; another answer
	// is a failure. What calls cost is not the same from run to run then.
	PerRun bool
	Log    *slog.Logger // gets what plugins say; nil means none
	// Cache is a folder that keeps compiled code for the next time, which spares most
	// of the time of [Host.Load]; "" keeps none. It is made if it is not there, and not
	// used if others may write to it, see [Host.CacheProblem].
	Cache string
	// Failed, unless nil, is told of each call that fails, by several goroutines at
	// once. It must not keep the failure's Input.
	Failed func(*Failure)
}

const pageSize = 64 << 10

func (o *Options) withDefaults() Options {
	var s Options
	if o != nil {
		s = *o
	}
	s.Fuel = cmp.Or(s.Fuel, 10_000_000)
	s.InitFuel = cmp.Or(s.InitFuel, 200_000_000)
	s.Memory = cmp.Or(s.Memory, 64<<20)
	s.Instances = cmp.Or(s.Instances, runtime.GOMAXPROCS(0))
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	return s
}

// A Host runs modules. It is safe for concurrent use.
type Host struct {
	options Options

	mu           sync.Mutex
	runtimes     []runtimeOf // one for each module, since modules do not trust each other
	images       []*image
	closed       bool
	cacheProblem error
}

// A runtimeOf is the runtime of one module, with what keeps its code, if anything
// does.
type runtimeOf struct {
	wazero.Runtime
	cache wazero.CompilationCache
}

func (r runtimeOf) close(ctx context.Context) error {
	err := r.Runtime.Close(ctx)
	if r.cache != nil {
		err = errors.Join(err, r.cache.Close(ctx))
	}
	return err
}

// NewHost returns a host, which its user closes.
func NewHost(_ context.Context, o *Options) (*Host, error) {
	s := o.withDefaults()
	if s.Fuel < 0 || s.InitFuel < 0 || s.Memory < pageSize || s.Memory > 1<<32 || s.Instances < 0 {
		return nil, errors.New("plugin host: a limit is out of range")
	}
	return &Host{options: s}, nil
}

// InterpreterWarning is what users should be told where [Host.Interpreted].
const InterpreterWarning = "plugins are interpreted on this platform, which takes about 70 times as long as compiling them; their answers are the same"

// Interpreted reports whether modules are interpreted, because they cannot be
// compiled for this platform or because [Options.Interpreter] says so. A platform
// that forbids programs to write code is not noticed.
func (h *Host) Interpreted() bool {
	return h.options.Interpreter || !compiles(runtime.GOOS, runtime.GOARCH)
}

// Loaded reports whether the host has a module.
func (h *Host) Loaded() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.runtimes) > 0
}

// compiles reports whether wazero 1.12 has a compiler for a platform.
func compiles(system, arch string) bool {
	switch arch {
	case "amd64":
		return slices.Contains([]string{"linux", "darwin", "freebsd", "netbsd", "windows", "dragonfly", "solaris", "illumos"}, system)
	case "arm64":
		return slices.Contains([]string{"linux", "darwin", "freebsd", "netbsd", "windows"}, system)
	}
	return false
}

var errClosed = errors.New("the plugin host is closed")

// newRuntime returns a runtime for one module with at most pages of memory.
func (h *Host) newRuntime(ctx context.Context, pages uint32) (wazero.Runtime, error) {
	config := wazero.NewRuntimeConfig()
	if h.options.Interpreter {
		config = wazero.NewRuntimeConfigInterpreter()
	}
	config = config.WithCoreFeatures(api.CoreFeaturesV2).WithMemoryLimitPages(pages)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errClosed
	}
	var r runtimeOf
	if h.options.Cache != "" && h.cacheProblem == nil {
		if r.cache, h.cacheProblem = openCache(h.options.Cache); h.cacheProblem == nil {
			config = config.WithCompilationCache(r.cache)
		}
	}
	r.Runtime = wazero.NewRuntimeWithConfig(ctx, config)
	h.runtimes = append(h.runtimes, r)
	return r.Runtime, nil
}

// release closes the runtime of a module that could not be loaded.
func (h *Host) release(ctx context.Context, rt wazero.Runtime) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.runtimes = slices.DeleteFunc(h.runtimes, func(r runtimeOf) bool {
		if r.Runtime == rt {
			_ = r.close(ctx)
		}
		return r.Runtime == rt
	})
}

// Close frees what the host's modules hold. No call may run or follow.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	var errs []error
	for _, rt := range h.runtimes {
		errs = append(errs, rt.close(ctx))
	}
	for _, i := range h.images {
		errs = append(errs, i.Close())
	}
	h.runtimes, h.images = nil, nil
	return errors.Join(errs...)
}

// newImage returns an image of pages, which is closed with h, or nil when there is none.
func (h *Host) newImage(pages [][]byte) (*image, error) {
	i, err := newImage(pages)
	if i != nil {
		h.mu.Lock()
		h.images = append(h.images, i)
		h.mu.Unlock()
	}
	return i, err
}
