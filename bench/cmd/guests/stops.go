package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// hostile are modules that do not end by themselves, or not before everybody has gone
// home.
var hostile = []struct {
	name string
	code []byte
	tree int // functions that each call the next one twice
}{
	{"an endless loop", []byte{0x03, 0x40, 0x0c, 0, 0x0b, 0}, 0},
	{"a tree of 2^40 calls", []byte{0x10, 2, 0}, 40},
	{"filling memory again and again", wasmtest.Code([]byte{0x03, 0x40}, wasmtest.Const32(0), wasmtest.Const32(1), wasmtest.Const32(131072), []byte{0xfc, 11, 0, 0x0c, 0, 0x0b, 0}), 0},
}

// stops prints how long modules run that only their budget ends.
func stops(rounds int) error {
	fmt.Printf("\n%-42s %12s\n", "stopped by the default budget after", "ms, median")
	for _, h := range hostile {
		binary := wasmtest.Plugin(h.code, func(m *wasmtest.Module) {
			for n := range h.tree {
				var code []byte
				if n < h.tree-1 {
					code = []byte{0x10, byte(n + 3), 0x10, byte(n + 3)}
				}
				m.Funcs = append(m.Funcs, wasmtest.Func{Code: code})
			}
		})
		took, err := stop(binary, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
		fmt.Printf("%-42s %12.1f\n", h.name, median(took))
	}
	return nil
}

// stop returns how many milliseconds each of some calls takes until its fuel is gone.
func stop(binary []byte, calls int) (took []float64, err error) {
	ctx := context.Background()
	host, err := plugins.NewHost(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer host.Close(ctx)
	module, err := host.Load(ctx, "hostile", binary)
	if err != nil {
		return nil, err
	}
	instance, err := module.Instance(ctx, nil)
	if err != nil {
		return nil, err
	}
	t := &twin.Twin{Ref: twin.Ref{Device: "d"}}
	for range calls {
		began := time.Now()
		_, err := instance.Judge(ctx, t, noon)
		took = append(took, time.Since(began).Seconds()*1000)
		if failed, ok := errors.AsType[*plugins.Error](err); !ok || failed.Code != plugins.EvalFuel {
			return nil, fmt.Errorf("it ends with %v", err)
		}
	}
	return took, nil
}
