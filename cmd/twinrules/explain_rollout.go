package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/rules"
)

// waveBounds returns where the waves of rollouts end, by rule. Those that are
// given by numbers depend on the whole population: of a recorded fleet it is read,
// of a hub it is not, because to explain one device must not cost a listing.
func (env *environment) waveBounds(ctx context.Context, program *compiled, fleet *fleet, list []rules.Explanation) (map[string][]rules.Bound, error) {
	counted := func(e rules.Explanation) bool { return e.Standing != nil && e.Rule.Rollout.Counted() > 0 }
	if fleet.writer != nil || !slices.ContainsFunc(list, counted) {
		return nil, nil
	}
	plan, err := engine.Evaluate(ctx, program.Program, fleet.Source, &engine.Options{Moment: fleet.moment(), Fuel: placeOf(ctx).budget})
	if err != nil {
		return nil, err
	}
	bounds := map[string][]rules.Bound{}
	for _, r := range plan.Rollouts {
		for _, w := range r.Waves {
			bounds[r.Rule] = append(bounds[r.Rule], w.Through)
		}
	}
	return bounds, nil
}

// A position is where a twin stands among the waves of a rollout. Which wave it is
// depends on the name of the hub, and where waves are given by numbers on the
// population; one that is not known is 0.
type position struct {
	wave   int // from 1
	latest int // the one in which the twin is whatever the population
}

func (x *explained) position(e rules.Explanation) (p position) {
	if x.hub == "" {
		return p
	}
	r, bounds := e.Rule.Rollout, x.bounds[e.Rule.ID]
	p.latest = rules.WaveOf(r.Bounds(nil), e.Standing.Cohort)
	switch {
	case bounds != nil:
		p.wave = rules.WaveOf(bounds, e.Standing.Cohort)
	case r.Counted() == 0 || p.latest == 1:
		p.wave = p.latest
	}
	return p
}

// writeStanding says in which wave of a rule's rollout a twin is and why, and what
// the gate says of it as it is now.
func (x *explained) writeStanding(w io.Writer, e rules.Explanation) {
	if e.Standing == nil {
		return
	}
	fmt.Fprintf(w, "      rollout   %s\n", x.waveLine(e))
	unit := "unit " + rules.Excerpt(e.Standing.Unit, 200)
	if x.hub != "" {
		unit += fmt.Sprintf(" stands at %.4f %% of the order", e.Standing.Percent())
	}
	fmt.Fprintf(w, "                %s\n", unit)
	writeGate(w, e.Standing)
}

// writeGate shows what a gate says of a twin, and why; nothing without one.
func writeGate(w io.Writer, s *rules.Standing) {
	if s == nil {
		return
	}
	writeTerms(w, "gate ok", s.OK)
	writeTerms(w, "gate fail", s.Fail)
	fmt.Fprintf(w, "      gate      %s\n", s.Gate)
}

func (x *explained) waveLine(e rules.Explanation) string {
	waves, p := e.Rule.Rollout.Waves, x.position(e)
	switch {
	case p.wave > 0:
		return fmt.Sprintf("wave %d of %d (%s)", p.wave, len(waves), waves[p.wave-1])
	case p.latest == 0:
		return fmt.Sprintf("one of %d waves; which depends on the hub's name, and that is not known here", len(waves))
	}
	var sizes []string
	for _, w := range waves {
		if w.Count > 0 {
			sizes = append(sizes, w.String())
		}
	}
	return fmt.Sprintf("wave %d of %d (%s), or an earlier one if the unit is among the first %s of the population, which plan reads",
		p.latest, len(waves), waves[p.latest-1], strings.Join(sizes, ", "))
}

type standingJSON struct {
	Unit   string          `json:"unit"`
	Place  string          `json:"place"`  // the hash by which units are ordered; "" where the hub is not known
	Wave   int             `json:"wave"`   // from 1; 0 where it is not known, for want of the hub's name or of the population
	Latest int             `json:"latest"` // the wave in which the twin is whatever the population; 0 without the hub's name
	Waves  []string        `json:"waves"`  // their sizes
	Gate   rules.GateState `json:"gate"`   // of the twin as it is now
	OK     []termJSON      `json:"ok"`
	Fail   []termJSON      `json:"fail"`
}

func (x *explained) standingOf(e rules.Explanation) *standingJSON {
	s := e.Standing
	if s == nil {
		return nil
	}
	p := x.position(e)
	out := &standingJSON{Unit: s.Unit, Wave: p.wave, Latest: p.latest, Waves: []string{}, Gate: s.Gate, OK: termsOf(s.OK), Fail: termsOf(s.Fail)}
	if x.hub != "" {
		out.Place = s.Place()
	}
	for _, w := range e.Rule.Rollout.Waves {
		out.Waves = append(out.Waves, w.String())
	}
	return out
}
