package pack

import (
	"strconv"
	"strings"
)

// A Path is a member of a twin as rules of twinrules spell it, such as
// "reported.network.type" or "status".
type Path string

// members returns the keys that lead there in the hub's document.
func (p Path) members() []string {
	keys := strings.Split(string(p), ".")
	switch keys[0] {
	case "id":
		keys[0] = "deviceId"
	case "desired", "reported":
		keys = append([]string{"properties"}, keys...)
	}
	return keys
}

// written returns the keys that lead to the time of the path's last write. A
// place in reported properties has it.
func (p Path) written() []string {
	keys := p.members()
	return append(append([]string{keys[0], keys[1], "$metadata"}, keys[2:]...), "$lastUpdated")
}

// sure is how many of the keys every device's twin has: those of its sections.
func sure(keys []string) int {
	if keys[0] == "properties" {
		return 2
	}
	return 1
}

func quoteAll(list []string, quote func(string) string, sep string) string {
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = quote(s)
	}
	return strings.Join(parts, sep)
}

// each spells the parts of a condition and joins them.
func each(list []Condition, sep string, spell func(Condition) string) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = spell(c)
	}
	return strings.Join(parts, sep)
}

// quote writes s as text of most languages. Words of packs have no control
// characters.
func quote(s string) string { return strconv.Quote(s) }

// single writes s as text of SQL.
func single(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
