package pack

import (
	"fmt"
	"strings"

	"github.com/twinrules/twinrules/bench/fleet"
)

// Module writes rules as a CommonJS module: hits(t) pushes the numbers of the
// rules that hold for twin t to h.
func Module(rules []Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, `"use strict"
const NOW = %d
function hoursSince(s) { return (NOW - Date.parse(s.slice(0, 23) + "Z")) / 3600000 }
function key(s) { const m = /^(\d+)\.(\d+)\.(\d+)(-.*)?$/.exec(s); return m ? (m[1] * 1e8 + m[2] * 1e4 + +m[3]) * 2 + (m[4] ? 0 : 1) : NaN }
function hits(t, h) {
`, fleet.Taken.UnixMilli())
	for i, r := range rules {
		fmt.Fprintf(&b, "  if (%s) h.push(%d)\n", JavaScript(r.When), i)
	}
	fmt.Fprintf(&b, "}\nmodule.exports = { hits, n: %d }\n", len(rules))
	return b.String()
}

// JavaScript spells a condition over the parsed document t.
func JavaScript(c Condition) string {
	at := func(p Path) string { return "t." + chain(p.members()) }
	switch c := c.(type) {
	case All:
		return each(c, " && ", JavaScript)
	case Any:
		return "(" + each(c, " || ", JavaScript) + ")"
	case Not:
		return "!(" + JavaScript(c.Of) + ")"
	case Equal:
		return fmt.Sprintf("%s === %q", at(c.Path), c.Text)
	case Differs:
		return fmt.Sprintf("%s !== %q", at(c.Path), c.Text)
	case In:
		return fmt.Sprintf("[%s].includes(%s)", quoteAll(c.Texts, quote, ", "), at(c.Path))
	case Matches:
		return fmt.Sprintf(`/%s/.test(%s ?? "")`, c.Pattern, at(c.Path))
	case Starts:
		return fmt.Sprintf(`(%s ?? "").startsWith(%q)`, at(c.Path), c.With)
	case Contains:
		return fmt.Sprintf(`(%s ?? "").includes(%q)`, at(c.Path), c.Part)
	case Below:
		return fmt.Sprintf("(%s ?? Infinity) < %d", at(c.Path), c.Than)
	case Above:
		return fmt.Sprintf("(%s ?? -Infinity) > %d", at(c.Path), c.Than)
	case AboveOr:
		return fmt.Sprintf("(%s ?? %d) > %d", at(c.Path), c.Or, c.Than)
	case True:
		return fmt.Sprintf("%s === true", at(c.Path))
	case Missing:
		return fmt.Sprintf("%s == null", at(c.Path))
	case Same:
		return fmt.Sprintf("%s === %s", at(c.A), at(c.B))
	case Drift:
		return fmt.Sprintf("%[1]s != null && %[1]s !== %[2]s", at(c.Wanted), at(c.Told))
	case Fuller:
		return fmt.Sprintf("(%s ?? 0) * 100 > (%s ?? Infinity) * %d", at(c.Used), at(c.Total), c.Percent)
	case OlderVersion:
		return fmt.Sprintf(`key(%s ?? "") < key(%q)`, at(c.Path), c.Than)
	case Silent:
		return fmt.Sprintf("t.lastActivityTime !== %q && hoursSince(t.lastActivityTime) > %d", Never, c.Hours)
	case Stale:
		return fmt.Sprintf("hoursSince(t.%s ?? %q) > %d", chain(c.Path.written()), Taken, c.Hours)
	case AnyStarts:
		return fmt.Sprintf("(%s ?? []).some(e => e.startsWith(%q))", at(c.Path), c.With)
	}
	return unknown(c)
}
