package wasm_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/twinrules/twinrules/plugins/wasm"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// TestInstructionsAgree reads every instruction there could be, and finds that it
// is as long as wazero finds it. It stands behind an unreachable, where operands
// are of any type, and before some zeros, which are more of these, and sometimes
// an end that is too much. A parser that reads too little stumbles over the end
// that should be a part of the instruction, one that reads too much over a
// constant that looks like an end without its first byte.
func TestInstructionsAgree(t *testing.T) {
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2))
	defer rt.Close(ctx)
	known := 0
	for _, op := range instructions() {
		for zeros := range 20 {
			for ends := range 2 {
				code := wasmtest.Code([]byte{0}, op, make([]byte, zeros), bytes.Repeat([]byte{0x0b}, ends), wasmtest.Const32(0x0b), []byte{0x1a, 0})
				m := &wasmtest.Module{
					Table: 1, DataCount: true,
					Data:    []wasmtest.Data{{Text: []byte("x")}},
					Globals: []wasmtest.Global{{}},
					Funcs:   []wasmtest.Func{{Locals: i32, Code: code}},
				}
				module := m.Bytes()
				theirs, err := rt.CompileModule(ctx, module)
				if err != nil {
					continue
				}
				theirs.Close(ctx)
				known++
				ours, err := wasm.Parse(module)
				if err != nil {
					t.Errorf("%x with %d zeros and %d ends: wazero takes it, we say %v", op, zeros, ends, err)
					continue
				}
				if len(ours.Stateful) == 0 {
					again, err := rt.CompileModule(ctx, meter(t, module, budget).Binary)
					if err != nil {
						t.Errorf("%x with %d zeros and %d ends: metered it is not valid: %v", op, zeros, ends, err)
						continue
					}
					again.Close(ctx)
				}
			}
		}
	}
	if known < 2000 {
		t.Errorf("only %d of these modules are valid", known)
	}
}

// instructions lists all bytes, and all numbers behind those that take one.
func instructions() (list [][]byte) {
	for op := range 256 {
		if op != 0xfc && op != 0xfd && op != 0xfe {
			list = append(list, []byte{byte(op)})
		}
	}
	for _, op := range []byte{0xfc, 0xfd, 0xfe} {
		for sub := range uint64(256) {
			list = append(list, binary.AppendUvarint([]byte{op}, sub))
		}
	}
	return list
}
