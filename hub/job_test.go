package hub_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// inTurn answers with one text after the other, the last one again and again,
// and writes down what was asked.
func inTurn(log *[]string, texts ...string) transport {
	return func(req *http.Request) (*http.Response, error) {
		*log = append(*log, spell(req))
		text := texts[0]
		if len(texts) > 1 {
			texts = texts[1:]
		}
		return saying(200, text), nil
	}
}

// A job is followed to its end by another client than the one that created it.
func TestResumeScheduledJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first, second []string
		start := time.Date(2026, 8, 16, 12, 0, 0, 0, time.FixedZone("", 2*3600))
		poller, err := onTransport(t, inTurn(&first, jobBody)).NewJobClient().BeginScheduleTwinUpdate(t.Context(), "j-1", "tags.a='b'", fan, &hub.JobClientScheduleOptions{Start: start, MaxExecution: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		want := `PUT /jobs/v2/j-1 {"jobId":"j-1","maxExecutionTimeInSeconds":60,"queryCondition":"tags.a='b'","startTime":"2026-08-16T10:00:00.000Z","type":"scheduleUpdateTwin","updateTwin":{"etag":"*","properties":{"desired":{"fan":"on"}}}}`
		if len(first) != 1 || first[0] != want {
			t.Errorf("got  %q\nwant %q", first, want)
		}
		token, err := poller.ResumeToken()
		if err != nil {
			t.Fatal(err)
		}
		other := onTransport(t, inTurn(&second, `{"jobId":"j-1","status":"running"}`, `{"jobId":"j-1","status":"Completed","deviceJobStatistics":{"deviceCount":3,"failedCount":1,"succeededCount":2}}`))
		poller, err = other.NewJobClient().BeginScheduleTwinUpdate(t.Context(), "", "", twin.Patch{}, &hub.JobClientScheduleOptions{ResumeToken: token})
		if err != nil {
			t.Fatal(err)
		}
		out, err := poller.PollUntilDone(t.Context(), &runtime.PollUntilDoneOptions{Frequency: time.Minute})
		if err != nil || out.Devices.Failed != 1 || out.Status != hub.JobStatusCompleted || len(second) != 2 || second[0] != "GET /jobs/v2/j-1" {
			t.Errorf("got %+v, %v after %q", out.ScheduledJob, err, second)
		}
	})
}

func TestResumeExport(t *testing.T) {
	var first, second []string
	signed := "https://a.blob.core.windows.net/c?sv=1&sig=secret"
	poller, err := onTransport(t, inTurn(&first, strings.Replace(exportBody, "net/c", "net/c?sig=secret", 1))).NewJobClient().BeginExportDevices(t.Context(), signed, &hub.JobClientExportOptions{IncludeConfigurations: true, BlobName: "x.txt"})
	if err != nil {
		t.Fatal(err)
	}
	want := `POST /jobs/create {"excludeKeysInExport":true,"includeConfigurations":true,"outputBlobContainerUri":"https://a.blob.core.windows.net/c?sv=1&sig=secret","outputBlobName":"x.txt","storageAuthenticationType":"keyBased","type":"export"}`
	if len(first) != 1 || first[0] != want {
		t.Errorf("got  %q\nwant %q", first, want)
	}
	token, err := poller.ResumeToken()
	if err != nil || strings.Contains(token, "secret") {
		t.Fatal(token, err)
	}
	jobs := onTransport(t, inTurn(&second, strings.Replace(exportBody, "enqueued", "failed", 1))).NewJobClient()
	poller, err = jobs.BeginExportDevices(t.Context(), "", &hub.JobClientExportOptions{ResumeToken: token})
	if err != nil {
		t.Fatal(err)
	}
	out, err := poller.PollUntilDone(t.Context(), nil)
	if !errors.Is(err, hub.ErrJobFailed) || !strings.Contains(err.Error(), "job 5e1f") || len(second) != 1 {
		t.Errorf("got %+v, %v", out, err)
	}
	if _, err := jobs.BeginExportDevices(t.Context(), "", &hub.JobClientExportOptions{ResumeToken: "{}"}); err == nil {
		t.Error("a token that is none")
	}
	if _, err := jobs.BeginImportDevices(t.Context(), "http://a/c", signed, nil); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("an import from nowhere: %v", err)
	}
}

// The hub's odd answers about jobs become what they mean.
func TestOddJobs(t *testing.T) {
	ctx := t.Context()
	tests := []struct {
		name   string
		answer *answered
		do     func(*hub.JobClient) error
		is     error
		code   hub.Code
		line   string
	}{
		{"unknown, with a 200", ok(`{"type":"unknown","status":"unknown"}`), func(c *hub.JobClient) error { _, err := c.GetScheduledJob(ctx, "j-9", nil); return err }, twin.ErrNotFound, hub.CodeJobNotFound, "there is no job j-9"},
		{"another job", ok(jobBody), func(c *hub.JobClient) error { _, err := c.GetScheduledJob(ctx, "j-9", nil); return err }, hub.ErrBadAnswer, "", "it is about job j-1"},
		{"cancelled too late", &answered{405, `{"Message":"ErrorCode:OperationNotAllowedInCurrentState;x"}`, nil}, func(c *hub.JobClient) error { _, err := c.CancelScheduledJob(ctx, "j-1", nil); return err }, nil, hub.CodeOperationNotAllowedInCurrentState, "only one that is still waiting"},
		{"exists", &answered{409, `{"Message":"ErrorCode:JobAlreadyExists;x"}`, nil}, func(c *hub.JobClient) error {
			_, err := c.BeginScheduleMethod(ctx, "j-1", "*", hub.Method{Name: "m"}, nil)
			return err
		}, twin.ErrChanged, hub.CodeJobAlreadyExists, "exists on"},
		{"second export", &answered{403, `{"Message":"ErrorCode:JobQuotaExceeded;x"}`, nil}, func(c *hub.JobClient) error {
			_, err := c.BeginExportDevices(ctx, "https://a/c", nil)
			return err
		}, twin.ErrThrottled, hub.CodeJobQuotaExceeded, "as many jobs as it can"},
		{"a text for a list", ok(`{"type":"jobResponse","items":[]}`), func(c *hub.JobClient) error { return drain(c.ScheduledJobs(ctx, nil)) }, hub.ErrBadAnswer, "", "not an array"},
		{"no id", ok(jobBody), func(c *hub.JobClient) error { _, err := c.GetScheduledJob(ctx, "query", nil); return err }, nil, "", "is none"},
	}
	for _, test := range tests {
		err := test.do(onTransport(t, func(*http.Request) (*http.Response, error) { return test.answer.response(), nil }).NewJobClient())
		if err == nil || test.is != nil && !errors.Is(err, test.is) || test.code != "" && !hub.HasCode(err, hub.CodeServerError, test.code) || !strings.Contains(hub.Explain(err), test.line) {
			t.Errorf("%s: got %v\n%s", test.name, err, hub.Explain(err))
		}
	}
}

// Jobs come page by page.
func TestJobPages(t *testing.T) {
	var log []string
	c := onTransport(t, func(req *http.Request) (*http.Response, error) {
		log = append(log, req.Header.Get("x-ms-continuation")+"/"+req.Header.Get("x-ms-max-item-count"))
		if len(log) == 1 {
			return saying(200, "["+jobBody+"]", "x-ms-continuation", "more", "x-ms-item-type", "JobResponse"), nil
		}
		return saying(200, "["+jobBody+"]"), nil
	})
	n := 0
	for _, err := range c.NewJobClient().ScheduledJobs(t.Context(), &hub.JobClientQueryScheduledJobsOptions{PageSize: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2 || strings.Join(log, " ") != "/1 more/1" {
		t.Errorf("%d jobs, %q", n, log)
	}
}
