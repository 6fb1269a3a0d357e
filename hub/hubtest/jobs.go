package hubtest

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// now returns the time on the hub's clock, at which it wrote a twin.
func (t *T) now() time.Time {
	t.Helper()
	at, ok := t.patch(twin.Ref{Device: t.Devices[2]}, "", `{"hubtest":true}`).Updated("desired", "hubtest")
	if !ok {
		t.Fatal("the hub does not say when it wrote")
	}
	return at
}

// jobID returns the id of a job that the hub has not had: it remembers them for
// 30 days, and they cannot be deleted.
func (t *T) jobID(name string) string {
	t.Helper()
	return "tr-hubtest-" + name + "-" + strconv.FormatInt(t.now().UnixMilli(), 36)
}

// marked gives the first two devices a tag that no others have, and returns the
// condition that selects them.
func (t *T) marked(mark string) string {
	t.Helper()
	for _, id := range t.Devices[:2] {
		t.patch(t.emptied(id), `{"hubtest":"`+mark+`"}`, "")
	}
	t.settled()
	return "tags.hubtest = '" + mark + "'"
}

// scheduled starts a job that writes a tag, and cancels it when the case ends.
func (t *T) scheduled(id, condition string, o *hub.JobClientScheduleOptions) *runtime.Poller[hub.JobClientScheduledJobResponse] {
	t.Helper()
	t.need(t.Pass != nil, "time that passes")
	poller, err := t.Client.NewJobClient().BeginScheduleTwinUpdate(t.Context(), id, condition, twin.Patch{Tags: t.object(`{"job":1.0,"old":null}`), Desired: t.object(`{"a":{"b":2}}`)}, o)
	t.ok(err)
	t.Cleanup(func() { t.freeSlot(id) })
	return poller
}

// freeSlot cancels a job that may still hold one of the hub's slots.
func (t *T) freeSlot(id string) {
	ctx, c := t.after(), t.Client.NewJobClient()
	_, err := c.CancelScheduledJob(ctx, id, nil)
	if err != nil && !hub.HasCode(err, hub.CodeOperationNotAllowedInCurrentState) {
		t.Errorf("clean up: %v", err)
	}
	for range 60 {
		if job, err := c.GetScheduledJob(ctx, id, nil); err != nil || job.Status.Over() {
			return
		}
		if err := t.Pass(ctx, 2*time.Second); err != nil {
			return
		}
	}
	t.Errorf("clean up: job %s goes on", id)
}

// followed polls until a job is over.
func followed[R any](t *T, poller *runtime.Poller[R]) (out R, err error) {
	t.Helper()
	for range 300 {
		if poller.Done() {
			return poller.Result(t.Context())
		}
		t.ok(t.Pass(t.Context(), 2*time.Second))
		if _, err := poller.Poll(t.Context()); err != nil {
			return out, err
		}
	}
	t.Fatal("the job goes on")
	return out, nil
}

// jobCases are about the hub's own jobs over many devices.
var jobCases = []*Case{
	{
		Name:  "a job writes the twins that meet its condition",
		About: "Jobs_CreateScheduledJob Jobs_GetScheduledJob", Evidence: "LIVE: nulls delete",
		Run: func(t *T) {
			condition := t.marked("job")
			t.patch(twin.Ref{Device: t.Devices[0]}, `{"old":1}`, "")
			job, err := followed(t, t.scheduled(t.jobID("write"), condition, nil))
			t.ok(err)
			if job.Status != hub.JobStatusCompleted || job.Devices.All != 2 || job.Devices.Succeeded != 2 || job.Condition != condition || job.End == "" {
				t.Errorf("got %+v", job.ScheduledJob)
			}
			for _, id := range t.Devices[:2] {
				t.wantTags(t.read(twin.Ref{Device: id}), `{"hubtest":"job","job":1.0}`)
				t.wantDesired(twin.Ref{Device: id}, `{"a":{"b":2}}`)
			}
		},
	},
	{
		Name:  "a job tells of each device",
		About: "Query_GetTwins Jobs_CreateScheduledJob", Evidence: "DOC; SDK: FROM devices.jobs",
		Run: func(t *T) {
			id := t.jobID("rows")
			_, err := followed(t, t.scheduled(id, t.marked("rows"), nil))
			t.ok(err)
			n := 0
			for row, err := range t.Client.NewJobClient().DeviceJobs(t.Context(), id) {
				t.ok(err)
				if o := t.object(string(row)); o["jobId"] != id || o["status"] != "completed" || o["deviceId"] == nil {
					t.Errorf("got %s", row)
				}
				n++
			}
			if n != 2 {
				t.Errorf("%d rows", n)
			}
		},
	},
	{
		Name:  "a job calls a method",
		About: "Jobs_CreateScheduledJob", Evidence: "LIVE: the payload comes back as bytes",
		Run: func(t *T) {
			t.need(t.Play != nil && t.Pass != nil, "a device that answers, and time that passes")
			condition := t.marked("method")
			for _, id := range t.Devices[:2] {
				t.Play(t.T, twin.Ref{Device: id}, echo)
			}
			id := t.jobID("method")
			poller, err := t.Client.NewJobClient().BeginScheduleMethod(t.Context(), id, condition, hub.Method{Name: "reboot", Payload: json.RawMessage(`{"in":1}`)}, nil)
			t.ok(err)
			t.Cleanup(func() { t.freeSlot(id) })
			job, err := followed(t, poller)
			t.ok(err)
			if job.Devices.All != 2 || job.Devices.Succeeded != 2 || t.object(string(job.Method))["methodName"] != "reboot" {
				t.Errorf("got %+v", job.ScheduledJob)
			}
			if _, bytes := t.object(string(job.Method))["payload"].([]any); !bytes {
				t.Errorf("the payload is %s", job.Method)
			}
		},
	},
	{
		Name:  "a job is completed although its devices failed",
		About: "Jobs_GetScheduledJob", Evidence: "LIVE: failedCount 1 of a device that is offline",
		Run: func(t *T) {
			t.need(t.Pass != nil, "time that passes")
			id := t.jobID("failed")
			poller, err := t.Client.NewJobClient().BeginScheduleMethod(t.Context(), id, t.marked("offline"), hub.Method{Name: "reboot"}, nil)
			t.ok(err)
			t.Cleanup(func() { t.freeSlot(id) })
			job, err := followed(t, poller)
			t.ok(err)
			if job.Status != hub.JobStatusCompleted || job.Devices.Failed != 2 {
				t.Errorf("got %+v", job.ScheduledJob)
			}
		},
	},
	{
		Name:  "a job whose condition is none fails later",
		About: "Jobs_CreateScheduledJob", Evidence: "LIVE: accepted, and then failed",
		Run: func(t *T) {
			_, err := followed(t, t.scheduled(t.jobID("condition"), "tags. = ", nil))
			if !errors.Is(err, hub.ErrJobFailed) {
				t.Errorf("got %v", err)
			}
		},
	},
	{
		Name:  "a job is followed by another process",
		About: "Jobs_CreateScheduledJob Jobs_GetScheduledJob", Evidence: "INF: the id is all that it needs",
		Run: func(t *T) {
			token, err := t.scheduled(t.jobID("resume"), t.marked("resume"), nil).ResumeToken()
			t.ok(err)
			poller, err := t.Client.NewJobClient().BeginScheduleTwinUpdate(t.Context(), "", "", twin.Patch{}, &hub.JobClientScheduleOptions{ResumeToken: token})
			t.ok(err)
			job, err := followed(t, poller)
			t.ok(err)
			if job.Devices.Succeeded != 2 {
				t.Errorf("got %+v", job.ScheduledJob)
			}
		},
	},
	{
		Name:  "a job of an id that there was is refused",
		About: "Jobs_CreateScheduledJob", Evidence: "LIVE: 409 JobAlreadyExists",
		Run: func(t *T) {
			id := t.jobID("twice")
			_, err := followed(t, t.scheduled(id, "deviceId = 'tr-hubtest-none'", nil))
			t.ok(err)
			_, err = t.Client.NewJobClient().BeginScheduleTwinUpdate(t.Context(), id, "deviceId = 'tr-hubtest-none'", twin.Patch{Tags: t.object(`{"other":1}`)}, nil)
			t.wantError(err, twin.ErrChanged, "JobAlreadyExists")
		},
	},
	{
		Name:  "an update under an etag is no job",
		About: "Jobs_CreateScheduledJob", Evidence: "LIVE; SDK: 400, only * as the Etag",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			for _, etag := range []string{``, `"etag":"AAAAAAAAAAE=",`} {
				got := t.raw("PUT", path("jobs", "v2", t.jobID("etag")), nil, `{"type":"scheduleUpdateTwin","updateTwin":{`+etag+`"tags":{"a":1}},"queryCondition":"deviceId = 'tr-hubtest-none'"}`)
				t.wantRefusal(got, 400, "ArgumentInvalid")
			}
		},
	},
	{
		Name:  "capitals in the id of a job are refused",
		About: "Jobs_CreateScheduledJob", Evidence: "LIVE: 400 ArgumentInvalid",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			got := t.raw("PUT", path("jobs", "v2", "tr-hubtest-A"), nil, `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"a":1}},"queryCondition":"deviceId = 'tr-hubtest-none'"}`)
			t.wantRefusal(got, 400, "ArgumentInvalid")
		},
	},
	{
		Name:  "a job more than a week ahead is refused",
		About: "Jobs_CreateScheduledJob", Evidence: "LIVE: 168 hours",
		Run: func(t *T) {
			_, err := t.Client.NewJobClient().BeginScheduleTwinUpdate(t.Context(), t.jobID("late"), "deviceId = 'tr-hubtest-none'", twin.Patch{Tags: t.object(`{"a":1}`)},
				&hub.JobClientScheduleOptions{Start: t.now().Add(170 * time.Hour)})
			t.wantError(err, nil, "")
		},
	},
	{
		Name:  "a job that waits holds the slot of a small hub",
		About: "Jobs_CreateScheduledJob", Evidence: "LIVE: 429 ThrottlingMaxActiveJobCountExceeded; INF: with tiers of one slot",
		Run: func(t *T) {
			t.need(t.OneJob, "a tier of one job at a time")
			t.scheduled(t.jobID("first"), "deviceId = 'tr-hubtest-none'", &hub.JobClientScheduleOptions{Start: t.now().Add(time.Hour)})
			_, err := t.Client.NewJobClient().BeginScheduleTwinUpdate(t.Context(), t.jobID("second"), "deviceId = 'tr-hubtest-none'", twin.Patch{Tags: t.object(`{"a":1}`)}, nil)
			t.wantError(err, twin.ErrThrottled, "ThrottlingMaxActiveJobCountExceeded")
		},
	},
	{
		Name:  "a job that waits is cancelled",
		About: "Jobs_CancelScheduledJob Jobs_GetScheduledJob", Evidence: "LIVE: the answer says cancelled, the next reading may not yet",
		Run: func(t *T) {
			id := t.jobID("cancel")
			poller := t.scheduled(id, "deviceId = 'tr-hubtest-none'", &hub.JobClientScheduleOptions{Start: t.now().Add(time.Hour)})
			got, err := t.Client.NewJobClient().CancelScheduledJob(t.Context(), id, nil)
			t.ok(err)
			if got.Status != hub.JobStatusCancelled {
				t.Errorf("the answer says %s", got.Status)
			}
			if job, err := followed(t, poller); !errors.Is(err, hub.ErrJobFailed) || job.ScheduledJob != nil && job.Status != hub.JobStatusCancelled {
				t.Errorf("got %+v, %v", job.ScheduledJob, err)
			}
		},
	},
	{
		Name:  "a job that is over is not cancelled",
		About: "Jobs_CancelScheduledJob", Evidence: "LIVE: 405 OperationNotAllowedInCurrentState",
		Run: func(t *T) {
			id := t.jobID("over")
			_, err := followed(t, t.scheduled(id, "deviceId = 'tr-hubtest-none'", nil))
			t.ok(err)
			_, err = t.Client.NewJobClient().CancelScheduledJob(t.Context(), id, nil)
			t.wantError(err, nil, "OperationNotAllowedInCurrentState")
		},
	},
	{
		Name:  "no job is cancelled",
		About: "Jobs_CancelScheduledJob", Evidence: "LIVE: 404 JobNotFound",
		Run: func(t *T) {
			_, err := t.Client.NewJobClient().CancelScheduledJob(t.Context(), "tr-hubtest-none", nil)
			t.wantError(err, twin.ErrNotFound, "JobNotFound")
		},
	},
	{
		Name:  "no job is unknown",
		About: "Jobs_GetScheduledJob", Evidence: "LIVE: 200, with type and status unknown",
		Run: func(t *T) {
			_, err := t.Client.NewJobClient().GetScheduledJob(t.Context(), "tr-hubtest-none", nil)
			if !errors.Is(err, twin.ErrNotFound) || !hub.HasCode(err, hub.CodeJobNotFound) {
				t.Errorf("got %v", err)
			}
			t.need(t.Raw != nil, "requests of any kind")
			if got := t.raw("GET", path("jobs", "v2", "tr-hubtest-none"), nil, ""); got.status != 200 || t.object(got.body)["status"] != "unknown" {
				t.Errorf("got %d %s", got.status, got.body)
			}
		},
	},
	{
		Name:  "jobs are queried by type and status",
		About: "Jobs_QueryScheduledJobs", Evidence: "MEAS; LIVE: a bare array, x-ms-item-type JobResponse",
		Run: func(t *T) {
			id := t.jobID("query")
			_, err := followed(t, t.scheduled(id, "deviceId = 'tr-hubtest-none'", nil))
			t.ok(err)
			for o, want := range map[hub.JobClientQueryScheduledJobsOptions]bool{
				{}: true, {PageSize: 1}: true,
				{Type: "scheduleUpdateTwin", Status: hub.JobStatusCompleted}: true,
				{Type: "scheduleDeviceMethod"}:                               false,
				{Status: hub.JobStatusRunning}:                               false,
			} {
				if got := t.hasJob(&o, id); got != want {
					t.Errorf("%+v: found %t", o, got)
				}
			}
		},
	},
}

func (t *T) hasJob(o *hub.JobClientQueryScheduledJobsOptions, id string) (found bool) {
	t.Helper()
	for job, err := range t.Client.NewJobClient().ScheduledJobs(t.Context(), o) {
		t.ok(err)
		found = found || job.ID == id
	}
	return found
}
