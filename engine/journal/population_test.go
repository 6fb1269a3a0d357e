package journal_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/journal"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A crowd is a fleet of so many devices.
type crowd int

func (n crowd) Twins(context.Context, string) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		for i := range n {
			if !yield(twin.Parse(fmt.Appendf(nil, `{"deviceId":"d%d","tags":{"k":"a"},"properties":{"desired":{},"reported":{}}}`, i))) {
				return
			}
		}
	}
}

func (crowd) Configurations(context.Context) iter.Seq2[*twin.Configuration, error] {
	return func(func(*twin.Configuration, error) bool) {}
}

// pass plans as a pass does: with what the last one noted, and notes its own.
func pass(t *testing.T, path, selector, limits string, n crowd) string {
	t.Helper()
	text := "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nvars: {k: a}\nlimits: {maxPercent: 100}\nrules:\n" +
		"  - {id: r, selector: \"" + selector + "\", patch: {tags: {x: 1}}, limits: {maxPercent: 100" + limits + "}}\n"
	pack, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte(text)}})
	must(t, err)
	program, err := rules.Compile(t.Context(), pack, nil)
	must(t, err)
	last, err := journal.Populations(path, contoso, pack)
	must(t, err)
	plan, err := engine.Evaluate(t.Context(), program, n, &engine.Options{Moment: rules.Moment{Hub: contoso}, Populations: last})
	must(t, err)
	must(t, journal.SavePopulations(path, plan, pack, last))
	if len(plan.Breaches) == 0 {
		return ""
	}
	return plan.Breaches[0].String()
}

// TestShrink goes through passes over a fleet, each of which sees what the last
// one noted.
func TestShrink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.json")
	const same = "tags.k == 'a'"
	stopped := func(now, was, limit int) string {
		return fmt.Sprintf("rule r selects %d twins, and selected %d in the last pass: is something missing? If not, raise maxShrink (%d)", now, was, limit)
	}
	for i, step := range []struct {
		selector, limits string
		twins            crowd
		want             string
	}{
		{same, "", 100, ""},
		{same, "", 120, ""},                              // grown
		{same, "", 60, ""},                               // by half, which is allowed
		{same, "", 29, stopped(29, 60, 50)},              // by more
		{same, "", 29, stopped(29, 60, 50)},              // and the next pass knows
		{same, "", 30, ""},                               // it came back
		{same, ", maxShrink: 0", 29, stopped(29, 30, 0)}, // every single one
		{same, ", maxShrink: 100", 1, ""},                // whatever becomes of it
		{same, "", 100, ""},
		{"tags.k in [vars.k]", "", 10, ""},                // another selector has no last pass
		{"tags.k in [vars.k]", "", 4, stopped(4, 10, 50)}, // until now
		{"tags.k in [vars.k]", "", 0, ""},                 // nothing would be written
		{"tags.k in [vars.k]", "", 4, stopped(4, 10, 50)}, // and it was not forgotten
	} {
		if got := pass(t, path, step.selector, step.limits, step.twins); got != step.want {
			t.Fatalf("pass %d: got %q, want %q", i, got, step.want)
		}
	}
	must(t, os.WriteFile(path, []byte("{"), 0o600))
	if _, err := journal.Populations(path, contoso, &rules.Pack{Name: "p"}); err == nil || !strings.HasPrefix(err.Error(), "read populations ") {
		t.Errorf("got %v", err)
	}
}
