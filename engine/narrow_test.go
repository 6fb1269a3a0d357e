package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A countable is a fleet that can be counted, and notes what it was asked.
type countable struct {
	*memory
	asked []string
	err   error
}

func (c *countable) Count(_ context.Context, text string) (int, error) {
	c.asked = append(c.asked, text)
	q, err := query.Parse(text)
	if err != nil || c.err != nil {
		return 0, errors.Join(err, c.err)
	}
	rows := q.Rows(func(yield func(*twin.Twin) bool) {
		for _, ref := range c.order {
			if !yield(c.twins[ref].twin(ref)) {
				return
			}
		}
	})
	var row struct{ N int }
	err = json.Unmarshal(rows[0], &row)
	return row.N, err
}

const lowOnes = `
  - {id: low, selector: 'tags.kind == "a"', when: 'reported.pct < 3', patch: {desired: {slow: true}}}
  - {id: lower, selector: 'tags.kind == "a"', when: 'reported.pct < 1', patch: {desired: {off: true}}}
`

func narrowed() *engine.Options { return &engine.Options{Read: rules.ReadNarrowed} }

func TestPopulationsAreCounted(t *testing.T) {
	p := packWith(t, "limits: {maxPercent: 3, minPopulation: 60}\ndefaults: {limits: {maxPercent: 3, minPopulation: 60}}\n", lowOnes)
	src := &countable{memory: fleet(100)}
	plan := evaluate(t, p, src, narrowed())
	all := evaluate(t, p, src, nil)
	if diff := cmp.Diff(all.Rules, plan.Rules); diff != "" || plan.Rules[0].Population != 67 {
		t.Errorf("populations (-selected +narrowed)\n%s", diff)
	}
	if diff := cmp.Diff(all.Breaches, plan.Breaches); diff != "" || plan.Breaches != nil {
		t.Errorf("limits (-selected +narrowed)\n%s %v", diff, plan.Breaches)
	}
	if diff := cmp.Diff(changesIn(all.Changes), changesIn(plan.Changes)); diff != "" || plan.Changes.Len() == 0 {
		t.Errorf("changes (-selected +narrowed)\n%s", diff)
	}
	if plan.Fleet.Devices != plan.Changes.Len() || !plan.Fleet.Narrowed || all.Fleet.Narrowed {
		t.Errorf("got %+v, of selected %+v", plan.Fleet, all.Fleet)
	}
	if len(src.asked) != 1 {
		t.Errorf("one population is counted once, not %q", src.asked)
	}
}

// TestNarrowingKeepsTheGuards changes nothing where a full read would not.
func TestNarrowingKeepsTheGuards(t *testing.T) {
	for name, c := range map[string]struct {
		limits string
		last   map[string]int
		want   string
	}{
		"percent":    {"maxPercent: 0", nil, "rule low would change"},
		"population": {"minPopulation: 68", nil, "rule low selects 67 twins, and minPopulation is 68"},
		"shrunk":     {"maxShrink: 10", map[string]int{"low": 90}, "rule low selects 67 twins, and selected 90 in the last pass"},
	} {
		t.Run(name, func(t *testing.T) {
			p := packWith(t, "limits: {maxPercent: 100}\ndefaults: {limits: {"+c.limits+"}}\n", lowOnes)
			o := narrowed()
			o.Populations = c.last
			plan := evaluate(t, p, &countable{memory: fleet(100)}, o)
			if len(plan.Breaches) == 0 || !strings.HasPrefix(plan.Breaches[0].String(), c.want) {
				t.Errorf("got %v, want %s", plan.Breaches, c.want)
			}
		})
	}
}

// TestWhatCannotBeCountedIsRead asks a source for no more than it can do.
func TestWhatCannotBeCountedIsRead(t *testing.T) {
	plan := evaluate(t, pack(t, lowOnes), fleet(100), narrowed())
	if plan.Fleet.Narrowed || plan.Fleet.Devices != 67 {
		t.Errorf("got %+v", plan.Fleet)
	}
	broken := errors.New("no more counts")
	_, err := engine.Evaluate(t.Context(), pack(t, lowOnes), &countable{memory: fleet(100), err: broken}, &engine.Options{Read: rules.ReadNarrowed, Moment: moment()})
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "count twins: ") {
		t.Errorf("got %v", err)
	}
}

// TestNarrowedPlansAreFiles writes and reads one: what says that it is narrowed
// comes through.
func TestNarrowedPlansAreFiles(t *testing.T) {
	plan := evaluate(t, pack(t, lowOnes), &countable{memory: fleet(100)}, narrowed())
	again, err := engine.ReadPlan(strings.NewReader(string(planBytes(t, plan))))
	if err != nil || !again.Fleet.Narrowed || digest(again) != digest(plan) {
		t.Errorf("got %+v, %v", again, err)
	}
}

// TestNarrowedRulesThatEnd finds the twins on which a rule is at work, and those
// that another rule's change brings to it.
func TestNarrowedRulesThatEnd(t *testing.T) {
	m := fleet(60)
	for i, ref := range m.order {
		if i%5 == 0 {
			m.twins[ref].tags = twin.Merge(m.twins[ref].tags, twin.Object{"mark": json.Number(strconv.Itoa(i % 2))})
		}
	}
	p := pack(t, `
  - {id: ends, when: 'reported.pct < 30', until: 'reported.pct > 50', onExit: remove, patch: {tags: {mark: 1}, desired: {pct: "${ reported.pct }"}}}
  - {id: follows, when: 'tags.mark == 1 and desired.pct < 10', patch: {tags: {followed: true}}}
`)
	plan, all := evaluate(t, p, &countable{memory: m}, narrowed()), evaluate(t, p, m, nil)
	if diff := cmp.Diff(changesIn(all.Changes), changesIn(plan.Changes)); diff != "" {
		t.Errorf("(-selected +narrowed)\n%s", diff)
	}
	if diff := cmp.Diff(all.Rules, plan.Rules); diff != "" || all.Rules[0].Leaving == 0 || all.Rules[1].Changed == 0 {
		t.Errorf("(-selected +narrowed)\n%s%+v", diff, all.Rules)
	}
	if plan.Fleet.Devices >= all.Fleet.Devices {
		t.Errorf("%d of %d were read", plan.Fleet.Devices, all.Fleet.Devices)
	}
}
