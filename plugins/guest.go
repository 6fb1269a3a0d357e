package plugins

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm"
)

// A guest is one running instance of a module. It serves one call at a time.
type guest struct {
	env             *env
	ctx             context.Context // of calls; carries env and is never done
	mod             api.Module
	alloc, evaluate api.Function
	fuel            api.MutableGlobal
	state           []api.MutableGlobal
	at, room        uint32 // the buffer for input
	stack           [2]uint64
	input           []byte   // scratch
	broken          bool     // it crashed and can serve no more
	warm            bool     // it is not to be put back before the next call
	mapping         *mapping // its memory, nil when that is a slice
}

// firstRoom is the size of the buffer that is asked for before the snapshot.
// What plugins declare to read is smaller than this.
const firstRoom = 4 << 10

// newGuest instantiates m with the budget for init and runs none of its code. Its
// memory is a mapping of image, unless that is nil.
func newGuest(m *Module, settings twin.Object, image *image) (*guest, error) {
	g := &guest{env: &env{digest: m.sum}}
	evaluate := abi.Evaluate
	if m.report.ABI == abi.Extism {
		evaluate, g.env.extism = abi.ExtismEvaluate, newExtism(m.options.Memory, extismSettings(settings))
	}
	g.ctx = context.WithValue(context.Background(), envKey{}, g.env)
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	mod, err := m.runtime.InstantiateModule(g.mapped(image), m.code, config)
	if err != nil {
		if g.mapping != nil {
			g.mapping.Free()
		}
		return nil, err
	}
	g.mod = mod
	g.alloc, g.evaluate = mod.ExportedFunction(abi.Alloc), mod.ExportedFunction(evaluate)
	g.fuel = mod.ExportedGlobal(wasm.FuelExport).(api.MutableGlobal)
	for i := range m.state {
		g.state = append(g.state, mod.ExportedGlobal(wasm.StateExport(i)).(api.MutableGlobal))
	}
	return g, nil
}

// mapped returns the context in which g is to be instantiated, so that its memory is a
// mapping of image, if there is one and the system makes another mapping.
func (g *guest) mapped(image *image) context.Context {
	if image == nil {
		return g.ctx
	}
	m, err := image.guest()
	if err != nil {
		return g.ctx
	}
	g.mapping = m
	return experimental.WithMemoryAllocator(g.ctx, experimental.MemoryAllocatorFunc(func(uint64, uint64) experimental.LinearMemory { return m }))
}

func (g *guest) close() {
	_ = g.mod.Close(g.ctx) // it holds nothing but memory
}

// left returns the fuel that is left, below 0 when it was used up.
func (g *guest) left() int64 { return int64(g.fuel.Get()) }

// errNoFuel says that a call ended by itself, having used more than there was.
var errNoFuel = errors.New("it has no fuel left")

// call runs f with two operands and returns its result.
func (g *guest) call(f api.Function, a, b uint64) (uint64, error) {
	g.stack = [2]uint64{a, b}
	err := f.CallWithStack(g.ctx, g.stack[:])
	if err == nil && g.left() < 0 {
		err = errNoFuel
	}
	return g.stack[0], err
}

// errNoRoom says that the plugin gave no place for its input.
var errNoRoom = errors.New("it has no room for its input")

// write puts input where the plugin wants it, in a bigger buffer if need be.
func (g *guest) write(input []byte) error {
	if uint32(len(input)) > g.room {
		at, err := g.call(g.alloc, uint64(len(input)), 0)
		if err != nil {
			return err
		}
		g.at, g.room = uint32(at), uint32(len(input))
	}
	if g.at == 0 || !g.mod.Memory().Write(g.at, input) {
		return errNoRoom
	}
	return nil
}

// ask hands input to f, evaluate or init, and returns a copy of its answer, nil
// when there is none.
func (g *guest) ask(f api.Function, input []byte) ([]byte, error) {
	if err := g.write(input); err != nil {
		return nil, err
	}
	place, err := g.call(f, uint64(g.at), uint64(len(input)))
	if err != nil || place == 0 {
		return nil, err
	}
	return g.read(uint32(place>>32), uint32(place))
}

var (
	errOutputSize  = fmt.Errorf("its answer has more than %d bytes", abi.MaxOutput)
	errOutputPlace = errors.New("its answer is not in its memory")
)

func (g *guest) read(at, n uint32) ([]byte, error) {
	if n > abi.MaxOutput {
		return nil, errOutputSize
	}
	text, ok := g.mod.Memory().Read(at, n)
	if !ok {
		return nil, errOutputPlace
	}
	return append(make([]byte, 0, n), text...), nil
}

// judge hands input to evaluate and returns a copy of its answer, nil when there is
// none.
func (g *guest) judge(input []byte) ([]byte, error) {
	if g.env.extism != nil {
		return g.askExtism(input)
	}
	return g.ask(g.evaluate, input)
}

// A refusedError is the plugin's own error, or its failure to write one.
type refusedError struct{ error }

// crashed reports whether err came out of the plugin's code, so that the
// instance is of no more use.
func crashed(err error) bool {
	switch err {
	case nil, errNoRoom, errOutputSize, errOutputPlace:
		return false
	}
	return !refused(err)
}

// refused reports whether err is what the plugin itself says.
func refused(err error) bool {
	_, ok := err.(refusedError)
	return ok
}

// reason says in one line why a plugin crashed, with the first warning that it
// printed: runtimes print what went wrong before they give up.
func reason(err error, said []Line) error {
	text := firstLine(err)
	if exit, ok := errors.AsType[*sys.ExitError](err); ok {
		text = fmt.Sprintf("it exited with code %d", exit.ExitCode())
	}
	for _, line := range said {
		if line.Level >= slog.LevelWarn {
			return fmt.Errorf("%s, having said %q", text, line.Text)
		}
	}
	return errors.New(text)
}

func fuelError(budget int64) error {
	return fmt.Errorf("it used up its budget of %d units of fuel", budget)
}
