package pack

import (
	"fmt"
	"strings"

	"github.com/twinrules/twinrules/bench/fleet"
)

// Policy writes rules as a module of Rego: data.race.hit is the set of the ids of
// the rules that hold.
func Policy(rules []Rule) string {
	var b strings.Builder
	b.WriteString("package race\nimport rego.v1\nor(x, d) := d if x == null\nor(x, d) := x if x != null\nset(x) if x == true\neither(a, _) if a\neither(_, b) if b\n")
	for _, r := range rules {
		fmt.Fprintf(&b, "hit contains %q if { %s }\n", r.ID, Rego(r.When))
	}
	return b.String()
}

// Rego spells a condition as the body of a rule. Plain references, which OPA
// indexes, stand wherever undefined may mean false.
func Rego(c Condition) string {
	switch c := c.(type) {
	case All:
		return each(c, "; ", Rego)
	case Any:
		return fmt.Sprintf("either(%s, %s)", regoValue(c[0]), regoValue(c[1]))
	case Not:
		return "not " + Rego(c.Of)
	case Equal:
		return fmt.Sprintf("%s == %q", ref(c.Path.members()), c.Text)
	case Differs:
		return fmt.Sprintf("%s != %q", get(c.Path), c.Text)
	case In:
		return fmt.Sprintf("%s in {%s}", ref(c.Path.members()), quoteAll(c.Texts, quote, ", "))
	case Matches:
		return fmt.Sprintf("regex.match(%q, %s)", c.Pattern, ref(c.Path.members()))
	case Starts:
		return fmt.Sprintf("startswith(%s, %q)", ref(c.Path.members()), c.With)
	case Contains:
		return fmt.Sprintf("contains(%s, %q)", ref(c.Path.members()), c.Part)
	case True:
		return fmt.Sprintf("set(%s)", get(c.Path))
	case Same:
		return fmt.Sprintf("%s == %s", ref(c.A.members()), ref(c.B.members()))
	case Drift:
		return fmt.Sprintf("%s != %s", ref(c.Wanted.members()), get(c.Told))
	case Fuller:
		return fmt.Sprintf("%s * 100 > %s * %d", ref(c.Used.members()), ref(c.Total.members()), c.Percent)
	case OlderVersion:
		return fmt.Sprintf("semver.compare(%s, %q) < 0", ref(c.Path.members()), c.Than)
	case Silent:
		return fmt.Sprintf("input.lastActivityTime != %q; time.parse_rfc3339_ns(input.lastActivityTime) < %d", Never, since(c.Hours))
	case Stale:
		return fmt.Sprintf("time.parse_rfc3339_ns(%s) < %d", ref(c.Path.written()), since(c.Hours))
	case AnyStarts:
		return fmt.Sprintf("some e in %s; startswith(e, %q)", ref(c.Path.members()), c.With)
	}
	return regoValue(c)
}

// regoValue spells a condition that is true or false and never undefined, as
// the argument of a function must be.
func regoValue(c Condition) string {
	switch c := c.(type) {
	case Equal:
		return fmt.Sprintf("%s == %q", get(c.Path), c.Text)
	case Missing:
		return fmt.Sprintf("%s == null", get(c.Path))
	case Below:
		return fmt.Sprintf("or(%s, %d) < %d", get(c.Path), high, c.Than)
	case Above:
		return fmt.Sprintf("or(%s, %d) > %d", get(c.Path), low, c.Than)
	case AboveOr:
		return fmt.Sprintf("or(%s, %d) > %d", get(c.Path), c.Or, c.Than)
	}
	return unknown(c)
}

func since(hours int) int64 { return fleet.Taken.Add(-hoursLong(hours)).UnixNano() }

func ref(keys []string) string { return "input" + bracketed(keys) }

func bracketed(keys []string) string {
	text := ""
	for _, key := range keys {
		if strings.HasPrefix(key, "$") {
			text += fmt.Sprintf("[%q]", key)
		} else {
			text += "." + key
		}
	}
	return text
}

func get(p Path) string {
	keys := p.members()
	n := sure(keys)
	return fmt.Sprintf("object.get(%s, [%s], null)", ref(keys[:n]), quoteAll(keys[n:], quote, ", "))
}
