package emulator

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

// evaluationInterval is how often the hub evaluates configurations.
const evaluationInterval = 5 * time.Minute

// evaluateAt plans an evaluation of the configurations, in place of the one that
// was planned. The caller holds the lock.
func (h *hub) evaluateAt(when time.Time) {
	h.configurations.due = when
	h.agenda.plan(when, func(now time.Time) {
		if now.Equal(h.configurations.due) {
			h.evaluate(now)
		}
	})
}

// evaluate applies the configurations to the fleet and counts their metrics.
// The caller holds the lock.
func (h *hub) evaluate(now time.Time) {
	cs := h.configurations.all()
	slices.SortFunc(cs, byPrecedence)
	tallies := newTallies(cs)
	deployments := h.deployments(cs)
	for _, d := range h.fleet.all() {
		t := d.parse()
		if changed := h.configure(d, t, cs, deployments[d.ref.Device], now); changed != nil {
			h.fleet.put(changed)
			t = changed.parse()
		}
		tallies.count(t)
	}
	for i, c := range cs {
		h.configurations.byID[c.body.ID] = tallies[i].result(c)
		h.store.touch(keptConfigurations, c.body.ID)
	}
	h.configurations.due = time.Time{}
	if len(cs) > 0 {
		h.evaluateAt(now.Add(evaluationInterval))
	}
}

// byPrecedence puts the configuration that wins first: the highest priority,
// then the newest.
func byPrecedence(a, b *configuration) int {
	return cmp.Or(cmp.Compare(b.body.Priority, a.body.Priority), cmp.Compare(b.born, a.born))
}

// configure returns d, whose twin is t, under the configurations that are for
// it, nil when it stays as it is. The first that is for d takes all: what the
// one before it had applied is removed, unless that one was deleted meanwhile.
// The documentation says so of a twin that leaves a condition; that it is alike
// when a higher priority takes over is inferred.
func (h *hub) configure(d *document, t *twin.Twin, cs []*configuration, edge *deployment, now time.Time) *document {
	var winner *configuration
	states, patch := twin.Object{}, twin.Object{}
	for _, c := range cs {
		switch {
		case c.content.kind == edgeContent || !c.target.includes(t):
		case winner == nil:
			winner = c
			states[c.body.ID] = twin.Object{"status": "Applied"}
		default:
			states[c.body.ID] = twin.Object{"status": "Targeted"}
		}
	}
	before := d.states()
	if loser := h.applied(before); loser != nil && loser != winner {
		patch = without(loser.content.patch)
	}
	if winner != nil {
		patch = over(patch, winner.content.patch)
	}
	patch = edge.settle(t, patch, states)
	return d.configured(t, patch, before, states, now)
}

// configured returns d with patch and states, nil when it has them already. A
// patch that the hub would refuse leaves the twin alone.
func (d *document) configured(t *twin.Twin, patch, before, states twin.Object, now time.Time) *document {
	changes := len(twin.Touches(withoutHubKeys(t.Desired()), patch)) > 0
	if !changes && twin.Equal(before, states) {
		return nil
	}
	if changes {
		written, err := d.write(&edit{desired: patch}, now)
		if err != nil {
			return nil
		}
		d = written
	}
	o := d.decode()
	o["configurations"] = states
	if len(states) == 0 {
		delete(o, "configurations")
	}
	return newDocument(d.ref, o)
}

// states returns which configurations are for d, by their ids.
func (d *document) states() twin.Object {
	if d.trimmed == nil {
		return twin.Object{} // nothing is hidden from GET
	}
	states, _ := d.decode()["configurations"].(twin.Object)
	return maps.Clone(states)
}

// applied returns the configuration that states say is applied, nil when there
// is none or it was deleted.
func (h *hub) applied(states twin.Object) *configuration {
	for id, state := range states {
		if twin.Equal(state, twin.Object{"status": "Applied"}) {
			if c := h.configurations.byID[id]; c != nil && c.content.patch != nil {
				return c
			}
		}
	}
	return nil
}

// A tally counts the twins that each metric of one configuration selects.
type tally struct{ system, custom map[string]*metricCount }

type metricCount struct {
	query *query.Query
	twins int64
}

// Tallies are in the order of their configurations.
type tallies []tally

func newTallies(cs []*configuration) tallies {
	ts := make(tallies, len(cs))
	for i, c := range cs {
		ts[i] = tally{parseMetrics(c.body.SystemMetrics.Queries), parseMetrics(c.body.Metrics.Queries)}
	}
	return ts
}

// parseMetrics leaves out queries that cannot be parsed: a PUT takes them, and
// they have no result.
func parseMetrics(queries map[string]string) map[string]*metricCount {
	counts := map[string]*metricCount{}
	for name, text := range queries {
		if text == "" {
			counts[name] = &metricCount{} // for no twin
		} else if q, err := query.Parse(text); err == nil {
			counts[name] = &metricCount{query: q}
		}
	}
	return counts
}

func (ts tallies) count(t *twin.Twin) {
	for _, tally := range ts {
		for _, counts := range []map[string]*metricCount{tally.system, tally.custom} {
			for _, c := range counts {
				if c.query != nil && c.query.Matches(t) {
					c.twins++
				}
			}
		}
	}
}

// result returns c with its counts.
func (t tally) result(c *configuration) *configuration {
	counted := *c
	counted.body.SystemMetrics.Results = resultsOf(t.system)
	counted.body.Metrics.Results = resultsOf(t.custom)
	return &counted
}

func resultsOf(counts map[string]*metricCount) map[string]int64 {
	results := map[string]int64{}
	for name, c := range counts {
		results[name] = c.twins
	}
	return results
}
