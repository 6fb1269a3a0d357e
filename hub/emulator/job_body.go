package emulator

import "encoding/json"

// A jobBody is a scheduled job on the wire. What is not there yet is left out.
type jobBody struct {
	ID         string          `json:"jobId"`
	Condition  string          `json:"queryCondition,omitempty"`
	Created    string          `json:"createdTime,omitempty"`
	Start      string          `json:"startTime,omitempty"`
	End        string          `json:"endTime,omitempty"`
	Seconds    int64           `json:"maxExecutionTimeInSeconds,omitempty"`
	Type       string          `json:"type"`
	Update     json.RawMessage `json:"updateTwin,omitempty"`
	Method     json.RawMessage `json:"cloudToDeviceMethod,omitempty"`
	Status     string          `json:"status"`
	Failure    string          `json:"failureReason,omitempty"`
	Statistics *jobStatistics  `json:"deviceJobStatistics,omitempty"`
}

type jobStatistics struct {
	Devices   int `json:"deviceCount"`
	Failed    int `json:"failedCount"`
	Succeeded int `json:"succeededCount"`
	Running   int `json:"runningCount"`
	Pending   int `json:"pendingCount"`
}

func (j *job) body() jobBody {
	kind := jobKindNamed(j.Kind)
	b := jobBody{
		ID: j.ID, Condition: j.Condition, Created: stamp(j.Created), Start: stamp(j.Start), Seconds: j.Seconds,
		Type: j.Kind, Status: j.Status, Failure: j.Failure, Statistics: j.statistics(),
	}
	if !j.Ended.IsZero() {
		b.End = stamp(j.Ended)
	}
	if b.Update = kind.echo(j.Work); kind.member == "cloudToDeviceMethod" {
		b.Update, b.Method = nil, b.Update
	}
	return b
}

// statistics counts the tasks, nil before there can be any.
func (j *job) statistics() *jobStatistics {
	if j.Status == queued || j.Status == scheduled {
		return nil
	}
	s := &jobStatistics{Devices: len(j.tasks)}
	for _, t := range j.tasks {
		switch t.Status {
		case pending:
			s.Pending++
		case running:
			s.Running++
		case completed:
			s.Succeeded++
		default:
			s.Failed++
		}
	}
	return s
}

// A taskBody is a row of devices.jobs.
type taskBody struct {
	Device  string          `json:"deviceId"`
	Module  string          `json:"moduleId,omitempty"`
	Job     string          `json:"jobId"`
	Type    string          `json:"jobType"`
	Status  string          `json:"status"`
	Start   string          `json:"startTimeUtc,omitempty"`
	End     string          `json:"endTimeUtc,omitempty"`
	Created string          `json:"createdDateTimeUtc"`
	Updated string          `json:"lastUpdatedDateTimeUtc"`
	Outcome json.RawMessage `json:"outcome,omitempty"`
	Error   *taskError      `json:"error,omitempty"`
}

func (t *task) body(j *job) taskBody {
	b := taskBody{
		Device: t.Ref.Device, Module: t.Ref.Module, Job: j.ID, Type: j.Kind, Status: t.Status,
		Created: stamp(t.Created), Updated: stamp(t.Created), Outcome: t.Outcome, Error: t.Error,
	}
	if !t.Began.IsZero() {
		b.Start = stamp(t.Began)
		b.Updated = b.Start
	}
	if !t.Ended.IsZero() {
		b.End = stamp(t.Ended)
		b.Updated = b.End
	}
	return b
}
