package pack

import (
	"fmt"
	"strings"
)

// CEL spells a condition in CEL with optional types, and two functions of the
// race: semverLess and num, which gives a double or its second argument.
func CEL(c Condition) string {
	text := func(p Path) string { return optional(p.members()) + `.orValue("")` }
	switch c := c.(type) {
	case All:
		return each(c, " && ", CEL)
	case Any:
		return "(" + each(c, " || ", CEL) + ")"
	case Not:
		return "!(" + CEL(c.Of) + ")"
	case Equal:
		return fmt.Sprintf("%s == %q", text(c.Path), c.Text)
	case Differs:
		return fmt.Sprintf("%s != %q", text(c.Path), c.Text)
	case In:
		return fmt.Sprintf("%s in [%s]", text(c.Path), quoteAll(c.Texts, quote, ", "))
	case Matches:
		return fmt.Sprintf("%s.matches(%q)", text(c.Path), c.Pattern)
	case Starts:
		return fmt.Sprintf("%s.startsWith(%q)", text(c.Path), c.With)
	case Contains:
		return fmt.Sprintf("%s.contains(%q)", text(c.Path), c.Part)
	case Below:
		return fmt.Sprintf("%s < %d.0", double(c.Path, high), c.Than)
	case Above:
		return fmt.Sprintf("%s > %d.0", double(c.Path, low), c.Than)
	case AboveOr:
		return fmt.Sprintf("%s > %d.0", double(c.Path, c.Or), c.Than)
	case True:
		return optional(c.Path.members()) + ".orValue(false)"
	case Missing:
		return fmt.Sprintf("!%s.hasValue()", optional(c.Path.members()))
	case Same:
		return fmt.Sprintf("%s == %s", text(c.A), text(c.B))
	case Drift:
		return fmt.Sprintf("%s.hasValue() && %s != %s", optional(c.Wanted.members()), text(c.Wanted), text(c.Told))
	case Fuller:
		return fmt.Sprintf("%s * 100.0 > %s * %d.0", double(c.Used, 0), double(c.Total, high), c.Percent)
	case OlderVersion:
		return fmt.Sprintf("semverLess(%s, %q)", text(c.Path), c.Than)
	case Silent:
		return fmt.Sprintf("lastActivityTime != %q && timestamp(lastActivityTime) < timestamp(%q)", Never, Before(c.Hours))
	case Stale:
		return fmt.Sprintf("timestamp(%s.orValue(%q)) < timestamp(%q)", optional(c.Path.written()), Taken, Before(c.Hours))
	case AnyStarts:
		return fmt.Sprintf("%s.orValue([]).exists(e, e.startsWith(%q))", optional(c.Path.members()), c.With)
	}
	return unknown(c)
}

func double(p Path, or int) string {
	if len(p.members()) == 1 {
		return string(p)
	}
	return fmt.Sprintf("num(%s, %d.0)", optional(p.members()), or)
}

// optional selects with CEL's optional syntax from the first key that may be
// missing on. A member at the top is there always.
func optional(keys []string) string {
	if len(keys) == 1 {
		return fmt.Sprintf("optional.of(%s)", keys[0])
	}
	n := sure(keys)
	text := strings.Join(keys[:n], ".")
	for _, key := range keys[n:] {
		if strings.HasPrefix(key, "$") {
			text += fmt.Sprintf("[?%q]", key)
		} else {
			text += ".?" + key
		}
	}
	return text
}
