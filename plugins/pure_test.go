package plugins_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// forgetful matches only when it finds traces of an earlier call: in a global, in
// memory, or in what is behind its memory.
var forgetful = wasmtest.Plugin(wasmtest.Code(
	[]byte{0x23, 0}, wasmtest.Const32(0), []byte{0x28, 2, 0, 0x6a, 0x21, 2}, // sum of both
	wasmtest.Const32(1), []byte{0x24, 0}, // the global
	wasmtest.Const32(0), wasmtest.Const32(1), []byte{0x36, 2, 0}, // the memory
	wasmtest.Const64(0), wasmtest.Const64(1024<<32|14), []byte{0x20, 2, 0x45, 0x1b},
), func(m *wasmtest.Module) {
	m.Globals = []wasmtest.Global{{}}
	m.Data = []wasmtest.Data{{At: 1024, Text: []byte(`{"match":true}`)}}
})

func TestNothingIsRemembered(t *testing.T) {
	i := load(t, newHost(t, &plugins.Options{Instances: 1}), forgetful, nil)
	for n := range 5 {
		f, _, err := i.Eval(t.Context(), parse(t, pump), noon)
		if err != nil || f != nil {
			t.Fatalf("call %d: got %v, %v, want no match", n, f, err)
		}
	}
}

// turning costs fuel that depends on its input: a turn for each byte.
var turning = wasmtest.Plugin(wasmtest.Code(
	[]byte{0x03, 0x40, 0x20, 1}, wasmtest.Const32(1), []byte{0x6b, 0x22, 1, 0x0d, 0, 0x0b}, none,
), nil)

// TestFuelIsAFunctionOfTheInput asks in any order and finds the same price, with
// the compiler and with the interpreter.
func TestFuelIsAFunctionOfTheInput(t *testing.T) {
	compiled := load(t, newHost(t, nil), turning, nil)
	interpreted := load(t, newHost(t, &plugins.Options{Interpreter: true}), turning, nil)
	prices := map[int]int64{}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 6000).Draw(t, "length")
		tw, err := twin.Parse(fmt.Appendf(nil, `{"deviceId":"a","tags":{"x":%q}}`, strings.Repeat("x", n)))
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range []*plugins.Instance{compiled, interpreted} {
			a, err := i.Judge(context.Background(), tw, noon)
			if err != nil {
				t.Fatal(err)
			}
			if price, ok := prices[n]; ok && price != a.Fuel {
				t.Fatalf("%d bytes cost %d and then %d", n, price, a.Fuel)
			}
			prices[n] = a.Fuel
		}
	})
	if len(prices) < 2 || slices.Max(pricesOf(prices)) == slices.Min(pricesOf(prices)) {
		t.Errorf("all prices are the same: %v", prices)
	}
}

func pricesOf(m map[int]int64) (list []int64) {
	for _, p := range m {
		list = append(list, p)
	}
	return list
}

func TestBudgetIsExact(t *testing.T) {
	price := judge(t, load(t, newHost(t, nil), turning, nil)).Fuel
	judge(t, load(t, newHost(t, &plugins.Options{Fuel: price}), turning, nil))
	_, _, err := load(t, newHost(t, &plugins.Options{Fuel: price - 1}), turning, nil).Eval(t.Context(), parse(t, pump), noon)
	if codeOf(err) != plugins.EvalFuel {
		t.Errorf("with a unit less than its price of %d: %v", price, err)
	}
	lowered := withManifest(t, turning, map[string]any{"limits": map[string]any{"fuel": price - 1}})
	_, _, err = load(t, newHost(t, nil), lowered, nil).Eval(t.Context(), parse(t, pump), noon)
	if codeOf(err) != plugins.EvalFuel {
		t.Errorf("with a manifest that asks for a unit less: %v", err)
	}
}

func judge(t testing.TB, i *plugins.Instance) *plugins.Answer {
	t.Helper()
	a, err := i.Judge(t.Context(), parse(t, pump), noon)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestConcurrentUse(t *testing.T) {
	for _, instances := range []int{1, 3} {
		i := load(t, newHost(t, &plugins.Options{Instances: instances}), echo, nil)
		var wg sync.WaitGroup
		for worker := range 8 {
			wg.Go(func() {
				for n := range 50 {
					id := fmt.Sprintf("d-%d-%d", worker, n)
					tw, _ := twin.Parse([]byte(`{"deviceId":"` + id + `"}`))
					f, _, err := i.Eval(t.Context(), tw, noon)
					if err != nil {
						t.Error(err)
						return
					}
					if got, _ := f.Facts.Lookup("input", "twin", "id"); got != id {
						t.Errorf("%s was answered as %v", id, got)
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestBigInput asks about twins bigger than the buffer that was asked for first,
// and small ones after them.
func TestBigInput(t *testing.T) {
	big := wasmtest.Plugin(wasmtest.Code(
		wasmtest.Const32(1032), []byte{0x20, 1, 0x36, 2, 0}, // a length in place of spaces, as far as JSON goes
		none,
	), func(m *wasmtest.Module) { m.Memory = 20 })
	i := load(t, newHost(t, nil), big, nil)
	for _, n := range []int{10, 9_000, 10, 900_000} {
		tw := parse(t, fmt.Sprintf(`{"deviceId":"a","tags":{"x":%q}}`, strings.Repeat("x", n)))
		if _, _, err := i.Eval(t.Context(), tw, noon); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	tw := parse(t, fmt.Sprintf(`{"deviceId":"a","tags":{"x":%q}}`, strings.Repeat("x", 1<<20)))
	if _, _, err := i.Eval(t.Context(), tw, noon); codeOf(err) != plugins.EvalInputSize {
		t.Errorf("a twin beyond the limit: %v", err)
	}
}

// growing takes a page in each call and answers with how many it has now.
func TestGrowthIsUndone(t *testing.T) {
	growing := wasmtest.Plugin(wasmtest.Code(
		wasmtest.Const32(1), []byte{0x40, 0}, wasmtest.Const32(2), []byte{0x47, 0x04, 0x40, 0x00, 0x0b}, // trap unless there were 2
		none,
	), nil)
	i := load(t, newHost(t, nil), growing, nil)
	for range 3 {
		judge(t, i)
	}
}

func TestCancelledRun(t *testing.T) {
	i := load(t, newHost(t, nil), echo, nil)
	reason := errors.New("the run is over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	if _, _, err := i.Eval(ctx, parse(t, pump), noon); !errors.Is(err, reason) {
		t.Errorf("got %v, want the cause", err)
	}
	judge(t, i)
}

// TestWorld shows what a plugin can learn of the world: the time of the run, and
// randomness that depends on its input.
func TestWorld(t *testing.T) {
	wasi := func(name string, params ...byte) wasmtest.Func {
		return wasmtest.Func{Import: [2]string{"wasi_snapshot_preview1", name}, Type: wasmtest.Type{Params: params, Results: i32}}
	}
	// It reads both, as 24 letters behind the head of an answer.
	world := wasmtest.Plugin(wasmtest.Code(
		wasmtest.Const32(0), wasmtest.Const64(0), wasmtest.Const32(0), []byte{0x10, 0, 0x1a},
		wasmtest.Const32(8), wasmtest.Const32(16), []byte{0x10, 1, 0x1a},
		wasmtest.Const32(0), []byte{0x21, 2, 0x03, 0x40}, // each byte b of 24 becomes 'a'+b%26
		[]byte{0x20, 2, 0x20, 2, 0x2d, 0}, []byte{0}, wasmtest.Const32(26), []byte{0x70}, wasmtest.Const32('a'), []byte{0x6a, 0x3a, 0},
		append([]byte{0x80, 0x08}, []byte{0x20, 2}...), wasmtest.Const32(1), []byte{0x6a, 0x22, 2}, wasmtest.Const32(24), []byte{0x49, 0x0d, 0, 0x0b},
		place(1024-26, 26+24+2),
	), func(m *wasmtest.Module) {
		m.Funcs = slices.Insert(m.Funcs, 0, wasi("clock_time_get", wasmtest.I32, wasmtest.I64, wasmtest.I32), wasi("random_get", wasmtest.I32, wasmtest.I32))
		m.Data = []wasmtest.Data{{At: 1024 - 26, Text: []byte(`{"match":true,"message": "` + strings.Repeat(" ", 24) + `"}`)}}
	})
	i := load(t, newHost(t, nil), world, nil)
	say := func(text string, now time.Time) string {
		f, _, err := i.Eval(t.Context(), parse(t, text), now)
		if err != nil {
			t.Fatal(err)
		}
		return f.Message
	}
	first := say(pump, noon)
	if again := say(pump, noon); again != first {
		t.Errorf("the same twin at the same time sees another world: %q, %q", first, again)
	}
	later := say(pump, noon.Add(time.Hour))
	if later[:8] == first[:8] {
		t.Errorf("an hour later the clock shows the same")
	}
	other := say(`{"deviceId":"other"}`, noon)
	if other[:8] != first[:8] || other[8:] == first[8:] {
		t.Errorf("another twin at the same time sees %q after %q", other, first)
	}
}

// TestFuelOfACall: whoever adds up fuel is told that of each call, whatever comes of
// it, and of both where a twin is asked about twice.
func TestFuelOfACall(t *testing.T) {
	for name, binary := range map[string][]byte{
		"a match":   wasmtest.Answering(`{"match":true}`, nil),
		"no match":  wasmtest.Answering(`{"match":false}`, nil),
		"a failure": wasmtest.Answering(`{"match":1}`, nil),
		"a trap":    wasmtest.Plugin([]byte{0x00}, nil),
	} {
		t.Run(name, func(t *testing.T) {
			tw := parse(t, pump)
			i := load(t, newHost(t, nil), binary, nil)
			want := int64(0)
			a, err := i.Judge(t.Context(), tw, noon)
			if failed, ok := errors.AsType[*plugins.Error](err); ok {
				want = failed.Fuel
			} else {
				want = a.Fuel
			}
			if _, got, _ := i.Eval(t.Context(), tw, noon); got != want || got == 0 {
				t.Errorf("got %d units, want %d", got, want)
			}
			if err == nil {
				return
			}
			twice := load(t, newHost(t, &plugins.Options{PerRun: true}), binary, nil)
			if _, got, _ := twice.Eval(t.Context(), tw, noon); got != 2*want {
				t.Errorf("asked twice: got %d units, want %d", got, 2*want)
			}
		})
	}
}
