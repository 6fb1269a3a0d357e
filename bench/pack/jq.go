package pack

import (
	"fmt"
	"strings"
)

// Filter writes rules as one program of jq, which prints the numbers of the rules
// that hold for a device and nothing for a module or the snapshot's header.
func Filter(rules []Rule) string {
	var b strings.Builder
	b.WriteString(`def older($v): . as $s | if $s == null then false else ($s | split("-")[0] | split(".") | map(tonumber)) as $a |
 ($v | split(".") | map(tonumber)) as $b | $a < $b or ($a == $b and ($s | contains("-"))) end;
select(.deviceId != null and .moduleId == null) | [`)
	for i, r := range rules {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "\n(if %s then %d else empty end)", JQ(r.When), i)
	}
	b.WriteString("]\n")
	return b.String()
}

// JQ spells a condition over the document.
func JQ(c Condition) string {
	at := func(p Path) string { return bracketed(p.members()) }
	switch c := c.(type) {
	case All:
		return "(" + each(c, " and ", JQ) + ")"
	case Any:
		return "(" + each(c, " or ", JQ) + ")"
	case Not:
		return "(" + JQ(c.Of) + " | not)"
	case Equal:
		return fmt.Sprintf("%s == %q", at(c.Path), c.Text)
	case Differs:
		return fmt.Sprintf("%s != %q", at(c.Path), c.Text)
	case In:
		return fmt.Sprintf("(%s | %s)", at(c.Path), quoteAll(c.Texts, func(s string) string { return ". == " + quote(s) }, " or "))
	case Matches:
		return fmt.Sprintf(`((%s // "") | test(%q))`, at(c.Path), c.Pattern)
	case Starts:
		return fmt.Sprintf(`((%s // "") | startswith(%q))`, at(c.Path), c.With)
	case Contains:
		return fmt.Sprintf(`((%s // "") | contains(%q))`, at(c.Path), c.Part)
	case Below:
		return fmt.Sprintf("(%s // %d) < %d", at(c.Path), high, c.Than)
	case Above:
		return fmt.Sprintf("(%s // %d) > %d", at(c.Path), low, c.Than)
	case AboveOr:
		return fmt.Sprintf("(%s // %d) > %d", at(c.Path), c.Or, c.Than)
	case True:
		return fmt.Sprintf("(%s == true)", at(c.Path))
	case Missing:
		return fmt.Sprintf("%s == null", at(c.Path))
	case Same:
		return fmt.Sprintf("%s == %s", at(c.A), at(c.B))
	case Drift:
		return fmt.Sprintf("%[1]s != null and %[1]s != %[2]s", at(c.Wanted), at(c.Told))
	case Fuller:
		return fmt.Sprintf("(%s // 0) * 100 > (%s // %d) * %d", at(c.Used), at(c.Total), high, c.Percent)
	case OlderVersion:
		return fmt.Sprintf("(%s | older(%q))", at(c.Path), c.Than)
	case Silent: // jq 1.6 reads no fractions of seconds; times of the hub order as text
		return fmt.Sprintf("(.lastActivityTime != %q and .lastActivityTime < %q)", Never, Before(c.Hours))
	case Stale:
		return fmt.Sprintf(`(%s // "9") < %q`, bracketed(c.Path.written()), Before(c.Hours))
	case AnyStarts:
		return fmt.Sprintf("any((%s // [])[]; startswith(%q))", at(c.Path), c.With)
	}
	return unknown(c)
}
