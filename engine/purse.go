package engine

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/twinrules/twinrules/rules"
)

// A purse holds the fuel of one reading of the twins, which is what earlier readings
// have left. They are judged in parts that are numbered from 0 as they were read,
// and the purse is empty with the first part at whose end those up to it have used
// too much: which that is, and what they used until then, does not depend on how
// many workers there are or who was faster.
type purse struct {
	most   int64
	empty  context.CancelCauseFunc
	mu     sync.Mutex
	next   int             // the first part that has not ended
	ended  map[int][]int64 // parts behind it, by rule
	used   []int64         // by those before it, and in earlier readings
	failed bool
}

// purse returns what limits a reading of the twins, nil where nothing does, and the
// context in which it goes on for as long as there is fuel.
func (e *evaluation) purse(ctx context.Context) (*purse, context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if e.opts.Fuel == 0 || e.program.Pack.NewBill() == nil {
		return nil, ctx, cancel
	}
	p := &purse{most: e.opts.Fuel, empty: cancel, ended: map[int][]int64{}, used: make([]int64, len(e.program.Pack.Rules))}
	add(p.used, e.total.fuel)
	return p, ctx, cancel
}

// pay takes what a part used.
func (p *purse) pay(part int, bill *rules.Bill, pack *rules.Pack) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended[part] = slices.Clone(bill.Rules)
	for !p.failed && p.ended[p.next] != nil {
		add(p.used, p.ended[p.next])
		delete(p.ended, p.next)
		p.next++
		if sum(p.used) > p.most {
			p.failed = true
			p.empty(&FuelError{NewSpending(pack, p.most, p.used)})
		}
	}
}

// isFuel reports whether ctx ended because a purse is empty. Where that is so there
// is nothing wrong with any part up to where it became empty, or it would not have
// ended; what is wrong behind it is found or not, and not told.
func isFuel(ctx context.Context) bool {
	var e *FuelError
	return errors.As(context.Cause(ctx), &e)
}

func sum(list []int64) (n int64) {
	for _, v := range list {
		n += v
	}
	return n
}

func add(to, from []int64) {
	for i, n := range from {
		to[i] += n
	}
}

// over reports whether the part that w is at has used by itself what all may: the
// rest of it is not judged any more.
func (w *worker) over() bool {
	return w.purse != nil && w.moment.Bill.Total > w.purse.most
}

// end ends a part.
func (w *worker) end(part int) {
	bill := w.moment.Bill
	if bill == nil {
		return
	}
	add(w.sum.fuel, bill.Rules)
	if w.purse != nil {
		w.purse.pay(part, bill, w.program.Pack)
	}
	bill.Reset()
}
