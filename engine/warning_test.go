package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A moody plugin fails on devices of kind b, and matches the others.
type moody struct{}

// out is the failure, with its fuel.
type out struct{}

func (out) Error() string { return "out of fuel" }
func (out) Spent() int64  { return 99 }

func (m moody) Instance(context.Context, *rules.Rule, twin.Object) (rules.Plugin, error) {
	return m, nil
}
func (moody) Eval(_ context.Context, t *twin.Twin, _ time.Time) (*rules.Finding, int64, error) {
	if kind, _ := t.Tags().Lookup("kind"); kind == "b" {
		return nil, 99, out{}
	}
	return &rules.Finding{}, 1, nil
}
func (moody) Reads() []string  { return []string{"tags.kind"} }
func (moody) Writes() []string { return nil }

func moodyPack(t testing.TB, onError string) *rules.Program {
	return packOf(t, "plugins: {judge: {source: j.wasm, digest: \"sha256:"+strings.Repeat("0", 64)+"\"}}\nlimits: {maxTwins: 1000, maxPercent: 100}\n",
		"  - {id: r, plugin: {use: judge, onError: "+onError+"}, patch: {desired: {x: 1}}, limits: {maxTwins: 1000, maxPercent: 100}}\n", moody{})
}

// TestWhatBecomesOfAFailedPlugin: in each way the twin is left alone, and differs
// in who is told.
func TestWhatBecomesOfAFailedPlugin(t *testing.T) {
	for onError, want := range map[string]string{
		"fail": "20 written; 10 errors, 10 failed; 0 warnings, 0 warned; 20 matched; \"\"",
		"skip": "20 written; 0 errors, 0 failed; 0 warnings, 0 warned; 20 matched; \"\"",
		"warn": "20 written; 0 errors, 0 failed; 10 warnings, 10 warned; 20 matched; \"\"",
	} {
		t.Run(onError, func(t *testing.T) {
			p := moodyPack(t, onError)
			for _, workers := range []int{1, 7} {
				plan := evaluate(t, p, fleet(30), &engine.Options{Workers: workers})
				s, r := plan.Summary(), plan.Rules[0]
				got := fmt.Sprintf("%d written; %d errors, %d failed; %d warnings, %d warned; %d matched; %q", s.Twins, s.Errors, r.Failed, s.Warnings, r.Warned, r.Matched, plan.Obstacle())
				if got != want {
					t.Errorf("%d workers: got %s, want %s", workers, got, want)
				}
			}
		})
	}
}

// TestWarningsSayWhatFailuresSay, and stand in the order of the twins.
func TestWarningsSayWhatFailuresSay(t *testing.T) {
	failed, warned := evaluate(t, moodyPack(t, "fail"), fleet(9), nil), evaluate(t, moodyPack(t, "warn"), fleet(9), nil)
	if got, want := fmt.Sprint(warned.Warnings), fmt.Sprint(failed.Errors); got != want || !strings.Contains(got, "devices/d0008 r out of fuel 99}") {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestWarningsComeAgain: a pass that remembers what it saw warns each time.
func TestWarningsComeAgain(t *testing.T) {
	p, h, seen := moodyPack(t, "warn"), newHerd(1, 60), &engine.Seen{}
	first := planAt(t, p, h.source(), noon, &engine.Options{Seen: seen})
	again := planAt(t, p, h.source(), noon, &engine.Options{Seen: seen})
	if !strings.Contains(inflate(t, first), `{"warning":`) || string(first) != string(again) {
		t.Errorf("got %s, then %s", inflate(t, first), inflate(t, again))
	}
}
