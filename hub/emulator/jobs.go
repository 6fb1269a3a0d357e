package emulator

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

// jobRoutes are those of scheduled jobs. A job called "query" cannot be read.
var jobRoutes = []route{
	{"GET", "/jobs/v2/query", "jobs/read", (*hub).listJobs},
	{"GET", "/jobs/v2/*", "jobs/read", (*hub).getJob},
	{"PUT", "/jobs/v2/*", "jobs/write", (*hub).putJob},
	{"POST", "/jobs/v2/*/cancel", "jobs/delete", (*hub).cancelJob},
}

// putJob takes a job if its id is new and a slot is free.
func (h *hub) putJob(c *call) (*answer, error) {
	j, err := readJob(c.ids[0], c.body, c.now)
	if err != nil {
		return nil, err
	}
	if err := h.checkStrictCondition(j.Condition); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forgetJobs(c.now)
	if h.jobs.byID[j.ID] != nil {
		return nil, refuse("JobAlreadyExists", "A job with ID '%s' already exists.", j.ID)
	}
	if h.jobs.active() >= h.tier.jobSlots() {
		return nil, refuse("ThrottlingMaxActiveJobCountExceeded",
			"The maximum number of %d active jobs has been reached.", h.tier.jobSlots())
	}
	h.jobs.add(j)
	h.setJob(j, queued)
	h.schedule(j)
	return reply(j.body()), nil
}

// getJob answers with a job. One that is not there is unknown, not an error.
func (h *hub) getJob(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forgetJobs(c.now)
	j := h.jobs.byID[c.ids[0]]
	if j == nil {
		return reply(struct {
			Type   string `json:"type"`
			Status string `json:"status"`
		}{"unknown", "unknown"}), nil
	}
	return reply(j.body()), nil
}

// cancelJob answers at once that the job is cancelled, though it is not yet.
func (h *hub) cancelJob(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	j := h.jobs.byID[c.ids[0]]
	if j == nil {
		return nil, refuse("JobNotFound", "The job '%s' was not found.", c.ids[0])
	}
	if j.Status != queued && j.Status != scheduled || j.Cancelling {
		return nil, refuse("OperationNotAllowedInCurrentState", "The job '%s' is %s.", j.ID, j.Status)
	}
	h.cancel(j, c.now)
	body := j.body()
	body.Status = cancelled
	return reply(body), nil
}

// jobStates lists what jobs can be asked for by.
var jobStates = []string{"unknown", "enqueued", queued, scheduled, running, completed, failed, cancelled}

// listJobs answers with a page of jobs in the order of their creation. It is an
// array, where the swagger has an object.
func (h *hub) listJobs(c *call) (*answer, error) {
	kind, status := c.query.Get("jobType"), c.query.Get("jobStatus")
	known := func(list []string, value string) bool {
		return value == "" || slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, value) })
	}
	if !known(jobTypes(), kind) || !known(jobStates, status) {
		return nil, refuse("ArgumentInvalid", "BadRequest")
	}
	return h.paged(c, "jobs "+kind+" "+status, func() (*view, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		v := &view{kind: "JobResponse", rows: []json.RawMessage{}}
		h.forgetJobs(c.now)
		for _, j := range h.jobs.list {
			if (kind == "" || strings.EqualFold(kind, j.Kind)) && (status == "" || strings.EqualFold(status, j.Status)) {
				v.rows = append(v.rows, marshal(j.body()))
			}
		}
		return v, nil
	})
}

func jobTypes() []string {
	types := []string{"unknown", "export", "import"}
	for _, k := range jobKinds {
		types = append(types, k.name)
	}
	return types
}

// taskRows returns the rows of a query over devices.jobs: one for each twin of
// each job. The caller holds the lock.
func (h *hub) taskRows(q *query.Query) []json.RawMessage {
	rows := []json.RawMessage{}
	for _, j := range h.jobs.list {
		for _, t := range j.tasks {
			row := marshal(t.body(j))
			if holdsRow(q.Where(), row) && (q.Top() == 0 || len(rows) < q.Top()) {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

func holdsRow(where query.Expr, row []byte) bool {
	if where == nil {
		return true
	}
	o, err := twin.DecodeObject(row)
	if err != nil {
		panic(err) // just encoded
	}
	return query.HoldsObject(where, o)
}
