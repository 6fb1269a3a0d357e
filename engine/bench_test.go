package engine_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// A tape is a fleet as a snapshot holds it: the twins' bytes.
type tape [][]byte

func (t tape) Twins(context.Context, string) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		for _, data := range t {
			if !yield(twin.Parse(data)) {
				return
			}
		}
	}
}

func (tape) Configurations(context.Context) iter.Seq2[*twin.Configuration, error] {
	return func(func(*twin.Configuration, error) bool) {}
}

// recorded returns n twins with about 600 bytes that no rule reads.
func recorded(n int) (t tape) {
	m := fleet(n)
	for i, ref := range m.order {
		filler := twin.Object{"text": strings.Repeat("x", 500), "list": []any{"a", "b", fmt.Sprint(i)}}
		m.twins[ref].reported = twin.Merge(m.twins[ref].reported, twin.Object{"filler": filler})
		t = append(t, m.twins[ref].twin(ref).JSON())
	}
	return t
}

// BenchmarkEvaluate judges 1,000 twins by 10 rules, of which one changes a few.
func BenchmarkEvaluate(b *testing.B) {
	var body strings.Builder
	body.WriteString(saver)
	for i := range 9 {
		fmt.Fprintf(&body, "  - {id: r%d, when: 'reported.pct > %d and tags.kind in [\"c\", \"d\"]', patch: {desired: {x%d: 1}}}\n", i, i, i)
	}
	m, p := recorded(1000), pack(b, body.String())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := engine.Evaluate(context.Background(), p, m, &engine.Options{Workers: 1, Moment: moment()}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/twin")
}

// BenchmarkChange settles 50 wishes for each of 1,000 twins, all of which change.
func BenchmarkChange(b *testing.B) {
	var body strings.Builder
	for i := range 10 {
		fmt.Fprintf(&body, "  - {id: r%d, priority: %d, patch: {desired: {a: {x%d: 1, y: 2, z: [1, 2]}, b%d: x}, tags: {t: %d}}}\n", i, i, i, i, i)
	}
	m, p := recorded(1000), pack(b, body.String())
	b.ReportAllocs()
	for b.Loop() {
		if plan := evaluate(b, p, m, &engine.Options{Workers: 1}); plan.Changes.Len() != 1000 {
			b.Fatal(plan.Changes.Len())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/twin")
}

// BenchmarkPlanFile writes and reads a plan of 1,000 changes.
func BenchmarkPlanFile(b *testing.B) {
	plan := evaluate(b, pack(b, setter), fleet(1000), nil)
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			if err := engine.WritePlan(io.Discard, plan); err != nil {
				b.Fatal(err)
			}
		}
	})
	file := string(planBytes(b, plan))
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if _, err := engine.ReadPlan(strings.NewReader(file)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRollout plans 1,000 twins that are as a rule with a rollout wants them.
// Waves in percent cost nothing; for one in units everybody's unit is looked at.
func BenchmarkRollout(b *testing.B) {
	src := recorder{tape: recorded(1000), each: 50, query: func(*twin.Twin) bool { return true }}
	for _, waves := range []string{"[1%, 100%]", "[1, 100%]"} {
		b.Run(waves, func(b *testing.B) {
			p := pack(b, "  - {id: r, patch: {desired: {interval: 60}}, rollout: {waves: "+waves+", gate: {ok: reported.interval == 60}}}\n")
			for b.Loop() {
				if plan := evaluate(b, p, src, &engine.Options{Workers: 1}); plan.Changes.Len() > 0 {
					b.Fatal(plan.Changes.Len())
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/twin")
		})
	}
}
