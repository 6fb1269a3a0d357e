package hub

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"

	"github.com/twinrules/twinrules/hub/twin"
)

// A request is one call of the service API.
type request struct {
	op      *operation
	ref     twin.Ref // the document it is about, if it is about one
	method  string
	path    []string // segments, unescaped
	query   url.Values
	header  http.Header
	body    []byte // JSON, nil for none
	creates bool   // fails when the document exists
}

// An answer is what the hub said to a request that succeeded.
type answer struct {
	header http.Header
	body   []byte
}

// do sends r and returns the answer. Its error is an [*Error].
func (c *Client) do(ctx context.Context, r request) (_ *answer, err error) {
	ctx, end := runtime.StartSpan(ctx, r.op.span, c.internal.Tracer(), nil)
	defer func() { end(err) }()
	ctx, progress := watch(ctx)
	if r.op.write {
		ctx = policy.WithRetryOptions(ctx, policy.RetryOptions{MaxRetries: -1, TryTimeout: c.timeout})
	}
	req, err := c.newRequest(ctx, r)
	if err != nil {
		return nil, c.failure(r, err)
	}
	resp, err := c.internal.Pipeline().Do(req)
	if err != nil {
		return nil, c.lost(r, progress, err)
	}
	if !runtime.HasStatusCode(resp, http.StatusOK, http.StatusNoContent) {
		return nil, c.refused(r, resp)
	}
	body, err := runtime.Payload(resp) // receive has read it
	if err != nil {
		return nil, c.lost(r, progress, err)
	}
	return &answer{resp.Header, body}, nil
}

func (c *Client) newRequest(ctx context.Context, r request) (*policy.Request, error) {
	req, err := runtime.NewRequest(context.WithValue(ctx, limitKey{}, r.op.limit), r.method, "https://"+c.host+escape(r.path))
	if err != nil {
		return nil, err
	}
	runtime.SkipBodyDownload(req) // it reads without bound; receive reads instead
	raw := req.Raw()
	raw.URL.RawQuery = withVersion(r.query).Encode()
	raw.Header.Set("Accept", "application/json")
	for key, values := range r.header {
		raw.Header[key] = values
	}
	if r.body == nil {
		return req, nil
	}
	return req, req.SetBody(streaming.NopCloser(strings.NewReader(string(r.body))), "application/json; charset=utf-8")
}

func withVersion(query url.Values) url.Values {
	out := url.Values{"api-version": {apiVersion}}
	for key, values := range query {
		out[key] = values
	}
	return out
}

// escape joins segments to a path in which each stays one segment, whatever
// characters an id has. Even "." and ".." are ids.
func escape(segments []string) string {
	var b strings.Builder
	for _, s := range segments {
		escaped := url.PathEscape(s)
		if s == "." || s == ".." {
			escaped = strings.Repeat("%2E", len(s))
		}
		b.WriteString("/" + escaped)
	}
	return b.String()
}

// ifMatch returns the header that makes a write depend on etag, which stands in
// documents without quotes. Both the hub and its SDKs have had bugs with
// unquoted ones; "*" stays as it is.
func ifMatch(etag string) (http.Header, error) {
	for _, c := range []byte(strings.Trim(etag, `"`)) {
		if c <= 0x20 || c >= 0x7f || c == '"' {
			return nil, fmt.Errorf("the etag %q is not one", etag)
		}
	}
	if etag != "*" && !strings.HasPrefix(etag, `"`) {
		etag = `"` + etag + `"`
	}
	return http.Header{"If-Match": {etag}}, nil
}

// ifMatchCondition is [ifMatch] for the SDK's way to put it. There is no other
// condition in the service API.
func ifMatchCondition(m *azcore.MatchConditions) (http.Header, error) {
	if m == nil || m.IfMatch == nil {
		return nil, nil
	}
	return ifMatch(string(*m.IfMatch))
}
