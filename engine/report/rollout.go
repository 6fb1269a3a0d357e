package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/engine"
)

// reaching returns the rollouts that reach somebody in this plan.
func reaching(list []engine.Rollout) []engine.Rollout {
	return slices.DeleteFunc(slices.Clone(list), func(r engine.Rollout) bool { return r.Twins() == 0 })
}

// rollouts shows how the changes of rules are parted into waves.
func (t *text) rollouts(list []engine.Rollout) {
	for _, r := range list {
		t.heading("»", func(room int) string { return t.middle("rollout of "+r.Rule+byWhat(r), room) }, t.at[r.Rule])
		for i, w := range r.Waves {
			lead := fmt.Sprintf("%swave %-3d %7s  ", indent, i+1, w.Size())
			t.flow(lead, " ", reached(r, w))
		}
		t.flow(indent+"after each: ", ", ", waits(r)...)
	}
}

// byWhat says what makes units of twins.
func byWhat(r engine.Rollout) string {
	if r.By == "" {
		return ""
	}
	return " by " + r.By
}

// reached says what a wave adds to the ones before it.
func reached(r engine.Rollout, w engine.Wave) string {
	switch {
	case w.Twins == 0:
		return "nothing"
	case r.By == "":
		return plural(w.Twins, "twin")
	}
	return plural(w.Units, "unit") + ", " + plural(w.Twins, "twin")
}

// waits says what must be seen after a wave.
func waits(r engine.Rollout) []string {
	parts := []string{"at least " + r.Gate.MinOK.String() + " ok", "at most " + r.Gate.MaxFail.String() + " failed", "within " + r.Gate.Timeout, "else " + string(r.OnFail)}
	if r.Soak != "0s" {
		parts = append([]string{"soak " + r.Soak}, parts...)
	}
	return parts
}

// rollouts shows one line of a table for each wave.
func (p *page) rollouts(list []engine.Rollout) {
	for i, r := range list {
		if i == p.rows {
			p.linef("\n*%s*", plural(len(list)-i, "more rollout"))
			return
		}
		p.linef("\n**Rollout** of %s\n", code(r.Rule+byWhat(r)))
		p.linef("| wave | size | reaches |\n|--:|--:|---|")
		for i, w := range r.Waves {
			if i == p.places {
				p.linef("| | | *%s* |", plural(len(r.Waves)-i, "more wave"))
				break
			}
			p.linef("| %d | %s | %s |", i+1, w.Size(), reached(r, w))
		}
		p.linef("\nAfter each: %s.", prose(strings.Join(waits(r), ", ")))
	}
}

// goneRollouts names rules that no longer go in waves.
func (p *page) goneRollouts(list []engine.Rollout) {
	var names []string
	for i, r := range list {
		if i == p.rows {
			names = append(names, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		names = append(names, code(r.Rule))
	}
	if len(names) > 0 {
		p.linef("\nNo longer in waves: %s.", strings.Join(names, ", "))
	}
}
