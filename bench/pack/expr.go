package pack

import (
	"fmt"
	"strings"
)

// Expr spells a condition in expr over the hub's document as a map, with three
// functions of the race: semverLess, hoursSince and the constant never.
func Expr(c Condition) string {
	switch c := c.(type) {
	case All:
		return each(c, " && ", Expr)
	case Any:
		return "(" + each(c, " || ", Expr) + ")"
	case Not:
		return "not (" + Expr(c.Of) + ")"
	case Equal:
		return fmt.Sprintf("%s == %q", chain(c.Path.members()), c.Text)
	case Differs:
		return fmt.Sprintf("%s != %q", chain(c.Path.members()), c.Text)
	case In:
		return fmt.Sprintf("%s in [%s]", chain(c.Path.members()), quoteAll(c.Texts, quote, ", "))
	case Matches:
		return fmt.Sprintf(`(%s ?? "") matches %q`, chain(c.Path.members()), c.Pattern)
	case Starts:
		return fmt.Sprintf(`(%s ?? "") startsWith %q`, chain(c.Path.members()), c.With)
	case Contains:
		return fmt.Sprintf(`(%s ?? "") contains %q`, chain(c.Path.members()), c.Part)
	case Below:
		return fmt.Sprintf("(%s ?? %d) < %d", chain(c.Path.members()), high, c.Than)
	case Above:
		return fmt.Sprintf("(%s ?? %d) > %d", chain(c.Path.members()), low, c.Than)
	case AboveOr:
		return fmt.Sprintf("(%s ?? %d) > %d", chain(c.Path.members()), c.Or, c.Than)
	case True:
		return fmt.Sprintf("(%s ?? false)", chain(c.Path.members()))
	case Missing:
		return fmt.Sprintf("%s == nil", chain(c.Path.members()))
	case Same:
		return fmt.Sprintf("%s == %s", chain(c.A.members()), chain(c.B.members()))
	case Drift:
		return fmt.Sprintf("%[1]s != nil && %[1]s != %[2]s", chain(c.Wanted.members()), chain(c.Told.members()))
	case Fuller:
		return fmt.Sprintf("(%s ?? 0) * 100 > (%s ?? %d) * %d", chain(c.Used.members()), chain(c.Total.members()), high, c.Percent)
	case OlderVersion:
		return fmt.Sprintf(`semverLess(%s ?? "", %q)`, chain(c.Path.members()), c.Than)
	case Silent:
		return fmt.Sprintf("lastActivityTime != %q && hoursSince(lastActivityTime) > %d", Never, c.Hours)
	case Stale:
		return fmt.Sprintf("hoursSince(%s ?? %q) > %d", chain(c.Path.written()), Taken, c.Hours)
	case AnyStarts:
		return fmt.Sprintf("any(%s ?? [], # startsWith %q)", chain(c.Path.members()), c.With)
	}
	return unknown(c)
}

// chain joins keys, with "?." where an object may be missing.
func chain(keys []string) string {
	n := sure(keys)
	text := strings.Join(keys[:n], ".")
	for i, key := range keys[n:] {
		if i == 0 {
			text += "." + key
		} else {
			text += "?." + key
		}
	}
	return text
}
