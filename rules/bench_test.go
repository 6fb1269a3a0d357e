package rules_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// BenchmarkEval judges one twin by a rule of each sort.
func BenchmarkEval(b *testing.B) {
	for _, c := range []struct{ name, when string }{
		{"equality", `tags.kind == "reefer"`},
		{"threshold", `reported.battery.pct < 20`},
		{"membership", `tags.site in ["muc", "ber", "osl"]`},
		{"pattern", `id matches "^reefer-[0-9]+$"`},
		{"version", `semver(reported.firmware) < semver("2.9.1")`},
		{"age", `age(reported.battery.pct) > duration("2h")`},
		{"list", `any(reported.errors, .code == 7)`},
		{"drift", `reported.interval != desired.interval`},
		{"arithmetic", `reported.battery.pct + reported.battery.volt > 14`},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := program(b, "{}", "  - id: r\n    when: |\n      "+c.when+"\n    patch: {tags: {hit: true}}\n", nil)
			tw := parseTwin(b, reefer)
			b.ReportAllocs()
			for b.Loop() {
				if v := p.Eval(context.Background(), tw, noon); v[0].Err != nil {
					b.Fatal(v[0].Err)
				}
			}
		})
	}
}

// BenchmarkTwin parses a twin and judges it by 50 rules.
func BenchmarkTwin(b *testing.B) {
	var body strings.Builder
	for i := range 50 {
		fmt.Fprintf(&body, "  - {id: r%d, selector: 'tags.kind == \"reefer\"', when: 'reported.battery.pct < %d and tags.site in [\"muc\", \"ber\"]', patch: {desired: {x%d: 1}}}\n", i, i, i)
	}
	p := program(b, "{}", body.String(), nil)
	b.ReportAllocs()
	for b.Loop() {
		tw, err := twin.Parse([]byte(reefer))
		if err != nil {
			b.Fatal(err)
		}
		p.Eval(context.Background(), tw, noon)
	}
}

// BenchmarkCompile loads and compiles a pack of 50 rules.
func BenchmarkCompile(b *testing.B) {
	var text strings.Builder
	text.WriteString("apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nrules:\n")
	for i := range 50 {
		fmt.Fprintf(&text, "  - {id: r%d, selector: 'tags.kind == \"reefer\"', when: 'reported.battery.pct < %d', patch: {desired: {x: \"${ tags.n }\"}}}\n", i, i)
	}
	for b.Loop() {
		pack, err := rules.Load(onePack(text.String()))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := rules.Compile(context.Background(), pack, nil); err != nil {
			b.Fatal(err)
		}
	}
}
