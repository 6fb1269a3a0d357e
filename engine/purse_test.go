package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A shop makes plugins whose calls cost as many units as a twin's battery has
// percent, times the price of the plugin; it fails on empty batteries.
type shop struct {
	prices map[string]int64
	calls  *atomic.Int64
}

func (s shop) Instance(_ context.Context, r *rules.Rule, _ twin.Object) (rules.Plugin, error) {
	return priced{s.prices[r.Plugin.Use], s.calls}, nil
}

type priced struct {
	price int64
	calls *atomic.Int64
}

func (p priced) Eval(ctx context.Context, t *twin.Twin, _ time.Time) (*rules.Finding, int64, error) {
	if ctx.Err() != nil {
		return nil, 0, context.Cause(ctx)
	}
	p.calls.Add(1)
	pct, _ := t.Reported().Lookup("pct")
	n, err := pct.(json.Number).Int64()
	if err != nil || n == 0 {
		return nil, p.price, errors.New("the battery is empty")
	}
	return &rules.Finding{}, n * p.price, nil
}
func (priced) Reads() []string  { return []string{"reported.pct", "desired.seen"} }
func (priced) Writes() []string { return nil }

// shopped compiles three rules with two plugins, which are asked once more where
// "first" has written what they read.
func shopped(t testing.TB) (*rules.Program, shop) {
	t.Helper()
	s := shop{map[string]int64{"cheap": 1, "dear": 10}, new(atomic.Int64)}
	source := "{source: j.wasm, digest: \"sha256:" + strings.Repeat("0", 64) + "\"}"
	return packOf(t, "plugins: {cheap: "+source+", dear: "+source+"}\n",
		"  - {id: again, selector: 'tags.kind == \"a\"', plugin: {use: cheap, onError: warn}, patch: {tags: {x: 1}}}\n"+
			"  - {id: first, plugin: {use: cheap}, when: 'reported.pct < 10', patch: {desired: {seen: true}}}\n"+
			"  - {id: last, selector: 'tags.kind == \"b\"', plugin: {use: dear, onError: skip}, patch: {tags: {y: 1}}, mode: audit}\n"+
			"  - {id: none, plugin: {use: dear}, patch: {tags: {z: 1}}, mode: off}\n", s), s
}

// bought is what comes of a run.
func bought(ctx context.Context, p *rules.Program, src engine.Source, o engine.Options) (*engine.Plan, error) {
	o.Moment = moment()
	return engine.Evaluate(ctx, p, src, &o)
}

// TestWhatPluginsUsed: it is added up by plugin, dearest first, whoever asked, also
// in later rounds and where a call failed; and is no part of the plan's file.
func TestWhatPluginsUsed(t *testing.T) {
	p, _ := shopped(t)
	src := tape{
		[]byte(`{"deviceId":"r","etag":"a","version":1,"tags":{"kind":"a"},"properties":{"desired":{},"reported":{"pct":5}}}`),  // both rules of cheap, twice
		[]byte(`{"deviceId":"s","etag":"a","version":1,"tags":{"kind":"b"},"properties":{"desired":{},"reported":{"pct":40}}}`), // first and last
		[]byte(`{"deviceId":"t","etag":"a","version":1,"tags":{"kind":"b"},"properties":{"desired":{},"reported":{"pct":0}}}`),  // fail both
	}
	want := []engine.PluginFuel{{Plugin: "dear", Fuel: 410, Rules: []string{"last"}}, {Plugin: "cheap", Fuel: 4*5 + 40 + 1, Rules: []string{"again", "first"}}}
	for _, workers := range []int{1, 3} {
		for _, s := range []engine.Source{recorder{tape: src, each: 1, query: func(*twin.Twin) bool { return true }}, src} {
			plan, err := bought(t.Context(), p, s, engine.Options{Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, plan.Spending.Plugins); diff != "" || plan.Spending.Total() != 471 {
				t.Errorf("%T: %s", s, diff)
			}
			if strings.Contains(inflate(t, planBytes(t, plan)), "471") {
				t.Error("the file says so")
			}
		}
	}
}

// TestTheBudgetOfARun: all that a run needs is enough for it and one unit less is
// not, and what is said then is the same whatever the workers.
func TestTheBudgetOfARun(t *testing.T) {
	p, s := shopped(t)
	src := newHerd(3, 700).source()
	src.query = func(*twin.Twin) bool { return true }
	double := src // is read twice
	double.tape = append(slices.Clone(src.tape), src.tape[5])
	for name, from := range map[string]engine.Source{"a recording": src, "a list": listed{src}, "a recording that has a twin twice": double} {
		t.Run(name, func(t *testing.T) {
			plan, err := bought(t.Context(), p, from, engine.Options{})
			if err != nil {
				t.Fatal(err)
			}
			need := plan.Spending.Total()
			if limited, err := bought(t.Context(), p, from, engine.Options{Fuel: need}); err != nil || string(planBytes(t, limited)) != string(planBytes(t, plan)) {
				t.Errorf("%d units are not enough for %d: %v", need, need, err)
			}
			for _, budget := range []int64{1, 50, need / 3, need * 2 / 3, need - 1} {
				said := ""
				for _, workers := range []int{1, 2, 3, 8, 8, 8} {
					s.calls.Store(0)
					_, err := bought(t.Context(), p, from, engine.Options{Fuel: budget, Workers: workers})
					var failed *engine.FuelError
					if !errors.As(err, &failed) || failed.Total() <= budget || failed.Budget != budget {
						t.Fatalf("%d of %d units: got %v", budget, need, err)
					}
					if said == "" {
						said = err.Error()
					}
					if err.Error() != said {
						t.Errorf("%d workers: got %s, want %s", workers, err, said)
					}
					if budget == 1 && s.calls.Load() > int64(workers*20) {
						t.Errorf("%d calls by %d workers for one unit", s.calls.Load(), workers)
					}
				}
			}
		})
	}
}

// TestAnEmptyPurseAndOtherTrouble: of a mistake in a recording and too little fuel
// that comes first which stands first.
func TestAnEmptyPurseAndOtherTrouble(t *testing.T) {
	p, _ := shopped(t)
	for _, line := range []int{5, 40, 50, 60, 70, 699} {
		src := newHerd(3, 700).source()
		src.query, src.each = func(*twin.Twin) bool { return true }, 10
		src.tape[line] = []byte(`{"deviceId":"torn`)
		for _, from := range []engine.Source{src, listed{src}} {
			first := "units"
			if _, recorded := from.(recorder); line == 5 || !recorded && line < 74 { // a list is judged by 64, and has no modules here
				first = "line"
			}
			for _, workers := range []int{1, 2, 8, 8, 8, 8, 8, 8} {
				_, err := bought(t.Context(), p, from, engine.Options{Fuel: 4000, Workers: workers})
				if err == nil || strings.Contains(err.Error(), "units") != (first == "units") {
					t.Errorf("%T, line %d, %d workers: got %v, want the %s", from, line, workers, err, first)
				}
			}
		}
	}
}

// TestAnInterruptedRunHasNotSpentTooMuch: it says why it was interrupted.
func TestAnInterruptedRunHasNotSpentTooMuch(t *testing.T) {
	p, _ := shopped(t)
	reason := fmt.Errorf("somebody had enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	src := newHerd(3, 100).source()
	for _, from := range []engine.Source{src, listed{src}} {
		if _, err := bought(ctx, p, from, engine.Options{Fuel: 1}); !errors.Is(err, reason) {
			t.Errorf("got %v", err)
		}
	}
}
