package emulator

import (
	"encoding/json"
	"regexp"
	"time"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

// The states of a scheduled job, and of what it does to one twin.
const (
	queued    = "queued"
	scheduled = "scheduled"
	pending   = "pending"
	running   = "running"
	completed = "completed"
	failed    = "failed"
	cancelled = "cancelled"
)

// jobID is what the hub takes.
var jobID = regexp.MustCompile(`^[a-z0-9\-']{1,64}$`)

// How far ahead a job may begin, and how long jobs are remembered.
const (
	jobHorizon = 168 * time.Hour
	jobHistory = 30 * 24 * time.Hour
)

// defaultJobTime is how long a job may run when nobody says, as the SDKs do.
const defaultJobTime = 3600

// A job is a scheduled one: work to do to every twin that meets a condition
// when it begins. Its members are exported for the state on disk.
type job struct {
	ID, Kind, Condition string
	Work                json.RawMessage // of the member that its kind has
	Created, Start      time.Time
	Ran                 time.Time `json:",omitzero"` // when it began
	Ended               time.Time `json:",omitzero"`
	Seconds             int64     // it may run
	Status              string
	Failure             string
	Cancelling          bool // it was cancelled, which takes a moment
	Born                int  // counts jobs

	tasks []*task
	byKey map[string]*task
	left  int // tasks that have not ended
}

func (j *job) addTask(t *task) {
	if j.byKey == nil {
		j.byKey = map[string]*task{}
	}
	if j.byKey[t.key()] = t; t.Ended.IsZero() {
		j.left++
	}
	j.tasks = append(j.tasks, t)
}

// A task is a job on one twin.
type task struct {
	Job     string
	Ref     twin.Ref
	Status  string
	Created time.Time
	Began   time.Time       `json:",omitzero"`
	Ended   time.Time       `json:",omitzero"`
	Outcome json.RawMessage `json:",omitempty"`
	Error   *taskError      `json:",omitempty"`
}

// active reports whether j holds one of the hub's slots. One that is only
// scheduled does.
func (j *job) active() bool {
	return j.Status == queued || j.Status == scheduled || j.Status == running
}

type jobRequest struct {
	ID        string          `json:"jobId"`
	Type      string          `json:"type"`
	Update    json.RawMessage `json:"updateTwin"`
	Method    json.RawMessage `json:"cloudToDeviceMethod"`
	Condition string          `json:"queryCondition"`
	Start     string          `json:"startTime"`
	Seconds   int64           `json:"maxExecutionTimeInSeconds"`
}

// readJob reads the body of a PUT to id. A condition that is no expression is
// taken: such a job fails later.
func readJob(id string, body []byte, now time.Time) (*job, error) {
	if !jobID.MatchString(id) {
		return nil, refuse("ArgumentInvalid", "The job id '%s' is invalid.", id)
	}
	if _, err := twin.DecodeObject(body); err != nil {
		return nil, refuse("IotHubFormatError", "%v", err)
	}
	var r jobRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, refuse("ArgumentInvalid", "%v", err)
	}
	if r.ID != "" && r.ID != id {
		return nil, refuse("ArgumentInvalid", "The id '%s' is not the one of the path, '%s'.", r.ID, id)
	}
	kind := jobKindNamed(r.Type)
	if kind == nil {
		return nil, refuse("ArgumentInvalid", "The job type '%s' cannot be scheduled.", r.Type)
	}
	j := &job{ID: id, Kind: kind.name, Condition: r.Condition, Created: now, Status: queued, Seconds: r.Seconds}
	if j.Work = r.Update; kind.member == "cloudToDeviceMethod" {
		j.Work = r.Method
	}
	return j, j.complete(kind, &r)
}

// complete checks what the request says and fills in what it does not.
func (j *job) complete(kind *jobKind, r *jobRequest) (err error) {
	if len(j.Work) == 0 {
		return refuse("ArgumentNull", "%s is missing.", kind.member)
	}
	if err := kind.check(j.Work); err != nil {
		return err
	}
	if j.Condition == "" {
		return refuse("ArgumentNull", "queryCondition is missing.") // the swagger says it is required
	}
	if j.Seconds < 0 {
		return refuse("ArgumentInvalid", "maxExecutionTimeInSeconds is negative.")
	}
	if j.Seconds == 0 {
		j.Seconds = defaultJobTime
	}
	if j.Start = j.Created; r.Start != "" {
		if j.Start, err = time.Parse(time.RFC3339Nano, r.Start); err != nil {
			return refuse("ArgumentInvalid", "startTime '%s' is not a time.", r.Start)
		}
	}
	if j.Start.After(j.Created.Add(jobHorizon)) {
		return refuse("ArgumentInvalid", "startTime is more than %d hours ahead.", int(jobHorizon.Hours()))
	}
	return nil
}

// A jobTarget says which twins a job is for.
type jobTarget struct {
	modules bool
	where   query.Expr // nil for all
}

// readJobTarget reads a queryCondition: what stands behind WHERE, "*" for all
// devices, or with the prefix of module configurations, for modules. The page on
// jobs says so of modules; nobody has tried it.
func readJobTarget(text string) (t jobTarget, err error) {
	if text == "*" {
		return t, nil
	}
	if prefix := modulePrefix.FindString(text); prefix != "" {
		t.modules, text = true, text[len(prefix):]
	}
	t.where, err = query.ParseCondition(text)
	return t, err
}

func (t jobTarget) includes(d *twin.Twin) bool {
	return t.modules == (d.Ref.Module != "") && query.Holds(t.where, d)
}
