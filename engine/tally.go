package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A tally is what one worker found. Adding tallies up gives the same whatever
// the order.
type tally struct {
	devices, modules int
	population       int // twins that some rule selects
	digest           digest
	rules            map[string]*RuleCount
	changes, audited []Change
	conflicts        []Conflict
	failures         []Failure
	configurations   []ConfigurationChange
}

// A digest identifies a set of twins whatever their order: the sum, modulo
// 2^256, of the SHA-256 of each. It tells fleets apart; it is no defence
// against somebody who makes twins to collide.
type digest [4]uint64

func (d *digest) add(other digest) {
	var carry uint64
	for i := range d {
		d[i], carry = bits.Add64(d[i], other[i], carry)
	}
}

func digestOf(data []byte) (d digest) {
	sum := sha256.Sum256(data)
	for i := range d {
		d[i] = binary.LittleEndian.Uint64(sum[8*i:])
	}
	return d
}

func (d digest) String() string {
	var b []byte
	for _, word := range d {
		b = binary.LittleEndian.AppendUint64(b, word)
	}
	return "sum256:" + hex.EncodeToString(b)
}

func (s *tally) add(other tally) {
	s.devices += other.devices
	s.modules += other.modules
	s.population += other.population
	s.digest.add(other.digest)
	for id, c := range other.rules {
		sum := s.rule(id)
		sum.Population += c.Population
		sum.Matched += c.Matched
		sum.Changed += c.Changed
		sum.Failed += c.Failed
	}
	s.changes = append(s.changes, other.changes...)
	s.audited = append(s.audited, other.audited...)
	s.conflicts = append(s.conflicts, other.conflicts...)
	s.failures = append(s.failures, other.failures...)
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

func (s *tally) twin(t *twin.Twin) {
	if t.Ref.Module == "" {
		s.devices++
	} else {
		s.modules++
	}
	s.digest.add(digestOf(t.JSON()))
}

func (s *tally) verdict(t *twin.Twin, v rules.Verdict) {
	count := s.rule(v.Rule.ID)
	if v.Selected {
		count.Population++
	}
	if v.Matched {
		count.Matched++
	}
	if v.Err != nil {
		s.fail(t.Ref, v.Rule.ID, about(v.Err, t.Ref))
	}
}

// enforced settles what the rules want of t and adds the change that is left.
func (s *tally) enforced(t *twin.Twin, list []wish) {
	kept, conflicts := settle(t.Ref, list)
	s.conflicts = append(s.conflicts, conflicts...)
	if c, ok := s.change(t, kept); ok {
		s.changes = append(s.changes, c)
	}
}

// audit does the same for rules of mode audit. Where they disagree nothing is
// in the way of an apply, so that each is told that it could not go on.
func (s *tally) audit(t *twin.Twin, list []wish) {
	kept, conflicts := settle(t.Ref, list)
	for _, c := range conflicts {
		for i, w := range c.Wishes {
			other := c.Wishes[1-i]
			s.fail(t.Ref, w.Rule, fmt.Sprintf("rule %s wants %s for %s, this one %s", other.Rule, show(other.Value), c.Place, show(w.Value)))
		}
	}
	if c, ok := s.change(t, kept); ok {
		s.audited = append(s.audited, c)
	}
}

func (s *tally) fail(ref twin.Ref, rule, message string) {
	s.rule(rule).Failed++
	s.failures = append(s.failures, Failure{ref, rule, message})
}

// about returns what err says without naming the document again, so that one
// cause on many twins is one message.
func about(err error, ref twin.Ref) string {
	return strings.Replace(err.Error(), ref.String()+": ", "", 1)
}

// change makes the change that wishes ask for, and counts it. There is none when
// all hold, or when the hub would refuse the result.
func (s *tally) change(t *twin.Twin, wishes []wish) (Change, bool) {
	c := change(t, wishes)
	if len(c.Edits) == 0 {
		return c, false
	}
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
func (s *tally) plan(p *rules.Program, opts *Options) *Plan {
	plan := &Plan{
		Header: Header{
			Schema: PlanSchema, Tool: opts.Tool,
			Pack: PackInfo{p.Pack.Name, p.Pack.Digest},
			Hub:  opts.Moment.Hub, TakenAt: opts.Moment.Now.UTC(),
			Fleet:   FleetInfo{Digest: s.digest.String(), Devices: s.devices, Modules: s.modules, Complete: !opts.Incomplete},
			Queries: p.Queries(),
		},
		Changes: s.changes, Audited: s.audited, Configurations: s.configurations,
		Conflicts: s.conflicts, Errors: s.failures,
	}
	plan.sort()
	for _, r := range p.Pack.Rules {
		plan.Rules = append(plan.Rules, s.count(r, opts))
	}
	plan.Breaches = s.breaches(p.Pack, plan)
	return plan
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
// and the pack's on all twins together.
func (s *tally) breaches(pack *rules.Pack, plan *Plan) (list []Breach) {
	for i, r := range pack.Rules {
		c := plan.Rules[i]
		if allowed := r.Limits.Allowed(c.Population); c.Mode == rules.Enforce && c.Changed > allowed {
			list = append(list, Breach{r.ID, r.Limits, c.Population, c.Changed, allowed})
		}
	}
	if allowed := pack.Limits.Allowed(s.population); len(plan.Changes) > allowed {
		list = append(list, Breach{"", pack.Limits, s.population, len(plan.Changes), allowed})
	}
	return list
}

// String says in one line what is exceeded and by how much.
func (b Breach) String() string {
	what := "the pack"
	if b.Rule != "" {
		what = "rule " + b.Rule
	}
	if b.Population < b.Limits.MinPopulation {
		return fmt.Sprintf("%s selects %d twins, and minPopulation is %d: is this the right hub?", what, b.Population, b.Limits.MinPopulation)
	}
	return fmt.Sprintf("%s would change %d of %d twins, its limits allow %d (maxTwins %d, maxPercent %d)",
		what, b.Changed, b.Population, b.Allowed, b.Limits.MaxTwins, b.Limits.MaxPercent)
}
