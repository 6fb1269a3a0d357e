package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// clone returns a hub in the same state, where nobody interferes.
func (m *memory) clone() *memory {
	c := newMemory()
	for ref, s := range m.twins {
		copied := *s
		c.twins[ref] = &copied
	}
	c.order, c.writes, c.configurations = slices.Clone(m.order), maps.Clone(m.writes), slices.Clone(m.configurations)
	return c
}

// A crash is what a killed run leaves: a journal that ends after some record, and
// the hub as it is then.
type crash struct {
	past map[twin.Ref]engine.Outcome
	hub  *memory
}

// A witness is a journal that notes every state in which a run could be killed:
// after each record, with or without what the run did until the next one.
type witness struct {
	*notebook
	hub     *memory
	crashes []crash
}

func (w *witness) Intend(ref twin.Ref) error {
	w.see()
	return errors.Join(w.notebook.Intend(ref), w.see())
}
func (w *witness) Record(o engine.Outcome) error {
	w.see()
	return errors.Join(w.notebook.Record(o), w.see())
}

func (w *witness) see() error {
	w.crashes = append(w.crashes, crash{maps.Clone(w.past), w.hub.clone()})
	return nil
}

// TestResumeFromEveryCrash kills an apply at every record of its journal, before
// and after what comes next reached the hub, and goes on from there.
func TestResumeFromEveryCrash(t *testing.T) {
	m := fleet(6)
	plan := evaluate(t, pack(t, setter), m, nil)
	delete(m.twins, device(1))
	m.twins[device(2)].write(twin.Patch{Tags: twin.Object{"site": "x"}})
	m.twins[device(3)].write(twin.Patch{Desired: twin.Object{"interval": json.Number("1")}})
	m.after = func(ref twin.Ref, _ int) error { return when(ref == device(4), errLost) }
	w := &witness{notebook: newNotebook(), hub: m}
	if _, err := engine.Apply(t.Context(), plan, m, w, &engine.ApplyOptions{Workers: 1}); err != nil {
		t.Fatal(err)
	}
	if len(w.crashes) < 2*2*6 {
		t.Fatalf("%d states, want one before and after each of 12 records", len(w.crashes))
	}
	for n, c := range w.crashes {
		r, err := engine.Apply(t.Context(), plan, c.hub, &notebook{past: c.past}, nil)
		if err != nil || r.Left > 0 || len(r.Outcomes) != 6 || r.Count(engine.Written)+r.Count(engine.Converged) != 4 || r.Count(engine.Gone) != 1 || r.Count(engine.Changed) != 1 {
			t.Errorf("crash %d: %v, %s", n, err, summary(r))
		}
		for ref, s := range c.hub.twins {
			want, writes := "900", 1
			if ref == device(3) {
				want, writes = "1", 0
			}
			if s.desired["interval"] != json.Number(want) || c.hub.writes[ref] != writes {
				t.Errorf("crash %d: %s has interval %v after %d writes, want %s after %d", n, ref, s.desired["interval"], c.hub.writes[ref], want, writes)
			}
		}
	}
}

// TestDeniedInTheMiddle takes the permission away while eight workers write.
func TestDeniedInTheMiddle(t *testing.T) {
	m, j := fleet(100), newNotebook()
	plan := evaluate(t, pack(t, setter), m, nil)
	requests := 0
	m.before = func(twin.Ref, int) error {
		requests++
		return when(requests > 20, fmt.Errorf("403: %w", twin.ErrDenied))
	}
	r, err := engine.Apply(t.Context(), plan, m, j, nil)
	if !errors.Is(err, twin.ErrDenied) || r.Count(engine.Written) != 20 || r.Left != 80 || requests > 20+8 {
		t.Fatalf("%v, %s, %d requests", err, summary(r), requests)
	}
	m.before = nil
	if r, err = engine.Apply(t.Context(), plan, m, j, nil); err != nil || !r.Complete() || r.Count(engine.Written) != 100 {
		t.Fatalf("%v, %s", err, summary(r))
	}
	for _, n := range m.writes {
		if n != 1 {
			t.Fatalf("a twin was written %d times", n)
		}
	}
}

// TestOutOfReachStopsTheRun applies to a hub that is down: every worker tries for
// about a minute, and the run ends with one error.
func TestOutOfReachStopsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fleet(500)
		plan := evaluate(t, pack(t, setter), m, nil)
		requests := 0
		m.before = func(twin.Ref, int) error { requests++; return twin.ErrUnavailable }
		start := time.Now()
		r, err := engine.Apply(t.Context(), plan, m, newNotebook(), nil)
		if !errors.Is(err, twin.ErrUnavailable) || r.Left != 500 || requests > 8*7 {
			t.Errorf("%v, %s, %d requests", err, summary(r), requests)
		}
		if took := time.Since(start); took > 2*time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}

// A slow hub takes a while for a write, and loses the answer when its context
// ends before.
type slow struct {
	*memory
	takes time.Duration
}

func (s slow) PatchTwin(ctx context.Context, ref twin.Ref, p twin.Patch, etag string) (*twin.Twin, error) {
	select {
	case <-time.After(s.takes):
		return s.memory.PatchTwin(ctx, ref, p, etag)
	case <-ctx.Done():
		return nil, errors.Join(errLost, ctx.Err())
	}
}

// TestWritesMayEndWhenTheRunIsStopped stops a run, as SIGTERM does, one second
// after its writes were sent.
func TestWritesMayEndWhenTheRunIsStopped(t *testing.T) {
	for name, c := range map[string]struct {
		takes, grace, ends time.Duration
		want               string
	}{
		"in time":             {3 * time.Second, 0, 3 * time.Second, "4 written, 16 left"},
		"never":               {time.Hour, 0, 11 * time.Second, "4 in-doubt, 16 left"},
		"with a longer grace": {time.Minute, 2 * time.Minute, time.Minute, "4 written, 16 left"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, j := fleet(20), newNotebook()
				plan := evaluate(t, pack(t, setter), m, nil)
				ctx, stop := context.WithTimeoutCause(t.Context(), time.Second, errors.New("SIGTERM"))
				defer stop()
				start := time.Now()
				r, err := engine.Apply(ctx, plan, slow{m, c.takes}, j, &engine.ApplyOptions{Workers: 4, Grace: c.grace})
				if err == nil || err.Error() != "SIGTERM" || summary(r) != c.want || time.Since(start) != c.ends {
					t.Errorf("after %s: %v, %s, want %s after %s", time.Since(start), err, summary(r), c.want, c.ends)
				}
				if r, err = engine.Apply(t.Context(), plan, m, j, nil); err != nil || !r.Complete() {
					t.Errorf("resumed: %v, %s", err, summary(r))
				}
			})
		})
	}
}

// tooMany is a refusal that names a time to wait.
type tooMany time.Duration

func (e tooMany) Error() string             { return "429" }
func (e tooMany) Unwrap() error             { return twin.ErrThrottled }
func (e tooMany) RetryAfter() time.Duration { return time.Duration(e) }

func TestTheHubIsAskedAgainWhenItSays(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		0: 10 * time.Second, 3 * time.Second: 3 * time.Second, 90 * time.Second: 90 * time.Second, 1000 * time.Hour: 10 * time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			m := fleet(30)
			plan := evaluate(t, pack(t, setter), m, nil)
			start := time.Now()
			m.before = func(twin.Ref, int) error { return when(time.Since(start) < time.Second, tooMany(asked)) }
			r, err := engine.Apply(t.Context(), plan, m, newNotebook(), nil)
			if err != nil || r.Count(engine.Written) != 30 || time.Since(start) != want {
				t.Errorf("asked for %s: %v, %s after %s, want %s", asked, err, summary(r), time.Since(start), want)
			}
		})
	}
}

// TestReadsWaitTogetherToo throttles the reads that follow a lost answer.
func TestReadsWaitTogetherToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, reads := fleet(1), 0
		plan := evaluate(t, pack(t, setter), m, nil)
		m.after = func(twin.Ref, int) error { return errLost }
		m.reading = func(twin.Ref) error { reads++; return when(reads <= 10, twin.ErrThrottled) }
		r, err := engine.Apply(t.Context(), plan, m, newNotebook(), nil)
		if err != nil || summary(r) != "1 converged" {
			t.Errorf("%v, %s", err, summary(r))
		}
	})
}

// TestAParentThatChangedIsLeftAlone sets a leaf below a place that somebody else
// has made a value of since.
func TestAParentThatChangedIsLeftAlone(t *testing.T) {
	m := fleet(2)
	plan := evaluate(t, pack(t, "  - {id: r, patch: {desired: {fan: {level: 3}}}}\n  - {id: s, patch: {tags: {kind: null}}}\n"), m, nil)
	m.twins[device(0)].write(twin.Patch{Desired: twin.Object{"fan": "theirs"}})
	m.twins[device(1)].write(twin.Patch{Desired: twin.Object{"fan": twin.Object{"mode": "theirs"}}})
	r, err := engine.Apply(t.Context(), plan, m, newNotebook(), nil)
	if err != nil || summary(r) != "1 written, 1 changed" || r.Outcomes[0].Detail != `desired.fan.level is "theirs" now, it was absent` {
		t.Errorf("%v, %+v", err, r.Outcomes)
	}
	if m.twins[device(0)].desired["fan"] != "theirs" || m.twins[device(0)].tags["kind"] == nil {
		t.Errorf("overwritten: %v", m.twins[device(0)])
	}
}

// A faulty hub interferes with writes of configurations.
type faulty struct {
	*memory
	n             int
	before, after func(n int) error
}

func (f *faulty) interfere(hook func(int) error) error {
	if hook == nil {
		return nil
	}
	return hook(f.n)
}

func (f *faulty) PutConfiguration(ctx context.Context, c *twin.Configuration, etag string) (*twin.Configuration, error) {
	f.n++
	if err := f.interfere(f.before); err != nil {
		return nil, err
	}
	out, err := f.memory.PutConfiguration(ctx, c, etag)
	return out, errors.Join(err, f.interfere(f.after))
}

func (f *faulty) DeleteConfiguration(ctx context.Context, id, etag string) error {
	f.n++
	if err := f.interfere(f.before); err != nil {
		return err
	}
	return errors.Join(f.memory.DeleteConfiguration(ctx, id, etag), f.interfere(f.after))
}

// TestConfigurationWrites is what becomes of writes of configurations when
// something interferes. What a run leaves open the next plan sees.
func TestConfigurationWrites(t *testing.T) {
	body := "  - {id: one, patch: {desired: {c: 1}}, configuration: {}}\n  - {id: two, patch: {desired: {d: 1}}, configuration: {}}\n"
	for name, c := range map[string]struct {
		before, after func(n int) error
		want          string
		err           error
		left          int // in the next plan
	}{
		"nothing":               {nil, nil, "2 written", nil, 0},
		"an answer is lost":     {nil, func(n int) error { return lose(n == 1) }, "1 written, 1 converged", nil, 0},
		"a request is lost":     {func(n int) error { return lose(n == 1) }, nil, "1 written, 1 in-doubt", nil, 1},
		"throttled":             {func(n int) error { return when(n < 10, twin.ErrThrottled) }, nil, "2 written", nil, 0},
		"out of reach for once": {func(n int) error { return when(n == 1, twin.ErrUnavailable) }, nil, "2 written", nil, 0},
		"out of reach":          {func(int) error { return twin.ErrUnavailable }, nil, "2 left", twin.ErrUnavailable, 2},
		"denied":                {func(n int) error { return when(n == 2, twin.ErrDenied) }, nil, "1 written, 1 left", twin.ErrDenied, 1},
		"refused":               {func(n int) error { return when(n == 1, errors.New("400")) }, nil, "1 written, 1 rejected", nil, 1},
		"somebody was first":    {func(n int) error { return when(n == 1, twin.ErrChanged) }, nil, "1 written, 1 changed", nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := &faulty{memory: fleet(1), before: c.before, after: c.after}
				p := pack(t, body)
				j := newNotebook()
				r, err := engine.Apply(t.Context(), evaluate(t, p, hub, nil), hub, j, nil)
				if !errors.Is(err, c.err) || summary(r) != c.want {
					t.Errorf("got %v, %s, want %v, %s", err, summary(r), c.err, c.want)
				}
				next := evaluate(t, p, hub, nil)
				if got := len(next.Configurations); got != c.left {
					t.Errorf("the next plan has %d changes, want %d", got, c.left)
				}
				hub.before, hub.after = nil, nil
				if r, err = engine.Apply(t.Context(), next, hub, newNotebook(), nil); err != nil || !r.Complete() {
					t.Errorf("next: %v, %s", err, summary(r))
				}
			})
		})
	}
}

func TestADeletionWhoseAnswerWasLost(t *testing.T) {
	hub := &faulty{memory: fleet(1), after: func(int) error { return errLost }}
	hub.configurations = []*twin.Configuration{{ID: "tr-old", ETag: "M", Labels: map[string]string{"owner": "twinrules", "pack": "p", "rule": "old"}}}
	plan, j := evaluate(t, pack(t, "  - {id: r, mode: audit, patch: {tags: {x: 1}}}\n"), hub, nil), newNotebook()
	r, err := engine.Apply(t.Context(), plan, hub, j, nil)
	if err != nil || summary(r) != "1 in-doubt" {
		t.Fatalf("%v, %s", err, summary(r))
	}
	hub.before = func(int) error { return twin.ErrNotFound }
	if r, err = engine.Apply(t.Context(), plan, hub, j, nil); err != nil || !r.Complete() || summary(r) != "1 converged" {
		t.Errorf("%v, %s", err, summary(r))
	}
}

// readonly hides that a hub can change configurations.
type readonly struct{ engine.Writer }

func TestAWriterWithoutConfigurations(t *testing.T) {
	m := fleet(1)
	plan := evaluate(t, pack(t, setter+"  - {id: c, patch: {desired: {c: 1}}, configuration: {}}\n"), m, nil)
	r, err := engine.Apply(t.Context(), plan, readonly{m}, newNotebook(), nil)
	if err == nil || err.Error() != "this writer cannot change configurations" || summary(r) != "1 written, 1 left" {
		t.Errorf("%v, %s", err, summary(r))
	}
}
