package hub

import (
	"context"
	"errors"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// A jobPoller follows a job. Its exported fields are the resume token, which
// another process can go on with.
type jobPoller[T any] struct {
	JobID string    `json:"jobId"`
	State JobStatus `json:"state"`

	get  func(ctx context.Context, id string) (T, error)
	look func(T) (JobStatus, error) // and the error of a job that failed
	last *T
}

// pollerOf returns the poller of the job called id.
func (p *jobPoller[T]) pollerOf(c *Client) (*runtime.Poller[T], error) {
	return runtime.NewPoller(nil, c.internal.Pipeline(), &runtime.NewPollerOptions[T]{Handler: p, Tracer: c.internal.Tracer()})
}

// resume returns the poller that token stands for.
func (p *jobPoller[T]) resume(c *Client, token string) (*runtime.Poller[T], error) {
	poller, err := runtime.NewPollerFromResumeToken(token, c.internal.Pipeline(), &runtime.NewPollerFromResumeTokenOptions[T]{Handler: p, Tracer: c.internal.Tracer()})
	if err == nil && p.JobID == "" {
		err = errors.New("it names no job")
	}
	return poller, err
}

// Done, Poll and Result are what [runtime.Poller] asks for.
func (p *jobPoller[T]) Done() bool { return p.State.Over() }

func (p *jobPoller[T]) Poll(ctx context.Context) (*http.Response, error) {
	job, err := p.get(ctx, p.JobID)
	if err != nil {
		return nil, err
	}
	p.State, _ = p.look(job)
	p.last = &job
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}, nil
}

func (p *jobPoller[T]) Result(ctx context.Context, out *T) error {
	if p.last == nil {
		if _, err := p.Poll(ctx); err != nil {
			return err
		}
	}
	*out = *p.last
	_, err := p.look(*p.last)
	return err
}
