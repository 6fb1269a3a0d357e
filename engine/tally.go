package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A tally is what one worker found. Adding tallies up gives the same whatever
// the order.
type tally struct {
	devices, modules int
	selectedDevices  int // devices that some rule selects
	selectedModules  int
	digest           twin.Digest
	rules            map[string]*RuleCount
	changes, audited *changePile // nil in a sum of tallies
	conflicts        []Conflict
	failures         []Failure
	warnings         []Failure
	configurations   []ConfigurationChange
	fuel             []int64           // that plugins used, by rule
	units            map[string]*least // of the rules whose waves depend on their population
}

func (s *tally) add(other tally) {
	s.devices += other.devices
	s.modules += other.modules
	s.selectedDevices += other.selectedDevices
	s.selectedModules += other.selectedModules
	s.digest.Add(other.digest)
	for id, c := range other.rules {
		sum := s.rule(id)
		sum.Population += c.Population
		sum.Matched += c.Matched
		sum.Changed += c.Changed
		sum.Failed += c.Failed
		sum.Leaving += c.Leaving
		sum.Warned += c.Warned
	}
	s.conflicts = append(s.conflicts, other.conflicts...)
	s.failures = append(s.failures, other.failures...)
	s.warnings = append(s.warnings, other.warnings...)
	s.spend(other.fuel)
	for rule, l := range other.units {
		s.unitsOf(rule, l.most).merge(l)
	}
}

func (s *tally) rule(id string) *RuleCount {
	if s.rules == nil {
		s.rules = map[string]*RuleCount{}
	}
	if s.rules[id] == nil {
		s.rules[id] = &RuleCount{}
	}
	return s.rules[id]
}

// spend adds what plugins used.
func (s *tally) spend(fuel []int64) {
	if s.fuel == nil {
		s.fuel = make([]int64, len(fuel))
	}
	add(s.fuel, fuel)
}

// twin counts a twin whose JSON has the digest.
func (s *tally) twin(device bool, digest twin.Digest) {
	if device {
		s.devices++
	} else {
		s.modules++
	}
	s.digest.Add(digest)
}

// selected counts a twin that some rule selects.
func (s *tally) selected(device bool) {
	if device {
		s.selectedDevices++
	} else {
		s.selectedModules++
	}
}

// sifted adds what a sieve kept.
func (s *tally) sifted(f *rules.Sifter) {
	for _, sum := range f.Sums() {
		count := s.rule(sum.Rule.ID)
		count.Population += sum.Population
		count.Matched += sum.Matched
		count.Changed += sum.Changed
	}
}

// verdict counts the last word of a rule on t, and how far it reached in any
// round. Whether it selects t was said before anything was written.
func (s *tally) verdict(t *twin.Twin, selected bool, v rules.Verdict, earlier reach) {
	count := s.rule(v.Rule.ID)
	if selected {
		count.Population++
	}
	if v.Matched || earlier.matched {
		count.Matched++
	}
	if v.Leaving && len(v.Leaves) > 0 || earlier.leaving {
		count.Leaving++
	}
	if v.Err != nil {
		count.Failed++
		s.failures = append(s.failures, failure(t.Ref, v.Rule.ID, v.Err))
	}
	if v.Warned() {
		count.Warned++
		s.warnings = append(s.warnings, failure(t.Ref, v.Rule.ID, v.Excused))
	}
}

// enforced adds what the rules that write came to on t.
func (s *tally) enforced(t *twin.Twin, end settlement) {
	s.conflicts = append(s.conflicts, end.conflicts...)
	if c, ok := s.change(t, end); ok {
		s.changes.add(&c)
	}
}

// audit does the same for rules of mode audit. Where they disagree nothing is
// in the way of an apply, so that each is told that it could not go on.
func (s *tally) audit(t *twin.Twin, end settlement) {
	for _, c := range end.conflicts {
		for i, w := range c.Wishes {
			if other := c.Wishes[1-i]; w.Rule != "" {
				s.fail(t.Ref, w.Rule, audited(c, w, other))
			}
		}
	}
	if c, ok := s.change(t, end); ok {
		s.audited.add(&c)
	}
}

func audited(c Conflict, w, other ConflictWish) string {
	if other.Rule == "" {
		return fmt.Sprintf("%s writes %s on the hub, too", other.Who(), c.Place)
	}
	return fmt.Sprintf("rule %s wants %s for %s, this one %s", other.Rule, show(other.Value), c.Place, show(w.Value))
}

// A spender is the failure of something that pays fuel, as plugins do.
type spender interface {
	error
	Spent() int64
}

// failure says that a rule could not judge a twin, and what its plugin used.
func failure(ref twin.Ref, rule string, err error) Failure {
	f := Failure{Ref: ref, Rule: rule, Message: about(err, ref)}
	if e, ok := errors.AsType[spender](err); ok {
		f.Fuel = e.Spent()
	}
	return f
}

func (s *tally) fail(ref twin.Ref, rule, message string) {
	s.rule(rule).Failed++
	s.failures = append(s.failures, Failure{Ref: ref, Rule: rule, Message: message})
}

// about returns what err says without naming the document again, so that one
// cause on many twins is one message.
func about(err error, ref twin.Ref) string {
	return strings.Replace(err.Error(), ref.String()+": ", "", 1)
}

// change makes the change that a settlement asks for, and counts it. There is none
// when all holds, when there is no end to it, or when the hub would refuse the
// result.
func (s *tally) change(t *twin.Twin, end settlement) (Change, bool) {
	if end.circle != nil {
		for _, id := range end.circle.rules {
			s.fail(t.Ref, id, end.circle.String())
		}
		return Change{}, false
	}
	c := change(t, end.kept, end.after)
	if len(c.Edits) == 0 {
		return c, false
	}
	c.Cohorts = cohorts(t, c, end.kept)
	reason := refused(t, c)
	for _, id := range rulesOf(c) {
		if reason != "" {
			s.fail(t.Ref, id, "the hub would refuse the result: "+reason)
		} else {
			s.rule(id).Changed++
		}
	}
	return c, reason == ""
}

// refused says why the hub would refuse t with the change made, or "".
func refused(t *twin.Twin, c Change) string {
	for _, e := range c.Edits {
		if hubOwned(e.leaf()) {
			return e.Name() + " is the hub's own"
		}
	}
	p := c.Patch()
	after := t.With(p)
	if len(p.Tags) > 0 {
		for _, v := range twin.CheckTags(after.Tags()) {
			return "tags: " + v.String()
		}
	}
	if len(p.Desired) > 0 {
		for _, v := range twin.CheckDesired(after.Desired()) {
			return "desired: " + v.String()
		}
	}
	return ""
}

// rulesOf names the rules that want something of a change, each once.
func rulesOf(c Change) (list []string) {
	for _, e := range c.Edits {
		for _, id := range e.Rules {
			if !slices.Contains(list, id) {
				list = append(list, id)
			}
		}
	}
	return list
}

// plan makes the plan of all that was counted.
func (e *evaluation) plan() (*Plan, error) {
	s, p, opts := &e.total, e.program, e.opts
	plan := &Plan{
		Header: Header{
			Schema: PlanSchema, Tool: opts.Tool,
			Pack: PackInfo{p.Pack.Name, p.Pack.Digest},
			Hub:  opts.Moment.Hub, TakenAt: opts.Moment.Now.UTC(),
			Fleet: FleetInfo{Digest: s.digest.String(), Devices: s.devices, Modules: s.modules, Complete: !opts.Incomplete},
		},
		Changes: e.writes, Audited: e.audits, Configurations: s.configurations,
		Conflicts: s.conflicts, Errors: s.failures, Warnings: s.warnings,
	}
	for _, l := range e.listings {
		plan.Queries = append(plan.Queries, l.Query)
		plan.Fleet.Narrowed = plan.Fleet.Narrowed || l.Narrowed
	}
	plan.sort()
	for _, r := range p.Pack.Rules {
		plan.Rules = append(plan.Rules, s.count(r, opts))
	}
	if err := s.layOut(p.Pack, plan); err != nil {
		return nil, err
	}
	plan.Breaches = s.breaches(p.Pack, plan, opts)
	return plan, nil
}

func (s *tally) count(r *rules.Rule, opts *Options) RuleCount {
	c := *s.rule(r.ID)
	c.Rule, c.Mode, c.File, c.Line = r.ID, r.Mode, r.Pos.File, r.Pos.Line
	if opts.Audit && r.Mode == rules.Enforce {
		c.Mode = rules.Audit
	}
	return c
}

// breaches lists the limits that the plan's changes exceed: each rule's own,
// and the pack's on all twins together. A population that shrank is looked at
// where something would be written only.
func (s *tally) breaches(pack *rules.Pack, plan *Plan, opts *Options) (list []Breach) {
	for i, r := range pack.Rules {
		c := plan.Rules[i]
		if last := opts.Populations[r.ID]; c.Mode == rules.Enforce && c.Changed > 0 && r.Limits.Shrunk(c.Population, last) {
			list = append(list, Breach{Rule: r.ID, Limits: r.Limits, Population: c.Population, Changed: c.Changed, Last: last})
		}
		if allowed := r.Limits.Allowed(c.Population); c.Mode == rules.Enforce && c.Changed > allowed {
			list = append(list, Breach{Rule: r.ID, Limits: r.Limits, Population: c.Population, Changed: c.Changed, Allowed: allowed})
		}
	}
	population := s.selectedDevices + s.selectedModules
	if allowed := pack.Limits.Allowed(population); plan.Changes.Len() > allowed {
		list = append(list, Breach{Limits: pack.Limits, Population: population, Changed: plan.Changes.Len(), Allowed: allowed})
	}
	return list
}

// String says in one line what is exceeded and by how much.
func (b Breach) String() string {
	what := "the pack"
	if b.Rule != "" {
		what = "rule " + b.Rule
	}
	if b.Last > 0 {
		return fmt.Sprintf("%s selects %d twins, and selected %d in the last pass: is something missing? If not, raise maxShrink (%d)", what, b.Population, b.Last, b.Limits.MaxShrink)
	}
	if b.Population < b.Limits.MinPopulation {
		return fmt.Sprintf("%s selects %d twins, and minPopulation is %d: is this the right hub?", what, b.Population, b.Limits.MinPopulation)
	}
	return fmt.Sprintf("%s would change %d of %d twins, its limits allow %d (maxTwins %d, maxPercent %d)",
		what, b.Changed, b.Population, b.Allowed, b.Limits.MaxTwins, b.Limits.MaxPercent)
}
