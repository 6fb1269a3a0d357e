package query

import (
	"fmt"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Query is a parsed SELECT. It is immutable.
type Query struct {
	top     int      // 0 for all
	columns []column // none for *
	from    string
	where   Expr // nil for all
	groupBy []Path
}

// A column is a path, or an aggregate over one.
type column struct {
	path      Path
	aggregate string // in small letters, "" for a path
	alias     string // "" without AS
	offset    int
}

// Collection returns "devices", "devices.modules" or "devices.jobs".
func (q *Query) Collection() string { return q.from }

// Raw reports whether the rows are made of columns, so that they are not twins
// (or jobs) but what the hub calls Raw.
func (q *Query) Raw() bool { return len(q.columns) > 0 }

// Where returns the condition, nil when there is none.
func (q *Query) Where() Expr { return q.where }

// Top returns how many rows are wanted at most, 0 for all of them.
func (q *Query) Top() int { return q.top }

// Matches reports whether t is in the collection and meets the condition. No
// twin is in devices.jobs; there, ask [HoldsObject] with [Query.Where].
func (q *Query) Matches(t *twin.Twin) bool {
	switch q.from {
	case "devices":
		return t.Ref.Module == "" && Holds(q.where, t)
	case "devices.modules":
		return t.Ref.Module != "" && Holds(q.where, t)
	}
	return false
}

// String writes the query so that [Parse] reads it back, with every parenthesis.
// The text may be longer than [MaxLength] although what was parsed was not.
func (q *Query) String() string {
	var b strings.Builder
	b.WriteString("SELECT ")
	if q.top > 0 {
		fmt.Fprintf(&b, "TOP %d ", q.top)
	}
	b.WriteString(q.selection() + " FROM " + q.from)
	if q.where != nil {
		b.WriteString(" WHERE " + q.where.String())
	}
	if len(q.groupBy) > 0 {
		b.WriteString(" GROUP BY " + list(q.groupBy))
	}
	return b.String()
}

func (q *Query) selection() string {
	if !q.Raw() {
		return "*"
	}
	return list(q.columns)
}

// list writes items with commas between.
func list[T fmt.Stringer](items []T) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = item.String()
	}
	return strings.Join(texts, ", ")
}

func (c column) String() string {
	var text string
	switch c.aggregate {
	case "":
		text = c.path.String()
	case "count":
		text = "count()"
	default:
		text = c.aggregate + "(" + c.path.String() + ")"
	}
	if c.alias != "" {
		text += " AS " + quoteName(c.alias)
	}
	return text
}

// names returns the key of each column in a row: the name behind AS, else the
// last key of the path. An aggregate without a name gets $1, $2 and so on, as in
// the hub's kin; what the hub calls it is not known.
func (q *Query) names() []string {
	names := make([]string, len(q.columns))
	unnamed := 0
	for i, c := range q.columns {
		switch {
		case c.alias != "":
			names[i] = c.alias
		case c.aggregate == "":
			names[i] = c.path[len(c.path)-1]
		default:
			unnamed++
			names[i] = fmt.Sprintf("$%d", unnamed)
		}
	}
	return names
}

func (q *Query) aggregated() bool {
	for _, c := range q.columns {
		if c.aggregate != "" {
			return true
		}
	}
	return false
}
