package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/twinrules/twinrules/hub/twin"
)

// A ScheduledJob is a job over many devices as it is now.
type ScheduledJob struct {
	ID            string            `json:"jobId"`
	Type          string            `json:"type"` // "scheduleUpdateTwin" or "scheduleDeviceMethod"
	Status        JobStatus         `json:"status"`
	Condition     string            `json:"queryCondition"`
	Created       string            `json:"createdTime"` // times as the hub spells them
	Start         string            `json:"startTime"`
	End           string            `json:"endTime"`
	FailureReason string            `json:"failureReason"`
	Message       string            `json:"statusMessage"`
	Devices       ScheduledJobCount `json:"deviceJobStatistics"`

	// Method and UpdateTwin are what the hub echoes. The payload of a method comes
	// back as an array of bytes.
	Method     json.RawMessage `json:"cloudToDeviceMethod"`
	UpdateTwin json.RawMessage `json:"updateTwin"`
}

// A ScheduledJobCount counts the devices of a job.
type ScheduledJobCount struct {
	All       int `json:"deviceCount"`
	Failed    int `json:"failedCount"`
	Succeeded int `json:"succeededCount"`
	Running   int `json:"runningCount"`
	Pending   int `json:"pendingCount"`
}

type (
	// JobClientScheduleOptions holds the optional settings of BeginScheduleTwinUpdate
	// and BeginScheduleMethod.
	JobClientScheduleOptions struct {
		Start        time.Time     // within a week; zero means now
		MaxExecution time.Duration // 0 means an hour
		// ResumeToken of an earlier poller makes this one follow the same job; nothing
		// is created then, and the other arguments are not used.
		ResumeToken string
	}
	// JobClientGetScheduledJobOptions holds the optional settings of
	// GetScheduledJob. There are none yet.
	JobClientGetScheduledJobOptions struct{}
	// JobClientCancelScheduledJobOptions holds those of CancelScheduledJob. There
	// are none yet.
	JobClientCancelScheduledJobOptions struct{}
	// JobClientQueryScheduledJobsOptions holds those of NewQueryScheduledJobsPager.
	JobClientQueryScheduledJobsOptions struct {
		Type         string // "scheduleUpdateTwin", "scheduleDeviceMethod" or "" for both
		Status       JobStatus
		PageSize     int // 0 means the client's
		Continuation string
	}

	// JobClientScheduledJobResponse holds a job as it is now.
	JobClientScheduledJobResponse struct{ *ScheduledJob }
	// JobClientQueryScheduledJobsResponse is a page of jobs.
	JobClientQueryScheduledJobsResponse struct {
		Jobs         []*ScheduledJob
		Continuation string // of the next page; "" on the last

		empty int
	}
)

// BeginScheduleTwinUpdate creates a job that merges patch into the twins that
// meet condition, the part of a query behind WHERE, or "*" for all. It cannot be
// made to depend on ETags. A hub runs few jobs at once, one on small tiers: it
// refuses more with [CodeThrottlingMaxActiveJobCountExceeded].
func (c *JobClient) BeginScheduleTwinUpdate(ctx context.Context, jobID, condition string, patch twin.Patch, o *JobClientScheduleOptions) (*runtime.Poller[JobClientScheduledJobResponse], error) {
	update := patch.Document()
	update["etag"] = "*" // the hub refuses any other
	return c.schedule(ctx, jobID, twin.Object{"type": "scheduleUpdateTwin", "updateTwin": update, "queryCondition": condition}, o)
}

// BeginScheduleMethod creates a job that invokes a method on the devices that
// meet condition. See [JobClient.BeginScheduleTwinUpdate].
func (c *JobClient) BeginScheduleMethod(ctx context.Context, jobID, condition string, m Method, o *JobClientScheduleOptions) (*runtime.Poller[JobClientScheduledJobResponse], error) {
	body, err := m.body()
	if err == nil {
		var method twin.Object
		if method, err = twin.DecodeObject(body); err == nil {
			return c.schedule(ctx, jobID, twin.Object{"type": "scheduleDeviceMethod", "cloudToDeviceMethod": method, "queryCondition": condition}, o)
		}
	}
	return nil, c.client.failure(request{op: putScheduledJob}, err)
}

func (c *JobClient) schedule(ctx context.Context, id string, job twin.Object, o *JobClientScheduleOptions) (*runtime.Poller[JobClientScheduledJobResponse], error) {
	p := &jobPoller[JobClientScheduledJobResponse]{JobID: id, get: c.follow, look: scheduledState}
	r := request{op: putScheduledJob, method: http.MethodPut, path: scheduledPath(id), creates: true}
	if o != nil && o.ResumeToken != "" {
		poller, err := p.resume(c.client, o.ResumeToken)
		if err != nil {
			return nil, c.client.failure(r, fmt.Errorf("resume token: %w", err))
		}
		return poller, nil
	}
	if err := checkJobID(id); err != nil {
		return nil, c.client.failure(r, err)
	}
	// What the hub makes of times and payloads differs in spelling.
	same := twin.Object{"jobId": id, "type": job["type"], "queryCondition": job["queryCondition"], "updateTwin": job["updateTwin"]}
	if method, ok := job["cloudToDeviceMethod"].(twin.Object); ok {
		same["cloudToDeviceMethod"] = twin.Object{"methodName": method["methodName"]}
	}
	r.ours, r.rereadBy = holds(same), getScheduledJob
	r.body = twin.Encode(o.put(id, job))
	out, err := c.job(ctx, r, id)
	if err != nil {
		return nil, err
	}
	p.State = out.Status
	return p.pollerOf(c.client)
}

// put adds the job's name and times.
func (o *JobClientScheduleOptions) put(id string, job twin.Object) twin.Object {
	job["jobId"] = id
	limit := time.Hour
	if o != nil && o.MaxExecution > 0 {
		limit = o.MaxExecution
	}
	job["maxExecutionTimeInSeconds"] = json.Number(strconv.Itoa(seconds(limit)))
	if o != nil && !o.Start.IsZero() {
		job["startTime"] = o.Start.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return job
}

// scheduledState returns how far a job is, and its error if it failed.
func scheduledState(r JobClientScheduledJobResponse) (JobStatus, error) {
	if !r.Status.Over() {
		return r.Status, nil
	}
	return r.Status, jobFailure(r.ID, r.Status, r.FailureReason, r.Message)
}

// GetScheduledJob reads a job. It fails with [twin.ErrNotFound] if there is none,
// also where the hub itself says 200 and a status of unknown.
func (c *JobClient) GetScheduledJob(ctx context.Context, jobID string, _ *JobClientGetScheduledJobOptions) (JobClientScheduledJobResponse, error) {
	return c.follow(ctx, jobID)
}

func (c *JobClient) follow(ctx context.Context, id string) (out JobClientScheduledJobResponse, err error) {
	r := request{op: getScheduledJob, method: http.MethodGet, path: scheduledPath(id)}
	if err := checkJobID(id); err != nil {
		return out, c.client.failure(r, err)
	}
	return c.job(ctx, r, id)
}

// CancelScheduledJob cancels a job that is queued or scheduled. One that runs or
// is over is a [CodeOperationNotAllowedInCurrentState]. The hub may go on for a
// while to say that it is scheduled.
func (c *JobClient) CancelScheduledJob(ctx context.Context, jobID string, _ *JobClientCancelScheduledJobOptions) (out JobClientScheduledJobResponse, err error) {
	r := request{
		op: cancelScheduledJob, method: http.MethodPost, path: append(scheduledPath(jobID), "cancel"), settles: true,
		ours: holds(twin.Object{"jobId": jobID, "status": string(JobStatusCancelled)}), rereadBy: getScheduledJob, reread: scheduledPath(jobID),
	}
	if err := checkJobID(jobID); err != nil {
		return out, c.client.failure(r, err)
	}
	return c.job(ctx, r, jobID)
}

// NewQueryScheduledJobsPager returns jobs of the last 30 days page by page.
func (c *JobClient) NewQueryScheduledJobsPager(o *JobClientQueryScheduledJobsOptions) *runtime.Pager[JobClientQueryScheduledJobsResponse] {
	q := JobClientQueryScheduledJobsOptions{}
	if o != nil {
		q = *o
	}
	if q.PageSize == 0 {
		q.PageSize = c.client.pageSize
	}
	return runtime.NewPager(runtime.PagingHandler[JobClientQueryScheduledJobsResponse]{
		More: func(p JobClientQueryScheduledJobsResponse) bool { return p.Continuation != "" },
		Fetcher: func(ctx context.Context, before *JobClientQueryScheduledJobsResponse) (JobClientQueryScheduledJobsResponse, error) {
			p := page[*ScheduledJob]{continuation: q.Continuation}
			if before != nil {
				p.continuation, p.empty = before.Continuation, before.empty
			}
			p, err := nextPage(ctx, c.client, q.request(), p, rowKind[*ScheduledJob]{parse: parseScheduledJob})
			return JobClientQueryScheduledJobsResponse{p.rows, p.continuation, p.empty}, err
		},
		Tracer: c.client.internal.Tracer(),
	})
}

func (o JobClientQueryScheduledJobsOptions) request() request {
	query := url.Values{}
	if o.Type != "" {
		query.Set("jobType", o.Type)
	}
	if o.Status != "" {
		query.Set("jobStatus", string(o.Status))
	}
	return request{
		op: queryScheduledJobs, method: http.MethodGet, path: []string{"jobs", "v2", "query"}, query: query,
		header: http.Header{"X-Ms-Max-Item-Count": {strconv.Itoa(o.PageSize)}},
	}
}

// ScheduledJobs returns the jobs of [JobClient.NewQueryScheduledJobsPager] one by
// one. It ends after the first error.
func (c *JobClient) ScheduledJobs(ctx context.Context, o *JobClientQueryScheduledJobsOptions) iter.Seq2[*ScheduledJob, error] {
	return rows(ctx, c.NewQueryScheduledJobsPager(o), func(p JobClientQueryScheduledJobsResponse) []*ScheduledJob { return p.Jobs })
}

// DeviceJobs returns what came of a job on each device: objects with deviceId,
// status and outcome.
func (c *JobClient) DeviceJobs(ctx context.Context, jobID string) iter.Seq2[json.RawMessage, error] {
	if err := checkJobID(jobID); err != nil || strings.Contains(jobID, "'") { // how to spell a quote in a query is not known
		return func(yield func(json.RawMessage, error) bool) {
			yield(nil, c.client.failure(request{op: queryTwins}, fmt.Errorf("job id %q cannot stand in a query", jobID)))
		}
	}
	return c.client.NewRegistryClient().Rows(ctx, "SELECT * FROM devices.jobs WHERE devices.jobs.jobId = '"+jobID+"'", nil)
}

// job sends a request about one job, which is also the answer.
func (c *JobClient) job(ctx context.Context, r request, id string) (out JobClientScheduledJobResponse, err error) {
	a, err := c.client.do(ctx, r)
	if err != nil {
		return out, err
	}
	if err = a.checkJSON(); err == nil {
		out.ScheduledJob, err = parseScheduledJob(a.body)
	}
	switch {
	case err != nil:
	case out.Status == JobStatusUnknown && out.ID == "":
		return JobClientScheduledJobResponse{}, c.client.noJob(r, id)
	case out.ID != id:
		err = fmt.Errorf("it is about job %s", clean(out.ID))
	}
	if err != nil {
		return JobClientScheduledJobResponse{}, c.client.bad(r, err)
	}
	return out, nil
}

// noJob is the error of a job that is not there, which the hub tells with a 200.
func (c *Client) noJob(r request, id string) *Error {
	e := c.failure(r, fmt.Errorf("there is no job %s", id))
	e.stage, e.Status, e.Code, e.outcome = answered, http.StatusOK, string(CodeJobNotFound), twin.ErrNotFound
	return e
}

func parseScheduledJob(data []byte) (*ScheduledJob, error) {
	j := &ScheduledJob{}
	if err := json.Unmarshal(data, j); err != nil {
		return nil, fmt.Errorf("read job: %w", err)
	}
	if j.Status == "" {
		return nil, errors.New("read job: it has no status")
	}
	j.Status = JobStatus(strings.ToLower(string(j.Status)))
	return j, nil
}

func scheduledPath(id string) []string { return []string{"jobs", "v2", id} }

// checkJobID says why id cannot be the id of a scheduled job. One called query
// could not be read: that path is another operation's.
func checkJobID(id string) error {
	if id == "" || len(id) > 64 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-'") != "" || id == "query" {
		return fmt.Errorf("a job's id has 1 to 64 small letters, digits, - and ', and is not query; %q is none", id)
	}
	return nil
}
