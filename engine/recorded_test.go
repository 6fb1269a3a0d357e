package engine_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A recorder is a fleet as lines, in blocks of a few.
type recorder struct {
	tape
	each  int           // lines of a block
	out   *atomic.Int64 // counts blocks that were not released; may be nil
	query func(*twin.Twin) bool
}

// Twins yields those that the rules of the test select, as a query would.
func (r recorder) Twins(ctx context.Context, text string) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		for n, data := range r.tape {
			t, err := twin.Parse(data)
			if err != nil {
				yield(nil, fmt.Errorf("line %d: %w", n, err))
				return
			}
			if modules := strings.Contains(text, "devices.modules"); modules != (t.Ref.Module != "") {
				continue
			}
			if strings.Contains(text, " WHERE ") && !r.query(t) {
				continue
			}
			if !yield(t, nil) {
				return
			}
		}
	}
}

// Blocks yields the lines.
func (r recorder) Blocks(context.Context) iter.Seq2[engine.Block, error] {
	return func(yield func(engine.Block, error) bool) {
		out := cmp.Or(r.out, new(atomic.Int64))
		for first := 0; first < len(r.tape); first += r.each {
			part := r.tape[first:min(first+r.each, len(r.tape))]
			text := append(bytes.Join(part, []byte("\n")), '\n')
			out.Add(1)
			if !yield(block{text, first, out}, nil) {
				return
			}
		}
	}
}

type block struct {
	text  []byte
	first int
	out   *atomic.Int64
}

func (b block) Lines(judge func([]byte, twin.Digest) error) error {
	n := b.first
	for line := range bytes.Lines(b.text) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		if err := judge(line, twin.DigestOf(line)); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		n++
	}
	return nil
}

func (b block) Release() {
	clear(b.text)
	b.out.Add(-1)
}

// released fails the test unless all blocks were.
func (r recorder) released(t *testing.T) {
	t.Helper()
	if n := r.out.Load(); n != 0 {
		t.Errorf("%d blocks were not released", n)
	}
}

// listed hides that a source is a recording.
type listed struct{ engine.Source }

// TestARecordingMakesTheSamePlan is the law of recordings: to look at lines before
// anybody parses them makes no difference, whatever the workers and blocks, twins
// that stand there twice among them.
func TestARecordingMakesTheSamePlan(t *testing.T) {
	p := pack(t, saver+`
  - {id: audit, mode: audit, selector: tags.kind == "a", when: reported.pct > 90, patch: {tags: {full: true}}}
  - {id: left, selector: tags.kind == "a", when: reported.pct > 50, patch: {desired: {x: 1}}}
  - {id: right, selector: tags.kind == "a", when: reported.pct > 60, patch: {desired: {x: 2}}}
  - {id: broken, selector: tags.kind == "a", when: 'reported.pct > 80 and reported.pct contains "x"', patch: {desired: {y: 2}}}
  - {id: module, on: module/agent, when: reported.pct > 10, patch: {desired: {z: 2}}}
`)
	kindA := func(t *twin.Twin) bool { return t.Tags()["kind"] == "a" || t.Ref.Module == "agent" }
	r := rand.New(rand.NewPCG(9, 9))
	for _, twice := range []bool{false, true} {
		src := recorder{tape: recorded(300), query: kindA, out: new(atomic.Int64)}
		for i := range 40 {
			src.tape = append(src.tape, fmt.Appendf(nil, `{"deviceId":"d%d","moduleId":%q,"properties":{"reported":{"pct":%d}}}`, i, []string{"agent", "other"}[i%2], i))
		}
		if twice {
			src.tape = append(src.tape, src.tape[:20]...)
		}
		for _, breadth := range []rules.Breadth{rules.ReadSelected, rules.ReadAll} {
			want := planBytes(t, evaluate(t, p, listed{src}, &engine.Options{Read: breadth}))
			for _, workers := range []int{1, 2, 8} {
				src.each = 1 + r.IntN(100)
				if got := planBytes(t, evaluate(t, p, src, &engine.Options{Workers: workers, Read: breadth})); !bytes.Equal(got, want) {
					t.Errorf("twice %v, read %s: %d workers and blocks of %d make another plan", twice, breadth, workers, src.each)
				}
				src.released(t)
			}
		}
	}
}

// TestTheFirstMistakeOfARecording: whoever finds one, the first of the file is
// told.
func TestTheFirstMistakeOfARecording(t *testing.T) {
	src := recorder{tape: recorded(200), query: func(*twin.Twin) bool { return true }, out: new(atomic.Int64)}
	for _, bad := range []string{`{"deviceId":"a/b"}`, `{"deviceId":"a"`, ``, `{"deviceId":"x","tags":7}`, `{"deviceId":"x","deviceId":"y"}`, `{"properties":{}}`, `{"deviceId":"x"} {}`} {
		src.tape[120], src.tape[70] = []byte(bad), []byte(bad)
		_, want := engine.Evaluate(t.Context(), pack(t, saver), listed{src}, nil)
		for _, workers := range []int{1, 4} {
			src.each = 9
			_, err := engine.Evaluate(t.Context(), pack(t, saver), src, &engine.Options{Workers: workers})
			if err == nil || want == nil || err.Error() != want.Error() || !strings.Contains(err.Error(), "line 70: ") {
				t.Errorf("%s: got %v, want %v", bad, err, want)
			}
			src.released(t)
		}
	}
}

// TestARecordingCanBeStopped ends between two lines.
func TestARecordingCanBeStopped(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	src := recorder{tape: recorded(200), each: 10, out: new(atomic.Int64)}
	_, err := engine.Evaluate(ctx, pack(t, saver), src, &engine.Options{Progress: func(n int) {
		if n > 50 {
			cancel(fmt.Errorf("that will do"))
		}
	}})
	if err == nil || !strings.Contains(err.Error(), "that will do") {
		t.Errorf("got %v", err)
	}
	src.released(t)
}
