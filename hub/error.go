package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/twinrules/twinrules/hub/twin"
)

var (
	// ErrBadAnswer: the hub's answer is not what the request asked for.
	ErrBadAnswer = errors.New("the answer makes no sense")
	// ErrContentKept: a configuration was written, but the hub kept its content.
	// It does so silently: the content of a configuration never changes.
	ErrContentKept = errors.New("the hub kept the configuration's old content")
)

// An Error is a failed request. Test what came of it with the sentinels of
// package twin, [ErrBadAnswer] and [ErrContentKept]; when the hub answered, an
// [*azcore.ResponseError] is among its causes.
type Error struct {
	Op         string   // such as "patch twin"
	Ref        twin.Ref // zero when the request was about no single document
	Host       string
	Status     int    // 0 when there was no answer
	Code       string // the hub's, such as "DeviceNotFound"; "" when it gave none
	Message    string // the hub's, in one line
	TrackingID string // for Microsoft's support

	op         *operation
	shared     bool  // signed with a shared access key
	outcome    error // a sentinel, or nil
	cause      error
	stage      stage
	retryAfter time.Duration
}

// A stage is how far a failed request got.
type stage int

const (
	answered    stage = iota // the hub answered
	notSignedIn              // there was no token
	notSent                  // the hub was not reached
	unanswered               // the answer did not arrive, or not whole
	unmade                   // the request could not be made
)

func (e *Error) Error() string {
	where := e.Op
	if e.Ref != (twin.Ref{}) {
		where += " " + e.Ref.String()
	}
	return where + ": " + e.reason()
}

func (e *Error) reason() string {
	said := e.said()
	switch {
	case e.outcome == nil || errors.Is(e.cause, e.outcome):
		return said
	case e.Status != 0:
		return e.outcome.Error() + " (" + said + ")"
	}
	return e.outcome.Error() + ": " + said
}

// said returns the hub's words, or those of what kept it from speaking.
func (e *Error) said() string {
	if e.stage != answered || e.Status == http.StatusOK {
		return clean(e.cause.Error())
	}
	text := strings.TrimSpace(fmt.Sprint(e.Status, " ", e.Code))
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Unwrap returns the sentinel, if any, and the cause.
func (e *Error) Unwrap() []error {
	if e.outcome == nil {
		return []error{e.cause}
	}
	return []error{e.outcome, e.cause}
}

// RetryAfter returns how long the hub asked to wait, 0 when it did not say; with
// a 429 it usually does not.
func (e *Error) RetryAfter() time.Duration { return e.retryAfter }

// RetryAfter is [Error.RetryAfter] of the Error in err, 0 if there is none.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.retryAfter
	}
	return 0
}

// failure is the error of a request that was not made.
func (c *Client) failure(r request, err error) *Error {
	return &Error{Op: r.op.name, Ref: r.ref, Host: c.host, op: r.op, shared: c.shared, cause: err, stage: unmade}
}

// lost is the error of a request without an answer.
func (c *Client) lost(r request, p *call, err error) *Error {
	e := c.failure(r, err)
	given := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	switch {
	case p.sent():
		e.stage = unanswered
		e.maybeApplied()
	case p.idle:
		e.stage, e.outcome = notSent, twin.ErrUnavailable
		e.cause = fmt.Errorf("stopped before its turn came: %w", err)
	case given:
		e.stage = unanswered // whoever gave up knows why
	case p.signedIn.Load():
		e.stage, e.outcome = notSent, twin.ErrUnavailable
	default:
		e.stage, e.outcome = notSignedIn, signInOutcome(err)
	}
	return e
}

// signInOutcome returns what the credential says of its failure; one that says
// nothing has no token to offer.
func signInOutcome(err error) error {
	if errors.Is(err, twin.ErrUnavailable) {
		return twin.ErrUnavailable
	}
	return twin.ErrDenied
}

// maybeApplied sets the outcome of a write that the hub may have received.
func (e *Error) maybeApplied() {
	if e.op.writes() {
		e.outcome = twin.ErrMaybeApplied
	}
}

// bad is the error of an answer that cannot be what the hub meant. A write has
// most likely been applied.
func (c *Client) bad(r request, err error) *Error {
	e := c.failure(r, fmt.Errorf("%w: %w", ErrBadAnswer, err))
	e.stage, e.Status = answered, http.StatusOK
	e.maybeApplied()
	return e
}

// refused is the error of an answer that is not a success.
func (c *Client) refused(r request, resp *http.Response) *Error {
	resp.Request.Header.Del("Authorization") // the response travels with the error
	body, _ := runtime.Payload(resp)         // receive has read it
	said := parseRefusal(resp.Header, body)
	e := c.failure(r, runtime.NewResponseErrorWithErrorCode(resp, said.code))
	e.stage, e.Status = answered, resp.StatusCode
	e.Code, e.Message, e.TrackingID = said.code, said.text, said.trackingID
	e.retryAfter = retryAfter(resp.Header)
	e.outcome = outcome(r, resp.StatusCode, Code(said.code))
	return e
}

// outcome returns the sentinel for a status that is no success, nil if there is
// none.
func outcome(r request, status int, code Code) error {
	switch {
	case code == CodeJobQuotaExceeded: // a 403 that means 429
		return twin.ErrThrottled
	case status == http.StatusNotFound:
		return twin.ErrNotFound
	case status == http.StatusPreconditionFailed, status == http.StatusConflict && r.creates:
		return twin.ErrChanged
	case status == http.StatusTooManyRequests:
		return twin.ErrThrottled
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return twin.ErrDenied
	case r.op.writes() && (status < 400 || status >= 500 || status == http.StatusRequestTimeout):
		return twin.ErrMaybeApplied
	}
	return nil
}
