package pack

import (
	"fmt"
	"strings"
)

// columns are the members that rules of a race read, typed.
const columns = `{deviceId:'VARCHAR', moduleId:'VARCHAR', status:'VARCHAR', connectionState:'VARCHAR', lastActivityTime:'VARCHAR',
 tags:'STRUCT(ring VARCHAR, kind VARCHAR, "owner" VARCHAR, note VARCHAR, maintenance BOOLEAN, place STRUCT(region VARCHAR, site VARCHAR))',
 properties:'STRUCT(desired STRUCT(config STRUCT("mode" VARCHAR), telemetry STRUCT(everySec DOUBLE), firmware STRUCT(channel VARCHAR)),
 reported STRUCT(model VARCHAR, firmware STRUCT("version" VARCHAR, channel VARCHAR), config STRUCT("mode" VARCHAR), telemetry STRUCT(compress BOOLEAN),
 network STRUCT("type" VARCHAR, rssi DOUBLE), battery STRUCT("level" DOUBLE), temperature DOUBLE, disk STRUCT(totalMB DOUBLE, usedMB DOUBLE),
 faults VARCHAR[], uptimeSec DOUBLE, restarts DOUBLE, "$metadata" STRUCT(firmware STRUCT("version" STRUCT("$lastUpdated" VARCHAR)))))'}`

// Statements writes rules for DuckDB: a macro and, behind a line of dashes, one
// query that counts the devices each rule holds for. FILE stands for the fleet.
func Statements(rules []Rule) string {
	counts := make([]string, len(rules))
	for i, r := range rules {
		counts[i] = fmt.Sprintf("count(*) FILTER (WHERE %s)", SQL(r.When))
	}
	return `CREATE MACRO semverkey(v) AS CASE WHEN v IS NULL THEN NULL ELSE list_concat(list_transform(string_split(split_part(v, '-', 1), '.'), lambda x: CAST(x AS INTEGER)), [CASE WHEN contains(v, '-') THEN 0 ELSE 1 END]) END
----
SELECT count(*),
 ` + strings.Join(counts, ",\n ") + "\nFROM read_json('FILE', format='newline_delimited', maximum_object_size=1048576, columns=" + columns + ")\nWHERE deviceId IS NOT NULL AND moduleId IS NULL\n"
}

// SQL spells a condition for DuckDB. What is NULL counts as false.
func SQL(c Condition) string {
	at := func(p Path) string { return column(p.members()) }
	switch c := c.(type) {
	case All:
		return each(c, " AND ", SQL)
	case Any:
		return "(" + each(c, " OR ", SQL) + ")"
	case Not:
		return fmt.Sprintf("NOT coalesce(%s, false)", SQL(c.Of))
	case Equal:
		return fmt.Sprintf("%s = %s", at(c.Path), single(c.Text))
	case Differs:
		return fmt.Sprintf("%s IS DISTINCT FROM %s", at(c.Path), single(c.Text))
	case In:
		return fmt.Sprintf("%s IN (%s)", at(c.Path), quoteAll(c.Texts, single, ", "))
	case Matches:
		return fmt.Sprintf("regexp_matches(%s, %s)", at(c.Path), single(c.Pattern))
	case Starts:
		return fmt.Sprintf("starts_with(%s, %s)", at(c.Path), single(c.With))
	case Contains:
		return fmt.Sprintf("contains(%s, %s)", at(c.Path), single(c.Part))
	case Below:
		return fmt.Sprintf("%s < %d", at(c.Path), c.Than)
	case Above:
		return fmt.Sprintf("%s > %d", at(c.Path), c.Than)
	case AboveOr:
		return fmt.Sprintf("coalesce(%s, %d) > %d", at(c.Path), c.Or, c.Than)
	case True:
		return at(c.Path)
	case Missing:
		return fmt.Sprintf("%s IS NULL", at(c.Path))
	case Same:
		return fmt.Sprintf("%s = %s", at(c.A), at(c.B))
	case Drift:
		return fmt.Sprintf("%[1]s IS NOT NULL AND %[1]s IS DISTINCT FROM %[2]s", at(c.Wanted), at(c.Told))
	case Fuller:
		return fmt.Sprintf("%s * 100 > %s * %d", at(c.Used), at(c.Total), c.Percent)
	case OlderVersion:
		return fmt.Sprintf("semverkey(%s) < [%s,1]", at(c.Path), strings.ReplaceAll(c.Than, ".", ","))
	case Silent:
		return fmt.Sprintf("lastActivityTime <> %s AND lastActivityTime < %s", single(Never), single(Before(c.Hours)))
	case Stale:
		return fmt.Sprintf("%s < %s", column(c.Path.written()), single(Before(c.Hours)))
	case AnyStarts:
		return fmt.Sprintf("len(list_filter(%s, lambda e: starts_with(e, %s))) > 0", at(c.Path), single(c.With))
	}
	return unknown(c)
}

func column(keys []string) string {
	return quoteAll(keys, func(s string) string { return `"` + s + `"` }, ".")
}
