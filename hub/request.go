package hub

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"

	"github.com/twinrules/twinrules/hub/twin"
)

// A request is one call of the service API.
type request struct {
	op     *operation
	ref    twin.Ref // the document it is about, if it is about one
	method string
	path   []string // segments, unescaped
	query  url.Values
	header http.Header
	body   []byte        // JSON, nil for none
	charge int           // of its class's limit, 0 means 1
	slow   time.Duration // how long the hub itself waits before it answers

	solo    bool // is sent once: its caller knows better when to send again
	creates bool // fails when the document exists
	settles bool // can be repeated although it has no ETag

	// How to find out that what is in a write's way is the write itself.
	ours     func(body []byte) bool // whether a document is as the write leaves it
	rereadBy *operation
	reread   []string // path of the document, nil for the request's own
}

// An answer is what the hub said to a request that succeeded.
type answer struct {
	status int
	header http.Header
	body   []byte
	buffer *bytes.Buffer // that holds body and can be used again; nil if there is none
}

// do sends r and returns the answer. Its error is an [*Error].
func (c *Client) do(ctx context.Context, r request) (_ *answer, err error) {
	ctx, end := runtime.StartSpan(ctx, r.op.span, c.internal.Tracer(), nil)
	defer func() { end(err) }()
	tries, call := c.begin(ctx, r)
	req, err := c.newRequest(tries, r)
	if err != nil {
		return nil, c.failure(r, err)
	}
	resp, err := c.internal.Pipeline().Do(req)
	if err != nil {
		return nil, c.lost(r, call, err)
	}
	body, buffer, err := bodyOf(resp)
	if err != nil {
		return nil, c.lost(r, call, err)
	}
	if resp.StatusCode < 300 || r.op == updateRegistry && isBulkResult(resp.StatusCode, body) {
		return &answer{resp.StatusCode, resp.Header, body, buffer}, nil
	}
	e := c.refused(r, resp)
	if !call.doubt {
		return nil, e
	}
	return c.reconcile(ctx, r, e)
}

func (c *Client) newRequest(ctx context.Context, r request) (*policy.Request, error) {
	req, err := runtime.NewRequest(ctx, r.method, "https://"+c.host+escape(r.path))
	if err != nil {
		return nil, err
	}
	runtime.SkipBodyDownload(req) // the transport has read it
	raw := req.Raw()
	raw.URL.RawQuery = withVersion(r.query).Encode()
	raw.Header.Set("Accept", "application/json")
	for key, values := range r.header {
		raw.Header[key] = values
	}
	if r.body == nil {
		return req, nil
	}
	return req, req.SetBody(streaming.NopCloser(bytes.NewReader(r.body)), "application/json; charset=utf-8")
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
