package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/rules"
)

// testSnapshots runs the tests of the pack at path that are about a recorded
// fleet.
func (env *environment) testSnapshots(ctx context.Context, program *compiled, path string, wanted *regexp.Regexp, tab *fuelTab) ([]report.TestCase, error) {
	folder := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		folder = filepath.Dir(path)
	}
	var list []report.TestCase
	for _, test := range program.Pack.Tests {
		if !wanted.MatchString(snapshotSuite + ": " + test.Name) {
			continue
		}
		plan, err := env.planSnapshot(ctx, program, filepath.Join(folder, filepath.FromSlash(test.Snapshot)), test, tab.left())
		if err = tab.planned(plan, err); err != nil {
			return nil, fmt.Errorf("%s: test %q: %w", test.Pos, test.Name, err)
		}
		c := report.TestCase{Rule: snapshotSuite, Name: test.Name, Pos: test.Pos}
		c.Detail = countLines(plan, test.Expect)
		if n := len(c.Detail); n > 0 {
			c.Problem = plural(n, "count") + " differ from what the test expects"
		}
		list = append(list, c)
	}
	return list, nil
}

// snapshotSuite stands for a rule's name in tests of the pack as a whole; no rule
// can be called so.
const snapshotSuite = "(pack)"

func (env *environment) planSnapshot(ctx context.Context, program *compiled, path string, test *rules.SnapshotTest, fuel int64) (*engine.Plan, error) {
	f, err := program.Pack.FS.Open(test.Snapshot) // refuses a link that leads out of the pack
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	s, err := snapshot.Open(path)
	if err != nil {
		return nil, err
	}
	at := rules.Moment{Now: s.TakenAt, Hub: s.Hub}
	if !test.Now.IsZero() {
		at.Now = test.Now
	}
	if at.Now.IsZero() {
		return nil, fmt.Errorf("%s does not say when it was taken; give the test a now", path)
	}
	return engine.Evaluate(ctx, program.Program, sourceOf(s), &engine.Options{Moment: at, Incomplete: !s.Complete, Tool: version(), Fuel: fuel})
}

// countLines says which counts of a plan are not as expected.
func countLines(plan *engine.Plan, expect []rules.Counts) []string {
	var list []string
	for _, want := range expect {
		for _, got := range plan.Rules {
			if got.Rule != want.Rule {
				continue
			}
			counts := map[string]int{"selected": got.Population, "matched": got.Matched, "changed": got.Changed, "failed": got.Failed, "warned": got.Warned}
			for _, c := range want.Counts {
				if n := counts[c.Name]; n != c.Number {
					list = append(list, fmt.Sprintf("      %s: %s %d, wanted %d   %s", want.Rule, c.Name, n, c.Number, strings.TrimSpace(c.Pos.String())))
				}
			}
		}
	}
	return list
}
