package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// breadthPack has a rule of every sort: with limits that are exceeded and that
// are not, with a state, audited, about modules, in conflict with a configuration
// of others, and one that goes on where another has written.
const breadthPack = `
apiVersion: twinrules/v1
kind: RulePack
metadata: {name: p}
vars: {low: 20}
limits: {maxTwins: 200, maxPercent: 20}
defaults: {limits: {maxTwins: 200, maxPercent: 10, minPopulation: 5}}
rules:
  - {id: low, selector: 'tags.kind == "a"', when: 'reported.pct < vars.low', patch: {desired: {slow: true}}, limits: {maxPercent: 15}}
  - {id: few, selector: 'tags.kind in ["a", "b"]', when: 'reported.pct < 2', patch: {desired: {alarm: true}}}
  - {id: saver, selector: 'tags.kind == "b"', when: 'reported.pct < 10', until: 'reported.pct >= 60', onExit: remove, patch: {tags: {saver: "yes"}, desired: {every: "${ reported.pct * 10 }"}}}
  - {id: back, selector: 'tags.kind == "c"', when: 'reported.pct > 90', onExit: restore, patch: {tags: {full: 1, seen: null}}}
  - {id: looked, mode: audit, when: 'reported.pct == 50 or not (reported.pct < 97)', patch: {tags: {odd: true}}}
  - {id: after, selector: 'tags.kind == "a"', when: desired.slow == true, patch: {tags: {slowed: true}}}
  - {id: rare, selector: 'tags.kind == "c"', when: 'reported.mode startsWith "x" and age(reported.mode) > duration("1h")', patch: {desired: {mode: null}}}
  - {id: taken, selector: 'tags.kind == "c"', when: 'reported.pct in [3, 4, 5]', patch: {desired: {theirs: 1}}}
  - {id: empty, selector: 'tags.kind == "none"', when: 'reported.pct > 0', patch: {tags: {never: true}}}
  - {id: part, on: module/meter, selector: 'tags.kind == "m"', when: 'reported.pct < 30', patch: {desired: {on: true}}, limits: {maxPercent: 100}}
`

// breadthFleet returns n twins, of which some have what a rule wrote.
func breadthFleet(n int) iter.Seq2[*twin.Twin, error] {
	r := rand.New(rand.NewPCG(1, 2))
	return func(yield func(*twin.Twin, error) bool) {
		for i := range n {
			doc := twin.Object{"deviceId": fmt.Sprintf("d%04d", i), "etag": "AAAAAAAAAAE=", "status": "enabled"}
			tags, desired, reported := twin.Object{"kind": []string{"a", "b", "c", "d"}[r.IntN(4)]}, twin.Object{}, twin.Object{}
			if r.IntN(10) == 0 {
				doc["moduleId"], tags["kind"] = "meter", "m"
			}
			if r.IntN(8) > 0 {
				reported["pct"] = json.Number(fmt.Sprint(r.IntN(100)))
			}
			if r.IntN(3) == 0 {
				tags["saver"], tags["full"], desired["every"], desired["slow"] = "yes", json.Number("1"), json.Number("7"), r.IntN(2) == 0
			}
			if r.IntN(9) == 0 {
				reported["mode"] = "x1"
			}
			doc["tags"], doc["properties"] = tags, twin.Object{"desired": desired, "reported": reported}
			if !yield(twin.Parse(twin.Encode(doc))) {
				return
			}
		}
	}
}

// TestBreadthsPlanTheSame reads an emulated hub, which refuses every query that
// no document of a hub explains, as widely as one can, and narrowed: the plans
// are the same but for what they say was read.
func TestBreadthsPlanTheSame(t *testing.T) {
	theirs := &twin.Configuration{ID: "theirs", TargetCondition: "tags.kind = 'c'", Content: twin.Object{"deviceContent": twin.Object{"properties.desired.theirs": 2}}}
	e, err := emulator.Start(t.Context(), &emulator.Options{Twins: breadthFleet(1000), Configurations: []*twin.Configuration{theirs}, StrictQuery: true, Seed: 1, SigningKey: signingKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	client, err := demoClient(e)
	if err != nil {
		t.Fatal(err)
	}
	p, err := compile(t.Context(), fstest.MapFS{"pack.yaml": {Data: []byte(breadthPack)}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(t.Context())
	opts := func(b rules.Breadth) *engine.Options {
		return &engine.Options{
			Read: b, Moment: rules.Moment{Now: time.Date(2126, 1, 1, 0, 0, 0, 0, time.UTC), Hub: "h"},
			Populations: map[string]int{"low": 100000, "few": 300}, // low has shrunk, few has not
		}
	}
	read := map[rules.Breadth]int{}
	plan := func(b rules.Breadth) string {
		plan, err := engine.Evaluate(t.Context(), p.Program, counting(client), opts(b))
		if err != nil {
			t.Fatal(err)
		}
		if plan.Fleet.Narrowed != (b == rules.ReadNarrowed) {
			t.Errorf("%s: narrowed %v", b, plan.Fleet.Narrowed)
		}
		read[b] = plan.Fleet.Devices
		plan.Fleet, plan.Queries = engine.FleetInfo{}, nil
		var text bytes.Buffer
		for _, part := range []any{plan.Header, plan.Rules, changesIn(plan.Changes), changesIn(plan.Audited), plan.Conflicts, plan.Errors, plan.Breaches} {
			text.Write(twin.Encode(part))
			text.WriteByte('\n')
		}
		return text.String()
	}
	want := plan(rules.ReadAll)
	for _, what := range []string{`"last":100000`, `"rule":"low","limits":{"maxTwins":200,"maxPercent":15`, `left: removed`, `"configuration":"theirs"`, `"path":["slowed"]`} {
		if !strings.Contains(want, what) {
			t.Errorf("the fleet shows nothing of %s", what)
		}
	}
	for _, b := range []rules.Breadth{rules.ReadSelected, rules.ReadNarrowed} {
		if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(plan(b), "\n")); diff != "" {
			t.Errorf("%s (-all +%s)\n%s", b, b, diff)
		}
	}
	if all, narrowed := read[rules.ReadAll], read[rules.ReadNarrowed]; narrowed*2 > all {
		t.Errorf("narrowed reads %d of %d devices", narrowed, all)
	}
}

// TestCountsAreNumbers refuses what is no count: a limit would be computed with
// it.
func TestCountsAreNumbers(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		rows []string
		err  error
		want int
	}{
		"a count":      {[]string{`{"n":312}`}, nil, 312},
		"none":         {[]string{`{"n":0}`}, nil, 0},
		"no row":       {nil, nil, -1},
		"no column":    {[]string{`{}`}, nil, -1},
		"two rows":     {[]string{`{"n":3}`, `{"n":3}`}, nil, -1},
		"below zero":   {[]string{`{"n":-3}`}, nil, -1},
		"a text":       {[]string{`{"n":"3"}`}, nil, -1},
		"a fraction":   {[]string{`{"n":1.5}`}, nil, -1},
		"a broken hub": {[]string{`{"n":3}`}, broken, -1},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := numberIn(func(yield func(json.RawMessage, error) bool) {
				for _, row := range c.rows {
					if !yield(json.RawMessage(row), nil) {
						return
					}
				}
				if c.err != nil {
					yield(nil, c.err)
				}
			})
			if (err == nil) != (c.want >= 0) || err == nil && n != c.want || c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("got %d, %v, want %d", n, err, c.want)
			}
		})
	}
}

// changesIn returns changes that are in memory.
func changesIn(c engine.Changes) (list []engine.Change) {
	for change, err := range c.All() {
		if err != nil {
			panic(err)
		}
		list = append(list, change)
	}
	return list
}
