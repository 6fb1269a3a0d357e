package query

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCondition(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{"equality", `tags.site = 'muc'`, `tags.site = 'muc'`},
		{"double quotes", `tags.site="muc"`, `tags.site = 'muc'`},
		{"escapes", `tags.a = 'it\'s \\ \u0041 \uD83D\uDE00 \n'`, `tags.a = 'it\'s \\ A 😀 \u000A'`},
		{"other spelling of not equal", `tags.a <> 1`, `tags.a != 1`},
		{"precedence", `NOT tags.a = 1 AND tags.b = 2 OR tags.c = 3`, `((NOT (tags.a = 1)) AND (tags.b = 2)) OR (tags.c = 3)`},
		{"chains are flat", `tags.a = 1 AND (tags.b = 2 AND (tags.c = 3))`, `(tags.a = 1) AND (tags.b = 2) AND (tags.c = 3)`},
		{"products before sums", `tags.a + 2 * tags.b - 1 > 3`, `((tags.a + (2 * tags.b)) - 1) > 3`},
		{"in", `DeviceId IN ['a','b']`, `deviceId IN ['a', 'b']`},
		{"not in", `tags.a nin [1, -2.50, true, null]`, `tags.a NIN [1, -2.50, true, null]`},
		{"functions", `is_defined(tags.a) and StartsWith(deviceId, 'p')`, `IS_DEFINED(tags.a) AND STARTSWITH(deviceId, 'p')`},
		{"negative literal", `tags.a = -5`, `tags.a = -5`},
		{"negated path", `tags.a = -tags.b`, `tags.a = (-tags.b)`},
		{"negated literal", `tags.a = -(5)`, `tags.a = (-(5))`},
		{"subtraction", `tags.a -5 = 0`, `(tags.a - 5) = 0`},
		{"hyphen in a name", `tags.a-b = 1`, `tags.[[a-b]] = 1`},
		{"hexadecimal", `tags.a = 0xff`, `tags.a = 255`},
		{"exponent", `tags.a = 1e-3`, `tags.a = 1e-3`},
		{"reserved word quoted", `tags.[[group]].name = 'x'`, `tags.[[group]].name = 'x'`},
		{"odd key quoted", `configurations.[[tr-x!]].status = 'Applied'`, `configurations.[[tr-x!]].status = 'Applied'`},
		{"metadata", `properties.desired.$version = properties.reported.lastDesiredVersion`, `properties.desired.$version = properties.reported.lastDesiredVersion`},
		{"collection before a path", `devices.tags.a = 1 AND devices.modules.moduleId = 'm' AND devices.DEVICEID = 'd'`, `(tags.a = 1) AND (moduleId = 'm') AND (deviceId = 'd')`},
		{"a root called devices", `[[devices]].tags = 1`, `[[devices]].tags = 1`},
		{"undefined", `tags.a = undefined`, `tags.a = undefined`},
		{"comment and lines", "tags.a /* why */ =\r\n\t1", `tags.a = 1`},
		{"case of a tag's key is kept", `TAGS.Site = 'M'`, `tags.Site = 'M'`},
		{"aggregates are names elsewhere", `tags.[[count]] = 1 OR tags.max = 2`, `(tags.[[count]] = 1) OR (tags.[[max]] = 2)`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := ParseCondition(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if e.String() != test.want {
				t.Errorf("got  %s\nwant %s", e, test.want)
			}
			again, err := ParseCondition(e.String())
			if err != nil {
				t.Fatalf("what was printed is refused: %v", err)
			}
			if diff := cmp.Diff(e, again); diff != "" {
				t.Errorf("what was printed is something else (-first +second):\n%s", diff)
			}
		})
	}
}

func TestParseConditionRefuses(t *testing.T) {
	tests := []struct {
		name, text string
		offset     int
		reason     string
	}{
		{"nothing", ``, 0, "the end where a value should stand"},
		{"half a comparison", `tags.a =`, 8, "the end where a value"},
		{"two comparisons", `1 < tags.a < 3`, 11, `unexpected "<"`},
		{"unknown function", `LOWER(tags.a) = 'x'`, 0, `no function "LOWER"`},
		{"function of routing", `STARTS_WITH(tags.a, 'x')`, 0, "STARTSWITH"},
		{"function's arguments", `IS_DEFINED(tags.a, tags.b)`, 0, "takes 1 arguments, not 2"},
		{"is_defined of a constant", `IS_DEFINED('tags.a')`, 0, "takes a path"},
		{"reserved word as a key", `tags.group = 1`, 5, "written [[group]]"},
		{"key that begins with a digit", `tags.3a = 1`, 5, "written [[key]]"},
		{"in without a list", `tags.a IN tags.b`, 10, `where [ should stand`},
		{"in with parentheses", `tags.a IN ('x')`, 10, `where [ should stand`},
		{"empty list", `tags.a IN []`, 11, "where a value should stand"},
		{"nested list", `tags.a IN [['x']]`, 10, "where [ should stand"},
		{"like", `tags.a LIKE 'x'`, 7, `unexpected "LIKE"`},
		{"order by", `tags.a = 1 ORDER BY deviceId`, 11, `unexpected "ORDER"`},
		{"array index", `tags.a[0] = 1`, 6, `unexpected "["`},
		{"open string", `tags.a = 'x`, 9, "does not end"},
		{"doubled quote", `tags.a = 'it''s'`, 13, "unexpected"},
		{"wrong escape", `tags.a = 'x\q'`, 11, "unknown escape"},
		{"half a character", `tags.a = '\uD83D'`, 10, "not a character"},
		{"open comment", `tags.a /* = 1`, 7, "comment does not end"},
		{"open name", `tags.[[a = 1`, 5, "[[ ]]"},
		{"name that ends with a bracket", `tags.[[a]]] = 1`, 5, "must not end"},
		{"number", `tags.a = 007`, 9, "not a number"},
		{"odd character", `tags.ä = 1`, 5, "[[key]]"},
		{"not text", "tags.a = '\xff'", 0, "not UTF-8"},
		{"too long", strings.Repeat(" ", MaxLength+1), 0, "8193 characters"},
		{"too deep", strings.Repeat("(", 1000) + "1" + strings.Repeat(")", 1000), 128, "nested"},
		{"too many nots", strings.Repeat("NOT ", 1000) + "true", 516, "nested"},
		{"too long a sum", "1" + strings.Repeat(" + 1", 100), 0, "nested"},
		{"unclosed", `(tags.a = 1`, 11, "where ) should stand"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := ParseCondition(test.text)
			var mistake *Error
			if !errors.As(err, &mistake) {
				t.Fatalf("got %v, %v", e, err)
			}
			if !strings.Contains(mistake.Reason, test.reason) || mistake.Offset != test.offset {
				t.Errorf("got  %d: %s\nwant %d: …%s…", mistake.Offset, mistake.Reason, test.offset, test.reason)
			}
		})
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		name, text, want string
		raw              bool
	}{
		{"all", `SELECT * FROM devices`, `SELECT * FROM devices`, false},
		{"modules", "select * from devices.modules where moduleId = '$edgeAgent'", `SELECT * FROM devices.modules WHERE moduleId = '$edgeAgent'`, false},
		{"jobs", `SELECT * FROM devices.jobs WHERE jobId = 'j'`, `SELECT * FROM devices.jobs WHERE jobId = 'j'`, false},
		{"jobs by whole paths", `SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'j'`, `SELECT * FROM devices.jobs WHERE jobId = 'j'`, false},
		{"top", `SELECT TOP 3 deviceId FROM devices`, `SELECT TOP 3 deviceId FROM devices`, true},
		{"columns", `SELECT DeviceID, tags, properties.desired AS want FROM devices`, `SELECT deviceId, tags, properties.desired AS want FROM devices`, true},
		{
			"groups", `SELECT tags.site AS site, COUNT() AS n, AVG(properties.reported.t) FROM devices GROUP BY tags.site`,
			`SELECT tags.site AS site, count() AS n, avg(properties.reported.t) FROM devices GROUP BY tags.site`, true,
		},
		{"member called count", `SELECT tags.[[count]] AS [[top]] FROM devices`, `SELECT tags.[[count]] AS [[top]] FROM devices`, true},
		{"system metric", `select deviceId from devices where configurations.[[tr-a]].status = 'Applied'`, `SELECT deviceId FROM devices WHERE configurations.[[tr-a]].status = 'Applied'`, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			q, err := Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if q.String() != test.want || q.Raw() != test.raw {
				t.Errorf("got  %s, raw %v\nwant %s, raw %v", q, q.Raw(), test.want, test.raw)
			}
			if again, err := Parse(q.String()); err != nil || again.String() != q.String() {
				t.Errorf("what was printed reads as %v, %v", again, err)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, text, reason string }{
		{"no query", ``, "SELECT should stand"},
		{"unknown collection", `SELECT * FROM twins`, "devices should stand"},
		{"unknown part", `SELECT * FROM devices.twins`, "no collection devices.twins"},
		{"top nothing", `SELECT TOP 0 * FROM devices`, "count from 1 up"},
		{"top too many", `SELECT TOP 99999999999 * FROM devices`, "count from 1 up"},
		{"order by", `SELECT * FROM devices ORDER BY deviceId`, `unexpected "ORDER"`},
		{"distinct", `SELECT DISTINCT tags.a FROM devices`, "where FROM should stand"},
		{"star and more", `SELECT *, deviceId FROM devices`, "where FROM should stand"},
		{"column beside an aggregate", `SELECT deviceId, count() FROM devices`, "not in GROUP BY"},
		{"star with groups", `SELECT * FROM devices GROUP BY tags.a`, "does not go with"},
		{"groups of modules", `SELECT count() FROM devices.modules GROUP BY tags.a`, "devices only"},
		{"columns of jobs", `SELECT jobId FROM devices.jobs`, "SELECT * only"},
		{"same name twice", `SELECT tags.a, properties.desired.a FROM devices`, `second column called "a"`},
		{"function as column", `SELECT is_defined(tags.a) FROM devices`, "no aggregate"},
		{"no condition", `SELECT * FROM devices WHERE`, "where a value"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			q, err := Parse(test.text)
			if err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("got %v, %v, want …%s…", q, err, test.reason)
			}
		})
	}
}

func TestAndOr(t *testing.T) {
	a, b, c := Path{"tags", "a"}, Path{"tags", "b"}, Path{"tags", "c"}
	tests := []struct {
		name      string
		got, want Expr
	}{
		{"and of nothing holds everywhere", And(), nil},
		{"and skips nil", And(nil, a, nil), a},
		{"and flattens", And(a, And(b, c)), And(And(a, b), c)},
		{"or with nil holds everywhere", Or(a, nil), nil},
		{"or of nothing is false", Or(), Literal{false}},
		{"or flattens", Or(a, Or(b, c)), Or(Or(a, b), c)},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestPathCannotSmuggle(t *testing.T) {
	for _, key := range []string{"", "a]] = 1 OR true OR tags.[[b", "a]", "\xff"} {
		p := Path{"tags", key}
		if p.Valid() || p.String() != "undefined" {
			t.Errorf("%q: valid %v, printed %s", key, p.Valid(), p)
		}
	}
	if p := (Path{"tags", "it's [odd] \\ é"}); !p.Valid() || p.String() != `tags.[[it's [odd] \ é]]` {
		t.Errorf("valid %v, printed %s", p.Valid(), p)
	}
}
