package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

const gated = `apiVersion: twinrules/v1
kind: RulePack
metadata: {name: p}
vars: {build: 7}
rules:
  - id: build
    selector: tags.kind == "pump"
    patch: {desired: {build: 7}}
    rollout:
      by: tags.site
      waves: [2, 5%, 100%]
      gate:
        ok: reported.build == vars.build and age(reported.build) < duration("1h")
        fail: reported.errors > 3
    tests:
`

func gatedProgram(t testing.TB, tests string) *rules.Program {
	t.Helper()
	if tests == "" {
		tests = "      - {name: none, twin: {}, expect: none}\n"
	}
	pack, err := rules.Load(onePack(gated + tests))
	if err != nil {
		t.Fatal(err)
	}
	program, err := rules.Compile(t.Context(), pack, nil)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// TestGateSaysWhatIsKnown: a failure goes before all, and what is missing, has a
// type of its own, or is not yet so is unknown.
func TestGateSaysWhatIsKnown(t *testing.T) {
	program := gatedProgram(t, "")
	at := rules.Moment{Now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	updated := `"$metadata": {"build": {"$lastUpdated": "2026-11-22T11:30:00Z"}}`
	for name, c := range map[string]struct {
		reported string
		want     rules.GateState
	}{
		"reported":                    {`{"build": 7, ` + updated + `}`, rules.GateOK},
		"and no failure":              {`{"build": 7, "errors": 3, ` + updated + `}`, rules.GateOK},
		"too many errors":             {`{"build": 7, "errors": 4, ` + updated + `}`, rules.GateFail},
		"errors of the other build":   {`{"build": 6, "errors": 4}`, rules.GateFail},
		"not yet":                     {`{"build": 6}`, rules.GateUnknown},
		"nobody knows since when":     {`{"build": 7}`, rules.GateUnknown},
		"nothing":                     {`{}`, rules.GateUnknown},
		"errors that are no number":   {`{"build": 7, "errors": "4", ` + updated + `}`, rules.GateUnknown},
		"a build that is no number":   {`{"build": "7", ` + updated + `}`, rules.GateUnknown},
		"a build of a long time past": {`{"build": 7, "$metadata": {"build": {"$lastUpdated": "2026-11-22T10:30:00Z"}}}`, rules.GateUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := twin.Parse([]byte(`{"deviceId": "d", "tags": {"kind": "pump"}, "properties": {"reported": ` + c.reported + `}}`))
			if err != nil {
				t.Fatal(err)
			}
			if got := program.Gate(program.Pack.Rules[0], doc, at); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			explained := program.Explain(t.Context(), doc, at)[0].Standing
			if explained.Gate != c.want || len(explained.OK) != 2 || len(explained.Fail) != 1 || explained.Unit != "devices/d" {
				t.Errorf("explained as %+v", explained)
			}
		})
	}
}

func TestRulesTestTheirGates(t *testing.T) {
	program := gatedProgram(t, `
      - {name: wants it, twin: {tags: {kind: pump}}, expect: {desired: {build: 7}}, gate: unknown}
      - {name: gate alone, twin: {tags: {kind: pump}, reported: {errors: 4}}, gate: fail}
      - {name: wrong, twin: {tags: {kind: pump}, reported: {errors: 4}}, gate: ok}
      - {name: wrong patch, twin: {tags: {kind: pump}}, expect: none, gate: unknown}
`)
	want := []string{"", "", "wanted the gate to say ok, got fail", "wanted none, got"}
	results := program.Test(t.Context(), rules.Moment{})
	for i, r := range results {
		if (want[i] == "") != (r.Problem == "") || !strings.Contains(r.Problem, want[i]) {
			t.Errorf("%s: got %q, want %q", r.Case.Name, r.Problem, want[i])
		}
	}
	seen := map[string]int{}
	for _, b := range program.Cover(t.Context(), rules.Moment{}, results) {
		seen[b.Field+" "+b.Text] = b.Seen()
	}
	if seen["gate.fail reported.errors > 3"] != 2 || seen["gate.ok reported.build == vars.build"] != 1 {
		t.Errorf("seen %v", seen)
	}
}

// TestGatesHaveMutants: where tests ask the gate, what they do not notice of it is
// named; where none does, it is not looked at.
func TestGatesHaveMutants(t *testing.T) {
	for name, c := range map[string]struct {
		tests string
		gate  bool
	}{
		"asked":     {"      - {name: a, twin: {tags: {kind: pump}, reported: {errors: 9}}, gate: fail}\n", true},
		"not asked": {"      - {name: a, twin: {tags: {kind: pump}}, expect: {desired: {build: 7}}}\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			border := false
			for _, m := range gatedProgram(t, c.tests).Mutate(t.Context(), rules.Moment{}, nil).Survivors {
				border = border || m.From == "3" && m.To == "4"
			}
			if border != c.gate {
				t.Errorf("the mutant at the border survives: %v", border)
			}
		})
	}
}

// TestCountedRolloutsReadTheirPopulation: how many units there are decides a wave
// that is given by a number, so that nothing may be left out when reading.
func TestCountedRolloutsReadTheirPopulation(t *testing.T) {
	for name, c := range map[string]struct {
		waves    string
		narrowed bool
	}{"by number": {"[2, 100%]", false}, "by share": {"[2%, 100%]", true}} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(gated, "patch:", "when: reported.build < 7\n    patch:", 1)
			text = strings.Replace(text, "[2, 5%, 100%]", c.waves, 1)
			pack, err := rules.Load(onePack(text + "      - {name: none, twin: {}, expect: none}\n"))
			if err != nil {
				t.Fatal(err)
			}
			program, err := rules.Compile(t.Context(), pack, nil)
			if err != nil {
				t.Fatal(err)
			}
			if l := program.Listings(rules.ReadNarrowed)[0]; l.Narrowed != c.narrowed {
				t.Errorf("asks %s: %+v", l.Query, l.Rules)
			}
		})
	}
}
