package hub

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// pace is the step of the pipeline that holds requests back, every try of them,
// and that sends again what was answered with 429: nothing came of it, and the
// SDK's few tries do not outlast a hub's throttling.
func (p *Pacer) pace(req *policy.Request) (*http.Response, error) {
	call := callOf(req)
	b := p.bucket(call.op.class)
	var end time.Time // of our patience
	for {
		resp, left, err := b.send(req, call)
		if left <= 0 || !call.repeats(http.StatusTooManyRequests) {
			return resp, err
		}
		now := time.Now()
		if end.IsZero() {
			end = now.Add(p.options.Patience)
		}
		if now.Add(left).After(end) {
			return resp, nil
		}
		if err := req.RewindBody(); err != nil {
			return nil, err
		}
		call.forget()
	}
}

// send sends a request when there is room for it, and returns how long to stay
// away after a 429.
func (b *bucket) send(req *policy.Request, call *call) (_ *http.Response, left time.Duration, _ error) {
	ctx := req.Raw().Context()
	t, err := b.wait(ctx, call.charge)
	if err != nil {
		call.idle = true
		return nil, 0, fmt.Errorf("wait for its turn: %w", err)
	}
	resp, err := req.Clone(ctx).Next()
	switch {
	case err != nil:
		b.lost(t)
	case resp.StatusCode == http.StatusTooManyRequests && !slotTaken(resp):
		return resp, b.throttled(t, retryAfter(resp.Header)), nil
	default:
		b.passed(t)
	}
	return resp, 0, err
}

// slotTaken reports whether a 429 is about the few jobs that a hub runs at once,
// not about the number of requests. Waiting seconds is of no use then.
func slotTaken(resp *http.Response) bool {
	body, _ := runtime.Payload(resp) // the transport has read it
	return parseRefusal(resp.Header, body).code == string(CodeThrottlingMaxActiveJobCountExceeded)
}

// bound limits the time of one try, from signing in to the last byte of the
// answer, but not the time it waited before, nor what a device may take.
func bound(timeout time.Duration) policyFunc {
	return func(req *policy.Request) (*http.Response, error) {
		ctx, cancel := context.WithTimeout(req.Raw().Context(), timeout+callOf(req).slow)
		defer cancel() // the transport has read the answer's body
		return req.Clone(ctx).Next()
	}
}
