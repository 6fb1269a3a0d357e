package pack

import (
	"fmt"
	"strings"

	"github.com/twinrules/twinrules/bench/fleet"
)

// YAML writes rules as a pack of twinrules. Its limits are as high as the
// language lets them be. Rules that write one place want one value there, so that
// none conflict.
func YAML(rules []Rule) string {
	var b strings.Builder
	b.WriteString("apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: race}\nlimits: {maxTwins: 1000000, maxPercent: 100}\n" +
		"defaults: {limits: {maxTwins: 1000000, maxPercent: 100, maxShrink: 100}}\nrules:\n")
	for _, r := range rules {
		fmt.Fprintf(&b, "  - id: %s\n    when: |\n      %s\n    patch: %s\n", r.ID, TwinRules(r.When), patch(r.Wish))
	}
	return b.String()
}

// patch writes a wish as a patch, in JSON, which is YAML, too.
func patch(w fleet.Wish) string {
	return fmt.Sprintf("{%q: %s}", w.Section, Nested(w.Path, w.JSON))
}

// Nested writes a value inside the objects that lead to it.
func Nested(path []string, json string) string {
	for i := len(path) - 1; i >= 0; i-- {
		json = fmt.Sprintf("{%q: %s}", path[i], json)
	}
	return json
}

// TwinRules spells a condition as a rule of twinrules does, whose operators know
// what is missing.
func TwinRules(c Condition) string {
	switch c := c.(type) {
	case All:
		return each(c, " and ", TwinRules)
	case Any:
		return "(" + each(c, " or ", TwinRules) + ")"
	case Not:
		return "not (" + TwinRules(c.Of) + ")"
	case Equal:
		return fmt.Sprintf("%s == %q", c.Path, c.Text)
	case Differs:
		return fmt.Sprintf("%s != %q", c.Path, c.Text)
	case In:
		return fmt.Sprintf("%s in [%s]", c.Path, quoteAll(c.Texts, quote, ", "))
	case Matches:
		return fmt.Sprintf("%s matches %q", c.Path, c.Pattern)
	case Starts:
		return fmt.Sprintf("%s startsWith %q", c.Path, c.With)
	case Contains:
		return fmt.Sprintf("%s contains %q", c.Path, c.Part)
	case Below:
		return fmt.Sprintf("%s < %d", c.Path, c.Than)
	case Above:
		return fmt.Sprintf("%s > %d", c.Path, c.Than)
	case AboveOr:
		return fmt.Sprintf("(%s ?? %d) > %d", c.Path, c.Or, c.Than)
	case True:
		return string(c.Path)
	case Missing:
		return fmt.Sprintf("%s == nil", c.Path)
	case Same:
		return fmt.Sprintf("%s == %s", c.A, c.B)
	case Drift:
		return fmt.Sprintf("%s != nil and %s != %s", c.Wanted, c.Wanted, c.Told)
	case Fuller:
		return fmt.Sprintf("%s * 100 > %s * %d", c.Used, c.Total, c.Percent)
	case OlderVersion:
		return fmt.Sprintf("semver(%s) < semver(%q)", c.Path, c.Than)
	case Silent:
		return fmt.Sprintf(`now - lastActivityTime > duration("%dh")`, c.Hours)
	case Stale:
		return fmt.Sprintf(`age(%s) > duration("%dh")`, c.Path, c.Hours)
	case AnyStarts:
		return fmt.Sprintf("any(%s, # startsWith %q)", c.Path, c.With)
	}
	return unknown(c)
}
