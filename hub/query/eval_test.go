package query

import (
	"slices"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/twin"
)

const pump = `{"deviceId":"pump-7","etag":"AAAAAAAAAAE=","status":"enabled","statusReason":null,"connectionState":"Connected",
 "cloudToDeviceMessageCount":0,"authenticationType":"sas","modelId":"","version":2,
 "tags":{"site":"muc","floor":3,"ok":true,"list":["a",1],"Site":"other","group":{"a-b":1},"big":9007199254740993},
 "properties":{"desired":{"fan":3,"$version":4,"$metadata":{"fan":{"$lastUpdatedVersion":4}}},
  "reported":{"battery":{"pct":19.50},"lastDesiredVersion":4,"huge":1e999999,"tiny":-0.0e5}},
 "capabilities":{"iotEdge":true},"configurations":{"tr-a":{"status":"Applied"}},"parentScopes":["scope-1"]}`

func parseTwin(t testing.TB, text string) *twin.Twin {
	t.Helper()
	tw, err := twin.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return tw
}

// Each condition is listed with what it is: what holds, and what does not hold
// negated either, because it is undefined.
func TestHolds(t *testing.T) {
	tests := map[string]string{
		`tags.site = 'muc'`:                           "true",
		`tags.site = 'MUC'`:                           "false",
		`tags.Site = 'other'`:                         "true",
		`TAGS.site = 'muc'`:                           "true",
		`DEVICEID = 'pump-7'`:                         "true",
		`deviceId = 'pump-8'`:                         "false",
		`tags.floor = 3.0`:                            "true",
		`tags.floor = 30e-1`:                          "true",
		`tags.floor < 3.01`:                           "true",
		`tags.floor >= 4`:                             "false",
		`tags.big = 9007199254740992`:                 "false",
		`tags.big > 9007199254740992`:                 "true",
		`tags.big < 9007199254740993.000000000000001`: "true",
		`properties.reported.huge > 1e999998`:         "true",
		`properties.reported.huge < 1e1000000`:        "true",
		`-5 < properties.reported.tiny`:               "true",
		`properties.reported.tiny = 0`:                "true",
		`properties.reported.huge + 1 > 0`:            "undefined",
		`-10 < -9`:                                    "true",
		`-10.5 > -10`:                                 "false",
		`tags.site < 'n'`:                             "true",
		`tags.missing = 1`:                            "undefined",
		`tags.missing != 1`:                           "undefined",
		`tags.site.deeper = 1`:                        "undefined",
		`tags.site = 5`:                               "undefined",
		`tags.site != 5`:                              "undefined",
		`tags.ok = 'true'`:                            "undefined",
		`tags.ok = true`:                              "true",
		`tags.ok`:                                     "true",
		`tags.floor`:                                  "undefined",
		`tags.ok < true`:                              "undefined",
		`tags.list = tags.list`:                       "undefined",
		`tags.[[group]] != tags.list`:                 "undefined",
		`tags.[[group]].a-b = 1`:                      "true",
		`undefined = undefined`:                       "undefined",
		`null = null`:                                 "true",
		`statusReason = null`:                         "true",
		`status = null`:                               "undefined",
		`modelId = ''`:                                "true",
		`status = 'enabled'`:                          "true",
		`authenticationType = 'sas'`:                  "true",
		`cloudToDeviceMessageCount = 0`:               "true",
		`capabilities.iotEdge = true`:                 "true",
		`version = 2 AND etag = 'AAAAAAAAAAE='`:       "true",
		`configurations.[[tr-a]].status = 'Applied'`:  "true",
		`configurations.[[tr-b]].status = 'Applied'`:  "undefined",
		`ARRAY_CONTAINS(parentScopes, 'scope-1')`:     "true",
		`ARRAY_CONTAINS(tags.list, 1.0)`:              "true",
		`ARRAY_CONTAINS(tags.list, '1')`:              "false",
		`ARRAY_CONTAINS(tags.site, 'm')`:              "undefined",
		`STARTSWITH(deviceId, 'pump-')`:               "true",
		`STARTSWITH(deviceId, 'x')`:                   "false",
		`STARTSWITH(tags.floor, '3')`:                 "undefined",
		`IS_DEFINED(tags.site)`:                       "true",
		`IS_DEFINED(tags.missing)`:                    "false",
		`IS_DEFINED(statusReason)`:                    "true",
		`NOT IS_DEFINED(tags.missing)`:                "true",
		`properties.tags.site = 'muc'`:                "undefined",
		`IS_DEFINED(properties.desired)`:              "true",
		`tags.missing = 1 OR tags.ok`:                 "true",
		`tags.ok OR tags.missing = 1`:                 "true",
		`tags.missing = 1 OR NOT tags.ok`:             "undefined",
		`tags.missing = 1 AND NOT tags.ok`:            "false",
		`NOT tags.ok AND tags.missing = 1`:            "false",
		`tags.missing = 1 AND tags.ok`:                "undefined",
		`tags.ok AND 5`:                               "undefined",
		`NOT is_defined(tags.x) OR tags.x != 'v'`:     "true",
		`tags.site IN ['ber', 'muc']`:                 "true",
		`tags.site IN ['ber']`:                        "false",
		`tags.site NIN ['ber']`:                       "true",
		`tags.site NIN ['muc', 5]`:                    "false",
		`tags.site IN ['ber', 5]`:                     "undefined",
		`tags.missing IN ['ber']`:                     "undefined",
		`tags.missing NIN ['ber']`:                    "undefined",
		`properties.desired.fan * 2 - 1 = 5`:          "true",
		`properties.desired.fan / 2 = 1.5`:            "true",
		`properties.desired.fan % 2 = 1`:              "true",
		`-7 % 3 = -1`:                                 "true",
		`properties.desired.fan / 0 = 1`:              "undefined",
		`0.1 + 0.2 = 0.3`:                             "true",
		`-tags.floor = -3`:                            "true",
		`-tags.site = 1`:                              "undefined",
		`tags.site + 'x' = 'mucx'`:                    "undefined",
		`properties.reported.battery.pct < 20`:        "true",
		`properties.desired.$version = properties.reported.lastDesiredVersion`: "true",
		`properties.desired.$metadata.fan.$lastUpdatedVersion = 4`:             "true",
		`properties.Reported.battery.pct < 20`:                                 "undefined",
		`1e400 * 1e400 * 1e400 * 1e400 > 0`:                                    "undefined",
		strings.Repeat("tags.missing = 1 OR ", 400) + "tags.ok":                "true",
	}
	tw := parseTwin(t, pump)
	for text, want := range tests {
		e, err := ParseCondition(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := "undefined"
		if Holds(e, tw) {
			got = "true"
		} else if Holds(Not{e}, tw) {
			got = "false"
		}
		if got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestHoldsForEverything(t *testing.T) {
	if !Holds(nil, parseTwin(t, pump)) {
		t.Error("no condition selects nothing")
	}
	job := twin.Object{"jobId": "j-1", "status": "failed"}
	e, _ := ParseCondition("jobId = 'j-1' AND status IN ['failed']")
	if !HoldsObject(e, job) {
		t.Errorf("%s does not hold for %v", e, job)
	}
}

// A patched twin is asked for its sections, not for the JSON it came from.
func TestHoldsAfterPatch(t *testing.T) {
	tw := parseTwin(t, pump).With(twin.Patch{Tags: twin.Object{"site": "ber"}, Desired: twin.Object{"fan": nil}})
	e, _ := ParseCondition("tags.site = 'ber' AND NOT IS_DEFINED(properties.desired.fan)")
	if !Holds(e, tw) {
		t.Errorf("%s does not hold", e)
	}
}

var fleet = []string{
	`{"deviceId":"a","tags":{"site":"muc","n":1},"properties":{"desired":{},"reported":{}}}`,
	`{"deviceId":"b","tags":{"site":"ber","n":2.5},"properties":{"desired":{"x":1.0},"reported":{}}}`,
	`{"deviceId":"c","tags":{"site":"muc","n":4}}`,
	`{"deviceId":"d","tags":{"n":"four"}}`,
	`{"deviceId":"a","moduleId":"m","tags":{"site":"muc"}}`,
}

func TestRows(t *testing.T) {
	var twins []*twin.Twin
	for _, text := range fleet {
		twins = append(twins, parseTwin(t, text))
	}
	tests := []struct{ query, want string }{
		{`SELECT * FROM devices WHERE tags.site = 'ber'`, fleet[1]},
		{`SELECT TOP 2 DeviceId FROM devices`, `{"deviceId":"a"} {"deviceId":"b"}`},
		{`SELECT deviceId, moduleId FROM devices.modules`, `{"deviceId":"a","moduleId":"m"}`},
		{`SELECT * FROM devices.jobs`, ``},
		{`SELECT tags.site, properties.desired FROM devices WHERE deviceId IN ['b','d']`, `{"site":"ber","desired":{"x":1.0}} {"desired":{}}`},
		{`SELECT tags.missing FROM devices WHERE deviceId = 'a'`, `{}`},
		{`SELECT count() AS n FROM devices`, `{"n":4}`},
		{`SELECT count(), sum(tags.n) FROM devices`, `{"$1":4,"$2":7.5}`},
		{`SELECT count() AS n, sum(tags.n) AS s FROM devices WHERE false`, `{"n":0}`},
		{`SELECT avg(tags.n) AS a, min(tags.n) AS lo, max(tags.n) AS hi FROM devices`, `{"a":2.5,"lo":1,"hi":4}`},
		{
			`SELECT tags.site AS site, count() AS n FROM devices GROUP BY tags.site`,
			`{"site":"muc","n":2} {"site":"ber","n":1} {"n":1}`,
		},
		{`SELECT TOP 1 count() AS n FROM devices GROUP BY tags.site`, `{"n":2}`},
		{`SELECT count() AS n FROM devices WHERE tags.site = 'x' GROUP BY tags.site`, ``},
	}
	for _, test := range tests {
		q, err := Parse(test.query)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range q.Rows(slices.Values(twins)) {
			got = append(got, string(row))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.query, strings.Join(got, " "), test.want)
		}
	}
}

// The fleet is not read further than TOP needs.
func TestRowsStopsAtTop(t *testing.T) {
	tw := parseTwin(t, pump)
	endless := func(yield func(*twin.Twin) bool) {
		for yield(tw) {
		}
	}
	q, _ := Parse("SELECT TOP 3 * FROM devices")
	if n := len(q.Rows(endless)); n != 3 {
		t.Errorf("got %d rows", n)
	}
}

func BenchmarkMatches(b *testing.B) {
	q, err := Parse(`SELECT * FROM devices WHERE tags.site IN ['ber', 'muc'] AND properties.reported.battery.pct < 20`)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !q.Matches(parseTwin(b, pump)) {
			b.Fatal("does not match")
		}
	}
}
