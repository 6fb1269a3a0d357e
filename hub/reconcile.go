package hub

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// reconcile is asked when a write was refused after an earlier try whose answer
// was lost. That try may be the reason: the ETag is old, the name is taken, the
// document is gone because of us. So the document is read, and when it is as the
// write would leave it the write has succeeded. Otherwise a refusal because of
// somebody else stands, and any other says nothing about the first try.
func (c *Client) reconcile(ctx context.Context, r request, e *Error) (*answer, error) {
	deletes := r.method == http.MethodDelete
	switch {
	case deletes && e.Status == http.StatusNotFound:
		return &answer{header: http.Header{}}, nil
	case deletes && e.Status == http.StatusPreconditionFailed:
		return nil, e // there is one, and it is another one
	case r.ours == nil || !slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusConflict, http.StatusPreconditionFailed}, e.Status):
		e.outcome = twin.ErrMaybeApplied
		return nil, e
	}
	path := r.path
	if r.reread != nil {
		path = r.reread
	}
	a, err := c.do(ctx, request{op: r.rereadBy, ref: r.ref, method: http.MethodGet, path: path})
	switch {
	case err == nil && r.ours(a.body):
		return a, nil
	case err != nil && !(errors.Is(err, twin.ErrNotFound) && e.Status == http.StatusNotFound):
		e.outcome = twin.ErrMaybeApplied
	}
	return nil, e
}

// contains reports whether have is what the hub makes of want: members that are
// empty in want are the hub's to choose.
func contains(have, want any) bool {
	switch want := want.(type) {
	case nil:
		return true
	case string:
		return want == "" || twin.Equal(have, want)
	case twin.Object:
		object, ok := have.(twin.Object)
		for key, value := range want {
			ok = ok && contains(object[key], value)
		}
		return ok || len(want) == 0
	}
	return twin.Equal(have, want)
}

// holds returns a test for documents that contain want.
func holds(want twin.Object) func([]byte) bool {
	return func(body []byte) bool {
		have, err := twin.DecodeObject(body)
		return err == nil && contains(have, want)
	}
}
