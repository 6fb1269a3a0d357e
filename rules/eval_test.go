package rules_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// program compiles the rules of a pack whose text below "rules:" is given.
func program(t testing.TB, vars, body string, plugins rules.Plugins) *rules.Program {
	t.Helper()
	text := "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nvars: " + vars + "\nplugins: {judge: {source: j.wasm, digest: \"sha256:" + strings.Repeat("0", 64) + "\"}}\nrules:\n" + body
	pack, err := rules.Load(onePack(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	p, err := rules.Compile(context.Background(), pack, &rules.Options{Plugins: plugins})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

func parseTwin(t testing.TB, text string) *twin.Twin {
	t.Helper()
	tw, err := twin.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return tw
}

var noon = rules.Moment{Now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), Hub: "contoso.azure-devices.net"}

const reefer = `{"deviceId":"reefer-1","etag":"AAAAAAAAAAE=","version":2,"status":"enabled","connectionState":"Connected","lastActivityTime":"2026-11-20T11:00:00Z",
 "tags":{"kind":"reefer","site":"muc","gold":true,"n":1.0,"list":[1,2,3],"empty":"","text":"42"},
 "properties":{"desired":{"interval":60,"big":9007199254740993,"$version":1},
  "reported":{"battery":{"pct":11,"volt":3.5},"firmware":"2.10.0","errors":[{"code":5},{"code":7}],"odd":"eleven",
   "$metadata":{"$lastUpdated":"2026-11-20T00:00:00Z","battery":{"$lastUpdated":"2026-11-19T12:00:00Z","pct":{"$lastUpdated":"2026-11-20T10:00:00Z"}}},"$version":4}},
 "capabilities":{"iotEdge":false}}`

// TestConditions is the meaning of conditions, the missing-value rules among
// them. "error: x" says that the rule cannot judge the twin.
func TestConditions(t *testing.T) {
	tw := parseTwin(t, reefer)
	for condition, want := range map[string]string{
		`true`:                                           "true",
		`tags.kind == "reefer"`:                          "true",
		`reported.battery.pct < 20`:                      "true",
		`reported.battery.volt >= 3.5`:                   "true",
		`desired.big == 9007199254740993`:                "true",
		`desired.big == 9007199254740992`:                "false",
		`tags.n == 1`:                                    "true",
		`tags.site in ["muc", "ber"]`:                    "true",
		`tags.site in ["ber"]`:                           "false",
		`tags.n in [1, 2]`:                               "true",
		`"kind" in tags`:                                 "true",
		`status == "enabled" and not edge`:               "true",
		`hub == "contoso.azure-devices.net"`:             "true",
		`id startsWith "reefer" and id endsWith "-1"`:    "true",
		`id matches "^reefer-[0-9]+$"`:                   "true",
		`id contains "efer"`:                             "true",
		`semver(reported.firmware) > semver("2.9.1")`:    "true",
		`semver(reported.firmware) == semver("2.10")`:    "true",
		`any(reported.errors, .code == 7)`:               "true",
		`all(reported.errors, .code > 5)`:                "false",
		`count(reported.errors, .code > 5) == 1`:         "true",
		`len(filter(tags.list, # > 1)) == 2`:             "true",
		`first(tags.list) == 1 and last(tags.list) == 3`: "true",
		`len(tags.site) == 3 and len(tags.list) == 3`:    "true",
		`upper(tags.site) == "MUC"`:                      "true",
		`max(1, tags.n, 2.5) == 2.5`:                     "true",
		`int(tags.text) == 42`:                           "true",
		`7 % 4 == 3 and 2 ** 3 == 8 and 7 / 2 == 3.5`:    "true",
		`tags.list[0] == 1 and tags.list[-1] == 3`:       "true",
		`tags["kind"] == "reefer"`:                       "true",
		`tags.gold`:                                      "true",
		`tags.gold ? true : false`:                       "true",
		`age(reported.battery.pct) == duration("2h")`:    "true",
		`age(reported.battery) == duration("24h")`:       "true",
		`updated(reported.battery.pct) < now`:            "true",
		`now - lastActivityTime == duration("1h")`:       "true",
		`vars.limit > 10 and vars.deep.x == "y"`:         "true",
		`bucket("rollout", 1) == 0`:                      "true",

		// Missing values.
		`reported.nothing.at.all == nil`:             "true",
		`reported.odd.below == nil`:                  "true",
		`reported.nothing != nil`:                    "false",
		`reported.nothing < 5`:                       "false",
		`reported.nothing >= 5`:                      "false",
		`5 > reported.nothing`:                       "false",
		`not (reported.nothing < 5)`:                 "true",
		`reported.nothing == "x"`:                    "false",
		`reported.nothing != "x"`:                    "true",
		`reported.nothing == tags.nothing`:           "false",
		`reported.nothing in ["x"]`:                  "false",
		`"x" in reported.nothing`:                    "false",
		`reported.nothing contains "x"`:              "false",
		`reported.nothing matches "x"`:               "false",
		`reported.nothing + 1 > 0`:                   "false",
		`reported.nothing`:                           "false",
		`not reported.nothing`:                       "true",
		`reported.nothing and true`:                  "false",
		`any(reported.nothing, true)`:                "false",
		`all(reported.nothing, false)`:               "true",
		`len(reported.nothing) == 0`:                 "true",
		`semver(reported.nothing) < semver("1.0.0")`: "false",
		`age(reported.nothing) > duration("1s")`:     "false",
		`(reported.nothing ?? 7) == 7`:               "true",
		`tags.list[9] == nil`:                        "true",
		`moduleId == nil`:                            "true",
		`lower(reported.nothing) == "x"`:             "false",

		// Values of an odd type.
		`reported.odd < 20`:                   "error: a string and a number have no order",
		`reported.battery > 1`:                "error: an object and a number have no order",
		`tags.site`:                           "error: a string is neither true nor false",
		`tags.site and true`:                  "error: a string is neither true nor false",
		`reported.odd + 1 > 2`:                "error: a string and a number cannot be calculated with",
		`1 / 0 > 1`:                           "error: division by zero",
		`7 % 0 == 1`:                          "error: division by zero",
		`tags.n contains "1"`:                 "error: contains is for strings",
		`any(tags.site, true)`:                "error: a string is not a list",
		`semver(tags.site) > semver("1.0.0")`: `error: semver: "muc" is not a version`,
		`int(tags.site) == 1`:                 `error: int: "muc" is no whole number`,
		`"x" in tags.n`:                       "error: a number has no elements",
		`reported.odd == 20`:                  "false",
	} {
		t.Run(condition, func(t *testing.T) {
			p := program(t, "{limit: 11, deep: {x: y}}", "  - id: r\n    when: |\n      "+condition+"\n    patch: {tags: {hit: true}}\n", nil)
			v := p.Eval(context.Background(), tw, noon)[0]
			got := fmt.Sprint(v.Matched)
			if v.Err != nil {
				got = "error: " + v.Err.Error()
			}
			if text, isError := strings.CutPrefix(want, "error: "); isError {
				if v.Err == nil || !strings.Contains(got, text) || v.Matched {
					t.Errorf("got %s, want %s", got, want)
				}
				return
			}
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestTheOrderOfPartsDoesNotMatter: what fails counts only where it decides.
func TestTheOrderOfPartsDoesNotMatter(t *testing.T) {
	const fails, yes, no = `reported.odd > 3`, `tags.gold`, `tags.kind == "bus"`
	tw := parseTwin(t, reefer)
	for _, c := range []struct{ a, op, b, want string }{
		{fails, "and", no, "false"}, {fails, "or", yes, "true"}, {fails, "and", yes, "error"}, {fails, "or", no, "error"},
		{"not (" + fails + ")", "and", no, "false"}, {"(" + fails + " and " + no + ")", "or", yes, "true"},
		{"(" + fails + " or " + no + ")", "and", no, "false"}, {fails, "and", "not " + fails, "error"},
	} {
		for _, condition := range []string{c.a + " " + c.op + " " + c.b, c.b + " " + c.op + " " + c.a} {
			v := program(t, "{}", "  - {id: r, when: '"+condition+"', patch: {tags: {x: 1}}}\n", nil).Eval(context.Background(), tw, noon)[0]
			got := fmt.Sprint(v.Matched)
			if v.Err != nil {
				got = "error"
			}
			if got != c.want {
				t.Errorf("%s: got %s (%v), want %s", condition, got, v.Err, c.want)
			}
		}
	}
}

func TestErrorsHaveTheirPlace(t *testing.T) {
	p := program(t, "{}", "  - id: r\n    when: |\n      tags.kind == \"reefer\" and\n      reported.odd < 20\n    patch: {tags: {hit: true}}\n", nil)
	err := p.Eval(context.Background(), parseTwin(t, reefer), noon)[0].Err
	failed, ok := errors.AsType[*rules.EvalError](err)
	if !ok || failed.Pos != (rules.Pos{File: "pack.yaml", Line: 10, Col: 20}) {
		t.Errorf("got %v", err)
	}
}

// TestTemplates is what becomes of the leaves of a patch.
func TestTemplates(t *testing.T) {
	for leaf, want := range map[string]string{
		`1.0`:    `1.0`,
		`"text"`: `"text"`,
		`null`:   `null`,
		`{}`:     `{}`,
		`[1, "${ tags.site }", {a: "${ 1 + 1 }"}]`: `[1,"muc",{"a":2}]`,
		`"${ tags.n }"`:                                  `1.0`, // as the twin spells it
		`"${ desired.big }"`:                             `9007199254740993`,
		`"${ desired.big + 1 }"`:                         `9007199254740994`,
		`"${ tags.n + 1 }"`:                              `2`,
		`"${ 7 / 2 }"`:                                   `3.5`,
		`"${ tags.gold ? 300 : 900 }"`:                   `300`,
		`"${ tags.gold ? 'a}b' : {'x': 1} }"`:            `"a}b"`,
		`"at ${ tags.site }/${ reported.battery.pct }!"`: `"at muc/11!"`,
		`"$${ not }"`:                                    `"${ not }"`,
		`"costs $5"`:                                     `"costs $5"`,
		`"${ reported.battery }"`:                        `{"pct":11,"volt":3.5}`,
		`"${ semver(reported.firmware) }"`:               `"2.10.0"`,
		`"${ id }"`:                                      `"reefer-1"`,
		`"${ now }"`:                                     `"2026-11-20T12:00:00Z"`,
		`"${ reported.nothing }"`:                        `error: reported.nothing is missing`,
		`"${ reported.nothing + 1 }"`:                    `error: reported.nothing is missing`,
		`"x ${ reported.nothing }"`:                      `error: reported.nothing is missing`,
		`"${ nil }"`:                                     `error: the value is missing`,
		`["${ reported.nothing }"]`:                      `error: reported.nothing is missing`,
		`"${ 1 / 0 }"`:                                   `error: division by zero`,
	} {
		t.Run(leaf, func(t *testing.T) {
			p := program(t, "{}", "  - id: r\n    patch: {desired: {leaf: "+leaf+"}}\n", nil)
			v := p.Eval(context.Background(), parseTwin(t, reefer), noon)[0]
			got := string(twin.Encode(twin.PatchOf(v.Leaves).Desired["leaf"]))
			if v.Err != nil {
				got = "error: " + v.Err.Error()
			}
			if text, isError := strings.CutPrefix(want, "error: "); isError && strings.Contains(got, text) {
				return
			}
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestCostIsBounded runs expressions that kill a process or take seconds in
// plain expr. A device may report a list of some thousand elements.
func TestCostIsBounded(t *testing.T) {
	list := strings.TrimSuffix(strings.Repeat("1,", 8000), ",")
	tw := parseTwin(t, `{"deviceId":"d","tags":{"s":"`+strings.Repeat("x", 4000)+`"},"properties":{"reported":{"xs":[`+list+`]}}}`)
	for name, condition := range map[string]string{
		"predicates in predicates": `all(reported.xs, all(reported.xs, all(reported.xs, true)))`,
		"a map of maps":            `len(map(reported.xs, map(reported.xs, #))) > 0`,
		"long sums of strings":     strings.TrimSuffix(strings.Repeat("tags.s + ", 400), " + ") + ` == "x"`,
		"deep parentheses":         strings.Repeat("(", 2000) + "true" + strings.Repeat(")", 2000),
		"many nots":                strings.Repeat("!", 4000) + "true",
	} {
		t.Run(name, func(t *testing.T) {
			pack, err := rules.Load(onePack("apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nrules:\n  - id: r\n    when: |\n      " + condition + "\n    patch: {tags: {hit: true}}\n"))
			if err != nil {
				return // refused
			}
			p, err := rules.Compile(context.Background(), pack, nil)
			if err != nil {
				return // refused
			}
			before := testing.AllocsPerRun(1, func() { p.Eval(context.Background(), tw, noon) })
			if before > 1_000_000 {
				t.Errorf("%v allocations", before)
			}
		})
	}
	p := program(t, "{}", "  - id: r\n    when: all(reported.xs, all(reported.xs, true))\n    patch: {tags: {hit: true}}\n", nil)
	if err := p.Eval(context.Background(), tw, noon)[0].Err; err == nil || !strings.Contains(err.Error(), "more than 100000 steps") {
		t.Errorf("got %v", err)
	}
}

func TestTargetsAndModes(t *testing.T) {
	p := program(t, "{}", `
  - {id: devices, patch: {tags: {a: 1}}}
  - {id: modules, on: module/*, patch: {tags: {a: 1}}}
  - {id: meter, on: module/meter, patch: {tags: {a: 1}}}
  - {id: off, mode: off, patch: {tags: {a: 1}}}
`, nil)
	for _, c := range []struct{ text, want string }{
		{`{"deviceId":"d"}`, "devices"},
		{`{"deviceId":"d","moduleId":"meter"}`, "modules meter"},
		{`{"deviceId":"d","moduleId":"other"}`, "modules"},
	} {
		var got []string
		for _, v := range p.Eval(context.Background(), parseTwin(t, c.text), noon) {
			got = append(got, v.Rule.ID)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v, want %s", c.text, got, c.want)
		}
	}
	want := []string{"SELECT * FROM devices", "SELECT * FROM devices.modules"}
	if got := p.Queries(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A judge is a plugin that says what it is told to.
type judge struct {
	finding *rules.Finding
	err     error
}

func (j judge) Instance(context.Context, *rules.Rule, twin.Object) (rules.Plugin, error) {
	return j, nil
}
func (j judge) Eval(context.Context, *twin.Twin, time.Time) (*rules.Finding, int64, error) {
	return j.finding, 7, j.err
}
func (judge) Reads() []string  { return []string{"reported.odd"} }
func (judge) Writes() []string { return nil }

func TestPluginFactsAndPatch(t *testing.T) {
	body := "  - id: r\n    plugin: {use: judge, onError: %s}\n    when: plugin.score > 0.5\n    patch: {tags: {score: \"${ plugin.score }\"}}\n"
	facts := twin.Object{"score": jsonNumber("0.75")}
	for name, c := range map[string]struct {
		judge         judge
		onError, want string
	}{
		"facts are read":             {judge{&rules.Finding{Facts: facts}, nil}, "fail", "true tags.score=0.75"},
		"a low score":                {judge{&rules.Finding{Facts: twin.Object{"score": jsonNumber("0.1")}}, nil}, "fail", "false"},
		"no match":                   {judge{nil, nil}, "fail", "false"},
		"its patch is added":         {judge{&rules.Finding{Facts: facts, Patch: twin.Patch{Tags: twin.Object{"zone": "a"}}}, nil}, "fail", "true tags.score=0.75 tags.zone=\"a\""},
		"the rule's own patch holds": {judge{&rules.Finding{Facts: facts, Patch: twin.Patch{Tags: twin.Object{"score": "x"}}}, nil}, "fail", "true tags.score=0.75"},
		"a failure":                  {judge{nil, errors.New("trap")}, "fail", "trap"},
		"a failure to skip":          {judge{nil, errors.New("trap")}, "skip", "false excused: trap"},
		"a failure to warn of":       {judge{nil, errors.New("trap")}, "warn", "false excused: trap, warned"},
	} {
		t.Run(name, func(t *testing.T) {
			p := program(t, "{}", fmt.Sprintf(body, c.onError), c.judge)
			v := p.Eval(context.Background(), parseTwin(t, reefer), noon)[0]
			got := fmt.Sprint(v.Matched)
			for _, l := range v.Leaves {
				got += fmt.Sprintf(" %s.%s=%s", l.Section, strings.Join(l.Path, "."), twin.Encode(l.Value))
			}
			if v.Err != nil {
				got = v.Err.Error()
			}
			if v.Excused != nil {
				got += " excused: " + v.Excused.Error()
			}
			if v.Warned() {
				got += ", warned"
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// A configured plugin answers with its configuration.
type configured struct{ judge }

func (configured) Instance(_ context.Context, _ *rules.Rule, config twin.Object) (rules.Plugin, error) {
	return judge{finding: &rules.Finding{Facts: config}}, nil
}

func TestPluginConfiguration(t *testing.T) {
	p := program(t, "{sites: [{name: muc, km: 1.0}]}", "  - id: r\n    plugin: {use: judge, with: {sites: \"${ vars.sites }\", n: 1.0, deep: {name: \"at ${ vars.sites[0].name }\"}}}\n    patch: {tags: {got: \"${ plugin }\"}}\n", configured{})
	got := twin.Encode(twin.PatchOf(p.Eval(context.Background(), parseTwin(t, reefer), noon)[0].Leaves).Tags)
	if want := `{"got":{"deep":{"name":"at muc"},"n":1.0,"sites":[{"km":1.0,"name":"muc"}]}}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for with, want := range map[string]string{
		"5":                        "a single value where a mapping must stand",
		`{n: "${ tags.x }"}`:       "the configuration of a plugin reads vars only, not tags.x",
		`{n: "${ vars.nothing }"}`: "vars.nothing is missing",
	} {
		pack, err := rules.Load(onePack("apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nplugins: {j: {source: j.wasm, digest: \"sha256:" + strings.Repeat("0", 64) + "\"}}\nrules:\n  - {id: r, plugin: {use: j, with: " + with + "}, patch: {tags: {a: 1}}}\n"))
		if err == nil {
			_, err = rules.Compile(context.Background(), pack, &rules.Options{Plugins: configured{}})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", with, err, want)
		}
	}
}

func TestCases(t *testing.T) {
	p := program(t, "{}", `
  - id: r
    selector: tags.kind == "reefer"
    when: reported.pct < 20
    patch: {desired: {t: {interval: "${ tags.gold ? 300 : 900 }", burst: null}}, tags: {power: saver}}
    tests:
      - name: right
        twin: {tags: {kind: reefer, gold: true}, desired: {t: {interval: 60, burst: 5}}, reported: {pct: 11}}
        expect: {desired: {t: {interval: 300, burst: null}}, tags: {power: saver}}
      - {name: holds already, twin: {tags: {kind: reefer, power: saver}, desired: {t: {interval: 900}}, reported: {pct: 11}}, expect: none}
      - {name: wrong, twin: {tags: {kind: reefer}, reported: {pct: 11}}, expect: none}
      - {name: error, twin: {tags: {kind: reefer}, reported: {pct: low}}, expect: {error: have no order}}
      - {name: no error, twin: {tags: {kind: reefer}}, expect: {error: x}}
`, nil)
	want := []string{"", "", `wanted none, got {"desired":{"t":{"interval":900}},"tags":{"power":"saver"}}`, "", "wanted an error with x, got none"}
	for i, r := range p.Test(context.Background(), noon) {
		if r.Problem != want[i] {
			t.Errorf("%s: got %q, want %q", r.Case.Name, r.Problem, want[i])
		}
	}
}

func TestExplain(t *testing.T) {
	p := program(t, "{}", "  - id: r\n    selector: tags.kind == \"reefer\" and tags.site in [\"muc\"]\n    when: reported.battery.pct < 5 and reported.nothing == nil\n    patch: {tags: {a: 1}}\n", nil)
	e := p.Explain(context.Background(), parseTwin(t, reefer), noon)[0]
	got := fmt.Sprint(e.Selected, e.Matched)
	for _, term := range append(e.Selector, e.When...) {
		got += fmt.Sprintf("\n%s %v [{%s %v}]", term.Text, term.Holds, term.Reads[0].Path, term.Reads[0].Value)
	}
	want := `true false
tags.kind == "reefer" true [{tags.kind reefer}]
tags.site in ["muc"] true [{tags.site muc}]
reported.battery.pct < 5 false [{reported.battery.pct 11}]
reported.nothing == nil true [{reported.nothing <nil>}]`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestExplainShowsWhatWasWritten(t *testing.T) {
	p := program(t, "{}", "  - id: r\n    when: |\n      ((tags.a ?? 1) - (tags.b ?? 2) > 5 and (tags.c == \")\" or\n      true)) and not (tags.d)\n    patch: {tags: {hit: 1}}\n", nil)
	var got []string
	for _, term := range p.Explain(context.Background(), parseTwin(t, reefer), noon)[0].When {
		got = append(got, term.Text)
	}
	want := []string{"(tags.a ?? 1) - (tags.b ?? 2) > 5", `tags.c == ")" or true`, "not (tags.d)"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
