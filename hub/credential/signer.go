package credential

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/twinrules/twinrules/hub/twin"
)

// An Error is a failure to sign in. It is a [twin.ErrDenied] if the authority
// said no or there was nothing to sign in with, a [twin.ErrUnavailable] if the
// authority was not reached or in trouble.
type Error struct {
	outcome error // one of those, or nil when the caller gave up
	err     error
}

func (e *Error) Error() string { return "sign in: " + e.Explain() }

// Unwrap returns the sentinel, if any, and the cause.
func (e *Error) Unwrap() []error {
	if e.outcome == nil {
		return []error{e.err}
	}
	return []error{e.outcome, e.err}
}

// Explain is the function [Explain], for packages that do not know this one.
func (e *Error) Explain() string {
	if line := Explain(e.err); line != "" {
		return line
	}
	return clean(e.err.Error())
}

// A signer is a credential whose errors are [Error]s.
type signer struct{ azcore.TokenCredential }

func (s signer) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := s.TokenCredential.GetToken(ctx, o)
	if err == nil {
		return token, nil
	}
	e := &Error{err: err}
	if ctx.Err() == nil {
		e.outcome = outcome(err)
	}
	return token, e
}

// outcome tells a no from no answer. The errors of a chain have no answer with
// them, but its words; a chain that had nothing to sign in with never asked.
func outcome(err error) error {
	failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err)
	switch {
	case !ok, codePattern.MatchString(err.Error()), strings.Contains(err.Error(), "failed to acquire a token"):
		return twin.ErrDenied
	case failed.RawResponse != nil && failed.RawResponse.StatusCode < 500 && failed.RawResponse.StatusCode != http.StatusTooManyRequests:
		return twin.ErrDenied
	}
	return twin.ErrUnavailable
}
