package rules_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

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

// BenchmarkUnmet races what the sieve says of a twin that changes against parsing
// and judging it.
func BenchmarkUnmet(b *testing.B) {
	data, err := os.ReadFile("../hub/twin/testdata/reefer.json")
	if err != nil {
		b.Fatal(err)
	}
	var body strings.Builder
	for i := range 50 {
		fmt.Fprintf(&body, "  - {id: r%d, when: 'reported.battery.pct != nil and tags.site != \"x%d\"', patch: {desired: {new: {x%d: 1}}}}\n", i, i, i%3)
	}
	p := program(b, "{}", body.String(), nil)
	sifter := p.Sieve(noon, nil).Sifter()
	b.Run("unmet", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sifter.Sift(data)
			if list, _, _, ok := sifter.Unmet(false); !ok || len(list) != 3 {
				b.Fatal(list, ok)
			}
		}
	})
	b.Run("parse and judge", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sifter.Sift(data)
			tw, err := twin.Parse(data)
			if err != nil {
				b.Fatal(err)
			}
			verdicts, _ := sifter.Eval(context.Background(), tw, noon)
			kept, _ := rules.Weigh(rules.Wishes(verdicts))
			var leaves []twin.Leaf
			for _, w := range kept {
				leaves = append(leaves, w.Leaf)
			}
			patch := twin.PatchOf(leaves)
			if len(twin.CheckDesired(tw.With(patch).Desired())) > 0 || len(twin.Touches(tw.Desired(), patch.Desired)) != 3 {
				b.Fatal("another change")
			}
		}
	})
}

// BenchmarkNative races conditions that are answered without expr against such
// that are not, on values that never come twice.
func BenchmarkNative(b *testing.B) {
	var twins [][]byte
	for i := range 20_000 {
		at := noon.Now.Add(-time.Duration(i) * time.Second).Format("2006-01-02T15:04:05.0000000Z")
		twins = append(twins, fmt.Appendf(nil, `{"deviceId":"d-%d","lastActivityTime":%q,"properties":{"reported":{"used":%d,"total":%d,"list":["F%d","F2"]}}}`, i, at, i*7919, i*104729, i))
	}
	for _, c := range []struct{ name, native, expr string }{
		{"thresholds", "reported.used > %d", "reported.used + 0.5 > %d"},
		{"ages", `now - lastActivityTime > duration("%dm")`, `(now - lastActivityTime) * 1 > duration("%dm")`},
		{"texts", `id startsWith "d-%d"`, `lower(id) startsWith "d-%d"`},
		{"calculations", "reported.used * 3 > reported.total - %d", "reported.used * 3.5 > reported.total - %d"},
		{"lists", `any(reported.list, # startsWith "F%d")`, `any(reported.list, lower(#) startsWith "f%d")`},
	} {
		for how, text := range map[string]string{"native": c.native, "expr": c.expr} {
			var body strings.Builder
			for i := range 10 {
				fmt.Fprintf(&body, "  - id: r%d\n    when: |\n      "+text+"\n    patch: {tags: {new: 1}}\n", i, i+1)
			}
			sifter := program(b, "{}", body.String(), nil).Sieve(noon, nil).Sifter()
			b.Run(c.name+"/"+how, func(b *testing.B) {
				b.ReportAllocs()
				for n := 0; b.Loop(); n++ {
					sifter.Sift(twins[n%len(twins)])
				}
			})
		}
	}
}
