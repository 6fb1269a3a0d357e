package hub

import (
	"net/http"
	"slices"
)

// repeats reports whether a request may be sent again after a try that was
// answered with that status, 0 for no answer. It is the one place that decides.
//
// A 429 says that nothing was done, and so does a 503, of which the hub's SDKs
// think alike; but a gateway may say 503 as well, so that what happens as often
// as it is asked for is not repeated then. The others leave open what was done:
// then reads are repeated, and writes that can be told from somebody else's.
func (r *request) repeats(status int) bool {
	switch {
	case r.solo:
		return false
	case status == http.StatusTooManyRequests:
		return true
	case r.op.effect == acts:
		return false
	case status == http.StatusServiceUnavailable:
		return true
	}
	return unclear(status) && (r.op.effect == reads || r.guarded())
}

// unclear reports whether a status, 0 for no answer, leaves open what was done.
func unclear(status int) bool {
	return slices.Contains([]int{
		0, http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}, status)
}

// guarded reports whether a write that is repeated cannot undo what somebody
// else did in between: it has an ETag, a name that only a creation takes, or
// deletes. The ETag "*" guards nothing.
func (r *request) guarded() bool {
	etag := r.header.Get("If-Match")
	return r.creates || r.settles || r.method == http.MethodDelete || etag != "" && etag != "*" && etag != `"*"`
}
