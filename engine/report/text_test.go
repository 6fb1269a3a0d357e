package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/twin"
)

func TestTextOfAPlan(t *testing.T) {
	golden(t, "plan.txt", show(t, "text", samplePlan(), nil))
}

func TestTextOfADifference(t *testing.T) {
	golden(t, "difference.txt", show(t, "text", sampleDifference(), nil))
}

func TestTheLastLineOfAPlan(t *testing.T) {
	one := change("a", edit("tags.x", "", "1", "r"))
	created := []engine.ConfigurationChange{{Action: engine.Create, ID: "tr-x", After: configuration("x", 1)}}
	fleet := func(devices, modules int, complete bool) engine.FleetInfo {
		return engine.FleetInfo{Devices: devices, Modules: modules, Complete: complete}
	}
	tests := []struct {
		name string
		edit func(p *engine.Plan)
		want string
	}{
		{"nothing", func(p *engine.Plan) {}, "Nothing to write: the 1000 twins read are as the rules want them."},
		{"nothing, of one", func(p *engine.Plan) { p.Fleet = fleet(1, 0, true) }, "Nothing to write: the 1 twin read is as the rules want it."},
		{"nothing, of none", func(p *engine.Plan) { p.Fleet = fleet(0, 0, true) }, "Nothing to write: no twins were read."},
		{"nothing, of some", func(p *engine.Plan) { p.Fleet = fleet(3, 1, false) },
			"Nothing to write: the 4 twins read are as the rules want them. It cannot be applied: the twins it was computed from are known to be incomplete."},
		{"nothing, and errors", func(p *engine.Plan) { p.Errors = make([]engine.Failure, 2) }, "Nothing to write, 2 errors."},
		{"a twin", func(p *engine.Plan) { p.Changes = engine.ChangesOf(one) }, "1 twin to write."},
		{"a configuration", func(p *engine.Plan) { p.Configurations = created }, "1 configuration to write."},
		{"both", func(p *engine.Plan) { p.Changes, p.Configurations = engine.ChangesOf(one, one), created }, "2 twins and 1 configuration to write."},
		{"audited", func(p *engine.Plan) { p.Audited = engine.ChangesOf(one) }, "Nothing to write, 1 audited twin."},
		{"a configuration that is kept", func(p *engine.Plan) {
			p.Configurations = []engine.ConfigurationChange{{Action: engine.Keep, ID: "tr-x"}}
		}, "Nothing to write: the 1000 twins read are as the rules want them."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := plan()
			test.edit(p)
			text := show(t, "text", p, &report.Options{Width: 1000})
			if got := text[strings.LastIndex(strings.TrimSpace(text), "\n")+1:]; got != test.want+"\n" {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTheLastLineOfADifference(t *testing.T) {
	one := change("a", edit("tags.x", "", "1", "r"))
	failing := plan()
	failing.Errors = []engine.Failure{{Ref: twin.Ref{Device: "a"}, Rule: "r", Message: "m"}}
	kept := plan()
	kept.Configurations = []engine.ConfigurationChange{{Action: engine.Create, ID: "tr-x", After: configuration("x", 1)}}
	tests := []struct {
		name       string
		base, head *engine.Plan
		want       string
	}{
		{"none", plan(), plan(), "This change has no effect on these twins. The next run would write nothing."},
		{"none, and pending", plan(one), plan(one), "This change has no effect on these twins. Pending without it anyway: 1 twin. The next run would write 1 twin."},
		{"problems only", plan(), failing, "This change concerns no twin. The next run would write nothing."},
		{"a configuration", plan(), kept, "This change concerns 1 configuration. The next run would write 1 configuration."},
		{"withdrawn", plan(one), plan(), "This change concerns 1 twin. The next run would write nothing."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := show(t, "text", compared(test.base, test.head), &report.Options{Width: 1000})
			if got := text[strings.LastIndex(strings.TrimSpace(text), "\n")+1:]; got != test.want+"\n" {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTextThatIsTooWide(t *testing.T) {
	long := strings.Repeat("long.", 12) + "leaf"
	many := []string{}
	for i := range 30 {
		many = append(many, fmt.Sprintf("rule-%d", i))
	}
	p := plan(
		change(strings.Repeat("d", 120), edit("desired."+long, `"`+strings.Repeat("あ", 80)+`"`, `["x","y"]`, "power-save")),
		change("e", edit("tags.a", "1", `"`+strings.Repeat("v", 90)+`"`, many...)),
	)
	p.Rules[0].File = strings.Repeat("folder/", 10) + "pack.yaml"
	p.Errors = []engine.Failure{{Ref: twin.Ref{Device: "c"}, Rule: "power-save", Message: strings.Repeat("word ", 20) + strings.Repeat("w", 100)}}
	golden(t, "wide.txt", show(t, "text", p, &report.Options{Width: 80}))
}

func TestTextKeepsWithinItsWidth(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := anyPlan(rt)
		width := rapid.IntRange(70, 200).Draw(rt, "width")
		text := show(t, "text", p, &report.Options{Width: width})
		widths := &runewidth.Condition{StrictEmojiNeutral: true}
		for line := range strings.Lines(text) {
			if w := widths.StringWidth(strings.TrimSuffix(line, "\n")); w > width {
				rt.Errorf("%d columns, not %d: %q", w, width, line)
			}
		}
	})
}

// Colours say nothing that the signs do not.
func TestColour(t *testing.T) {
	plain := show(t, "text", samplePlan(), nil)
	coloured := show(t, "text", samplePlan(), &report.Options{Color: true})
	for _, code := range []string{"\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[34m"} {
		if !strings.Contains(coloured, code) {
			t.Errorf("no %q", code)
		}
	}
	without := coloured
	for _, code := range []string{"\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[35m", "\x1b[0m", "\x1b[0;22;0;0;0m"} {
		without = strings.ReplaceAll(without, code, "")
	}
	same(t, without, plain)
}
