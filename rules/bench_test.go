package rules_test

import (
	"context"
	"fmt"
	"os"
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

// BenchmarkSieve races the sieve against parsing a twin and judging it, for 10 and
// 200 rules of which all find what they want.
func BenchmarkSieve(b *testing.B) {
	data, err := os.ReadFile("../hub/twin/testdata/reefer.json")
	if err != nil {
		b.Fatal(err)
	}
	for _, rules := range []int{10, 200} {
		var body strings.Builder
		for i := range rules {
			fmt.Fprintf(&body, "  - {id: r%d, selector: 'tags.kind == \"reefer\"', when: 'reported.battery.pct < %d and tags.site in [\"muc\", \"ber\"] or reported.network.rssi > %d', patch: {desired: {x%d: 1}}}\n", i, i%60, i-60, i%20)
		}
		p := program(b, "{}", body.String(), nil)
		sifter := p.Sieve(noon, nil).Sifter()
		b.Run(fmt.Sprint("sieve/", rules), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if judge, _ := sifter.Sift(data); judge {
					b.Fatal("it is let pass")
				}
			}
		})
		b.Run(fmt.Sprint("parse/", rules), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := twin.Parse(data); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint("parse and eval/", rules), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tw, err := twin.Parse(data)
				if err != nil {
					b.Fatal(err)
				}
				p.Eval(context.Background(), tw, noon)
			}
		})
	}
}
