package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/twinrules/twinrules/engine/journal"
	"github.com/twinrules/twinrules/hub/estimate"
	"github.com/twinrules/twinrules/rules"
)

// An amount is a flag's number of twins, or a percentage of them.
type amount struct {
	n       int
	percent float64
	given   string // "" when it was not
}

// String returns the flag's value.
func (a *amount) String() string { return a.given }

// Type names what the flag takes.
func (*amount) Type() string { return "N|P%" }

// Set takes a number, or a percentage with its sign.
func (a *amount) Set(text string) error {
	if digits, ok := strings.CutSuffix(text, "%"); ok {
		p, err := strconv.ParseFloat(digits, 64)
		if err != nil || !(p >= 0 && p <= 100) {
			return fmt.Errorf("%q is no percentage from 0%% to 100%%", text)
		}
		*a = amount{percent: p, given: text}
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is neither a number of twins nor a percentage such as 2%%", text)
	}
	*a = amount{n: n, given: text}
	return nil
}

// of returns how many of so many twins are meant, rounded up.
func (a *amount) of(twins int) int {
	if a.percent == 0 {
		return a.n
	}
	n := float64(max(twins, 0)) * a.percent / 100
	if n > float64(int(n)) {
		return int(n) + 1
	}
	return int(n)
}

// nothingKnown is what is assumed to change when nobody says and no pass is known.
// It is a guess, which the estimate names.
const nothingKnown = 2.0

// assume decides how much there will be to write.
func (e *estimator) assume(env *environment, state *stateFlags, hub string) error {
	e.changes = estimate.Changes{Configurations: len(e.program.Configurations()), AtOnce: writesAtOnce}
	if e.flags.changes.given != "" {
		e.changes.Twins, e.from = e.flags.changes.of(e.fleet.Selected), "as --changes says"
		return nil
	}
	n, at, err := state.lastWritten(env, hub, e.program.Pack.Name)
	if err != nil {
		return err
	}
	if at != "" {
		e.changes.Twins, e.from = n, "as in the last pass that wrote, begun "+at
		return nil
	}
	if !slices.ContainsFunc(e.program.Pack.Rules, writesTwins) {
		e.from = "since no rule writes twins"
		return nil
	}
	e.changes.Twins = (&amount{percent: nothingKnown}).of(e.fleet.Selected)
	e.from = fmt.Sprintf("%g %% of those that rules select, a guess: no pass is known (see --changes)", nothingKnown)
	return nil
}

// writesTwins reports whether a rule writes, and not the hub in its place.
func writesTwins(r *rules.Rule) bool { return r.Mode == rules.Enforce && r.Configuration == nil }

// lastWritten returns how many twins the plan of the latest run changed that wrote
// for a pack on a hub, and when it began; "" when there was none.
func (f *stateFlags) lastWritten(env *environment, hub, pack string) (n int, at string, err error) {
	dir, err := f.folder(env, "runs")
	if err != nil {
		return 0, "", err
	}
	folders, err := os.ReadDir(dir)
	if err != nil {
		return 0, "", err
	}
	var latest journal.Begin
	for _, folder := range folders {
		run, err := journal.Read(filepath.Join(dir, folder.Name()))
		switch {
		case errors.Is(err, os.ErrNotExist): // killed before it wrote anything
			continue
		case err != nil:
			return 0, "", err
		case run.Hub != hub || at != "" && !run.At.After(latest.At):
			continue
		}
		plan, err := loadPlan(filepath.Join(dir, folder.Name(), journal.PlanName))
		if err != nil {
			return 0, "", err
		}
		if plan.Pack.Name == pack {
			n, at, latest = plan.Summary().Twins, stampOf(run.At), run.Begin
		}
	}
	return n, at, nil
}
