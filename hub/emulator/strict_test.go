package emulator_test

import (
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

func TestStrictQuery(t *testing.T) {
	strict := connect(t, start(t, &emulator.Options{Twins: numbered(2), StrictQuery: true}), 0)
	free := connect(t, start(t, &emulator.Options{Twins: numbered(2)}), 0)
	for _, test := range []struct{ where, refused string }{
		{"tags.n = 1", ""},
		{"tags.n < 5 AND tags.n > 0 AND deviceId IN ['d000', 'd001']", ""},
		{"(tags.n = 1 AND tags.m = 2) OR status = 'enabled'", ""},
		{"IS_DEFINED(tags.n) AND NOT IS_DEFINED(tags.m)", ""},
		{"status != 'disabled'", ""},
		{"STARTSWITH(deviceId, 'd')", ""},
		{"ARRAY_CONTAINS(parentScopes, 'x')", ""},
		{"tags.[[and]] = 'a AND b OR c * 1 + 2'", ""},
		{"tags.[[or]].[[and]] = 1 AND tags.x = 2", ""},
		{"properties.desired.$version = properties.reported.lastDesiredVersion", ""},
		{"tags.n + 1 = 2", ""},
		{"tags.a-b = 2 AND tags.c = 3", ""},
		{"NOT tags.n = 1", "NOT over anything but IS_DEFINED"},
		{"NOT (IS_DEFINED(tags.a) AND IS_DEFINED(tags.b))", "NOT over anything but IS_DEFINED"},
		{"tags.n != 1", "!= and NIN"},
		{"tags.n <> 1", "!= and NIN"},
		{"properties.reported.x NIN [1]", "!= and NIN"},
		{"tags.n = 1 AND (tags.m = 2 OR tags.m != 3)", "!= and NIN"},
		{"statusReason = null", "null or undefined"},
		{"tags.n = undefined", "null or undefined"},
		{"5 = 'x'", "different types"},
		{`tags.a = 'it\'s'`, "quote or a backslash"},
		{`deviceId IN ['a', 'b\\c']`, "quote or a backslash"},
		{"ARRAY_CONTAINS(tags.list, 1)", "a function other than"},
		{"authenticationType = 'sas'", "no shipped query"},
		{"properties.desired.$metadata.a = 1", "no shipped query"},
		{"tags.a = 1 AND tags.b = 2 OR tags.c = 3", "without parentheses"},
		{"tags.a = 1 or (tags.b = 2) and tags.c = 3", "without parentheses"},
		{"tags.a + 1 * 2 = 3", "without parentheses"},
		{"(tags.a = 1 AND (tags.b = 2 OR tags.c = 3 AND tags.d = 4))", "without parentheses"},
	} {
		t.Run(test.where, func(t *testing.T) {
			text := "SELECT * FROM devices WHERE " + test.where
			job := `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*"},"queryCondition":` + string(twin.Encode(test.where)) + `}`
			asFree := free.ask(text)
			if test.refused == "" {
				strict.ask(text).want(200, "")
				asFree.want(200, "")
				return
			}
			strict.ask(text).want(400, "ArgumentInvalid").contains("strict query: ").contains(test.refused)
			if asFree.status == 200 { // what the grammar has
				strict.do("PUT", "/jobs/v2/j", job).want(400, "ArgumentInvalid").contains(test.refused)
			}
		})
	}
	for text, refused := range map[string]string{
		"SELECT COUNT() AS total, tags.n FROM devices GROUP BY tags.n": "",
		"SELECT COUNT() FROM devices":                                  "without AS",
		"SELECT tags.n, MAX(tags.n) FROM devices GROUP BY tags.n":      "without AS",
		"SELECT deviceId, tags.[[count(x)]] FROM devices":              "",
		"SELECT * FROM devices.jobs WHERE jobId = 'j'":                 "",
	} {
		free.ask(text).want(200, "")
		if refused == "" {
			strict.ask(text).want(200, "")
			continue
		}
		strict.ask(text).want(400, "ArgumentInvalid").contains(refused)
	}
}

// TestLongQuery counts characters: the hub takes 8192.
func TestLongQuery(t *testing.T) {
	c := connect(t, start(t, nil), 0)
	const text = "SELECT * FROM devices WHERE tags.a = ''"
	c.ask(strings.Replace(text, "''", "'"+strings.Repeat("é", 8192-len(text))+"'", 1)).want(200, "")
	c.ask(strings.Replace(text, "''", "'"+strings.Repeat("é", 8193-len(text))+"'", 1)).want(400, "ArgumentInvalid")
}
