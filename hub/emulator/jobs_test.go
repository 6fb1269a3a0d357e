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

const updateJob = `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"n":null,"x":1},"properties":{"desired":{"fan":3}}},` +
	`"queryCondition":"tags.n < 2","maxExecutionTimeInSeconds":60}`

// jobHub has four devices and a module, and a clock.
func jobHub(t *testing.T, o emulator.Options) (*emulator.Emulator, *client, *clock) {
	t.Helper()
	clock := newClock()
	o.Now, o.Twins = clock.now, fleet(`{"deviceId":"d0","tags":{"n":0}}`, `{"deviceId":"d1","tags":{"n":1}}`,
		`{"deviceId":"d2","tags":{"n":2}}`, `{"deviceId":"d3","tags":{"n":3}}`, `{"deviceId":"d0","moduleId":"m","tags":{"n":0}}`)
	e := start(t, &o)
	return e, connect(t, e, 0), clock
}

// statusOf returns the status of a job.
func (c *client) statusOf(id string) string {
	c.t.Helper()
	status, _ := c.do("GET", "/jobs/v2/"+id, "").want(200, "").object()["status"].(string)
	return status
}

func TestJobLife(t *testing.T) {
	e, c, clock := jobHub(t, emulator.Options{})
	created := c.do("PUT", "/jobs/v2/j-1", updateJob).want(200, "")
	want := `{"jobId":"j-1","queryCondition":"tags.n < 2","createdTime":"2026-03-01T12:00:00.1234567Z","startTime":"2026-03-01T12:00:00.1234567Z",` +
		`"maxExecutionTimeInSeconds":60,"type":"scheduleUpdateTwin",` +
		`"updateTwin":{"etag":"*","tags":{"n":null,"x":1},"properties":{"desired":{"fan":3}}},"status":"queued"}`
	if diff := cmp.Diff(want, created.body); diff != "" {
		t.Error(diff)
	}
	var states []string
	for range 5 {
		states = append(states, c.statusOf("j-1"))
		clock.pass(time.Second)
	}
	if got, want := strings.Join(states, " "), "queued scheduled running completed completed"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	c.do("GET", "/jobs/v2/j-1", "").contains(`"endTime":"2026-03-01T12:00:03.1234567Z"`).
		contains(`"deviceJobStatistics":{"deviceCount":2,"failedCount":0,"succeededCount":2,"runningCount":0,"pendingCount":0}`)
	for device, want := range map[string]string{"d0": `{"x":1}`, "d1": `{"x":1}`, "d2": `{"n":2}`} {
		got, err := e.Twin(twin.Ref{Device: device})
		if err != nil || string(twin.Encode(got.Tags())) != want {
			t.Errorf("%s has tags %s, want %s (%v)", device, twin.Encode(got.Tags()), want, err)
		}
	}
	rows := c.ask("SELECT * FROM devices.jobs WHERE jobId = 'j-1' AND deviceId = 'd1'").want(200, "")
	wantRow := `[{"deviceId":"d1","jobId":"j-1","jobType":"scheduleUpdateTwin","status":"completed","startTimeUtc":"2026-03-01T12:00:03.1234567Z",` +
		`"endTimeUtc":"2026-03-01T12:00:03.1234567Z","createdDateTimeUtc":"2026-03-01T12:00:02.1234567Z","lastUpdatedDateTimeUtc":"2026-03-01T12:00:03.1234567Z"}]`
	if diff := cmp.Diff(wantRow, rows.body); diff != "" {
		t.Error(diff)
	}
	clock.pass(31 * 24 * time.Hour)
	connect(t, e, 0).do("GET", "/jobs/v2/j-1", "").want(200, "").contains(`{"type":"unknown","status":"unknown"}`)
}

func TestJobRefusals(t *testing.T) {
	_, c, _ := jobHub(t, emulator.Options{})
	etag := `Missing or invalid etag for job type ScheduleUpdateTwin. ScheduleUpdateTwin job type is a force update, which only accepts '*' as the Etag.`
	for _, test := range []struct {
		name, id, body, code, text string
	}{
		{"capitals in the id", "J", updateJob, "ArgumentInvalid", "id 'J' is invalid"},
		{"long id", strings.Repeat("j", 65), updateJob, "ArgumentInvalid", "is invalid"},
		{"another id", "j", `{"jobId":"k"}`, "ArgumentInvalid", "not the one of the path"},
		{"no JSON", "j", `{`, "IotHubFormatError", ""},
		{"type", "j", `{"type":"export"}`, "ArgumentInvalid", "cannot be scheduled"},
		{"types inside", "j", `{"jobId":7}`, "ArgumentInvalid", ""},
		{"no work", "j", `{"type":"scheduleUpdateTwin","queryCondition":"*"}`, "ArgumentNull", "updateTwin is missing"},
		{"no etag", "j", `{"type":"scheduleUpdateTwin","updateTwin":{"tags":{}},"queryCondition":"*"}`, "ArgumentInvalid", etag},
		{"conditional", "j", `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"AAAAAAAAAAE=","tags":{}},"queryCondition":"*"}`, "ArgumentInvalid", `Error: BadRequest {\"Message\":`},
		{"bad twin", "j", `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"a b":1}},"queryCondition":"*"}`, "ArgumentInvalid", "invalid characters"},
		{"no method", "j", `{"type":"scheduleDeviceMethod","cloudToDeviceMethod":{},"queryCondition":"*"}`, "ArgumentNull", "methodName"},
		{"no condition", "j", `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*"}}`, "ArgumentNull", "queryCondition"},
		{"start not a time", "j", `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*"},"queryCondition":"*","startTime":"soon"}`, "ArgumentInvalid", "not a time"},
		{"start too late", "j", `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*"},"queryCondition":"*","startTime":"2026-03-08T12:00:01Z"}`, "ArgumentInvalid", "168 hours"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.do("PUT", "/jobs/v2/"+test.id, test.body).want(400, test.code).contains(test.text)
		})
	}
	c.do("GET", "/jobs/v2/nobody", "").want(200, "").contains(`{"type":"unknown","status":"unknown"}`)
	c.do("POST", "/jobs/v2/nobody/cancel", "").want(404, "JobNotFound")
	c.do("GET", "/jobs/v2/query?api-version=2021-04-12&jobStatus=odd", "").want(400, "ArgumentInvalid")
}

// TestJobSlots has as many jobs at once as the tier has slots; a scheduled one
// takes a slot as well.
func TestJobSlots(t *testing.T) {
	for tier, slots := range map[string]int{"": 1, "F1": 1, "S1": 1, "S2": 5, "S3": 10} {
		t.Run(tier, func(t *testing.T) {
			_, c, clock := jobHub(t, emulator.Options{Tier: tier})
			later := strings.Replace(updateJob, `"queryCondition"`, `"startTime":"2026-03-01T13:00:00Z","queryCondition"`, 1)
			for i := range slots {
				c.do("PUT", fmt.Sprintf("/jobs/v2/j%d", i), later).want(200, "")
			}
			c.do("PUT", "/jobs/v2/j0", later).want(409, "JobAlreadyExists")
			r := c.do("PUT", "/jobs/v2/more", later).want(429, "ThrottlingMaxActiveJobCountExceeded")
			if got := r.header.Get("Retry-After"); got != "" {
				t.Errorf("got Retry-After %s", got)
			}
			c.do("POST", "/jobs/v2/j0/cancel", "").want(200, "").contains(`"status":"cancelled"`)
			if got := c.statusOf("j0"); got != "queued" {
				t.Errorf("at once after the cancelling it is %s, want it to lag", got)
			}
			c.do("POST", "/jobs/v2/j0/cancel", "").want(405, "OperationNotAllowedInCurrentState")
			clock.pass(time.Second)
			if got := c.statusOf("j0"); got != "cancelled" {
				t.Errorf("got %s, want cancelled", got)
			}
			c.do("PUT", "/jobs/v2/more", later).want(200, "")
		})
	}
}

func TestJobEnds(t *testing.T) {
	for _, test := range []struct {
		name, body string
		seconds    int // that pass
		want       string
	}{
		{"a condition that is none", `"queryCondition":"tags.n <"`, 4, `"status":"failed","failureReason":"The query condition is invalid`},
		{"of nobody", `"queryCondition":"tags.n = 9"`, 4, `"status":"completed","deviceJobStatistics":{"deviceCount":0,`},
		{"of all devices", `"queryCondition":"*"`, 4, `"status":"completed","deviceJobStatistics":{"deviceCount":4,"failedCount":0,"succeededCount":4`},
		{"of modules", `"queryCondition":"FROM devices.modules WHERE moduleId = 'm'"`, 4, `"deviceJobStatistics":{"deviceCount":1,"failedCount":0,"succeededCount":1`},
		{"in time", `"queryCondition":"*","startTime":"2026-03-01T12:00:10Z"`, 9, `"status":"scheduled"}`},
		{"in time, later", `"queryCondition":"*","startTime":"2026-03-01T12:00:10Z"`, 12, `"status":"completed"`},
		{"with all the time there is", `"queryCondition":"*","maxExecutionTimeInSeconds":9223372036854775807`, 5, `"status":"completed"`},
		{"out of time", `"queryCondition":"*","maxExecutionTimeInSeconds":1`, 5, `"status":"failed","failureReason":"The job took longer than maxExecutionTimeInSeconds."`},
	} {
		t.Run(test.name, func(t *testing.T) {
			tier := ""
			if test.name == "out of time" {
				tier = "S1"
			}
			clock := newClock()
			e := start(t, &emulator.Options{Now: clock.now, Tier: tier, Twins: fleet(`{"deviceId":"d0","tags":{"n":0}}`, `{"deviceId":"d1"}`, `{"deviceId":"d2"}`,
				`{"deviceId":"d3"}`, `{"deviceId":"d0","moduleId":"m"}`)})
			if tier != "" {
				for i := range 40 {
					extra, _ := twin.Parse(fmt.Appendf(nil, `{"deviceId":"x%d"}`, i))
					if err := e.Put(extra); err != nil {
						t.Fatal(err)
					}
				}
			}
			c := connect(t, e, 0)
			c.do("PUT", "/jobs/v2/j", `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"x":1}},`+test.body+`}`).want(200, "")
			clock.pass(time.Duration(test.seconds) * time.Second)
			c.do("GET", "/jobs/v2/j", "").contains(test.want)
		})
	}
}

// TestJobPace runs a job over 44 devices, ten a second on this tier.
func TestJobPace(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Tier: "S1", Twins: numbered(44)})
	c := connect(t, e, 0)
	c.do("PUT", "/jobs/v2/j", `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"x":1}},"queryCondition":"*"}`).want(200, "")
	clock.pass(2 * time.Second)
	var done []string
	for range 7 {
		s, _ := c.do("GET", "/jobs/v2/j", "").object()["deviceJobStatistics"].(twin.Object)
		done = append(done, fmt.Sprint(s["succeededCount"]))
		clock.pass(time.Second)
	}
	if got, want := strings.Join(done, " "), "0 10 20 30 40 44 44"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestMethodJob calls a method on devices that are not connected: the job is
// completed and all of it failed.
func TestMethodJob(t *testing.T) {
	_, c, clock := jobHub(t, emulator.Options{})
	c.do("PUT", "/jobs/v2/j", `{"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"m","payload":{"a":1},"responseTimeoutInSeconds":30},`+
		`"queryCondition":"deviceId = 'd1'"}`).want(200, "").contains(`"payload":[123,34,97,34,58,49,125]`)
	clock.pass(3 * time.Second)
	c.do("GET", "/jobs/v2/j", "").contains(`"status":"completed"`).contains(`"deviceCount":1,"failedCount":1,`)
	c.ask("SELECT * FROM devices.jobs").contains(`"status":"failed"`).contains(`"error":{"code":"DeviceNotOnline"`)
}

func TestListJobs(t *testing.T) {
	_, c, clock := jobHub(t, emulator.Options{})
	for i := range 3 {
		c.do("PUT", fmt.Sprintf("/jobs/v2/j%d", i), updateJob).want(200, "")
		if i < 2 {
			clock.pass(4 * time.Second)
			c.statusOf("j0")
		}
	}
	list := func(query, token string) *response {
		return c.do("GET", "/jobs/v2/query?api-version=2021-04-12"+query, "", "x-ms-max-item-count", "2", "x-ms-continuation", token)
	}
	ids := func(r *response) string {
		v, err := twin.Decode([]byte(r.want(200, "").body))
		rows, ok := v.([]any)
		if err != nil || !ok {
			t.Fatalf("not an array: %s", r.body)
		}
		text := ""
		for _, row := range rows {
			text += fmt.Sprint(row.(twin.Object)["jobId"], " ")
		}
		return text
	}
	first := list("", "")
	if got := first.header.Get("x-ms-item-type"); got != "JobResponse" {
		t.Errorf("got type %s", got)
	}
	second := list("", first.header.Get("x-ms-continuation"))
	if got := ids(first) + "| " + ids(second); got != "j0 j1 | j2 " || second.header.Get("x-ms-continuation") != "" {
		t.Errorf("got %s", got)
	}
	for query, want := range map[string]string{
		"&jobStatus=completed": "j0 j1 ", "&jobStatus=queued&jobType=scheduleUpdateTwin": "j2 ", "&jobType=scheduleDeviceMethod": "",
	} {
		if got := ids(list(query, "")); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	list("&jobStatus=completed", first.header.Get("x-ms-continuation")).want(400, "ArgumentInvalid")
}
