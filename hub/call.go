package hub

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// A call is a request on its way, with what is known of its tries.
type call struct {
	request
	signedIn  atomic.Bool // there was a token to send it with
	dialing   atomic.Bool // a connection was asked for
	connected atomic.Bool // and given
	idle      bool        // it ended while it waited for its turn
	doubt     bool        // a try may have been applied without our being told
}

type callKey struct{} // of a *call in a context

// callOf returns the call that req is a try of.
func callOf(req *policy.Request) *call {
	return req.Raw().Context().Value(callKey{}).(*call)
}

// begin returns the call of r and the context of its tries.
func (c *Client) begin(ctx context.Context, r request) (context.Context, *call) {
	call := &call{request: r}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { call.dialing.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { call.connected.Store(true) },
	})
	retry := c.retry
	retry.ShouldRetry = func(resp *http.Response, err error) bool {
		return call.again(resp, err) && among(c.retry, resp, err)
	}
	return context.WithValue(policy.WithRetryOptions(ctx, retry), callKey{}, call), call
}

// among reports whether the client's user wants to try again after that answer.
func among(o policy.RetryOptions, resp *http.Response, err error) bool {
	if o.ShouldRetry != nil {
		return o.ShouldRetry(resp, err)
	}
	return o.StatusCodes == nil || resp == nil || slices.Contains(o.StatusCodes, resp.StatusCode)
}

// sent reports whether the hub may have received something. Of a transport that
// does not tell about connections it has to be assumed.
func (c *call) sent() bool {
	return c.signedIn.Load() && (c.connected.Load() || !c.dialing.Load())
}

// forget is for tries of which nothing came.
func (c *call) forget() {
	if !c.doubt {
		c.signedIn.Store(false)
		c.dialing.Store(false)
		c.connected.Store(false)
	}
}

// again decides after each try whether there is another one.
func (c *call) again(resp *http.Response, err error) bool {
	status := 0
	if err == nil {
		status = resp.StatusCode
	}
	if status == http.StatusTooManyRequests {
		return false // the pacer has sent it again for as long as it is worth it
	}
	c.doubt = c.doubt || c.op.writes() && unclear(status) && (status != 0 || c.sent())
	return c.repeats(status) && status != 0 || status == 0 && c.repeatsUnanswered()
}

// repeatsUnanswered is [request.repeats] of a try without an answer. What was
// not sent may be sent again whatever it is, unless it was for want of a token.
func (c *call) repeatsUnanswered() bool {
	if !c.sent() {
		return c.signedIn.Load() && !c.solo
	}
	return c.repeats(0)
}
