package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/twin"
)

// TestLittleRoomMakesTheSamePlan: whether changes and names fit in memory, and how
// many share the room, makes no difference to what is written and shown.
func TestLittleRoomMakesTheSamePlan(t *testing.T) {
	p := pack(t, saver+`
  - {id: audit, mode: audit, selector: tags.kind == "a", when: reported.pct > 50, patch: {tags: {full: true}}}
  - {id: own, when: reported.pct > 5, patch: {tags: {name: "${id}"}}}
  - {id: next, when: tags.name == id and reported.pct > 30, patch: {desired: {named: 1}}}
  - {id: left, when: reported.pct > 90, patch: {desired: {x: 1}}}
  - {id: right, when: reported.pct > 95, patch: {desired: {x: 2}}}
  - {id: build, when: reported.pct > 40, patch: {desired: {build: 7}}, rollout: {by: tags.kind, waves: [1, 5%, 100%], `+gate+`}}
  - {id: soon, when: reported.pct > 60, patch: {desired: {soon: 7}}, rollout: {waves: [3, 100%], `+gate+`}}
`)
	src := recorder{tape: recorded(700), query: func(*twin.Twin) bool { return true }, each: 50}
	want := everyWay(t, evaluate(t, p, src, &engine.Options{Workers: 1}))
	for _, room := range []int{1, 4 << 10, 64 << 10} {
		for _, workers := range []int{1, 3} {
			for name, src := range map[string]engine.Source{"recorded": src, "listed": listed{src}} {
				dir := t.TempDir()
				plan := evaluate(t, p, src, &engine.Options{Workers: workers, Scratch: dir, Room: room})
				if got := everyWay(t, plan); got != want {
					t.Errorf("%s by %d workers in %d bytes: another plan", name, workers, room)
				}
				if err := errors.Join(plan.Close(), plan.Close()); err != nil {
					t.Error(err)
				}
				if left, _ := os.ReadDir(dir); len(left) > 0 {
					t.Errorf("%v is left behind", left)
				}
			}
		}
	}
}

// everyWay returns a plan as it is written and shown.
func everyWay(t *testing.T, p *engine.Plan) string {
	t.Helper()
	var b strings.Builder
	b.Write(planBytes(t, p))
	for _, f := range report.Formats {
		if err := f.Plan(&b, p, nil); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// TestNoRoomAnywhere: a folder that is not there ends the pass, and names what it
// was for.
func TestNoRoomAnywhere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing")
	src := recorder{tape: recorded(300), query: func(*twin.Twin) bool { return true }, each: 20}
	for _, src := range []engine.Source{src, listed{src}} {
		_, err := engine.Evaluate(t.Context(), pack(t, saver), src, &engine.Options{Scratch: dir, Room: 100, Moment: moment()})
		if !errors.Is(err, engine.ErrScratch) || !strings.Contains(err.Error(), dir) {
			t.Errorf("got %v", err)
		}
	}
}

// A parade is a recording of n twins that are made as they come, in an order that
// nothing is sorted by. Behind the last it says how much memory is live.
type parade struct {
	n    int
	live *uint64
}

func (parade) Twins(context.Context, string) iter.Seq2[*twin.Twin, error] {
	return func(func(*twin.Twin, error) bool) { panic("a recording that is listed has a twin twice") }
}

func (parade) Configurations(context.Context) iter.Seq2[*twin.Configuration, error] {
	return func(func(*twin.Configuration, error) bool) {}
}

func (p parade) Blocks(context.Context) iter.Seq2[engine.Block, error] {
	return func(yield func(engine.Block, error) bool) {
		var out sync.WaitGroup
		for first := 0; first < p.n; first += 100 {
			var text bytes.Buffer
			for i := first; i < min(first+100, p.n); i++ {
				fmt.Fprintf(&text, `{"deviceId":"d%08x","etag":"AAAA","version":%d,"tags":{"kind":"a"},"properties":{"desired":{"interval":60,"$version":3},"reported":{"pct":%d}}}`+"\n",
					uint32(i)*2654435761, i, i%100)
			}
			out.Add(1)
			if !yield(marcher{text.Bytes(), &out}, nil) {
				return
			}
		}
		out.Wait()
		*p.live = live()
	}
}

type marcher struct {
	text []byte
	out  *sync.WaitGroup
}

func (m marcher) Lines(judge func([]byte, twin.Digest) error) error {
	return block{text: m.text}.Lines(judge)
}

func (m marcher) Release() { m.out.Done() }

func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemoryDoesNotGrowWithTheFleet judges ten times as many twins, of which a fifth
// change, in no more memory; without a folder it takes more, so that the test is
// known to see it.
func TestMemoryDoesNotGrowWithTheFleet(t *testing.T) {
	if watched {
		t.Skip("it measures memory, of which the race detector has its own")
	}
	const small, large, slack = 20_000, 200_000, 768 << 10
	p := pack(t, saver)
	peak := func(n int, scratch string) (reading, showing uint64) {
		plan := evaluate(t, p, parade{n, &reading}, &engine.Options{Workers: 2, Scratch: scratch, Room: 512 << 10})
		if got := plan.Changes.Len(); got != n/5 {
			t.Fatalf("%d of %d twins change", got, n)
		}
		var w watcher
		if err := engine.WritePlan(&w, plan); err != nil {
			t.Fatal(err)
		}
		if err := plan.Close(); err != nil {
			t.Fatal(err)
		}
		return reading, w.live
	}
	reading1, showing1 := peak(small, t.TempDir())
	reading2, showing2 := peak(large, t.TempDir())
	if reading2 > reading1+slack || showing2 > showing1+slack {
		t.Errorf("%d twins: %d KiB while reading, %d KiB while writing; %d twins: %d and %d",
			small, reading1>>10, showing1>>10, large, reading2>>10, showing2>>10)
	}
	if reading3, _ := peak(large, ""); reading3 < reading1+slack {
		t.Errorf("without a file %d KiB are live, with it %d: the test sees nothing", reading3>>10, reading1>>10)
	}
}

// A watcher drops what is written, and says how much memory was live at the first
// of it.
type watcher struct{ live uint64 }

func (w *watcher) Write(b []byte) (int, error) {
	if w.live == 0 {
		w.live = live()
	}
	return io.Discard.Write(b)
}
