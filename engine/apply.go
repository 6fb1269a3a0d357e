package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Journal remembers on durable storage what was about to be written and what
// came of it, so that a killed run can be resumed. Its methods may be called by
// several goroutines at once. Package engine/journal implements it with a file.
type Journal interface {
	// Intend returns when it is durable that ref is about to be written.
	Intend(ref twin.Ref) error
	// Record notes what came of an intent.
	Record(o Outcome) error
	// Past returns what an earlier run of the same plan left of ref: its outcome
	// when it got that far, with the detail that people were told; one InDoubt
	// when there was only an intent, and one without a status when there was
	// nothing.
	Past(ref twin.Ref) Outcome
}

// A Status says what came of a change.
type Status string

// The statuses. All but InDoubt are final.
const (
	Written   Status = "written"   // the hub took the write
	Converged Status = "converged" // the twin is as wanted; an earlier write was taken, or somebody else made it so
	Changed   Status = "changed"   // skipped: somebody else changed the same place since it was read
	Gone      Status = "gone"      // skipped: there is no such document any more
	Rejected  Status = "rejected"  // the hub refused the write
	InDoubt   Status = "in-doubt"  // an answer was lost and the document could not be read again
)

// final reports whether a change with status s is not tried again.
func (s Status) final() bool { return s != "" && s != InDoubt }

// An Outcome is what came of one change.
type Outcome struct {
	Ref    twin.Ref `json:"ref"`
	Status Status   `json:"status"`
	Detail string   `json:"detail,omitempty"` // for people: why it was not written
	// Moved is set when the device reported, or somebody else wrote, between
	// the plan and the write: the rules may say something else now.
	Moved bool `json:"moved,omitempty"`
	// Resumed is set when the outcome is an earlier run's.
	Resumed bool `json:"resumed,omitempty"`
}

// A Receipt says what [Apply] did.
type Receipt struct {
	Plan     string    // the plan's digest
	Outcomes []Outcome // of what was tried or had been, twins in Ref order, then configurations in plan order
	Left     int       // changes that were not tried, because the run was stopped
}

// Count returns how many changes ended with status.
func (r *Receipt) Count(status Status) (n int) {
	for _, o := range r.Outcomes {
		if o.Status == status {
			n++
		}
	}
	return n
}

// Complete reports whether every change ended as the plan wants it.
func (r *Receipt) Complete() bool {
	return r.Left == 0 && r.Count(Written)+r.Count(Converged) == len(r.Outcomes)
}

// ApplyOptions holds the optional settings of [Apply].
type ApplyOptions struct {
	Workers int // writes at once; 0 means 8
	// Grace is how long writes that have been sent may still take when ctx ends;
	// 0 means 10 seconds.
	Grace time.Duration
	// Progress, if not nil, is called after each outcome, by one goroutine at a
	// time.
	Progress func(Outcome)
}

// ErrNotApplicable is returned for a plan with an obstacle, see [Plan.Obstacle],
// and for one whose devices are strangers to the hub.
var ErrNotApplicable = errors.New("the plan cannot be applied")

// Apply makes the changes of p, and only those. Each write is sent under the
// ETag the change was computed from, after its intent is durable in j. When the
// hub says that the ETag is old, or the answer is lost, the twin is read again:
// if it is as wanted that is an outcome; if the touched places still hold their
// old values the write is sent under the new ETag; else somebody else changed
// them, and the twin is left alone and listed. A change that j knows the end of
// is not tried again.
//
// A plan for another hub is refused before anything is written, see
// [ErrNotApplicable].
//
// Apply returns an error when it had to stop: the caller is denied, the journal
// fails, or ctx ended. The receipt then says how far it got, and calling Apply
// again with the same journal goes on from there.
func Apply(ctx context.Context, p *Plan, w Writer, j Journal, opts *ApplyOptions) (*Receipt, error) {
	if reason := p.Obstacle(); reason != "" {
		return nil, fmt.Errorf("%w: %s", ErrNotApplicable, reason)
	}
	if opts == nil {
		opts = &ApplyOptions{}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	a := &application{ctx: ctx, stop: stop, plan: p, writer: w, journal: j, opts: opts, outcomes: make([]Outcome, p.Changes.Len())}
	digest, err := p.Digest()
	if err != nil {
		return nil, err
	}
	open, err := a.past()
	if err != nil {
		return nil, err
	}
	if err := a.sameHub(open); err != nil {
		return nil, err
	}
	a.twins(open)
	receipt := a.receipt(digest)
	if err := a.err(); err != nil {
		receipt.Left += len(p.Configurations)
		return receipt, err
	}
	return receipt, a.configurations(receipt)
}

// An application is one run of [Apply].
type application struct {
	ctx      context.Context
	stop     context.CancelCauseFunc
	plan     *Plan
	writer   Writer
	journal  Journal
	opts     *ApplyOptions
	pause    pause
	outcomes []Outcome // one for each change; without a status where it was not tried

	progress sync.Mutex // held while Progress runs
}

// past notes the ends of changes that the journal knows, and returns how many are
// left.
func (a *application) past() (open int, err error) {
	i := 0
	for c, err := range a.plan.Changes.All() {
		if err != nil {
			return 0, err
		}
		if past := a.journal.Past(c.Ref); past.Status.final() {
			past.Resumed = true
			a.outcomes[i] = past
		} else {
			open++
		}
		i++
	}
	return open, nil
}

// An openChange is one that has no outcome, with its index.
type openChange struct {
	Change
	index int
}

// open yields the changes that have no outcome yet.
func (a *application) open() iter.Seq2[openChange, error] {
	return func(yield func(openChange, error) bool) {
		i := 0
		for c, err := range a.plan.Changes.All() {
			if err != nil {
				yield(openChange{}, err)
				return
			}
			if a.outcomes[i].Status == "" && !yield(openChange{c, i}, nil) {
				return
			}
			i++
		}
	}
}

// twins works through the open changes, of which there are so many. Every worker
// takes the next one and waits for its end; nothing new is begun once ctx has
// ended.
func (a *application) twins(open int) {
	workers := a.opts.Workers
	if workers <= 0 {
		workers = 8
	}
	next := make(chan openChange)
	var wg sync.WaitGroup
	for range min(workers, open) {
		wg.Go(func() {
			for c := range next {
				a.outcomes[c.index] = a.one(&c.Change)
			}
		})
	}
	a.hand(next)
	close(next)
	wg.Wait()
}

// hand hands out the open changes.
func (a *application) hand(next chan<- openChange) {
	for c, err := range a.open() {
		if err != nil {
			a.stop(err)
			return
		}
		select {
		case next <- c:
		case <-a.ctx.Done():
			return
		}
	}
}

// one makes one change and reports its outcome. The zero Outcome says that the
// run was stopped before it was begun.
func (a *application) one(c *Change) Outcome {
	if a.ctx.Err() != nil {
		return Outcome{}
	}
	ctx, cancel := a.settling()
	defer cancel()
	w := &write{application: a, change: c, ctx: ctx}
	o := w.run()
	if o.Status == "" {
		return o
	}
	if err := a.journal.Record(o); err != nil {
		a.stop(fmt.Errorf("journal: %w", err))
	}
	a.report(o)
	return o
}

// settling returns a context for requests that have to come to an end: it ends
// a while after that of the run.
func (a *application) settling() (context.Context, context.CancelFunc) {
	grace := a.opts.Grace
	if grace <= 0 {
		grace = 10 * time.Second
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(a.ctx))
	stop := context.AfterFunc(a.ctx, func() {
		sleep(ctx, grace)
		cancel()
	})
	return ctx, func() { stop(); cancel() }
}

func (a *application) report(o Outcome) {
	if a.opts.Progress == nil {
		return
	}
	a.progress.Lock()
	defer a.progress.Unlock()
	a.opts.Progress(o)
}

// receipt makes the receipt, of which the outcomes are from here on.
func (a *application) receipt(digest string) *Receipt {
	all := len(a.outcomes)
	tried := slices.DeleteFunc(a.outcomes, func(o Outcome) bool { return o.Status == "" })
	return &Receipt{Plan: digest, Outcomes: tried, Left: all - len(tried)}
}

// err returns why the run was stopped, or nil.
func (a *application) err() error {
	if a.ctx.Err() == nil {
		return nil
	}
	return context.Cause(a.ctx)
}

// configurations makes the changes of configurations, one after the other: the
// creation of one comes before the deletion of the one it replaces.
func (a *application) configurations(r *Receipt) error {
	changes := slices.DeleteFunc(slices.Clone(a.plan.Configurations), func(c ConfigurationChange) bool { return c.Action == Keep })
	if len(changes) == 0 {
		return nil
	}
	w, ok := a.writer.(ConfigurationWriter)
	if !ok {
		r.Left += len(changes)
		return errors.New("this writer cannot change configurations")
	}
	for i, c := range changes {
		if err := a.err(); err != nil {
			r.Left += len(changes) - i
			return err
		}
		o, err := a.configuration(w, c)
		if err != nil {
			r.Left += len(changes) - i
			return err
		}
		r.Outcomes = append(r.Outcomes, o)
	}
	return nil
}

func (a *application) configuration(w ConfigurationWriter, c ConfigurationChange) (Outcome, error) {
	o := Outcome{Ref: twin.Ref{Configuration: c.ID}}
	if past := a.journal.Past(o.Ref); past.Status.final() {
		past.Resumed = true
		return past, nil
	}
	ctx, cancel := a.settling()
	defer cancel()
	err := a.attempt(a.ctx, unreached, func() error {
		if err := a.journal.Intend(o.Ref); err != nil {
			a.stop(fmt.Errorf("journal: %w", err))
			return errStopped
		}
		return c.make(ctx, w)
	})
	if errors.Is(err, twin.ErrDenied) || errors.Is(err, twin.ErrUnavailable) {
		a.stop(err)
		err = errStopped
	}
	if err == errStopped {
		return o, a.err()
	}
	o.Status, o.Detail = c.status(err)
	if (o.Status == Changed || o.Status == InDoubt) && a.holds(ctx, c) {
		o.Status, o.Detail = Converged, ""
	}
	if err := a.journal.Record(o); err != nil {
		return o, fmt.Errorf("journal: %w", err)
	}
	a.report(o)
	return o, nil
}

// holds reports whether a configuration already is as c wants it: an earlier
// write whose answer was lost went through, or somebody else made it so. It
// needs a writer that can list configurations, too.
func (a *application) holds(ctx context.Context, c ConfigurationChange) bool {
	src, ok := a.writer.(Source)
	if !ok || c.After == nil {
		return false
	}
	live, err := collect(src.Configurations(ctx))
	have := find(live, c.ID)
	return err == nil && have != nil && stateOf(have).equal(c.After)
}

func (c ConfigurationChange) make(ctx context.Context, w ConfigurationWriter) error {
	if c.Action == Delete {
		return w.DeleteConfiguration(ctx, c.ID, c.ETag)
	}
	_, err := w.PutConfiguration(ctx, &twin.Configuration{
		ID: c.ID, Labels: c.After.Labels, Content: c.After.Content,
		TargetCondition: c.After.TargetCondition, Priority: c.After.Priority, Metrics: c.After.Metrics,
	}, c.ETag)
	return err
}

// status reads the answer to a configuration's write. The next plan is computed
// from the configurations as they are, so that one whose answer was lost is seen
// and either done or wanted again.
func (c ConfigurationChange) status(err error) (Status, string) {
	switch {
	case err == nil:
		return Written, ""
	case errors.Is(err, twin.ErrNotFound) && c.Action == Delete:
		return Converged, ""
	case errors.Is(err, twin.ErrNotFound):
		return Gone, err.Error()
	case errors.Is(err, twin.ErrChanged):
		return Changed, err.Error()
	case errors.Is(err, twin.ErrMaybeApplied), errors.Is(err, context.Canceled):
		return InDoubt, err.Error()
	}
	return Rejected, err.Error()
}
