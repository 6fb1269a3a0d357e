package plugins

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins/abi"
)

// extismOffers are what Extism's kernel offers. As there, 0 is an address of
// nothing; what is nowhere in its memory is a trap here, where Extism reads zeros,
// since it can only be a bug.
var extismOffers = []offer{
	{abi.ExtismHost, "alloc", "I", "I", (*env).extismAlloc},
	{abi.ExtismHost, "free", "I", "", (*env).extismFree},
	{abi.ExtismHost, "length", "I", "I", (*env).extismLength},
	{abi.ExtismHost, "length_unsafe", "I", "I", (*env).extismLength},
	{abi.ExtismHost, "load_u8", "I", "i", (*env).extismLoad8},
	{abi.ExtismHost, "load_u64", "I", "I", (*env).extismLoad64},
	{abi.ExtismHost, "store_u8", "Ii", "", (*env).extismStore8},
	{abi.ExtismHost, "store_u64", "II", "", (*env).extismStore64},
	{abi.ExtismHost, "input_offset", "", "I", (*env).extismInput},
	{abi.ExtismHost, "input_length", "", "I", (*env).extismInputLength},
	{abi.ExtismHost, "input_load_u8", "I", "i", (*env).extismInput8},
	{abi.ExtismHost, "input_load_u64", "I", "I", (*env).extismInput64},
	{abi.ExtismHost, "output_set", "II", "", (*env).extismOutput},
	{abi.ExtismHost, "error_set", "I", "", (*env).extismError},
	{abi.ExtismHost, abi.ExtismConfig, "I", "I", (*env).extismConfig},
	{abi.ExtismHost, "var_get", "I", "I", (*env).extismGet},
	{abi.ExtismHost, "var_set", "II", "", (*env).extismSet},
	{abi.ExtismHost, "http_request", "II", "I", forbid},
	{abi.ExtismHost, "http_status_code", "", "i", nothing},
	{abi.ExtismHost, "http_headers", "", "I", nothing},
	{abi.ExtismHost, "get_log_level", "", "i", nothing}, // 0 is the lowest: everything is wanted
	{abi.ExtismHost, "log_trace", "I", "", extismLog(slog.LevelDebug)},
	{abi.ExtismHost, "log_debug", "I", "", extismLog(slog.LevelDebug)},
	{abi.ExtismHost, "log_info", "I", "", extismLog(slog.LevelInfo)},
	{abi.ExtismHost, "log_warn", "I", "", extismLog(slog.LevelWarn)},
	{abi.ExtismHost, "log_error", "I", "", extismLog(slog.LevelError)},
}

// pay charges for the work on n bytes, and ends the call when there is not enough:
// a host function must not go on unpaid.
func (e *env) pay(mod api.Module, n int) {
	if !e.charge(mod, uint64(n)/32) {
		panic(errNoFuel)
	}
}

// at returns n bytes of Extism's memory.
func (e *env) at(address, n uint64) []byte {
	text, ok := e.extism.bytes(address, n)
	if !ok {
		panic(fmt.Errorf("it uses %d bytes at %d of Extism's memory, which are not there", n, address))
	}
	return text
}

func (e *env) extismAlloc(mod api.Module, stack []uint64) {
	if n := stack[0]; n <= mostExtism {
		e.pay(mod, int(n))
	}
	stack[0] = e.extism.alloc(stack[0])
}

func (e *env) extismFree(_ api.Module, stack []uint64) { e.extism.free(stack[0]) }

func (e *env) extismLength(_ api.Module, stack []uint64) { stack[0] = e.extism.length(stack[0]) }

func (e *env) extismLoad8(_ api.Module, stack []uint64) { stack[0] = uint64(e.at(stack[0], 1)[0]) }

func (e *env) extismLoad64(_ api.Module, stack []uint64) {
	stack[0] = binary.LittleEndian.Uint64(e.at(stack[0], 8))
}

func (e *env) extismStore8(_ api.Module, stack []uint64) { e.at(stack[0], 1)[0] = byte(stack[1]) }

func (e *env) extismStore64(_ api.Module, stack []uint64) {
	binary.LittleEndian.PutUint64(e.at(stack[0], 8), stack[1])
}

func (e *env) extismInput(_ api.Module, stack []uint64) { stack[0] = e.extism.input().at }

func (e *env) extismInputLength(_ api.Module, stack []uint64) { stack[0] = e.extism.input().n }

// inInput returns the address of n bytes of the input.
func (e *env) inInput(offset, n uint64) uint64 {
	input := e.extism.input()
	if offset > input.n || n > input.n-offset {
		panic(fmt.Errorf("it reads %d bytes at %d of the input, which has %d", n, offset, input.n))
	}
	return input.at + offset
}

func (e *env) extismInput8(_ api.Module, stack []uint64) {
	stack[0] = uint64(e.at(e.inInput(stack[0], 1), 1)[0])
}

func (e *env) extismInput64(_ api.Module, stack []uint64) {
	stack[0] = binary.LittleEndian.Uint64(e.at(e.inInput(stack[0], 8), 8))
}

func (e *env) extismOutput(_ api.Module, stack []uint64) {
	e.extism.output = block{stack[0], stack[1]}
}

func (e *env) extismError(_ api.Module, stack []uint64) {
	e.extism.failed = block{stack[0], e.extism.length(stack[0])}
}

// name returns the text of a block, which names a variable or a setting.
func (e *env) name(mod api.Module, at uint64) string {
	text := e.extism.block(at)
	e.pay(mod, len(text)+32*itemCost)
	return string(text)
}

// give puts a value where the plugin can read it.
func (e *env) give(mod api.Module, value []byte) uint64 {
	e.pay(mod, len(value))
	return e.extism.put(value)
}

func (e *env) extismConfig(mod api.Module, stack []uint64) {
	stack[0] = e.give(mod, e.extism.config[e.name(mod, stack[0])])
}

func (e *env) extismGet(mod api.Module, stack []uint64) {
	stack[0] = e.give(mod, e.extism.vars[e.name(mod, stack[0])])
}

// extismSet keeps a variable for this call. An address of 0 forgets it.
func (e *env) extismSet(mod api.Module, stack []uint64) {
	name, value := e.name(mod, stack[0]), e.extism.block(stack[1])
	e.pay(mod, len(value))
	if !e.extism.set(name, value) {
		panic(errors.New("it keeps more in variables than there is room for"))
	}
}

func extismLog(level slog.Level) func(*env, api.Module, []uint64) {
	return func(e *env, mod api.Module, stack []uint64) {
		text := e.extism.block(stack[0])
		text = text[:min(len(text), abi.MaxLine)]
		e.pay(mod, len(text))
		if len(e.lines) < abi.MaxLines {
			e.say(level, string(text))
		}
	}
}

// forbid ends the call of a plugin that asks for the network.
func forbid(_ *env, _ api.Module, _ []uint64) {
	panic(errors.New("it makes a request, and no plugin gets the network"))
}

func nothing(_ *env, _ api.Module, stack []uint64) { stack[0] = 0 }

// extismSettings returns a configuration as config_get gives it.
func extismSettings(config twin.Object) map[string][]byte {
	settings := map[string][]byte{}
	for key, v := range config {
		if text, ok := v.(string); ok {
			settings[key] = []byte(text)
		} else {
			settings[key] = twin.Encode(v)
		}
	}
	return settings
}

// askExtism runs evaluate of a plugin of Extism, which was given its input when the
// call began, and returns a copy of its output, nil when there is none.
func (g *guest) askExtism(input []byte) ([]byte, error) {
	if g.env.extism.input().n != uint64(len(input)) {
		return nil, errNoRoom
	}
	result, err := g.call(g.evaluate, 0, 0)
	if err != nil {
		return nil, err
	}
	x := g.env.extism
	if int32(result) != 0 {
		return nil, refusedError{x.failure(int32(result))}
	}
	switch {
	case x.output.n == 0:
		return nil, nil
	case x.output.n > abi.MaxOutput:
		return nil, errOutputSize
	}
	text, ok := x.bytes(x.output.at, x.output.n)
	if !ok {
		return nil, errOutputPlace
	}
	return append(make([]byte, 0, len(text)), text...), nil
}

// failure says why a plugin could not judge, as far as it said.
func (x *extism) failure(result int32) error {
	text, _ := x.bytes(x.failed.at, x.failed.n)
	if len(text) == 0 {
		return fmt.Errorf("it returns %d and does not say why", result)
	}
	return fmt.Errorf("it says: %s", strings.ToValidUTF8(string(text[:min(len(text), abi.MaxLine)]), "�"))
}
