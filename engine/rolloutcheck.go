package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twinrules/twinrules/rules"
)

// addRollout appends r, which must be one that a rule of the plan can have.
func (p *planReader) addRollout(r Rollout) error {
	after := slices.IndexFunc(p.plan.Rules, func(c RuleCount) bool { return c.Rule == r.Rule })
	before := -1
	if n := len(p.plan.Rollouts); n > 0 {
		before = slices.IndexFunc(p.plan.Rules, func(c RuleCount) bool { return c.Rule == p.plan.Rollouts[n-1].Rule })
	}
	if after <= before {
		return fmt.Errorf("rollout of %.80q: no such rule, a second one, or out of order", r.Rule)
	}
	if reason := r.problem(); reason != "" {
		return fmt.Errorf("rollout of %.80q: %s", r.Rule, reason)
	}
	p.plan.Rollouts = append(p.plan.Rollouts, r)
	return nil
}

// problem says why no pack has this rollout, or "".
func (r *Rollout) problem() string {
	if len(r.Waves) == 0 || r.Waves[len(r.Waves)-1].Share != rules.Everybody {
		return "its last wave is not everybody"
	}
	var last Wave
	for i, w := range r.Waves {
		if reason := w.problem(last); reason != "" {
			return fmt.Sprintf("wave %d: %s", i+1, reason)
		}
		last = w
	}
	switch {
	case !isSpan(r.Soak) || !isSpan(r.Gate.Timeout):
		return "no time span"
	case r.OnFail != rules.Pause && r.OnFail != rules.Rollback:
		return fmt.Sprintf("%.20q is nothing to do when a gate is not passed", r.OnFail)
	case r.Gate.OK == "" || !isShare(r.Gate.MinOK) || !isShare(r.Gate.MaxFail) || r.Gate.MinOK == 0:
		return "its gate holds nothing back"
	}
	return ""
}

// problem says why w cannot follow the wave before it, or "". Where a number of
// units ends, only the fleet tells.
func (w Wave) problem(before Wave) string {
	least := before.Through
	if w.Share > 0 {
		least = max(least, w.Share.Bound())
	}
	switch {
	case (w.Count > 0) == (w.Share > 0) || w.Count < 0 || !isShare(w.Share):
		return "a size is a number or a share"
	case w.Count > 0 && (before.Share > 0 || w.Count <= before.Count), w.Share > 0 && w.Share <= before.Share:
		return "it is not more than the one before it"
	case w.Through < least, w.Share > 0 && w.Through != least, w.Through != "" && !isPlace(string(w.Through)):
		return "it does not end where it would"
	}
	return ""
}

func isShare(s rules.Share) bool { return s >= 0 && s <= rules.Everybody }

func isPlace(s string) bool {
	return len(s) == 16 && strings.Trim(s, "0123456789abcdef") == ""
}

func isSpan(s string) bool {
	d, err := time.ParseDuration(s)
	return err == nil && d >= 0 && rules.SpellSpan(d) == s
}

// checkCohorts refuses a change that is not in the waves it would be in: every rule
// with a rollout that wants one of its edits has a cohort, in order, and the wave
// follows from the unit.
func (p *Plan) checkCohorts(c Change) error {
	wanting, n := rulesOf(c), 0
	for i := range p.Rollouts {
		r := &p.Rollouts[i]
		if !slices.Contains(wanting, r.Rule) {
			continue
		}
		if n == len(c.Cohorts) || c.Cohorts[n].Rule != r.Rule {
			return fmt.Errorf("rule %.80q goes in waves, and the change is in none", r.Rule)
		}
		if at := c.Cohorts[n]; !r.holds(c, at.Unit) || at.Wave != rules.WaveOf(r.bounds(), rules.CohortOf(p.Pack.Name, r.Rule, p.Hub, at.Unit)) {
			return fmt.Errorf("wave %d is not that of unit %.200q in the rollout of %.80q", at.Wave, at.Unit, r.Rule)
		}
		n++
	}
	if n < len(c.Cohorts) {
		return errors.New("a wave of a rule that has no rollout, or wants nothing here")
	}
	return nil
}

// holds reports whether a change may belong to a unit of that name.
func (r *Rollout) holds(c Change, unit string) bool {
	return unit == c.Ref.String() || r.By != "" && strings.HasPrefix(unit, r.By+"=")
}

// checkWaves compares what waves hold with the changes.
func (p *Plan) checkWaves() error {
	counted, err := p.waves()
	if err != nil {
		return err
	}
	for i, waves := range counted {
		if !slices.Equal(waves, p.Rollouts[i].Waves) {
			return fmt.Errorf("the plan was altered: the waves of %.80q hold something else", p.Rollouts[i].Rule)
		}
	}
	return nil
}
