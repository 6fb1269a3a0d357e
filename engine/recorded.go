package engine

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// recorded judges the twins of a recording by lines. Only what the sieve lets pass
// is parsed, and of every twin eight bytes are kept, in memory or not, to find one
// that is there twice. A recording with such is read once more as any source is, which
// remembers names.
func (e *evaluation) recorded(ctx context.Context, src Recording) error {
	purse, limited, cancel := e.purse(ctx)
	defer cancel(nil)
	workers := e.workers(purse)
	if err := e.blocks(limited, src, workers); err != nil {
		return err
	}
	again, err := twice(workers)
	if err != nil {
		return err
	}
	if again {
		for _, w := range workers {
			e.total.spend(w.sum.fuel) // which is gone
		}
		return e.listed(ctx, src)
	}
	return e.gather(workers)
}

// A numbered block is one of a recording, in its order.
type numbered struct {
	Block
	number int
}

// A blockFailure is that of the block with a number.
type blockFailure struct {
	number int
	err    error
}

// blocks reads the recording in this goroutine and has its blocks judged by
// workers. Of several mistakes in it the first is returned, whoever finds it: a
// worker ends its block, and blocks are handed out in order.
func (e *evaluation) blocks(ctx context.Context, src Recording, workers []*worker) error {
	blocks := make(chan numbered, len(workers))
	var judged atomic.Int64
	failures := make([]*blockFailure, len(workers))
	failed := make(chan struct{})
	stop := sync.OnceFunc(func() { close(failed) })
	var wg sync.WaitGroup
	for i, w := range workers {
		wg.Go(func() {
			for b := range blocks {
				n, err := w.block(ctx, b)
				if err != nil && failures[i] == nil {
					failures[i] = &blockFailure{b.number, err}
					stop()
				}
				judged.Add(int64(n))
				b.Release()
			}
		})
	}
	err := e.readBlocks(ctx, src, blocks, failed, &judged)
	close(blocks)
	wg.Wait()
	e.progress(&judged)
	if first := firstOf(failures); first != nil && !isFuel(ctx) {
		return first
	}
	if isFuel(ctx) || err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

func firstOf(failures []*blockFailure) error {
	failures = slices.DeleteFunc(failures, func(f *blockFailure) bool { return f == nil })
	if len(failures) == 0 {
		return nil
	}
	return slices.MinFunc(failures, func(a, b *blockFailure) int { return a.number - b.number }).err
}

func (e *evaluation) readBlocks(ctx context.Context, src Recording, blocks chan<- numbered, failed <-chan struct{}, judged *atomic.Int64) error {
	n := 0
	for b, err := range src.Blocks(ctx) {
		if err != nil {
			return fmt.Errorf("read twins: %w", err)
		}
		e.progress(judged)
		select {
		case blocks <- numbered{b, n}:
		case <-failed:
			b.Release()
			return nil
		case <-ctx.Done():
			b.Release()
			return context.Cause(ctx)
		}
		n++
	}
	return nil
}

func (e *evaluation) progress(judged *atomic.Int64) {
	if e.opts.Progress != nil {
		e.opts.Progress(int(judged.Load()))
	}
}

// block judges the twins of a block, and counts them.
func (w *worker) block(ctx context.Context, b numbered) (n int, err error) {
	err = b.Lines(func(line []byte, digest twin.Digest) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n++
		if w.over() {
			return nil
		}
		return w.line(ctx, line, digest)
	})
	if err != nil && ctx.Err() != nil {
		return n, context.Cause(ctx) // no place is to blame for that
	}
	if err != nil {
		return n, fmt.Errorf("read twins: %w", err)
	}
	if err = w.failed(); err == nil {
		w.end(b.number)
	}
	return n, err
}

// line judges one twin. Whoever is not selected is not counted, as if a query had
// selected.
func (w *worker) line(ctx context.Context, data []byte, digest twin.Digest) error {
	if r, ok := w.known(data); ok {
		w.count(r.name, r.device(), w.watch.selects[r.outcome()], digest)
		return nil
	}
	judge, selected := w.sifter.Sift(data)
	if judge {
		var ok bool
		if selected, ok = w.simple(); !ok {
			return w.parse(ctx, data, digest)
		}
	} else {
		w.remember(nil)
	}
	id, _ := w.sifter.ID()
	w.count(id.Hash(), id.Module == nil, selected, digest)
	return nil
}

// count counts a twin, unless only those who are selected are to be.
func (w *worker) count(name uint64, device, selected bool, digest twin.Digest) {
	if !selected && !w.everybody(device) {
		return
	}
	w.names.add(name)
	w.sum.twin(device, digest)
	if selected {
		w.sum.selected(device)
	}
}

// parse judges a twin in full.
func (w *worker) parse(ctx context.Context, data []byte, digest twin.Digest) error {
	t, err := twin.Parse(bytes.Clone(data))
	if err != nil {
		return err
	}
	device := t.Ref.Module == ""
	verdicts, selected := w.sifter.Eval(ctx, t, w.moment)
	if !selected && !slices.ContainsFunc(verdicts, unsure) && !w.everybody(device) {
		return nil
	}
	w.names.add(rules.TwinID{Device: []byte(t.Ref.Device), Module: moduleOf(t)}.Hash())
	w.sum.twin(device, digest)
	w.judge(ctx, t, verdicts)
	if selected {
		w.sum.selected(device)
	}
	return nil
}

func moduleOf(t *twin.Twin) []byte {
	if t.Ref.Module == "" {
		return nil
	}
	return []byte(t.Ref.Module)
}

func unsure(v rules.Verdict) bool { return !v.Selected && v.Err != nil }

// everybody reports whether all devices, or all modules, are to be counted.
func (e *evaluation) everybody(device bool) bool {
	return slices.ContainsFunc(e.listings, func(l rules.Listing) bool { return l.Everybody && l.Modules != device })
}
