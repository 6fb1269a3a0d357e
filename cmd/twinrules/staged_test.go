package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/rules"
)

// stagedPlan changes three twins for two rules with rollouts.
func stagedPlan() *engine.Plan {
	everybody := []engine.Wave{{Share: rules.Everybody, Units: 3, Twins: 3}}
	return &engine.Plan{
		Header:   engine.Header{Fleet: engine.FleetInfo{Complete: true}},
		Rules:    []engine.RuleCount{{Rule: "build", Mode: rules.Enforce, File: "pack.yaml", Line: 7, Changed: 3}, {Rule: "site", Mode: rules.Enforce, File: "b.yaml", Line: 9, Changed: 3}},
		Rollouts: []engine.Rollout{{Rule: "build", Waves: everybody}, {Rule: "site", Waves: everybody}},
	}
}

// TestServeSaysWhyItWritesNoWaves: a daemon has nobody to ask, so that its log has
// the place and the next step, and its metrics a result that alarms can be set on.
func TestServeSaysWhyItWritesNoWaves(t *testing.T) {
	var b bytes.Buffer
	s := &service{log: slog.New(slog.NewJSONHandler(&b, nil)), fleet: &fleet{hub: "contoso.azure-devices.net"}}
	p := &pass{plan: stagedPlan()}
	s.logPass("p", p, nil, time.Second)
	for _, want := range []string{`"result":"guard"`, `"obstacle":"rule build goes in waves`, `"staged":"pack.yaml:7: nothing was written: rule build`, "to write 3 twins at once", "so does site at b.yaml:9", "set mode: audit"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in %s", want, &b)
		}
	}
}

// TestOtherObstaclesComeFirst: what is wrong with a plan gives its exit code, with
// or without rollouts.
func TestOtherObstaclesComeFirst(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*engine.Plan)
		want   int
	}{
		"waves alone":    {func(*engine.Plan) {}, exitGuard},
		"and an error":   {func(p *engine.Plan) { p.Errors = []engine.Failure{{}} }, exitGuard},
		"and a conflict": {func(p *engine.Plan) { p.Conflicts = []engine.Conflict{{Wishes: make([]engine.ConflictWish, 2)}} }, exitFailed},
		"and a limit":    {func(p *engine.Plan) { p.Breaches = []engine.Breach{{}} }, exitGuard},
		"in mode audit":  {func(p *engine.Plan) { p.Rules[0].Mode, p.Rules[1].Mode = rules.Audit, rules.Audit }, exitDone},
		"nobody reached": {func(p *engine.Plan) { p.Rollouts = nil }, exitDone},
	} {
		t.Run(name, func(t *testing.T) {
			p := stagedPlan()
			c.change(p)
			got := exitDone
			if err := obstacleExit(p); err != nil {
				got = err.(*exitError).code
			}
			if got != c.want {
				t.Errorf("got exit code %d, want %d", got, c.want)
			}
		})
	}
}
