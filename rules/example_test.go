package rules_test

import (
	"context"
	"fmt"
	"testing/fstest"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

const coldChain = `apiVersion: twinrules/v1
kind: RulePack
metadata: {name: cold-chain}
rules:
  - id: power-save
    selector: tags.kind == "reefer"
    when: reported.battery.pct < 20
    patch: {desired: {intervalSec: "${ tags.tier == 'gold' ? 300 : 900 }"}}
`

func ExampleLoad() {
	_, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte(`apiVersion: twinrules/v1
kind: RulePack
metadata: {name: cold-chain}
rules:
  - id: power-save
    wehn: reported.battery.pct < 20
    mode: enforced
`)}})
	for _, d := range err.(rules.Diagnostics) {
		fmt.Println(d)
		if d.Hint != "" {
			fmt.Println("  hint:", d.Hint)
		}
	}
	// Output:
	// pack.yaml:5:5: the key "patch" is missing [missing-key]
	// pack.yaml:6:5: unknown key "wehn" [unknown-key]
	//   hint: did you mean "when"?
	// pack.yaml:7:11: "enforced" is none of enforce, audit, off [wrong-value]
	//   hint: did you mean "enforce"?
}

func ExampleCompile() {
	pack, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte(coldChain)}})
	if err != nil {
		panic(err)
	}
	program, err := rules.Compile(context.Background(), pack, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(program.Queries()[0])
	for _, a := range program.Access() {
		fmt.Println(a.Rule.ID, "reads", a.Reads, "and writes", a.Writes)
	}
	// Output:
	// SELECT * FROM devices WHERE tags.kind = 'reefer'
	// power-save reads [reported.battery.pct tags.kind tags.tier] and writes [desired.intervalSec]
}

func ExampleProgram_Listings() {
	pack, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte(coldChain)}})
	if err != nil {
		panic(err)
	}
	program, err := rules.Compile(context.Background(), pack, nil)
	if err != nil {
		panic(err)
	}
	for _, l := range program.Listings(rules.ReadNarrowed) {
		fmt.Println(l.Query)
		for _, c := range l.Counts {
			fmt.Printf("%q: %s\n", c.Rule, c.Query)
		}
	}
	// Output:
	// SELECT * FROM devices WHERE (tags.kind = 'reefer') AND (properties.reported.battery.pct < 20)
	// "power-save": SELECT COUNT() AS n FROM devices WHERE tags.kind = 'reefer'
	// "": SELECT COUNT() AS n FROM devices WHERE tags.kind = 'reefer'
}

func ExampleProgram_Eval() {
	pack, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte(coldChain)}})
	if err != nil {
		panic(err)
	}
	program, err := rules.Compile(context.Background(), pack, nil)
	if err != nil {
		panic(err)
	}
	at := rules.Moment{Now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	for _, text := range []string{
		`{"deviceId":"r1","tags":{"kind":"reefer","tier":"gold"},"properties":{"reported":{"battery":{"pct":11}}}}`,
		`{"deviceId":"r2","tags":{"kind":"reefer"},"properties":{"reported":{"battery":{"pct":"low"}}}}`,
		`{"deviceId":"r3","tags":{"kind":"reefer"}}`,
	} {
		t, err := twin.Parse([]byte(text))
		if err != nil {
			panic(err)
		}
		v := program.Eval(context.Background(), t, at)[0]
		fmt.Println(t.Ref, v.Matched, v.Leaves, v.Err)
	}
	// Output:
	// devices/r1 true [{desired [intervalSec] 300}] <nil>
	// devices/r2 false [] pack.yaml:7:32: a string and a number have no order
	// devices/r3 false [] <nil>
}

func ExampleProgram_Explain() {
	pack, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte(coldChain)}})
	if err != nil {
		panic(err)
	}
	program, err := rules.Compile(context.Background(), pack, nil)
	if err != nil {
		panic(err)
	}
	t, err := twin.Parse([]byte(`{"deviceId":"r1","tags":{"kind":"reefer"},"properties":{"reported":{"battery":{"pct":95}}}}`))
	if err != nil {
		panic(err)
	}
	e := program.Explain(context.Background(), t, rules.Moment{})[0]
	for _, term := range e.When {
		fmt.Println(term.Text, "is", term.Holds, "because", term.Reads[0].Path, "is", term.Reads[0].Value)
	}
	for _, miss := range e.Miss {
		fmt.Println("it is off by", miss.Distance)
	}
	// Output:
	// reported.battery.pct < 20 is false because reported.battery.pct is 95
	// it is off by 75
}

func ExampleProgram_Test() {
	pack, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte(coldChain + `    tests:
      - name: a gold device on low battery
        twin: {tags: {kind: reefer, tier: gold}, reported: {battery: {pct: 11}}}
        expect: {desired: {intervalSec: 600}}
`)}})
	if err != nil {
		panic(err)
	}
	ctx, at := context.Background(), rules.Moment{Now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	program, err := rules.Compile(ctx, pack, nil)
	if err != nil {
		panic(err)
	}
	results := program.Test(ctx, at)
	for _, m := range results[0].Mismatches() {
		fmt.Println(m.Place, "wanted", m.Wanted, "got", m.Got)
	}
	for _, b := range program.Cover(ctx, at, results) {
		fmt.Println(b.Pos, b.Text, b.True, "times true,", b.False, "times false")
	}
	// Output:
	// desired.intervalSec wanted 600 got 300
	// pack.yaml:6:15 tags.kind == "reefer" 1 times true, 0 times false
	// pack.yaml:7:11 reported.battery.pct < 20 1 times true, 0 times false
	// pack.yaml:8:40 tags.tier == 'gold' 1 times true, 0 times false
}

func ExampleProgram_Mutate() {
	pack, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte(coldChain + `    tests:
      - name: a gold device on low battery
        twin: {tags: {kind: reefer, tier: gold}, reported: {battery: {pct: 19}}}
        expect: {desired: {intervalSec: 300}}
`)}})
	if err != nil {
		panic(err)
	}
	program, err := rules.Compile(context.Background(), pack, nil)
	if err != nil {
		panic(err)
	}
	m := program.Mutate(context.Background(), rules.Moment{}, nil)
	for _, s := range m.Survivors {
		fmt.Println(s.Pos, s.From, "may be", s.To)
	}
	// Output:
	// pack.yaml:7:32 < may be <=
	// pack.yaml:7:34 20 may be 21
	// pack.yaml:8:68 900 may be 901
}

func ExampleRollout_Cohort() {
	pack, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte(`
apiVersion: twinrules/v1
kind: RulePack
metadata: {name: cold-chain}
rules:
  - id: build
    patch: {desired: {build: 7}}
    rollout:
      by: tags.site
      waves: [5%, 50%, 100%]
      gate: {ok: reported.build == desired.build}
`)}})
	if err != nil {
		panic(err)
	}
	t, err := twin.Parse([]byte(`{"deviceId":"r1","tags":{"site":"muc"},"properties":{"desired":{"build":7},"reported":{"build":6}}}`))
	if err != nil {
		panic(err)
	}
	rollout := pack.Rules[0].Rollout
	cohort := rollout.Cohort(t, "contoso.azure-devices.net")
	wave := rules.WaveOf(rollout.Bounds(nil), cohort)
	fmt.Printf("%s stands at %.1f %%: wave %d, %s\n", cohort.Unit, cohort.Percent(), wave, rollout.Waves[wave-1])

	program, err := rules.Compile(context.Background(), pack, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println("the gate says", program.Gate(pack.Rules[0], t, rules.Moment{}))
	// Output:
	// tags.site="muc" stands at 88.7 %: wave 3, 100%
	// the gate says unknown
}
