package rules_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

func jsonNumber(s string) json.Number { return json.Number(s) }

func TestTranslation(t *testing.T) {
	for selector, want := range map[string]string{
		`tags.kind == "reefer"`:                      `tags.kind = 'reefer'`,
		`"reefer" == tags.kind`:                      `tags.kind = 'reefer'`,
		`tags.site in ["muc", "ber"] and tags.n > 2`: `(tags.site IN ['muc', 'ber']) AND (tags.n > 2)`,
		`2 < tags.n`:                                 `tags.n > 2`,
		`reported.a.b == nil`:                        `NOT IS_DEFINED(properties.reported.a.b)`,
		`not (desired.x == nil or tags.y != nil)`:    `IS_DEFINED(properties.desired.x) AND (NOT IS_DEFINED(tags.y))`,
		`tags.flag`:                                  `tags.flag = true`,
		`status != "disabled"`:                       `status != 'disabled'`,
		`tags.a == -2.5 or id in vars.ids`:           `(tags.a = -2.5) OR (deviceId IN ['x', 'y'])`,
		`tags.a in []`:                               `false`,
		`tags["kind"] == vars.kind`:                  `tags.kind = 'r'`,
	} {
		t.Run(selector, func(t *testing.T) {
			p := program(t, "{ids: [x, y], kind: r}", "  - id: r\n    selector: |\n      "+selector+"\n    patch: {tags: {hit: true}}\n", nil)
			got := p.Queries()[0]
			if got != "SELECT * FROM devices WHERE "+want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// selectorText draws a selector that translates.
func selectorText(depth int) *rapid.Generator[string] {
	path := rapid.SampledFrom([]string{"tags.a", "tags.b.c", "reported.a", "desired.b", "tags.flag"})
	literal := rapid.SampledFrom([]string{`"x"`, `"y"`, `1`, `2.5`, `-1`, `true`, `9007199254740991`})
	ordered := rapid.SampledFrom([]string{`"x"`, `1`, `2.5`, `9007199254740991`})
	leaf := rapid.Custom(func(t *rapid.T) string {
		p := path.Draw(t, "path")
		switch rapid.IntRange(0, 6).Draw(t, "leaf") {
		case 0:
			return p + " == " + literal.Draw(t, "literal")
		case 1:
			return p + " " + rapid.SampledFrom([]string{"<", "<=", ">", ">="}).Draw(t, "op") + " " + ordered.Draw(t, "literal")
		case 2:
			return p + " in [" + strings.Join(rapid.SliceOfN(literal, 0, 3).Draw(t, "list"), ", ") + "]"
		case 3:
			return p + " == nil"
		case 4:
			return p + " != nil"
		case 5:
			return `status ` + rapid.SampledFrom([]string{"==", "!="}).Draw(t, "op") + ` "enabled"`
		}
		return p
	})
	if depth == 0 {
		return leaf
	}
	return rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 3).Draw(t, "node") {
		case 0:
			return "(" + selectorText(depth-1).Draw(t, "left") + " and " + selectorText(depth-1).Draw(t, "right") + ")"
		case 1:
			return "(" + selectorText(depth-1).Draw(t, "left") + " or " + selectorText(depth-1).Draw(t, "right") + ")"
		case 2:
			return "not (" + path.Draw(t, "path") + rapid.SampledFrom([]string{" == nil", " != nil"}).Draw(t, "op") + ")"
		}
		return leaf.Draw(t, "leaf")
	})
}

// anyTwin draws a twin whose leaves are of any type.
func anyTwin() *rapid.Generator[*twin.Twin] {
	v := rapid.SampledFrom([]any{nil, "x", "y", "z", json.Number("1"), json.Number("1.0"), json.Number("2.5"), json.Number("9007199254740993"), json.Number("9007199254740992"), json.Number("9007199254740991"), json.Number("9.007199254740991e15"), true, false, twin.Object{"c": "x"}, []any{"x"}})
	section := rapid.Custom(func(t *rapid.T) twin.Object {
		o := twin.Object{}
		for _, key := range []string{"a", "b", "flag"} {
			if value := v.Draw(t, key); value != nil {
				o[key] = value
			}
		}
		return o
	})
	return rapid.Custom(func(t *rapid.T) *twin.Twin {
		doc := twin.Object{
			"deviceId": "d", "status": rapid.SampledFrom([]string{"enabled", "disabled"}).Draw(t, "status"), "tags": section.Draw(t, "tags"),
			"properties": twin.Object{"desired": section.Draw(t, "desired"), "reported": section.Draw(t, "reported")},
		}
		tw, err := twin.Parse(twin.Encode(doc))
		if err != nil {
			panic(err)
		}
		return tw
	})
}

// TestSelectorsAreExact is the law of selectors: what the hub selects by the
// translation is what the expression selects, on twins of any shape.
func TestSelectorsAreExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := selectorText(2).Draw(rt, "selector")
		p := program(t, "{}", "  - id: r\n    selector: |\n      "+text+"\n    patch: {tags: {hit: true}}\n", nil)
		q, err := query.Parse(p.Queries()[0])
		if err != nil {
			rt.Fatal(err)
		}
		for range 20 {
			tw := anyTwin().Draw(rt, "twin")
			v := p.Eval(context.Background(), tw, noon)[0]
			if v.Err != nil || v.Selected != q.Matches(tw) {
				rt.Fatalf("%s: expression %v (%v), query %q %v on %s", text, v.Selected, v.Err, q, q.Matches(tw), tw.JSON())
			}
		}
	})
}

func TestConfigurations(t *testing.T) {
	p := program(t, "{}", `
  - id: channel
    selector: tags.kind == "reefer"
    when: reported.firmware.major >= 2
    patch: {desired: {firmware: {channel: stable, "x-y": 1.0}, old: null}}
    configuration: {priority: 10, metrics: {done: 'reported.firmware.channel == "stable"'}}
  - id: all
    on: module/meter
    patch: {desired: {a: 1}}
    configuration: {}
  - id: audited
    mode: audit
    patch: {desired: {a: 1}}
    configuration: {}
`, nil)
	var got []string
	for _, c := range p.Configurations() {
		got = append(got, string(twin.Encode(c)))
	}
	want := []string{
		`{"id":"tr-channel-6e4bfe281367","labels":{"owner":"twinrules","pack":"p","rule":"channel"},"content":{"deviceContent":{"properties.desired.firmware.channel":"stable","properties.desired.firmware.x-y":1.0,"properties.desired.old":null}},"targetCondition":"(tags.kind = 'reefer') AND (properties.reported.firmware.major >= 2)","priority":10,"metrics":{"queries":{"done":"SELECT deviceId FROM devices WHERE (tags.kind = 'reefer') AND (properties.reported.firmware.major >= 2) AND (properties.reported.firmware.channel = 'stable')"}}}`,
		`{"id":"tr-all-bff40cb14639","labels":{"owner":"twinrules","pack":"p","rule":"all"},"content":{"moduleContent":{"properties.desired.a":1}},"targetCondition":"FROM devices.modules WHERE moduleId = 'meter'","priority":0}`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
