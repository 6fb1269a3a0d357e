package emulator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

const fanConfiguration = `{"content":{"deviceContent":{"properties.desired.fan.max":3}},"targetCondition":"tags.n=1","priority":10}`

func TestConfigurationLife(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now})
	c := connect(t, e, 0)
	created := c.do("PUT", "/configurations/c1", fanConfiguration).want(200, "")
	want := `{"id":"c1","schemaVersion":null,"labels":null,"content":{"deviceContent":{"properties.desired.fan.max":3}},` +
		`"targetCondition":"tags.n=1","createdTimeUtc":"2026-03-01T12:00:00.1234567Z","lastUpdatedTimeUtc":"2026-03-01T12:00:00.1234567Z",` +
		`"priority":10,"systemMetrics":{"results":{},"queries":{"appliedCount":"select deviceId from devices where configurations.[[c1]].status = 'Applied'",` +
		`"targetedCount":"select deviceId from devices where tags.n=1"}},"metrics":{"results":{},"queries":{}},"etag":"MQ=="}`
	if diff := cmp.Diff(want, created.body); diff != "" {
		t.Error(diff)
	}
	if got := created.header.Get("ETag"); got != `"MQ=="` {
		t.Errorf("got ETag %s", got)
	}
	c.do("PUT", "/configurations/c1", fanConfiguration).want(409, "ConfigurationAlreadyExists")

	clock.pass(time.Second)
	updated := c.do("PUT", "/configurations/c1", `{"id":"c1","content":{"deviceContent":{"properties.desired.fan.max":99}},"targetCondition":"*",`+
		`"labels":{"owner":"me"},"schemaVersion":"2.0","etag":"MQ==","metrics":{"queries":{"m":"select *"}}}`, "If-Match", `"MQ=="`).want(200, "")
	updated.contains(`"schemaVersion":"2.0","labels":{"owner":"me"},"content":{"deviceContent":{"properties.desired.fan.max":3}}`).
		contains(`"createdTimeUtc":"2026-03-01T12:00:00.1234567Z","lastUpdatedTimeUtc":"2026-03-01T12:00:01.1234567Z","priority":0`).
		contains(`"targetedCount":"select deviceId from devices"}`).
		contains(`"metrics":{"results":{},"queries":{"m":"select *"}},"etag":"Mg=="}`)
	if got := c.do("GET", "/configurations/c1", ""); got.header.Get("ETag") != `"Mg=="` {
		t.Errorf("got ETag %s", got.header.Get("ETag"))
	}
	c.do("PUT", "/configurations/c2", `{"content":{"moduleContent":{}}}`).want(200, "")
	list := c.do("GET", "/configurations?api-version=2021-04-12&top=1", "").want(200, "")
	if !strings.HasPrefix(list.body, `[{"id":"c1"`) || !strings.Contains(list.body, `,{"id":"c2"`) {
		t.Errorf("got %s, want both: top is ignored", list.body)
	}
	if r := c.do("DELETE", "/configurations/c1", "").want(204, ""); r.body != "" {
		t.Errorf("got a body %s", r.body)
	}
	c.do("GET", "/configurations/c1", "").want(404, "ConfigurationNotFound")
	c.do("DELETE", "/configurations/c1", "").want(404, "ConfigurationNotFound")
}

func TestConfigurationIfMatch(t *testing.T) {
	for _, test := range []struct {
		method, header string
		status         int
		code           string
	}{
		{"PUT", "", 409, "ConfigurationAlreadyExists"},
		{"PUT", `""`, 409, "ConfigurationAlreadyExists"},
		{"PUT", "*", 200, ""},
		{"PUT", `"*"`, 200, ""},
		{"PUT", `"MQ=="`, 200, ""},
		{"PUT", "MQ==", 409, "ConfigurationAlreadyExists"},
		{"PUT", `"Mg=="`, 412, "PreconditionFailed"},
		{"DELETE", "", 204, ""},
		{"DELETE", "*", 204, ""},
		{"DELETE", `"MQ=="`, 204, ""},
		{"DELETE", `"Mg=="`, 412, "PreconditionFailed"},
	} {
		t.Run(test.method+" "+test.header, func(t *testing.T) {
			c := connect(t, start(t, nil), 0)
			c.do("PUT", "/configurations/c", fanConfiguration).want(200, "")
			c.do(test.method, "/configurations/c", fanConfiguration, "If-Match", test.header).want(test.status, test.code)
		})
	}
	c := connect(t, start(t, nil), 0)
	c.do("PUT", "/configurations/none", fanConfiguration, "If-Match", "*").want(404, "ConfigurationNotFound")
}

func TestRefusedConfigurations(t *testing.T) {
	c := connect(t, start(t, nil), 0)
	with := func(kind, content, condition string) string {
		return fmt.Sprintf(`{"content":{%q:%s},"targetCondition":%q}`, kind, content, condition)
	}
	const okDevice, okEdge = `{"properties.desired.a":1}`, `{"$edgeAgent":{},"$edgeHub":{"properties.desired.routes.x":"r"}}`
	for _, test := range []struct{ name, id, body, code string }{
		{"capitals in the id", "Fan", fanConfiguration, "ArgumentInvalid"},
		{"another id in the body", "c", `{"id":"d","content":{"deviceContent":{}}}`, "ArgumentInvalid"},
		{"no content", "c", `{}`, "InvalidConfigurationContent"},
		{"content is null", "c", `{"content":null}`, "InvalidConfigurationContent"},
		{"two contents", "c", `{"content":{"deviceContent":{},"moduleContent":{}}}`, "InvalidConfigurationContent"},
		{"unknown content", "c", with("tagContent", "{}", ""), "InvalidConfigurationContent"},
		{"tags", "c", with("deviceContent", `{"tags.site":"muc"}`, "*"), "InvalidConfigurationContent"},
		{"reported", "c", with("deviceContent", `{"properties.reported.x":1}`, "*"), "InvalidConfigurationContent"},
		{"beside desired", "c", with("deviceContent", `{"properties.desiredfan":1}`, "*"), "InvalidConfigurationContent"},
		{"empty key in the path", "c", with("deviceContent", `{"properties.desired.a..b":1}`, "*"), "InvalidConfigurationContent"},
		{"desired is no object", "c", with("deviceContent", `{"properties.desired":1}`, "*"), "InvalidConfigurationContent"},
		{"key that a twin refuses", "c", with("deviceContent", `{"properties.desired.$x":1}`, "*"), "InvalidConfigurationContent"},
		{"edge without agent", "c", with("modulesContent", `{"$edgeHub":{}}`, "*"), "InvalidConfigurationContent"},
		{"syntax", "c", with("deviceContent", okDevice, "tags.a="), "InvalidConfigurationTargetCondition"},
		{"desired in a condition", "c", with("deviceContent", okDevice, "properties.desired.a=1"), "InvalidConfigurationTargetCondition"},
		{"status in a condition", "c", with("deviceContent", okDevice, "tags.a=1 AND status='enabled'"), "InvalidConfigurationTargetCondition"},
		{"module without prefix", "c", with("moduleContent", okDevice, "tags.a=1"), "InvalidConfigurationTargetCondition"},
		{"module with a star", "c", with("moduleContent", okDevice, "*"), "InvalidConfigurationTargetCondition"},
		{"module with a prefix and a star", "c", with("moduleContent", okDevice, "FROM devices.modules WHERE *"), "InvalidConfigurationTargetCondition"},
		{"priority with a fraction", "c", `{"content":{"deviceContent":{}},"priority":1.5}`, "ArgumentInvalid"},
		{"six metrics", "c", `{"content":{"deviceContent":{}},"metrics":{"queries":{"a":"","b":"","c":"","d":"","e":"","f":""}}}`, "ArgumentInvalid"},
		{"no JSON", "c", `{`, "IotHubFormatError"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.do("PUT", "/configurations/"+test.id, test.body).want(400, test.code)
		})
	}
	for i, body := range []string{
		with("deviceContent", okDevice, ""), with("deviceContent", okDevice, "*"),
		with("deviceContent", okDevice, "deviceId IN ['a'] AND properties.reported.x > 1 OR IS_DEFINED(tags.y)"),
		with("deviceContent", `{"properties.desired":{"a":1},"properties.desired.b.c":null}`, "*"),
		with("moduleContent", okDevice, "from devices.modules  where moduleId='m' AND tags.a=1"), with("modulesContent", okEdge, "*"),
	} {
		if r := c.do("PUT", fmt.Sprintf("/configurations/ok%d", i), body); r.status != 200 {
			t.Errorf("%s: %s", body, r.body)
		}
	}
}

func TestSystemQueries(t *testing.T) {
	c := connect(t, start(t, nil), 0)
	for _, test := range []struct{ content, condition, want string }{
		{`{"deviceContent":{}}`, "", `"appliedCount":"select deviceId from devices where configurations.[[c]].status = 'Applied'","targetedCount":""}`},
		{`{"moduleContent":{}}`, "FROM devices.modules WHERE tags.a=1",
			`"appliedCount":"select deviceId from devices.modules where configurations.[[c]].status = 'Applied'","targetedCount":"select deviceId FROM devices.modules WHERE tags.a=1"}`},
		{`{"modulesContent":{"$edgeAgent":{}}}`, "*", `"targetedCount":"select deviceId from devices where capabilities.iotEdge = true"}`},
		{`{"modulesContent":{"$edgeAgent":{}}}`, "tags.a=1",
			`{"appliedCount":"select deviceId from devices.modules where moduleId = '$edgeAgent' and configurations.[[c]].status = 'Applied'",` +
				`"reportedFailedCount":"select deviceId from devices.modules where moduleId = '$edgeAgent' and configurations.[[c]].status = 'Applied' and properties.desired.$version = properties.reported.lastDesiredVersion and properties.reported.lastDesiredStatus.code != 200",` +
				`"reportedSuccessfulCount":"select deviceId from devices.modules where moduleId = '$edgeAgent' and configurations.[[c]].status = 'Applied' and properties.desired.$version = properties.reported.lastDesiredVersion and properties.reported.lastDesiredStatus.code = 200",` +
				`"targetedCount":"select deviceId from devices where capabilities.iotEdge = true and tags.a=1"}`},
	} {
		c.do("PUT", "/configurations/c", fmt.Sprintf(`{"content":%s,"targetCondition":%q}`, test.content, test.condition)).want(200, "").contains(test.want)
		c.do("DELETE", "/configurations/c", "").want(204, "")
	}
}

// configure puts a device configuration for all devices with a tag.
func (c *client) configure(id, condition string, priority int, content string) {
	c.t.Helper()
	c.do("PUT", "/configurations/"+id, fmt.Sprintf(`{"content":{"deviceContent":%s},"targetCondition":%q,"priority":%d,`+
		`"metrics":{"queries":{"fast":"SELECT deviceId FROM devices WHERE properties.desired.fan.max > 5","broken":"select *"}}}`, content, condition, priority)).want(200, "")
}

// desired returns the desired properties of a device without the hub's keys.
func desired(t *testing.T, e *emulator.Emulator, device string) string {
	t.Helper()
	got, err := e.Twin(twin.Ref{Device: device})
	if err != nil {
		t.Fatal(err)
	}
	o := got.Desired()
	delete(o, "$metadata")
	delete(o, "$version")
	return string(twin.Encode(o))
}

func TestEvaluation(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Twins: numbered(3), Now: clock.now})
	c := connect(t, e, 0)
	results := func(id string) string {
		t.Helper()
		got, err := twin.ParseConfiguration([]byte(c.do("GET", "/configurations/"+id, "").want(200, "").body))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d targeted, %d applied", got.Counts["targetedCount"], got.Counts["appliedCount"])
	}
	wantDesired := func(why string, want ...string) {
		t.Helper()
		for i, w := range want {
			if got := desired(t, e, fmt.Sprintf("d00%d", i)); got != w {
				t.Errorf("%s: d00%d has %s, want %s", why, i, got, w)
			}
		}
	}

	c.configure("low", "tags.n < 2", 1, `{"properties.desired.fan":{"max":3,"min":1},"properties.desired.low":true}`)
	if got := results("low"); got != "2 targeted, 2 applied" {
		t.Errorf("after creation: %s", got)
	}
	wantDesired("one configuration", `{"fan":{"max":3,"min":1},"low":true}`, `{"fan":{"max":3,"min":1},"low":true}`, `{}`)
	if got, err := e.Twin(twin.Ref{Device: "d000"}); err != nil || got.Version != 3 || got.DesiredVersion() != 2 {
		t.Errorf("applying is one write of desired: %s", got.JSON())
	}

	c.configure("high", "tags.n > 0", 5, `{"properties.desired.fan.max":9}`)
	if got := results("high"); got != "2 targeted, 2 applied" {
		t.Errorf("the winner: %s", got)
	}
	if got := results("low"); got != "2 targeted, 1 applied" {
		t.Errorf("the loser: %s", got)
	}
	wantDesired("the highest takes all", `{"fan":{"max":3,"min":1},"low":true}`, `{"fan":{"max":9}}`, `{"fan":{"max":9}}`)
	c.do("GET", "/configurations/high", "").contains(`"metrics":{"results":{"fast":2},`)
	if got := c.ask("SELECT deviceId FROM devices WHERE configurations.[[low]].status = 'Targeted'").body; got != `[{"deviceId":"d001"}]` {
		t.Errorf("targeted, not applied: %s", got)
	}

	// A foreign writer is put right after five minutes, not before.
	if err := e.Patch(twin.Ref{Device: "d002"}, twin.Patch{Desired: twin.Object{"fan": twin.Object{"max": nil}}}); err != nil {
		t.Fatal(err)
	}
	clock.pass(5*time.Minute - time.Second)
	c.do("GET", "/statistics/devices", "")
	wantDesired("before the interval", `{"fan":{"max":3,"min":1},"low":true}`, `{"fan":{"max":9}}`, `{"fan":{}}`)
	clock.pass(time.Second)
	c.do("GET", "/statistics/devices", "")
	wantDesired("after the interval", `{"fan":{"max":3,"min":1},"low":true}`, `{"fan":{"max":9}}`, `{"fan":{"max":9}}`)

	// Who leaves the condition loses the settings.
	if err := e.Patch(twin.Ref{Device: "d000"}, twin.Patch{Tags: twin.Object{"n": nil}}); err != nil {
		t.Fatal(err)
	}
	e.Evaluate()
	wantDesired("out of the condition", `{"fan":{}}`)

	// What a deleted configuration applied stays, until the next one applies.
	c.do("DELETE", "/configurations/high", "").want(204, "")
	if got := results("low"); got != "1 targeted, 1 applied" {
		t.Errorf("after the winner was deleted: %s", got)
	}
	wantDesired("deleted", `{"fan":{}}`, `{"fan":{"max":3,"min":1},"low":true}`, `{"fan":{"max":9}}`)
	c.do("DELETE", "/configurations/low", "").want(204, "")
	if got := c.ask("SELECT deviceId FROM devices WHERE IS_DEFINED(configurations)").body; got != `[]` {
		t.Errorf("no configuration is left, but %s", got)
	}
}

// TestNewestWinsATie is how the content of a configuration is changed: by a new
// one of the same priority.
func TestNewestWinsATie(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(1), Now: newClock().now})
	c := connect(t, e, 0)
	c.configure("b", "*", 1, `{"properties.desired.v":1}`)
	c.configure("a", "*", 1, `{"properties.desired.v":2}`)
	e.Evaluate()
	if got := desired(t, e, "d000"); got != `{"v":2}` {
		t.Errorf("got %s", got)
	}
	c.do("DELETE", "/configurations/b", "").want(204, "")
	e.Evaluate()
	if got := desired(t, e, "d000"); got != `{"v":2}` {
		t.Errorf("after deleting the old one: %s", got)
	}
}

// TestSettledFleetIsLeftAlone evaluates again and again: nothing is written
// when everything holds.
func TestSettledFleetIsLeftAlone(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(2), Now: newClock().now})
	c := connect(t, e, 0)
	c.configure("c", "*", 1, `{"properties.desired.v":1,"properties.desired.old":null}`)
	e.Evaluate()
	before := c.ask("SELECT * FROM devices").body
	e.Evaluate()
	if after := c.ask("SELECT * FROM devices").body; after != before {
		t.Errorf("got %s, want %s", after, before)
	}
}

func TestModuleConfiguration(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(`{"deviceId":"d1"}`, `{"deviceId":"d1","moduleId":"m"}`, `{"deviceId":"d1","moduleId":"n"}`)})
	c := connect(t, e, 0)
	c.do("PUT", "/configurations/c", `{"content":{"moduleContent":{"properties.desired.v":1}},"targetCondition":"FROM devices.modules WHERE moduleId='m'"}`).want(200, "")
	got := c.ask("SELECT moduleId FROM devices.modules WHERE properties.desired.v = 1").body
	if got != `[{"moduleId":"m"}]` {
		t.Errorf("got %s", got)
	}
	c.do("GET", "/configurations/c", "").contains(`"results":{"appliedCount":1,"targetedCount":1}`)
}

func TestSeededConfigurations(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(2), Configurations: []*twin.Configuration{{
		ID: "c", ETag: "NQ==", TargetCondition: "tags.n=1", Priority: 3, Labels: map[string]string{"a": "b"},
		Content: twin.Object{"deviceContent": twin.Object{"properties.desired.v": true}}, Counts: map[string]int64{"appliedCount": 7},
	}}})
	if got := e.Configurations(); len(got) != 1 || got[0].ETag != "NQ==" || got[0].Counts["appliedCount"] != 7 || got[0].Priority != 3 {
		t.Errorf("got %+v", got)
	}
	c := connect(t, e, 0)
	c.do("GET", "/configurations/c", "").want(200, "").contains(`"results":{"appliedCount":1,"targetedCount":1}`)
	if got := desired(t, e, "d001"); got != `{"v":true}` {
		t.Errorf("got %s", got)
	}
	c.do("PUT", "/configurations/c", fanConfiguration, "If-Match", `"NQ=="`).want(200, "").contains(`"etag":"Ng=="`)
}
