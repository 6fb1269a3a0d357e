package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/twinrules/twinrules/plugins"
)

// failure makes err one about ref with a code, or returns nil or ctx's own end.
func failure(ref Ref, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if e, ok := errors.AsType[*plugins.Error](err); ok {
		e.Plugin = ref.String()
		return e
	}
	e := &plugins.Error{Code: plugins.LoadFetch, Plugin: ref.String(), Err: err}
	if answer, ok := errors.AsType[*errcode.ErrorResponse](err); ok {
		e.Err = answered(answer)
		e.Hint = answerHint(ref, answer.StatusCode)
	}
	switch away, sent := errors.AsType[awayError](err); {
	case sent:
		e.Err = away
	case errors.Is(err, errdef.ErrNotFound):
		e.Err, e.Hint = errors.New("the registry has no such module"), answerHint(ref, http.StatusNotFound)
	case errors.Is(err, errdef.ErrSizeExceedsLimit):
		e.Code = plugins.LoadLimit
	}
	return e
}

// answered says what a registry answered, without the address of the request,
// which may hold a token.
func answered(e *errcode.ErrorResponse) error {
	if len(e.Errors) > 0 {
		return fmt.Errorf("the registry answers %d: %w", e.StatusCode, e.Errors)
	}
	return fmt.Errorf("the registry answers %d %s", e.StatusCode, http.StatusText(e.StatusCode))
}

func answerHint(ref Ref, status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "sign in with docker login " + ref.Host + " or oras login, whose credentials are used; for Azure, az acr login"
	case http.StatusNotFound:
		return "look at the name and the tag; many registries also say so of what one may not see, until docker login " + ref.Host
	}
	return ""
}
