package plugins

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/rules"
)

var _ rules.Plugin = (*Instance)(nil)

// An Instance is a plugin with a rule's configuration. It is safe for concurrent
// use and lives as long as its host.
type Instance struct {
	module    *Module
	config    twin.Object
	rule      string // for which it judges, "" for none
	view      *view
	grants    grants
	snapshot  *snapshot     // after init
	image     *image        // of its memory, nil when that is compared
	slots     chan struct{} // one for each call that may run
	remembers bool          // see Trial

	mu   sync.Mutex
	free []*guest // the last one used comes first
}

// An Answer is what a plugin says of one twin.
type Answer struct {
	Finding  *rules.Finding // nil when the plugin does not match
	Severity string         // one of abi.Severities, or ""
	Labels   map[string]string
	Fuel     int64 // used; the same for the same input
	Memory   int64 // bytes that it had when it answered
	Log      []Line
}

func newInstance(m *Module, config twin.Object) *Instance {
	i := &Instance{module: m, config: config, slots: make(chan struct{}, m.options.Instances)}
	var reads, writes []string
	if m.report.Manifest != nil {
		reads, writes = m.report.Manifest.Reads, m.report.Manifest.Writes
	}
	i.view, i.grants = newView(reads), newGrants(writes)
	return i
}

// Reads lists the paths that the manifest declares, and abi.Now if that is one; nil
// for the whole twin and the time.
func (i *Instance) Reads() []string { return i.view.paths }

// Writes lists the paths that the plugin's patch may set.
func (i *Instance) Writes() []string { return i.grants.paths }

// Eval judges t as of now, and says how much fuel that took. Its errors are
// [*Error], or ctx's.
func (i *Instance) Eval(ctx context.Context, t *twin.Twin, now time.Time) (_ *rules.Finding, fuel int64, _ error) {
	a, fuel, err := i.call(ctx, t, now)
	if err != nil {
		return nil, fuel, err
	}
	return a.Finding, fuel, nil
}

// Judge is Eval with all that is known of the call.
func (i *Instance) Judge(ctx context.Context, t *twin.Twin, now time.Time) (*Answer, error) {
	a, _, err := i.call(ctx, t, now)
	return a, err
}

// call asks about t. The fuel is that of all asking, where that was done twice.
func (i *Instance) call(ctx context.Context, t *twin.Twin, now time.Time) (_ *Answer, fuel int64, _ error) {
	g, err := i.take(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer func() { i.put(g) }()
	g.input = i.view.append(g.input[:0], t, now)
	a, err := i.judge(g, now)
	fuel = spent(a, err)
	if i.module.options.PerRun {
		first := a
		if g, a, err = i.confirm(g, t, now, a, err); first == nil || a != first {
			fuel += spent(a, err)
		}
	}
	i.say(ctx, t, g.env.lines)
	var failed *Error
	if errors.As(err, &failed) {
		failed.Ref, failed.Rule = t.Ref, i.rule
		i.tell(g, now, failed)
	}
	return a, fuel, err
}

// spent returns the fuel of a call that had an answer, or failed.
func spent(a *Answer, err error) int64 {
	if a != nil {
		return a.Fuel
	}
	if failed, ok := errors.AsType[*Error](err); ok {
		return failed.Fuel
	}
	return 0
}

// judge asks g about its input.
func (i *Instance) judge(g *guest, now time.Time) (*Answer, error) {
	g.env.begin(i.view.moment(now), g.input)
	if len(g.input) > abi.MaxInput {
		return nil, &Error{Code: EvalInputSize, Plugin: i.module.name, Err: sizeError(len(g.input))}
	}
	if !i.remembers && !g.warm {
		g.restore(i.snapshot)
	}
	g.fuel.Set(uint64(i.module.options.Fuel))
	text, err := g.judge(g.input)
	if err != nil {
		return nil, i.failure(g, err)
	}
	a := &Answer{Fuel: i.module.options.Fuel - g.left(), Memory: int64(g.mod.Memory().Size()), Log: g.env.said()}
	if text == nil {
		return a, nil
	}
	if failed := decodeOutput(text, a, i.grants); failed != nil {
		failed.Plugin, failed.Fuel, failed.Log = i.module.name, a.Fuel, a.Log
		return nil, failed
	}
	return a, nil
}

// failure classifies what went wrong in a call, and marks a guest that crashed.
func (i *Instance) failure(g *guest, err error) *Error {
	e := &Error{Plugin: i.module.name, Fuel: i.module.options.Fuel - max(0, g.left()), Log: g.env.said(), Err: err}
	switch {
	case crashed(err) && g.left() < 0:
		e.Code, e.Err = EvalFuel, fuelError(i.module.options.Fuel)
	case crashed(err):
		e.Code, e.Err, e.Trace = EvalTrap, reason(err, e.Log), err.Error()
	case refused(err):
		e.Code = EvalError
	case errors.Is(err, errNoRoom):
		e.Code = EvalMemory
	case errors.Is(err, errOutputSize):
		e.Code = EvalOutputSize
	default:
		e.Code = EvalOutputInvalid
	}
	g.broken = crashed(err)
	return e
}

// take returns a guest for one call, when there is one to spare.
func (i *Instance) take(ctx context.Context) (*guest, error) {
	select {
	case i.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := ctx.Err(); err != nil {
		<-i.slots
		return nil, context.Cause(ctx)
	}
	g, err := i.guest()
	if err != nil {
		<-i.slots
	}
	return g, err
}

func (i *Instance) guest() (*guest, error) {
	i.mu.Lock()
	if n := len(i.free); n > 0 {
		g := i.free[n-1]
		i.free = i.free[:n-1]
		i.mu.Unlock()
		return g, nil
	}
	i.mu.Unlock()
	return i.another()
}

// another makes a guest, whose memory is still to be put to what it should be.
func (i *Instance) another() (*guest, error) {
	g, err := newGuest(i.module, i.config, i.image)
	if err == nil {
		err = g.start(i.snapshot)
	}
	if err != nil {
		return nil, &Error{Code: EvalMemory, Plugin: i.module.name, Err: reason(err, nil)}
	}
	return g, nil
}

// put ends the call of g, which serves others unless it crashed or grew.
func (i *Instance) put(g *guest) {
	if g.broken || !i.remembers && !g.fits(i.snapshot) {
		g.close()
	} else {
		i.mu.Lock()
		i.free = append(i.free, g)
		i.mu.Unlock()
	}
	<-i.slots
}

// say logs what the plugin said, of t unless that is nil.
func (i *Instance) say(ctx context.Context, t *twin.Twin, lines []Line) {
	for _, line := range lines {
		log := i.module.log
		if t != nil {
			log = log.With("twin", t.Ref.String())
		}
		log.LogAttrs(ctx, line.Level, line.Text)
	}
}
