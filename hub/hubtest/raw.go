package hubtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

const apiVersion = "2021-04-12"

// A reply is an answer as it came.
type reply struct {
	status int
	header http.Header
	body   string
}

// code returns the hub's code of a refusal.
func (r reply) code() string { return r.header.Get("iothub-errorcode") }

// raw sends what the client would not.
func (t *T) raw(method, escapedPath string, h http.Header, body string) reply {
	t.Helper()
	return t.rawQuery(method, escapedPath, "api-version="+apiVersion, h, body)
}

func (t *T) rawQuery(method, escapedPath, query string, h http.Header, body string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, escapedPath+"?"+query, strings.NewReader(body))
	t.ok(err)
	for name, values := range h {
		r.Header[name] = values
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
	} else {
		r.Body = http.NoBody
	}
	answer, err := t.Raw(r)
	t.ok(err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	t.ok(err)
	return reply{answer.StatusCode, answer.Header, string(data)}
}

func (t *T) wantRefusal(got reply, status int, code string) {
	t.Helper()
	if got.status != status || code != "" && got.code() != code {
		t.Errorf("got %d %s %s, want %d %s", got.status, got.code(), got.body, status, code)
	}
}

// path escapes ids as segments.
func path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

func header(name, value string) http.Header {
	return http.Header{http.CanonicalHeaderKey(name): {value}}
}

// etagOf spells the etag of a body as that of a header.
func etagOf(etag string) azcore.ETag { return azcore.ETag(`"` + etag + `"`) }

func number(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

func number64(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }
