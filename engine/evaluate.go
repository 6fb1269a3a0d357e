package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// Options holds the optional settings of [Evaluate].
type Options struct {
	Workers    int          // evaluations at once; 0 means GOMAXPROCS
	Moment     rules.Moment // what the rules know beside the twins
	Incomplete bool         // twins are known to be missing from the source
	Audit      bool         // every rule runs in mode audit
	Tool       string       // version of twinrules, for the plan's header
	// Read says how much of the fleet is read; "" means [rules.ReadSelected]. To
	// narrow takes a source that is a [Counter]; from another, all that is selected
	// is read.
	Read rules.Breadth
	// Populations holds how many twins each rule selected in the last pass over
	// this hub; a rule that is not in it has no last pass.
	Populations map[string]int
	// Seen, if not nil, is what earlier passes saw of twins of which nothing was to be
	// done, and becomes what this one saw when it ends well.
	Seen *Seen
	// Scratch names the folder for what does not fit in the memory that there is room
	// for: changes, and the names of twins. It goes to a file there without a name,
	// which is needed until the plan is closed. With "" all of it is in memory.
	Scratch string
	// Room is how many bytes of changes and names are in memory at once, about; 0
	// means 2 MiB, or 256 KiB a worker where that is more.
	Room int
	// Fuel is how much plugins may use in all, in units; 0 means any. With more there
	// is a [FuelError] and no plan.
	Fuel int64
	// Progress, if not nil, is called now and then with the number of twins read
	// so far, by one goroutine at a time.
	Progress func(twins int)
}

// Evaluate computes what the rules of p want of the twins of src. It reads src
// as a stream: of a twin that does not change only its name is kept, because one
// that src lists twice is judged as it was listed first. Conflicts, rules that
// could not judge a twin, and limits that are exceeded stand in the plan; an
// error means that src failed, ctx ended, plugins used too much or there is no room
// in [Options.Scratch], and there is no plan. Whoever gives a Scratch closes the plan.
func Evaluate(ctx context.Context, p *rules.Program, src Source, opts *Options) (plan *Plan, err error) {
	if opts == nil {
		opts = &Options{}
	}
	if year := opts.Moment.Now.UTC().Year(); year < 0 || year > 9999 {
		return nil, fmt.Errorf("no plan has room for the year %d, when the twins were read", year)
	}
	e := &evaluation{program: p, opts: opts}
	if opts.Scratch != "" {
		e.spill = &spill{dir: opts.Scratch}
	}
	defer func() {
		if err != nil {
			e.spill.close()
		}
	}()
	live, err := collect(src.Configurations(ctx))
	unread := errors.Is(err, twin.ErrDenied) && len(p.Configurations()) == 0 // who may only touch twins can still do that
	if err != nil && !unread {
		return nil, fmt.Errorf("read configurations: %w", err)
	}
	e.foreign = p.Foreign(live)
	e.key = e.keyOf(live)
	populations, err := e.choose(ctx, src)
	if err != nil {
		return nil, err
	}
	if recording, ok := src.(Recording); ok {
		err = e.recorded(ctx, recording)
	} else {
		err = e.listed(ctx, src)
	}
	if err != nil {
		return nil, err
	}
	e.configurations(live)
	e.total.counted(populations)
	if plan, err = e.plan(); err != nil {
		return nil, err
	}
	plan.Fleet.ConfigurationsUnread = unread
	plan.Spending = NewSpending(p.Pack, opts.Fuel, e.total.fuel)
	return plan, nil
}

// An evaluation is one run of [Evaluate].
type evaluation struct {
	program  *rules.Program
	opts     *Options
	foreign  []*rules.Foreign
	key      [32]byte // see [Seen]
	listings []rules.Listing
	spill    *spill // nil for memory alone
	total    tally
	writes   Changes // of what is enforced
	audits   Changes // and audited
}

// A worker judges twins, one at a time, and counts for itself. The sums do not
// depend on who counted what, and the plan is sorted in the end.
type worker struct {
	*evaluation
	sum    tally
	sifter *rules.Sifter
	names  nameHashes // of the twins of a recording, see [evaluation.recorded]
	watch  *watch     // of what was seen before; nil for nothing
	moment rules.Moment
	purse  *purse // nil for one without a bottom
}

func (e *evaluation) workers(p *purse) []*worker {
	n := e.opts.Workers
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	sieve := e.program.Sieve(e.opts.Moment, e.foreign)
	list := make([]*worker, n)
	for i := range list {
		list[i] = e.worker(sieve, n)
		list[i].purse = p
	}
	e.look(list, sieve)
	return list
}

// defaultRoom is [Options.Room] where nobody says.
const defaultRoom = 2 << 20

// worker returns one of n. A quarter of the room is for names, a quarter for each
// list of changes, and one for what is sorted.
func (e *evaluation) worker(sieve *rules.Sieve, n int) *worker {
	room := cmp.Or(e.opts.Room, max(defaultRoom, n*defaultRoom/8)) / 4 / n
	lists := &editLists{}
	moment := e.opts.Moment
	moment.Bill = e.program.Pack.NewBill()
	return &worker{
		moment:     moment,
		evaluation: e, sifter: sieve.Sifter(), names: nameHashes{spill: e.spill, room: room / nameSize},
		sum: tally{changes: newChangePile(lists, e.spill, room), audited: newChangePile(lists, e.spill, room), fuel: make([]int64, len(e.program.Pack.Rules))},
	}
}

// gather adds up what workers counted.
func (e *evaluation) gather(list []*worker) error {
	e.learn(list)
	for _, w := range list {
		w.sum.sifted(w.sifter)
		e.total.add(w.sum)
		changes, err1 := w.sum.changes.changes()
		audited, err2 := w.sum.audited.changes()
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		e.writes.take(changes)
		e.audits.take(audited)
	}
	return nil
}

// failed returns why nothing can be kept any more, or nil.
func (w *worker) failed() error {
	return errors.Join(w.sum.changes.err, w.sum.audited.err, w.names.err)
}

// A batch is some of the twins of a list, in its order.
type batch struct {
	twins  []*twin.Twin
	number int
}

// batchSize is how many twins a worker takes at once.
const batchSize = 64

// listed reads the source in this goroutine and has batches judged by workers.
func (e *evaluation) listed(ctx context.Context, src Source) error {
	purse, ctx, cancel := e.purse(ctx)
	defer cancel(nil)
	workers := e.workers(purse)
	batches := make(chan batch, len(workers))
	var wg sync.WaitGroup
	for _, w := range workers {
		wg.Go(func() {
			for b := range batches {
				for _, t := range b.twins {
					if ctx.Err() == nil && !w.over() {
						w.sift(ctx, t)
					}
				}
				w.end(b.number)
			}
		})
	}
	err := e.read(ctx, src, batches)
	close(batches)
	wg.Wait()
	if ctx.Err() != nil && (err == nil || isFuel(ctx)) {
		err = context.Cause(ctx) // a plugin that was interrupted has judged nothing
	}
	if err != nil {
		return err
	}
	return e.gather(workers)
}

func (e *evaluation) read(ctx context.Context, src Source, batches chan<- batch) error {
	seen := map[twin.Ref]struct{}{}
	next := batch{twins: make([]*twin.Twin, 0, batchSize)}
	flush := func() error {
		select {
		case batches <- next:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		next = batch{make([]*twin.Twin, 0, batchSize), next.number + 1}
		if e.opts.Progress != nil {
			e.opts.Progress(len(seen))
		}
		return nil
	}
	for _, l := range e.listings {
		for t, err := range src.Twins(ctx, l.Query) {
			if err != nil {
				return fmt.Errorf("read twins: %w", err)
			}
			if _, again := seen[t.Ref]; again {
				continue
			}
			seen[t.Ref] = struct{}{}
			if next.twins = append(next.twins, t); len(next.twins) == batchSize {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

// sift has a twin judged unless it is as all rules want it.
func (w *worker) sift(ctx context.Context, t *twin.Twin) {
	device := t.Ref.Module == ""
	w.sum.twin(device, twin.DigestOf(t.JSON()))
	r, known := w.known(t.JSON())
	selected := known && w.watch.selects[r.outcome()]
	if !known {
		selected = w.unknown(ctx, t)
	}
	if selected {
		w.sum.selected(device)
	}
}

// unknown looks at a twin, and reports whether some rule selects it.
func (w *worker) unknown(ctx context.Context, t *twin.Twin) (selected bool) {
	judge, selected := w.sifter.Sift(t.JSON())
	if !judge {
		w.remember(nil)
		return selected
	}
	verdicts, selected := w.sifter.Eval(ctx, t, w.moment)
	w.judge(ctx, t, verdicts)
	return selected
}

// judge counts what the rules say of a twin.
func (w *worker) judge(ctx context.Context, t *twin.Twin, verdicts []rules.Verdict) {
	found := w.sum.findings()
	writing, auditing := w.byMode(verdicts)
	ends := []settlement{w.settle(ctx, t, writing), w.settle(ctx, t, auditing)}
	for _, v := range verdicts {
		end := &ends[0]
		if w.audited(v) {
			end = &ends[1]
		}
		w.sum.verdict(t, v.Selected, end.verdicts[0], end.reached(v.Rule))
		w.sum.unit(t, v, w.opts.Moment.Hub)
		end.verdicts = end.verdicts[1:]
	}
	w.sum.enforced(t, ends[0])
	w.sum.audit(t, ends[1])
	if w.sum.findings() == found {
		w.remember(verdicts)
	}
}

// audited reports whether what a rule wants is reported and not written.
func (e *evaluation) audited(v rules.Verdict) bool {
	return e.opts.Audit || v.Rule.Mode == rules.Audit
}

// byMode parts verdicts, which mostly are of one sort.
func (e *evaluation) byMode(verdicts []rules.Verdict) (writing, auditing []rules.Verdict) {
	switch {
	case e.opts.Audit:
		return nil, verdicts
	case !slices.ContainsFunc(verdicts, e.audited):
		return verdicts, nil
	}
	for _, v := range verdicts {
		if e.audited(v) {
			auditing = append(auditing, v)
		} else {
			writing = append(writing, v)
		}
	}
	return writing, auditing
}
