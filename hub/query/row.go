package query

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"math/big"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// Rows returns the query's rows over twins, in their order: a twin's own JSON
// for SELECT *, else objects of the columns. A column that is undefined is left
// out of its row. Groups come in the order in which their first twin does, and
// twins that lack a key of GROUP BY are a group of their own.
func (q *Query) Rows(twins iter.Seq[*twin.Twin]) []json.RawMessage {
	rows := []json.RawMessage{}
	if q.aggregated() || len(q.groupBy) > 0 {
		rows = q.groupRows(twins)
	} else {
		for t := range q.matching(twins) {
			if rows = append(rows, q.row(t)); len(rows) == q.top {
				break
			}
		}
	}
	if q.top > 0 && len(rows) > q.top {
		rows = rows[:q.top]
	}
	return rows
}

func (q *Query) matching(twins iter.Seq[*twin.Twin]) iter.Seq[*twin.Twin] {
	return func(yield func(*twin.Twin) bool) {
		for t := range twins {
			if q.Matches(t) && !yield(t) {
				return
			}
		}
	}
}

func (q *Query) row(t *twin.Twin) json.RawMessage {
	if !q.Raw() {
		return t.JSON()
	}
	d := &twinDocument{twin: t}
	values := make([]any, len(q.columns))
	for i, c := range q.columns {
		values[i] = lookup(c.path, d)
	}
	return q.object(values)
}

// object writes a row with its columns in their order.
func (q *Query) object(values []any) json.RawMessage {
	var members [][]byte
	for i, name := range q.names() {
		if values[i] != any(Undefined{}) {
			members = append(members, slices.Concat(twin.Encode(name), []byte(":"), twin.Encode(values[i])))
		}
	}
	return slices.Concat([]byte("{"), bytes.Join(members, []byte(",")), []byte("}"))
}

// A group is the twins with the same values at the paths of GROUP BY.
type group struct {
	values  []any    // of the columns that are paths
	tallies []*tally // of the columns that are aggregates
}

// groupRows makes one row of each group; without GROUP BY there is one group,
// even of no twins.
func (q *Query) groupRows(twins iter.Seq[*twin.Twin]) (rows []json.RawMessage) {
	groups := map[string]*group{}
	var order []*group
	if len(q.groupBy) == 0 {
		groups[""] = q.newGroup(&twinDocument{twin: &twin.Twin{}})
		order = append(order, groups[""])
	}
	for t := range q.matching(twins) {
		d := &twinDocument{twin: t}
		key := q.groupKey(d)
		if groups[key] == nil {
			groups[key] = q.newGroup(d)
			order = append(order, groups[key])
		}
		groups[key].add(q, d)
	}
	for _, g := range order {
		rows = append(rows, q.object(g.results(q)))
	}
	return rows
}

// groupKey tells groups apart: values by their JSON, which keeps 1 and "1"
// apart, numbers by value, which does not do so with 1 and 1.0.
func (q *Query) groupKey(d document) string {
	var b bytes.Buffer
	for _, path := range q.groupBy {
		switch v := lookup(path, d).(type) {
		case Undefined:
		case json.Number:
			fmt.Fprint(&b, parseDecimal(string(v)))
		default:
			b.Write(twin.Encode(v))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (q *Query) newGroup(d document) *group {
	g := &group{values: make([]any, len(q.columns)), tallies: make([]*tally, len(q.columns))}
	for i, c := range q.columns {
		g.tallies[i] = &tally{}
		if c.aggregate == "" {
			g.values[i] = lookup(c.path, d)
		}
	}
	return g
}

func (g *group) add(q *Query, d document) {
	for i, c := range q.columns {
		switch c.aggregate {
		case "":
		case "count":
			g.tallies[i].count++
		default:
			g.tallies[i].add(lookup(c.path, d))
		}
	}
}

func (g *group) results(q *Query) []any {
	for i, c := range q.columns {
		if c.aggregate != "" {
			g.values[i] = g.tallies[i].result(c.aggregate)
		}
	}
	return g.values
}

// A tally adds up the numbers at one path. Values that are no numbers count for
// nothing; what the hub makes of them is not known.
type tally struct {
	count    int64
	sum      big.Rat
	min, max json.Number
}

func (t *tally) add(v any) {
	n, isNumber := v.(json.Number)
	x, bearable := rational(v)
	if !isNumber || !bearable {
		return
	}
	if t.count == 0 || compareSpelled(string(n), string(t.min)) < 0 {
		t.min = n
	}
	if t.count == 0 || compareSpelled(string(n), string(t.max)) > 0 {
		t.max = n
	}
	t.sum.Add(&t.sum, x)
	t.count++
}

// result returns a number, or Undefined for an aggregate over no numbers.
func (t *tally) result(aggregate string) any {
	switch {
	case aggregate == "count":
		return spellNumber(new(big.Rat).SetInt64(t.count))
	case t.count == 0:
		return Undefined{}
	case aggregate == "min":
		return t.min
	case aggregate == "max":
		return t.max
	case aggregate == "sum":
		return spellNumber(&t.sum)
	}
	return spellNumber(new(big.Rat).Quo(&t.sum, new(big.Rat).SetInt64(t.count)))
}

// spellNumber writes whole numbers in full and others as the nearest float.
func spellNumber(r *big.Rat) any {
	if r.IsInt() {
		return json.Number(r.Num().String())
	}
	f, _ := r.Float64()
	text, err := json.Marshal(f)
	if err != nil {
		return Undefined{} // beyond what a float holds
	}
	return json.Number(text)
}
