package plugins

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm"
)

// A Line is something that a plugin said.
type Line struct {
	Level slog.Level
	Text  string
}

// An env is what an instance sees of the world during one call. It is made of
// the call's inputs, so that the call can be repeated.
type env struct {
	digest [sha256.Size]byte // of the module
	input  []byte
	now    time.Time

	clock  time.Duration // since the call began, moved by sleeping only
	random *rand.ChaCha8 // nil until it is asked for
	lines  []Line
	print  []byte     // of a line that is not complete
	level  slog.Level // of that line
	fuel   api.MutableGlobal
	extism *extism // nil for other plugins
}

type envKey struct{}

// What the host does is charged for so that a unit buys about 5 ns of it at most, and a
// call that does nothing but ask the host ends in 50 ms with 10 million units.
const (
	callCost = 32 // a call, besides its work
	itemCost = 64 // something that it has to look up, or one of a list
)

// begin prepares e for a call.
func (e *env) begin(now time.Time, input []byte) {
	e.now, e.input = now, input
	// Go's runtime does not start when its clock stands at 0.
	e.clock = time.Millisecond
	e.random, e.lines, e.print = nil, nil, e.print[:0]
	if e.extism != nil {
		e.extism.begin(input)
	}
}

// said returns what the plugin said during the call.
func (e *env) said() []Line {
	if len(e.print) > 0 {
		e.say(e.level, string(e.print))
		e.print = e.print[:0]
	}
	return e.lines
}

// charge takes units of fuel, and reports whether there were as many. If not,
// the module traps at its next charge.
func (e *env) charge(mod api.Module, units uint64) bool {
	if e.fuel == nil {
		e.fuel = mod.ExportedGlobal(wasm.FuelExport).(api.MutableGlobal)
	}
	left := int64(e.fuel.Get())
	if left < 0 || units > uint64(left) {
		e.fuel.Set(api.EncodeI64(-1))
		return false
	}
	e.fuel.Set(uint64(left) - units)
	return true
}

// bytes returns n bytes of the module's memory for which it has paid.
func (e *env) bytes(mod api.Module, at, n uint64) ([]byte, bool) {
	if !e.charge(mod, uint64(uint32(n))/32) {
		return nil, false
	}
	return mod.Memory().Read(uint32(at), uint32(n))
}

func (e *env) say(level slog.Level, text string) {
	if len(e.lines) >= abi.MaxLines || text == "" {
		return
	}
	if len(text) > abi.MaxLine {
		text = text[:abi.MaxLine]
	}
	e.lines = append(e.lines, Line{level, strings.ToValidUTF8(text, "�")})
}

// levels are what abi.Levels names.
var levels = [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}

func (e *env) log(mod api.Module, stack []uint64) {
	level := slog.LevelError
	if n := uint32(stack[0]); n < uint32(len(levels)) {
		level = levels[n]
	}
	text, _ := e.bytes(mod, stack[1], min(uint64(uint32(stack[2])), abi.MaxLine))
	if len(e.lines) < abi.MaxLines {
		e.say(level, string(text))
	}
}

// abort is how AssemblyScript ends a program: with the places of a message and of
// a file name, either of which may be 0.
func (e *env) abort(mod api.Module, stack []uint64) {
	if message := e.utf16(mod, stack[0]); message != "" {
		e.say(slog.LevelError, message)
	}
	panic(fmt.Errorf("it aborted at line %d, column %d", uint32(stack[2]), uint32(stack[3])))
}

// utf16 reads a string of AssemblyScript, whose length in bytes stands before it.
func (e *env) utf16(mod api.Module, at uint64) string {
	n, ok := mod.Memory().ReadUint32Le(uint32(at) - 4)
	if !ok || at == 0 {
		return ""
	}
	text, _ := e.bytes(mod, at, uint64(min(n, 2*abi.MaxLine)))
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(text[2*i:])
	}
	return string(utf16.Decode(units))
}

func (e *env) exit(_ api.Module, stack []uint64) {
	panic(sys.NewExitError(uint32(stack[0])))
}

func (e *env) source() *rand.ChaCha8 {
	if e.random == nil {
		e.random = rand.NewChaCha8(sha256.Sum256(append(e.digest[:], e.input...)))
	}
	return e.random
}

func (e *env) seed(_ api.Module, stack []uint64) {
	stack[0] = math.Float64bits(float64(e.source().Uint64()>>11) / (1 << 53))
}
