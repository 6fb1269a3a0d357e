package hub

import (
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// A JobClient runs jobs of the hub's own: twin updates and methods for many
// devices, and import and export of the registry.
type JobClient struct{ client *Client }

// JobClientOptions holds the optional settings of [NewJobClient].
type JobClientOptions struct{ ClientOptions }

// NewJobClient is [NewClient] for those who need nothing but jobs.
func NewJobClient(host string, cred azcore.TokenCredential, opts *JobClientOptions) (*JobClient, error) {
	if opts == nil {
		opts = &JobClientOptions{}
	}
	c, err := NewClient(host, cred, &opts.ClientOptions)
	if err != nil {
		return nil, err
	}
	return c.NewJobClient(), nil
}

// NewJobClient returns a client of the jobs that shares c's pipeline.
func (c *Client) NewJobClient() *JobClient { return &JobClient{c} }

// A JobStatus is how far a job is.
type JobStatus string

// The states of a job. Completed does not mean that it worked on every device.
const (
	JobStatusUnknown   JobStatus = "unknown"
	JobStatusEnqueued  JobStatus = "enqueued"
	JobStatusQueued    JobStatus = "queued"
	JobStatusScheduled JobStatus = "scheduled"
	JobStatusRunning   JobStatus = "running"
	JobStatusCompleted JobStatus = "completed"
	JobStatusFailed    JobStatus = "failed"
	JobStatusCancelled JobStatus = "cancelled"
)

// PossibleJobStatusValues returns the states.
func PossibleJobStatusValues() []JobStatus {
	return []JobStatus{
		JobStatusUnknown, JobStatusEnqueued, JobStatusQueued, JobStatusScheduled,
		JobStatusRunning, JobStatusCompleted, JobStatusFailed, JobStatusCancelled,
	}
}

// Over reports whether a job in that state stays in it.
func (s JobStatus) Over() bool {
	return s == JobStatusCompleted || s == JobStatusFailed || s == JobStatusCancelled
}

// ErrJobFailed: a job was not completed. What it did until then stays done.
var ErrJobFailed = errors.New("the job was not completed")

// jobFailure returns the error of a job that is over and not completed, else nil.
func jobFailure(id string, status JobStatus, reasons ...string) error {
	if status == JobStatusCompleted {
		return nil
	}
	text := string(status)
	for _, reason := range reasons {
		if reason != "" {
			text += ": " + clean(reason)
		}
	}
	return fmt.Errorf("job %s: %w: %s", id, ErrJobFailed, text)
}
