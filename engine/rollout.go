package engine

import (
	"cmp"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A Rollout says how the changes of one rule are parted into waves, and what must
// be seen before the next of them.
type Rollout struct {
	Rule   string       `json:"rule"`
	By     string       `json:"by,omitempty"` // the path whose values make units; "" where each twin is one
	Waves  []Wave       `json:"waves"`
	Soak   string       `json:"soak"` // a time span such as 30m
	Gate   Gate         `json:"gate"`
	OnFail rules.OnFail `json:"onFail"`
}

// A Wave is one step of a [Rollout]. It holds the ones before it; its numbers are
// those of what it adds to them.
type Wave struct {
	Count   int         `json:"count,omitempty"` // its size, in units
	Share   rules.Share `json:"share,omitempty"` // or in parts of 10,000
	Through rules.Bound `json:"through"`         // the last place in it, among those of [rules.Cohort]
	Units   int         `json:"units"`           // in which something changes
	Twins   int         `json:"twins"`           // that change
}

// Size returns the wave's size as a pack spells it.
func (w Wave) Size() string { return rules.Wave{Count: w.Count, Share: w.Share}.String() }

// A Gate is what a wave must come to. Conditions are those of the pack.
type Gate struct {
	OK      string      `json:"ok"`
	Fail    string      `json:"fail"`
	MinOK   rules.Share `json:"minOk"`   // in parts of 10,000
	MaxFail rules.Share `json:"maxFail"` // in parts of 10,000
	Timeout string      `json:"timeout"`
}

// A Cohort says in which wave of a rule's rollout a twin is, because of which unit.
type Cohort struct {
	Rule string `json:"rule"`
	Unit string `json:"unit"`
	Wave int    `json:"wave"` // from 1
}

// Twins returns how many twins the rule changes, in all waves.
func (r *Rollout) Twins() (n int) {
	for _, w := range r.Waves {
		n += w.Twins
	}
	return n
}

// Staged lists the rules whose changes are to be written in waves.
func (p *Plan) Staged() (list []RuleCount) {
	for _, r := range p.Rollouts {
		if c, ok := p.count(r.Rule); ok && c.Mode == rules.Enforce && r.Twins() > 0 {
			list = append(list, c)
		}
	}
	return list
}

func (p *Plan) count(rule string) (RuleCount, bool) {
	i := slices.IndexFunc(p.Rules, func(c RuleCount) bool { return c.Rule == rule })
	if i < 0 {
		return RuleCount{}, false
	}
	return p.Rules[i], true
}

// unit notes the unit of a twin that a rule selects, where the smallest ones decide
// the rule's waves.
func (s *tally) unit(t *twin.Twin, v rules.Verdict, hub string) {
	r := v.Rule.Rollout
	if r == nil || !v.Selected {
		return
	}
	if most := r.Counted(); most > 0 {
		s.unitsOf(v.Rule.ID, most).add(r.Cohort(t, hub).Hash)
	}
}

func (s *tally) unitsOf(rule string, most int) *least {
	if s.units == nil {
		s.units = map[string]*least{}
	}
	if s.units[rule] == nil {
		s.units[rule] = &least{most: most}
	}
	return s.units[rule]
}

// cohorts returns the units of t for the rules with a rollout that want something
// of a change. Which waves these are in is known when all twins have been read.
func cohorts(t *twin.Twin, c Change, kept []wish) (list []Cohort) {
	order := map[string]int{}
	for _, id := range rulesOf(c) {
		i := slices.IndexFunc(kept, func(w wish) bool { return w.Rule.ID == id })
		if r := kept[i].Rule.Rollout; r != nil {
			list, order[id] = append(list, Cohort{Rule: id, Unit: r.Unit(t)}), kept[i].Order
		}
	}
	slices.SortFunc(list, func(a, b Cohort) int { return cmp.Compare(order[a.Rule], order[b.Rule]) })
	return list
}

// layOut parts the changes of a plan into waves.
func (s *tally) layOut(pack *rules.Pack, plan *Plan) error {
	for _, r := range pack.Rules {
		if r.Rollout != nil && r.Mode != rules.Off {
			plan.Rollouts = append(plan.Rollouts, rolloutOf(r, s.units[r.ID].numbers()))
		}
	}
	if len(plan.Rollouts) == 0 {
		return nil
	}
	plan.Changes.waves, plan.Audited.waves = plan.assign, plan.assign
	waves, err := plan.waves()
	for i := range waves {
		plan.Rollouts[i].Waves = waves[i]
	}
	return err
}

// rolloutOf returns the rollout of a rule in a population with these smallest
// units.
func rolloutOf(r *rules.Rule, least []uint64) Rollout {
	of, gate := r.Rollout, r.Rollout.Gate
	out := Rollout{
		Rule: r.ID, Soak: rules.SpellSpan(of.Soak), OnFail: of.OnFail,
		Gate: Gate{gate.OK, gate.Fail, gate.MinOK, gate.MaxFail, rules.SpellSpan(gate.Timeout)},
	}
	if of.By != nil {
		out.By = of.By.String()
	}
	for i, b := range of.Bounds(least) {
		out.Waves = append(out.Waves, Wave{Count: of.Waves[i].Count, Share: of.Waves[i].Share, Through: b})
	}
	return out
}

// bounds returns where the waves end.
func (r *Rollout) bounds() (list []rules.Bound) {
	for _, w := range r.Waves {
		list = append(list, w.Through)
	}
	return list
}

// assign says of cohorts in which waves they are.
func (p *Plan) assign(list []Cohort) {
	for i := range list {
		c := &list[i]
		n := slices.IndexFunc(p.Rollouts, func(r Rollout) bool { return r.Rule == c.Rule })
		c.Wave = rules.WaveOf(p.Rollouts[n].bounds(), rules.CohortOf(p.Pack.Name, c.Rule, p.Hub, c.Unit))
	}
}

// waves returns the waves of each rollout with what is in them, counted anew. A
// rule's changes are all in one of the two lists.
func (p *Plan) waves() ([][]Wave, error) {
	out, index := make([][]Wave, len(p.Rollouts)), map[string]int{}
	for i, r := range p.Rollouts {
		out[i], index[r.Rule] = slices.Clone(r.Waves), i
		for n := range out[i] {
			out[i][n].Units, out[i][n].Twins = 0, 0
		}
	}
	if len(p.Rollouts) == 0 {
		return out, nil
	}
	seen := map[unit]bool{}
	for _, list := range [...]*Changes{&p.Changes, &p.Audited} {
		for c, err := range list.All() {
			if err != nil {
				return nil, err
			}
			for _, at := range c.Cohorts {
				w := &out[index[at.Rule]][at.Wave-1]
				w.Twins++
				if u := (unit{at.Rule, at.Unit}); u.name == c.Ref.String() {
					w.Units++ // nobody else's
				} else if !seen[u] {
					seen[u] = true
					w.Units++
				}
			}
		}
	}
	return out, nil
}

// A unit is one of a rule's, that several twins may be in.
type unit struct{ rule, name string }
