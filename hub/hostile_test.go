package hub_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// says answers with a status, a body and headers.
func says(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// cut answers with less than it announced.
func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte(`{"deviceId":"d1",`))
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// reset drops the connection.
func reset(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// stall answers never, not even a client that has just said goodbye: TLS says
// so before it closes the connection, and an answer could still slip through.
func stall(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the client left
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// bomb answers with little that becomes a lot.
func bomb(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 8<<20))
	z.Close()
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write(b.Bytes())
}

func flood(w http.ResponseWriter, r *http.Request) {
	says(200, `{}`, "X-Flood", strings.Repeat("x", 1<<20))(w, r)
}

// many is more than one try, how many is a matter of time.
const many = -1

var everything = []error{twin.ErrNotFound, twin.ErrChanged, twin.ErrThrottled, twin.ErrDenied, twin.ErrUnavailable, twin.ErrMaybeApplied, hub.ErrBadAnswer, hub.ErrContentKept}

// TestHostileHub is about answers that a hub does not give, or that a network
// makes of them. Each row says what has come of the request, no more and no
// less; a write is sent once whatever happens.
func TestHostileHub(t *testing.T) {
	type outcome []error
	nothing := outcome{}
	lost, bad := outcome{twin.ErrMaybeApplied}, outcome{hub.ErrBadAnswer}
	both := outcome{twin.ErrMaybeApplied, hub.ErrBadAnswer}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		do     func(context.Context, *hub.Client) error
		want   outcome
		text   string // in the error
		tries  int32
	}{
		{"read: body cut off", cut, read, nothing, "unexpected EOF", 3},
		{"patch: body cut off", cut, patch, lost, "unexpected EOF", 1},
		{"put: body cut off", cut, put, lost, "unexpected EOF", 1},
		{"read: reset", reset, read, nothing, "EOF", 3},
		{"patch: reset", reset, patch, lost, "EOF", 1},
		{"delete: reset", reset, remove, lost, "EOF", 1},
		{"read: never answers", stall, read, nothing, "deadline exceeded", 3},
		{"patch: never answers", stall, patch, lost, "deadline exceeded", 1},
		{"read: huge", says(200, strings.Repeat(" ", 2<<20)), read, bad, "longer than 1048576 bytes", 1},
		{"patch: huge", says(200, strings.Repeat(" ", 2<<20)), patch, both, "longer than 1048576 bytes", 1},
		{"read: gzip bomb", bomb, read, bad, "longer than 1048576 bytes", 1},
		{"read: flood of headers", flood, read, nothing, "exceeded", 3},
		{"read: another device", says(200, `{"deviceId":"d2"}`), read, bad, "it is about devices/d2", 1},
		{"read: a module instead", says(200, `{"deviceId":"d1","moduleId":"m"}`), read, bad, "it is about devices/d1/modules/m", 1},
		{"patch: another device", says(200, `{"deviceId":"d2"}`), patch, both, "it is about devices/d2", 1},
		{"put: another configuration", says(200, `{"id":"tr-b"}`), put, both, "it is about configurations/tr-b", 1},
		{"read: a page of some portal", says(200, `<html>sign in`, "Content-Type", "text/html"), read, bad, "it is text/html, not JSON", 1},
		{"read: empty", says(200, ``), read, bad, "not an object", 1},
		{"read: no content", says(204, ``), read, bad, "not an object", 1},
		{"read: null", says(200, `null`), read, bad, "not an object", 1},
		{"read: an array", says(200, `[]`), read, bad, "not an object", 1},
		{"read: a key twice", says(200, `{"deviceId":"d1","deviceId":"d2"}`), read, bad, `duplicate key "deviceId"`, 1},
		{"read: deep", says(200, `{"deviceId":"d1","tags":`+strings.Repeat(`{"a":`, 5000)+"1"+strings.Repeat("}", 5001)), read, bad, "nested more than", 1},
		{"read: an id nobody may have", says(200, `{"deviceId":"d1\n"}`), read, bad, "must not contain", 1},
		{"query: an object", says(200, `{}`), query, bad, "not an array", 1},
		{"query: null", says(200, `null`), query, bad, "not an array", 1},
		{"query: a row that is no twin", says(200, `[{"deviceId":"d1"},{"x":1}]`), query, bad, "page 1, row 2: read twin", 1},
		{"query: rows of columns", says(200, `[{"deviceId":"d1"}]`, "x-ms-item-type", "Raw"), query, nothing, "its rows are Raw, not twins", 1},
		{"query: for ever empty", says(200, `[]`, "x-ms-continuation", "more"), query, bad, "1000 empty pages", 1001},
		{"list: a row that is none", says(200, `[{"id":"tr-a"},{"id":""}]`), list, bad, "row 2: read configuration", 1},
		{"read: trouble", says(500, `{"Message":"ErrorCode:ServerError;oops"}`), read, nothing, "500 ServerError: oops", 3},
		{"patch: trouble", says(500, `{"Message":"ErrorCode:ServerError;oops"}`), patch, lost, "500 ServerError: oops", 1},
		{"patch: too slow", says(408, ``), patch, lost, "408", 1},
		{"patch: busy", says(503, ``), patch, lost, "503", 1},
		{"patch: gateway", says(504, `<html>`), patch, lost, "504", 1},
		{"delete: trouble", says(502, ``), remove, lost, "502", 1},
		{"patch: throttled", says(429, `{"Message":"ErrorCode:ThrottlingBacklogTimeout;wait"}`), patch, outcome{twin.ErrThrottled}, "throttled (429 ThrottlingBacklogTimeout: wait)", 1},
		{"read: throttled", says(429, ``), read, outcome{twin.ErrThrottled}, "throttled (429", many},
		{"patch: refused", says(400, `{"Message":"ErrorCode:ArgumentInvalid;bad key"}`), patch, nothing, "400 ArgumentInvalid: bad key", 1},
		{"patch: changed", says(412, `{"Message":"ErrorCode:PreconditionFailed;x"}`), patch, outcome{twin.ErrChanged}, "changed since it was read (412", 1},
		{"patch: conflict", says(409, ``), patch, nothing, "409", 1},
		{"put: exists", says(409, ``), put, outcome{twin.ErrChanged}, "409", 1},
		{"patch: no such device", says(404, ``), patch, outcome{twin.ErrNotFound}, "404", 1},
		{"patch: unauthorized", says(401, ``), patch, outcome{twin.ErrDenied}, "401", 1},
		{"read: forbidden", says(403, ``), read, outcome{twin.ErrDenied}, "403", 1},
		{"read: teapot", says(418, "\x1b[2J\u202eline\nline"), read, nothing, "418: [2J line line", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, test.answer)
			o := &hub.ClientOptions{RootCAs: s.roots()}
			if strings.Contains(test.name, "never") {
				o.Retry = policy.RetryOptions{RetryDelay: time.Millisecond, MaxRetries: 2, TryTimeout: time.Second}
			}
			err := test.do(t.Context(), newClient(t, s.host(), fixedToken(token), o))
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Fatalf("got %v, want …%s…", err, test.text)
			}
			checkOutcome(t, err, test.want)
			if n := s.requests.Load(); n != test.tries && (test.tries != many || n < 2) {
				t.Errorf("%d requests, want %d", n, test.tries)
			}
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), token) || strings.ContainsAny(err.Error(), "\n\x1b\u202e") {
				t.Errorf("shows a secret or plays tricks: %q", err)
			}
		})
	}
}

// checkOutcome checks that err wraps want of the sentinels, and no other.
func checkOutcome(t *testing.T, err error, want []error) {
	t.Helper()
	for _, sentinel := range everything {
		wanted := false
		for _, w := range want {
			wanted = wanted || w == sentinel
		}
		if errors.Is(err, sentinel) != wanted {
			t.Errorf("is it %q: got %v, in %v", sentinel, !wanted, err)
		}
	}
}

// No answer makes the client send its token to another host.
func TestRedirect(t *testing.T) {
	other := newServer(t, says(200, `{"deviceId":"d1"}`))
	for _, status := range []int{301, 302, 307, 308} {
		s := newServer(t, says(status, ``, "Location", other.URL+"/twins/d1"))
		pool := s.roots()
		pool.AddCert(other.Certificate())
		c := newClient(t, s.host(), fixedToken(token), &hub.ClientOptions{RootCAs: pool})
		err := read(t.Context(), c)
		if err == nil || !strings.Contains(hub.Explain(err), "sends its callers elsewhere") {
			t.Errorf("%d: got %v: %s", status, err, hub.Explain(err))
		}
		if err := patch(t.Context(), c); !errors.Is(err, twin.ErrMaybeApplied) {
			t.Errorf("%d: patch: got %v", status, err)
		}
	}
	if n := other.requests.Load(); n != 0 {
		t.Errorf("the other host got %d requests", n)
	}
}

func TestHosts(t *testing.T) {
	tests := []struct {
		host, want string // "" for a refusal
	}{
		{"contoso.azure-devices.net", "contoso.azure-devices.net"},
		{" Contoso.Azure-Devices.US ", "contoso.azure-devices.us"},
		{"contoso.azure-devices.cn:443", "contoso.azure-devices.cn:443"},
		{"127.0.0.1:18443", "127.0.0.1:18443"},
		{"localhost:1", "localhost:1"},
		{"[::1]:18443", "[::1]:18443"},
		{"hub.corp.example:8443", "hub.corp.example:8443"},
		{"", ""},
		{"https://contoso.azure-devices.net", ""},
		{"contoso.azure-devices.net/twins", ""},
		{"me@contoso.azure-devices.net", ""},
		{"contoso.azure-devices.net?x", ""},
		{"contoso.azure-devices.net#x", ""},
		{"contoso.azure-devices.net.evil.example", ""},
		{"evilazure-devices.net", ""},
		{"azure-devices.net", ""},
		{".azure-devices.net", ""},
		{"evil.example", ""},
		{"10.0.0.1", ""},
		{"127.0.0.1.evil.example", ""},
		{"contoso.azure-devices.net\r\nX: y", ""},
		{"x:y:z", ""},
	}
	for _, test := range tests {
		c, err := hub.NewClient(test.host, fixedToken(token), &hub.ClientOptions{Hosts: []string{"hub.corp.example"}})
		switch {
		case err == nil && c.Host() != test.want:
			t.Errorf("%q: got %q, want %q", test.host, c.Host(), test.want)
		case err != nil && test.want != "":
			t.Errorf("%q: %v", test.host, err)
		}
	}
	if _, err := hub.NewClient("contoso.azure-devices.net", nil, nil); err == nil {
		t.Error("a client without a credential")
	}
}
