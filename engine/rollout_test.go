package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

const gate = "gate: {ok: reported.build == desired.build}"

// anyFleet returns twins of two kinds at some sites, of which some are as the rules
// want them.
func anyFleet(r *rand.Rand, n, sites int) recorder {
	src := recorder{each: 1 + r.IntN(9), query: func(t *twin.Twin) bool { return t.Tags()["kind"] == "a" }}
	for i := range n {
		tags := []string{fmt.Sprintf(`"kind":%q`, []string{"a", "a", "a", "b"}[r.IntN(4)])}
		if site := r.IntN(sites + 1); site > 0 {
			tags = append(tags, fmt.Sprintf(`"site":%q`, fmt.Sprint("s", site)))
		}
		src.tape = append(src.tape, fmt.Appendf(nil, `{"deviceId":"d%04d","etag":"E","version":2,"tags":{%s},"properties":{"desired":{"build":%d}}}`,
			i, strings.Join(tags, ","), 6+r.IntN(2)))
	}
	return src
}

// TestWavesAreThoseOfTheWholePopulation compares plans with what follows from the
// definition, computed by sorting everybody: waves of numbers count units that do
// not change, too, and no reader, order or number of workers makes a difference.
func TestWavesAreThoseOfTheWholePopulation(t *testing.T) {
	rounds := 100
	if testing.Short() || watched {
		rounds = 20
	}
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 28))
		waves := []string{"[1, 5%, 25%, 100%]", "[2, 7, 30, 100%]", "[10%, 100%]", "[100%]", "[90, 1%, 100%]"}[seed%5]
		by := []string{"", "by: tags.site, "}[r.IntN(2)]
		p := pack(t, fmt.Sprintf("  - {id: build, selector: tags.kind == \"a\", patch: {desired: {build: 7}}, rollout: {%swaves: %s, %s}}\n", by, waves, gate)+
			"  - {id: other, selector: tags.kind == \"a\", patch: {tags: {seen: 1}}}\n")
		src := anyFleet(r, r.IntN(120), 1+r.IntN(12))
		want := planBytes(t, evaluate(t, p, listed{src}, &engine.Options{Workers: 1}))
		for _, workers := range []int{1, 3} {
			r.Shuffle(len(src.tape), func(i, j int) { src.tape[i], src.tape[j] = src.tape[j], src.tape[i] })
			plan := evaluate(t, p, src, &engine.Options{Workers: workers})
			if !bytes.Equal(planBytes(t, plan), want) {
				t.Fatalf("seed %d: shuffled lines and %d workers make another plan", seed, workers)
			}
			againstDefinition(t, seed, p.Pack.Rules[0].Rollout, src, plan)
		}
	}
}

// againstDefinition computes the wave of every twin from a sorted list of all.
func againstDefinition(t *testing.T, seed int, rollout *rules.Rollout, src recorder, plan *engine.Plan) {
	t.Helper()
	places := map[string]uint64{}
	units := map[twin.Ref]string{}
	for _, data := range src.tape {
		tw, err := twin.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if src.query(tw) {
			c := rollout.Cohort(tw, plan.Hub)
			places[c.Unit], units[tw.Ref] = c.Hash, c.Unit
		}
	}
	var order []string
	for unit := range places {
		order = append(order, unit)
	}
	slices.SortFunc(order, func(a, b string) int {
		if places[a] < places[b] {
			return -1
		}
		return 1
	})
	for _, c := range changesIn(plan.Changes) {
		i := slices.IndexFunc(c.Cohorts, func(c engine.Cohort) bool { return c.Rule == "build" })
		if i < 0 {
			continue // only the other rule wants something
		}
		unit := units[c.Ref]
		first := 1 + slices.IndexFunc(rollout.Waves, func(w rules.Wave) bool {
			if w.Count > 0 {
				return slices.Index(order, unit) < w.Count
			}
			return w.Share == rules.Everybody || float64(places[unit])/(1<<64) < float64(w.Share)/10_000
		})
		if got := c.Cohorts[i]; got.Unit != unit || got.Wave != first {
			t.Fatalf("seed %d: %s is in %+v, want unit %s in wave %d", seed, c.Ref, got, unit, first)
		}
	}
	if len(plan.Rollouts) != 1 || plan.Rollouts[0].Twins() != plan.Rules[0].Changed {
		t.Fatalf("seed %d: the waves hold %d twins, the rule changes %d", seed, plan.Rollouts[0].Twins(), plan.Rules[0].Changed)
	}
}

// TestTheFirstWaveStaysItself: who has taken the change keeps the place in the
// first wave, so that a later plan does not begin with somebody else.
func TestTheFirstWaveStaysItself(t *testing.T) {
	p := pack(t, "  - {id: build, patch: {desired: {build: 7}}, rollout: {waves: [5, 100%], "+gate+"}}\n")
	m := fleet(50)
	before := evaluate(t, p, m, nil)
	first := before.Rollouts[0].Waves[0]
	if first.Units != 5 || first.Twins != 5 {
		t.Fatalf("got %+v", first)
	}
	for _, c := range changesIn(before.Changes) {
		if c.Cohorts[0].Wave == 1 {
			m.twins[c.Ref].write(c.Patch())
		}
	}
	after := evaluate(t, p, m, nil).Rollouts[0].Waves[0]
	if after.Through != first.Through || after.Twins != 0 {
		t.Errorf("the first wave was %+v, and is %+v", first, after)
	}
}

func TestRolloutsOfSeveralRules(t *testing.T) {
	p := pack(t, `
  - {id: plain, patch: {tags: {a: 1}}}
  - {id: second, priority: 1, patch: {desired: {build: 7, x: 1}}, rollout: {waves: [100%], `+gate+`}}
  - {id: first, patch: {desired: {build: 7}, tags: {b: 1}}, rollout: {by: tags.kind, waves: [1, 100%], `+gate+`}}
  - {id: audited, mode: audit, patch: {tags: {c: 1}}, rollout: {waves: [2, 100%], `+gate+`}}
  - {id: asleep, mode: off, patch: {tags: {d: 1}}, rollout: {waves: [100%], `+gate+`}}
  - {id: fails, when: 'tags.kind > 5', patch: {tags: {e: 1}}, rollout: {waves: [1, 100%], `+gate+`}}
`)
	plan := evaluate(t, p, fleet(9), nil)
	var got []string
	for _, r := range plan.Rollouts {
		line := r.Rule
		for _, w := range r.Waves {
			line += fmt.Sprintf(" %s:%d/%d", w.Size(), w.Units, w.Twins)
		}
		got = append(got, line)
	}
	for _, want := range []string{"second 100%:", "audited 2:2/2", "fails 1:0/0 100%:0/0"} {
		if !slices.ContainsFunc(got, func(l string) bool { return strings.HasPrefix(l, want) }) {
			t.Errorf("%s is not in %q", want, got)
		}
	}
	if len(got) != 4 {
		t.Errorf("got %q", got)
	}
	staged := plan.Staged()
	if len(staged) != 2 || staged[0].Rule != "second" || staged[1].Rule != "first" || staged[0].Line == 0 {
		t.Errorf("staged %+v", staged)
	}
	for _, c := range changesIn(plan.Changes) {
		if rules := fmt.Sprint(c.Cohorts[0].Rule, c.Cohorts[1].Rule, len(c.Cohorts)); rules != "secondfirst2" {
			t.Errorf("%s: cohorts %+v", c.Ref, c.Cohorts)
		}
	}
	if audit := evaluate(t, p, fleet(9), &engine.Options{Audit: true}); len(audit.Staged()) > 0 || audit.Rollouts[0].Twins() == 0 {
		t.Errorf("forced into audit, %d rules are staged", len(audit.Staged()))
	}
}

// TestNoRolloutIsWrittenAtOnce: apply itself refuses, whoever calls it.
func TestNoRolloutIsWrittenAtOnce(t *testing.T) {
	m := fleet(9)
	plan := evaluate(t, pack(t, "  - {id: build, patch: {desired: {build: 7}}, rollout: {waves: [1, 100%], "+gate+"}}\n"), m, nil)
	if want := "rule build goes in waves, which this version does not write"; !strings.Contains(plan.Obstacle(), want) {
		t.Errorf("obstacle %q", plan.Obstacle())
	}
	if _, err := engine.Apply(t.Context(), plan, m, newNotebook(), nil); !errors.Is(err, engine.ErrNotApplicable) {
		t.Errorf("got %v", err)
	}
}

// TestForgedWavesAreRefused gives plans with a right digest whose waves are not
// those that follow.
func TestForgedWavesAreRefused(t *testing.T) {
	plan := evaluate(t, pack(t, "  - {id: at, patch: {tags: {y: 1}}}\n  - {id: build, patch: {desired: {build: 7}}, rollout: {waves: [1, 50%, 100%], soak: 30m, "+gate+"}}\n"+
		"  - {id: site, patch: {desired: {x: 7}}, rollout: {by: tags.kind, waves: [100%], "+gate+"}}\n"), fleet(6), nil)
	text := inflate(t, planBytes(t, plan))
	lines := strings.SplitAfter(text, "\n")
	good := lines[:len(lines)-2]
	_, end, _ := strings.Cut(lines[len(lines)-2], `"summary":`)
	summary, _, _ := strings.Cut(end, `,"digest"`)
	read, err := engine.ReadPlan(bytes.NewReader(deflate(t, sealed(good, summary))))
	if err != nil {
		t.Fatalf("the test's own seal does not fit: %v", err)
	}
	if diff := cmp.Diff(plan, read, asLists); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	wave := fmt.Sprintf(`"unit":"devices/d0000","wave":%d`, changesIn(plan.Changes)[0].Cohorts[0].Wave)
	for name, c := range map[string]struct{ old, new, want string }{
		"another wave":         {wave, `"unit":"devices/d0000","wave":9`, "wave 9 is not that of unit"},
		"wave nothing":         {wave, `"unit":"devices/d0000","wave":0`, "wave 0 is not that of unit"},
		"another unit":         {`"unit":"devices/d0000"`, `"unit":"devices/d0001"`, "is not that of unit"},
		"a unit of another by": {`"unit":"tags.kind=`, `"unit":"tags.site=`, "is not that of unit"},
		"no cohorts":           {`"cohorts":[{"rule":"build"`, `"cohorts":[{"rule":"site"`, `rule "build" goes in waves, and the change is in none`},
		"a cohort of another":  {`,"cohorts":[`, `,"cohorts":[{"rule":"at","unit":"devices/d0000","wave":1},`, `rule "build" goes in waves`},
		"a cohort too many":    {`}]}}` + "\n", `},{"rule":"at","unit":"devices/d0000","wave":1}]}}` + "\n", "has no rollout, or wants nothing here"},
		"a later end":          {`"share":5000,"through":"7f`, `"share":5000,"through":"8f`, "wave 2: it does not end where it would"},
		"an end that is none":  {`"count":1,"through":"`, `"count":1,"through":"x`, "wave 1: it does not end"},
		"not everybody":        {`"share":10000,"through":"ffffffffffffffff"`, `"share":9999,"through":"fff972474538ef33"`, "its last wave is not everybody"},
		"more than everybody":  {`"share":5000`, `"share":20000`, "a size is a number or a share"},
		"both sizes":           {`"count":1`, `"count":1,"share":1`, "a size is a number or a share"},
		"a smaller wave":       {`"share":5000,"through":"7fffffffffffffff"`, `"count":1,"through":"7fffffffffffffff"`, "not more than the one before"},
		"other numbers":        {`"units":`, `"units":1`, "hold something else"},
		"no time span":         {`"soak":"30m"`, `"soak":"30m0s"`, "no time span"},
		"something else to do": {`"onFail":"pause"`, `"onFail":"go"`, "nothing to do when a gate"},
		"a gate without ok":    {`"ok":"reported.build == desired.build"`, `"ok":""`, "its gate holds nothing back"},
		"a gate that is open":  {`"minOk":10000`, `"minOk":0`, "its gate holds nothing back"},
		"a rule that is not":   {`{"rollout":{"rule":"build"`, `{"rollout":{"rule":"built"`, "no such rule"},
		"the same rollout":     {`{"rollout":{"rule":"site"`, `{"rollout":{"rule":"build"`, "a second one, or out of order"},
		"an unknown field":     {`"onFail":"pause"`, `"onFail":"pause","extra":1`, "unknown field"},
		"a time before now":    {`,"soak":"0s"`, `,"soak":"-1s"`, "no time span"},
	} {
		t.Run(name, func(t *testing.T) {
			forged := strings.Replace(strings.Join(good, ""), c.old, c.new, 1)
			if forged == strings.Join(good, "") {
				t.Fatalf("%s is not in the plan:\n%s", c.old, text)
			}
			_, err := engine.ReadPlan(bytes.NewReader(deflate(t, sealed([]string{forged}, summary))))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
