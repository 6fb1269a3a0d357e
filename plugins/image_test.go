package plugins

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// writers lists what a call may do to its memory, as the code of an evaluate with 20
// pages; at the end it has answered 0.
func writers() []struct {
	name string
	code []byte
} {
	none, get := wasmtest.Const64(0), []byte{0x20, 0}
	store := func(at, v int32) []byte {
		return wasmtest.Code(wasmtest.Const32(at), wasmtest.Const32(v), []byte{0x3a, 0, 0})
	}
	// each runs code for a place in each page of 4 KiB, which is in local 2.
	each := func(code []byte) []byte {
		return wasmtest.Code([]byte{0x03, 0x40}, code, []byte{0x20, 2}, wasmtest.Const32(4096), []byte{0x6a, 0x22, 2}, wasmtest.Const32(20<<16), []byte{0x49, 0x0d, 0, 0x0b})
	}
	add := []byte{0x20, 2, 0x20, 2, 0x2d, 0, 0, 0x41, 1, 0x6a, 0x3a, 0, 0} // to the byte at local 2
	bulk := func(at, from, n int32, sub ...byte) []byte {
		return wasmtest.Code(wasmtest.Const32(at), wasmtest.Const32(from), wasmtest.Const32(n), []byte{0xfc}, sub)
	}
	grow := wasmtest.Code(wasmtest.Const32(1), []byte{0x40, 0, 0x1a})
	return []struct {
		name string
		code []byte
	}{
		{"nothing", none},
		{"the first and the last byte", wasmtest.Code(store(0, 1), store(20<<16-1, 1), none)},
		{"every page", wasmtest.Code(each(add), none)},
		{"every page, with what was there", wasmtest.Code(each([]byte{0x20, 2, 0x20, 2, 0x2d, 0, 0, 0x3a, 0, 0}), none)},
		{"reads of every page", wasmtest.Code(each([]byte{0x20, 2, 0x2d, 0, 0, 0x1a}), none)},
		{"across two pages", wasmtest.Code(wasmtest.Const32(8190), wasmtest.Const32(-1), []byte{0x36, 0, 0}, none)},
		{"a fill", wasmtest.Code(bulk(5000, 7, 300_000, 11, 0), none)},
		{"a copy over itself", wasmtest.Code(bulk(1020, 1024, 9000, 10, 0, 0), none)},
		{"a segment", wasmtest.Code(bulk(70_000, 0, 5, 8, 0, 0), none)},
		{"a global", wasmtest.Code([]byte{0x23, 0, 0x41, 1, 0x6a, 0x24, 0}, none)},
		{"growing", wasmtest.Code(grow, store(20<<16, 9), store(3, 9), none)},
		{"growing by steps", wasmtest.Code(grow, store(20<<16, 9), grow, store(21<<16, 9), grow, wasmtest.Const32(20<<16), []byte{0x2d, 0, 0}, wasmtest.Const32(9), []byte{0x47, 0x04, 0x40, 0x00, 0x0b}, none)},
		{"writing and then a trap", wasmtest.Code(each(add), []byte{0x00})},
		{"a place that depends on the input", wasmtest.Code(get, []byte{0x2d, 0, 20, 0x21, 2}, []byte{0x20, 2}, wasmtest.Const32(15), []byte{0x71}, wasmtest.Const32(70_000), []byte{0x6c, 0x21, 2}, add, none)},
	}
}

func writer(code []byte) []byte {
	return wasmtest.Plugin(code, func(m *wasmtest.Module) {
		m.Memory, m.Globals, m.DataCount = 20, []wasmtest.Global{{Value: 5}}, true
		m.Data = []wasmtest.Data{{At: 1024, Text: []byte("hello")}, {At: 19 << 16, Text: []byte{1, 2, 3}}}
	})
}

// instances returns the plugin twice: with memory that is mapped where there are
// such mappings, and with memory that is compared.
func instances(t *testing.T, binary []byte) (mapped, compared *Instance) {
	t.Helper()
	h, err := NewHost(t.Context(), &Options{Instances: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close(context.Background()) })
	m, err := h.Load(t.Context(), "probe", binary)
	if err != nil {
		t.Fatal(err)
	}
	var list [2]*Instance
	for n := range list {
		if list[n], err = m.Instance(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	list[1].image, list[1].free = nil, nil
	return list[0], list[1]
}

// TestBothWaysPutBackTheSame lets guests write where they like, more often than
// pages are kept. Before each call, memory and globals are those of the snapshot,
// and both ways lead to the same answers for the same fuel.
func TestBothWaysPutBackTheSame(t *testing.T) {
	calls := often + 10
	if testing.Short() {
		calls = 40
	}
	for _, tt := range writers() {
		t.Run(tt.name, func(t *testing.T) {
			mapped, compared := instances(t, writer(tt.code))
			for n := range calls {
				if n > 10 && len(mapped.free) == 0 {
					break // each call has a new guest, which takes a millisecond
				}
				tw, err := twin.Parse([]byte(`{"deviceId":"` + string(rune('a'+n%26)) + `"}`))
				if err != nil {
					t.Fatal(err)
				}
				a, err1 := askHeld(t, mapped, tw)
				b, err2 := askHeld(t, compared, tw)
				if (err1 == nil) != (err2 == nil) || err1 == nil && a.Fuel != b.Fuel {
					t.Fatalf("call %d: %v, %v when mapped, %v, %v when compared", n, a, err1, b, err2)
				}
			}
		})
	}
}

// askHeld is Judge, with a look at what the guest holds before the call.
func askHeld(t *testing.T, i *Instance, tw *twin.Twin) (*Answer, error) {
	t.Helper()
	g, err := i.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer i.put(g)
	g.restore(i.snapshot)
	holds(t, g, i.snapshot)
	g.input = i.view.append(g.input[:0], tw, time.Unix(0, 0))
	return i.judge(g, time.Unix(0, 0))
}

// holds checks that g holds what s does.
func holds(t *testing.T, g *guest, s *snapshot) {
	t.Helper()
	view, _ := g.mod.Memory().Read(0, g.mod.Memory().Size())
	if !slices.EqualFunc(slices.Collect(slices.Chunk(view, page)), s.pages, bytes.Equal) {
		t.Fatal("the memory is not that of the snapshot")
	}
	for i, global := range g.state {
		if global.Get() != s.state[i] {
			t.Fatalf("global %d is not that of the snapshot", i)
		}
	}
	if g.at != s.at || g.room != s.room {
		t.Fatal("the buffer is not that of the snapshot")
	}
}

// TestGuestsOfAnImageShareNothing writes in one guest and looks in another.
func TestGuestsOfAnImageShareNothing(t *testing.T) {
	i, _ := instances(t, writer(wasmtest.Const64(0)))
	var list [2]*guest
	for n := range list {
		g, err := i.guest()
		if err != nil {
			t.Fatal(err)
		}
		defer g.close()
		list[n] = g
	}
	list[0].mod.Memory().WriteByte(1024, 'X')
	if b, _ := list[1].mod.Memory().ReadByte(1024); b != 'h' {
		t.Errorf("the other guest reads %q", b)
	}
	list[0].restore(i.snapshot)
	if b, _ := list[0].mod.Memory().ReadByte(1024); b != 'h' {
		t.Errorf("restored, it reads %q", b)
	}
}
