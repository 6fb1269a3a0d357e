package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

func TestMarkdownOfAPlan(t *testing.T) {
	golden(t, "plan.md", show(t, "markdown", samplePlan(), nil))
}

func TestMarkdownOfADifference(t *testing.T) {
	golden(t, "difference.md", show(t, "markdown", sampleDifference(), nil))
}

func TestMarkdownTitles(t *testing.T) {
	one := change("a", edit("tags.x", "", "1", "r"))
	failing, configured := plan(), plan(one)
	failing.Errors = []engine.Failure{{Ref: twin.Ref{Device: "a"}, Rule: "r", Message: "m"}}
	configured.Configurations = []engine.ConfigurationChange{{Action: engine.Create, ID: "tr-x", After: configuration("x", 1)}}
	tests := []struct {
		name string
		what any
		want string
	}{
		{"plan of nothing", plan(), "### twinrules · nothing to write in `contoso.azure-devices.net`"},
		{"plan", configured, "### twinrules · 1 twin and 1 configuration to write in `contoso.azure-devices.net`"},
		{"no difference", compared(plan(one), plan(one)), "### twinrules · no twin changes"},
		{"a twin", compared(plan(), plan(one)), "### twinrules · this change concerns **1** of 1000 twins in `contoso.azure-devices.net`"},
		{"a twin and a configuration", compared(plan(), configured), "### twinrules · this change concerns **1** of 1000 twins and 1 configuration in `contoso.azure-devices.net`"},
		{"a configuration", compared(plan(one), configured), "### twinrules · this change concerns 1 configuration in `contoso.azure-devices.net`"},
		{"a problem", compared(plan(), failing), "### twinrules · no twin changes · 1 new problem"},
		{"a problem less", compared(failing, plan()), "### twinrules · no twin changes · 1 resolved"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Split(show(t, "markdown", test.what, nil), "\n")[1]; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// However much a plan holds and whatever it says, the comment is taken.
func TestMarkdownKeepsWithinItsLimit(t *testing.T) {
	if watched {
		t.Skip("one goroutine, and much text")
	}
	giant := strings.Repeat("\U000e0041|`", 3_000)
	floods := []struct {
		name  string
		flood func(p *engine.Plan)
		left  string // said of what was left out
	}{
		{"different values", func(p *engine.Plan) {
			p.Changes = engine.ChangesOf(changes("d", 3000, func(i int) []engine.Edit { return []engine.Edit{edit(fmt.Sprintf("tags.p%d", i), `"a"`, "1", "r")} })...)
		}, "more rows"},
		{"old values", func(p *engine.Plan) {
			p.Changes = engine.ChangesOf(changes("d", 3000, func(i int) []engine.Edit { return []engine.Edit{edit("tags.p", fmt.Sprint(i), "1", "r")} })...)
		}, "*2997 more values*"},
		{"places", func(p *engine.Plan) {
			var list []engine.Edit
			for i := range 3000 {
				list = append(list, edit(fmt.Sprintf("tags.%d%s", i, giant[:600]), "1", "2", "r"))
			}
			p.Changes = engine.ChangesOf(change("d", list...))
		}, "more places"},
		{"conflicts", func(p *engine.Plan) {
			for i := range 3000 {
				p.Conflicts = append(p.Conflicts, engine.Conflict{Place: fmt.Sprintf("%d%s", i, giant[:600]), Wishes: []engine.ConflictWish{{Rule: giant[:600]}}})
			}
		}, "> - and "},
		{"errors", func(p *engine.Plan) {
			for i := range 3000 {
				p.Errors = append(p.Errors, engine.Failure{Rule: fmt.Sprint(i), Message: giant[:600]})
			}
		}, "> - and "},
		{"messages of one rule", func(p *engine.Plan) {
			for i := range 3000 {
				p.Errors = append(p.Errors, engine.Failure{Rule: "r", Message: fmt.Sprint(i, giant[:600])})
			}
		}, "and 2999 other messages"},
		{"breaches", func(p *engine.Plan) {
			for i := range 3000 {
				p.Breaches = append(p.Breaches, engine.Breach{Rule: fmt.Sprintf("rule-%d", i), Limits: rules.Limits{MaxTwins: 500, MaxPercent: 10}})
			}
		}, "> - and "},
		{"configurations", func(p *engine.Plan) {
			for i := range 300 {
				p.Configurations = append(p.Configurations, engine.ConfigurationChange{Action: engine.Update, ID: giant, Reason: giant, Rule: "r",
					Before: configuration(giant, i), After: configuration(giant+"x", i+1)})
			}
		}, "more* |"},
		{"giant names", func(p *engine.Plan) {
			p.Changes = engine.ChangesOf(change(giant, edit("tags."+giant, string(twin.Encode(giant)), `"x"`, giant, giant)))
			p.Pack.Name, p.Hub, p.Tool, p.Pack.Digest, p.Fleet.Digest = giant, giant, giant, giant, giant
		}, ""},
	}
	all := plan()
	for _, test := range floods {
		t.Run(test.name, func(t *testing.T) {
			p := plan()
			test.flood(p)
			fits(t, p, test.left)
			sum := engine.ChangesOf(append(changesIn(all.Changes), changesIn(p.Changes)...)...)
			test.flood(all)
			all.Changes, all.Audited = sum, sum
		})
	}
	t.Run("all at once", func(t *testing.T) { fits(t, all, "more rows") })
}

func fits(t *testing.T, p *engine.Plan, left string) {
	t.Helper()
	for _, what := range []any{p, compared(plan(), p)} {
		text := show(t, "markdown", what, nil)
		if len(text) > report.MaxMarkdown || !strings.Contains(text, left) {
			t.Errorf("%d bytes, which say %q: %v", len(text), left, strings.Contains(text, left))
		}
		if _, err := skeleton(text); err != nil {
			t.Error(err)
		}
		if !strings.HasPrefix(text, "<!-- twinrules:v1 kind=") || !strings.HasSuffix(text, "</sub>\n") {
			t.Errorf("begins with %.80q and ends with %q", text, text[len(text)-20:])
		}
	}
}
