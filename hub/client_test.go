package hub_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// What the client sends is what the hub's own SDKs were seen to send.
func TestRequests(t *testing.T) {
	var mu sync.Mutex
	var got string
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		got = strings.TrimSpace(r.Method + " " + r.RequestURI + " " + r.Header.Get("If-Match") + " " + r.Header.Get("x-ms-max-item-count") + " " + string(body))
		if r.Header.Get("Authorization") != "Bearer "+token || r.Header.Get("Accept") != "application/json" || !strings.Contains(r.UserAgent(), "azsdk-go-hub/v") {
			got += " with headers " + strings.Join(r.Header["Authorization"], ",")
		}
		mu.Unlock()
		w.WriteHeader(http.StatusTeapot)
	})
	c := s.client(t)
	registry, configurations := c.NewRegistryClient(), c.NewConfigurationClient()
	ctx := t.Context()
	tag := azcore.ETag(`"AAAAAAAAAAE="`)
	tests := []struct {
		name string
		do   func() error
		want string
	}{
		{"read", func() error { return read(ctx, c) }, `GET /twins/d1?api-version=2021-04-12`},
		{"odd ids", func() error {
			_, err := c.Twin(ctx, twin.Ref{Device: "a#%?$+b", Module: "$edgeAgent"})
			return err
		}, `GET /twins/a%23%25%3F$+b/modules/$edgeAgent?api-version=2021-04-12`},
		{"dots", func() error { _, err := c.Twin(ctx, twin.Ref{Device: "..", Module: "."}); return err }, `GET /twins/%2E%2E/modules/%2E?api-version=2021-04-12`},
		{"patch", func() error { return patch(ctx, c) }, `PATCH /twins/d1?api-version=2021-04-12 "AAAAAAAAAAE="  {"properties":{"desired":{"fan":"on"}}}`},
		{"patch of any", func() error {
			_, err := c.PatchTwin(ctx, d1, twin.Patch{Tags: twin.Object{"a": nil, "b": "<&>"}}, "*")
			return err
		}, `PATCH /twins/d1?api-version=2021-04-12 *  {"tags":{"a":null,"b":"<&>"}}`},
		{"update with the etag of a header", func() error {
			_, err := registry.UpdateTwin(ctx, "d1", fan, &hub.RegistryClientUpdateTwinOptions{MatchConditions: &azcore.MatchConditions{IfMatch: &tag}})
			return err
		}, `PATCH /twins/d1?api-version=2021-04-12 "AAAAAAAAAAE="  {"properties":{"desired":{"fan":"on"}}}`},
		{"replace", func() error {
			_, err := registry.ReplaceModuleTwin(ctx, "d1", "m", hub.TwinContent{Tags: twin.Object{"a": true}}, nil)
			return err
		}, `PUT /twins/d1/modules/m?api-version=2021-04-12   {"tags":{"a":true}}`},
		{"query", func() error { return query(ctx, c) }, `POST /devices/query?api-version=2021-04-12  100 {"query":"SELECT * FROM devices"}`},
		{"list", func() error { return list(ctx, c) }, `GET /configurations?api-version=2021-04-12&top=100`},
		{"create", func() error { return put(ctx, c) }, `PUT /configurations/tr-a?api-version=2021-04-12   {"id":"tr-a","content":{"deviceContent":{}},"targetCondition":"","priority":0}`},
		{"update", func() error { _, err := c.PutConfiguration(ctx, conf1, "MQ=="); return err }, `PUT /configurations/tr-a?api-version=2021-04-12 "MQ=="  {"id":"tr-a","content":{"deviceContent":{}},"targetCondition":"","priority":0}`},
		{"delete", func() error { return remove(ctx, c) }, `DELETE /configurations/tr-a?api-version=2021-04-12 *`},
		{"delete without condition", func() error { _, err := configurations.Delete(ctx, "tr-a", nil); return err }, `DELETE /configurations/tr-a?api-version=2021-04-12`},
	}
	for _, test := range tests {
		if err := test.do(); err == nil {
			t.Errorf("%s: no error", test.name)
		}
		mu.Lock()
		if got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
		mu.Unlock()
	}
}

// What can only be a mistake is not sent.
func TestNotSent(t *testing.T) {
	s := newServer(t, says(200, `{}`))
	c, ctx := s.client(t), t.Context()
	for name, do := range map[string]func() error{
		"no device":             func() error { _, err := c.Twin(ctx, twin.Ref{}); return err },
		"a slash":               func() error { _, err := c.Twin(ctx, twin.Ref{Device: "a/b"}); return err },
		"a wrong module":        func() error { _, err := c.Twin(ctx, twin.Ref{Device: "a", Module: " "}); return err },
		"a configuration":       func() error { _, err := c.Twin(ctx, twin.Ref{Device: "a", Configuration: "b"}); return err },
		"no etag":               func() error { _, err := c.PatchTwin(ctx, d1, fan, ""); return err },
		"an etag with newlines": func() error { _, err := c.PatchTwin(ctx, d1, fan, "a\r\nX: y"); return err },
		"an etag with a quote":  func() error { _, err := c.PatchTwin(ctx, d1, fan, `a"b`); return err },
		"an empty patch":        func() error { _, err := c.PatchTwin(ctx, d1, twin.Patch{}, "*"); return err },
		"capitals":              func() error { return c.DeleteConfiguration(ctx, "TR", "*") },
		"no configuration":      func() error { _, err := c.PutConfiguration(ctx, &twin.Configuration{}, ""); return err },
		"delete without etag":   func() error { return c.DeleteConfiguration(ctx, "tr-a", "") },
	} {
		err := do()
		if err == nil || hub.Explain(err) == "" {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		checkOutcome(t, err, nil)
	}
	if n := s.requests.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// Reads are tried again, also when an answer breaks off; writes never are.
func TestRetry(t *testing.T) {
	for _, first := range []http.HandlerFunc{says(503, ``), says(429, ``, "Retry-After", "0"), cut, reset} {
		var n atomic.Int32
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 1 {
				first(w, r)
				return
			}
			says(200, `{"deviceId":"d1"}`)(w, r)
		})
		if err := read(t.Context(), s.client(t)); err != nil {
			t.Error(err)
		}
		if s.requests.Load() != 2 {
			t.Errorf("%d requests", s.requests.Load())
		}
	}
}

// The hub applied the patch and its answer was lost: the error says that this
// may be so, and reading the twin tells.
func TestLostAnswer(t *testing.T) {
	e, c := onEmulator(t, emulator.DataContributor)
	for _, fault := range []emulator.Fault{
		{Method: "PATCH", After: true, Reset: true},
		{Method: "PATCH", After: true, Status: 503},
		{Method: "PATCH", After: true, Body: "truncated"},
		{Method: "PATCH", After: true, Body: "wrong"},
	} {
		before, err := e.Twin(d1)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.SetFaults(fault); err != nil {
			t.Fatal(err)
		}
		_, err = c.PatchTwin(t.Context(), d1, fan, before.ETag)
		if !errors.Is(err, twin.ErrMaybeApplied) || errors.Is(err, twin.ErrChanged) {
			t.Errorf("%+v: got %v", fault, err)
		}
		after, err := c.Twin(t.Context(), d1)
		if err != nil || after.Version != before.Version+1 {
			t.Errorf("%+v: version %d after %d, %v", fault, after.Version, before.Version, err)
		}
	}
}

// An update of a configuration that cannot be read back is not known to have
// kept its content.
func TestNotReadBack(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			says(404, ``)(w, r)
			return
		}
		says(200, `{"id":"tr-a","content":{"deviceContent":{}}}`)(w, r)
	})
	_, err := s.client(t).PutConfiguration(t.Context(), conf1, "MQ==")
	checkOutcome(t, err, []error{twin.ErrMaybeApplied})
}

// What has certainly not been sent is not said to be perhaps applied.
func TestNotReached(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close() // nobody listens there now
	plain := newServer(t, says(200, `{}`))
	clear := httptest.NewServer(says(200, `{}`))
	t.Cleanup(clear.Close)
	old := httptest.NewUnstartedServer(says(200, `{}`))
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11}
	old.Config.ErrorLog = plain.Config.ErrorLog
	old.StartTLS()
	t.Cleanup(old.Close)
	e, _ := onEmulator(t, emulator.DataContributor)
	tests := []struct {
		name    string
		c       *hub.Client
		outcome error
		want    string
	}{
		{"refused", newClient(t, listener.Addr().String(), fixedToken(token), &hub.ClientOptions{}), twin.ErrUnavailable, "nothing accepts connections at 127.0.0.1:"},
		{"untrusted", newClient(t, plain.host(), fixedToken(token), &hub.ClientOptions{}), twin.ErrUnavailable, "signed by nobody this machine trusts"},
		{"no such name", newClient(t, "nosuch.invalid", fixedToken(token), &hub.ClientOptions{Hosts: []string{"nosuch.invalid"}}), twin.ErrUnavailable, "no address is known for nosuch.invalid"},
		{"another's certificate", newClient(t, strings.Replace(plain.host(), "127.0.0.1", "localhost", 1), fixedToken(token), &hub.ClientOptions{RootCAs: plain.roots()}), twin.ErrUnavailable, "is another host's"},
		{"old TLS", newClient(t, strings.TrimPrefix(old.URL, "https://"), fixedToken(token), &hub.ClientOptions{RootCAs: plain.roots()}), twin.ErrUnavailable, "protocol version not supported"},
		{"no TLS", newClient(t, strings.TrimPrefix(clear.URL, "http://"), fixedToken(token), &hub.ClientOptions{}), twin.ErrUnavailable, "does not speak TLS"},
		{"not known", newClient(t, e.HubAddr(), signIn(t, e, "wrong"), &hub.ClientOptions{RootCAs: e.CertPool()}), twin.ErrDenied, "could not sign in, so nothing was sent to " + e.HubAddr() + ": Entra: the client secret is wrong"},
		{"no token", newClient(t, e.HubAddr(), noToken{}, &hub.ClientOptions{RootCAs: e.CertPool()}), twin.ErrDenied, "could not sign in, so nothing was sent to " + e.HubAddr() + ": nothing to sign in with"},
	}
	for _, test := range tests {
		err := patch(t.Context(), test.c)
		checkOutcome(t, err, []error{test.outcome})
		if !strings.Contains(hub.Explain(err), test.want) {
			t.Errorf("%s:\ngot  %v\n     %s\nwant %s", test.name, err, hub.Explain(err), test.want)
		}
	}
	if n := plain.requests.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

// noToken is a credential of somebody else's that fails.
type noToken struct{}

func (noToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, errors.New("nothing to sign in with\nand more")
}

// Roles decide, and a missing one is named.
func TestRoles(t *testing.T) {
	_, c := onEmulator(t, emulator.DataReader)
	ctx := t.Context()
	if err := errors.Join(read(ctx, c), query(ctx, c), list(ctx, c)); err != nil {
		t.Errorf("a reader may not read: %v", err)
	}
	for want, err := range map[string]error{
		`"IoT Hub Twin Contributor"`: patch(ctx, c),
		`"IoT Hub Data Contributor"`: put(ctx, c),
	} {
		line := hub.Explain(err)
		if !errors.Is(err, twin.ErrDenied) || !strings.Contains(line, want) || !strings.Contains(line, "Owner and Contributor don't grant data access") {
			t.Errorf("got %v\n%s", err, line)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	date := "Sun, 01 Mar 2026 10:00:00 GMT"
	tests := []struct {
		name   string
		header []string
		want   time.Duration
	}{
		{"none, as hubs do", nil, 0},
		{"seconds", []string{"Retry-After", "12"}, 12 * time.Second},
		{"milliseconds", []string{"Retry-After", "12", "retry-after-ms", "250"}, 250 * time.Millisecond},
		{"a date", []string{"Date", date, "Retry-After", "Sun, 01 Mar 2026 10:00:30 GMT"}, 30 * time.Second},
		{"a date that is over", []string{"Date", date, "Retry-After", "Sun, 01 Mar 2026 09:00:00 GMT"}, 0},
		{"nonsense", []string{"Retry-After", "soon"}, 0},
		{"negative", []string{"Retry-After", "-5"}, 0},
		{"overflow", []string{"Retry-After", "99999999999999999999"}, 0},
	}
	for _, test := range tests {
		s := newServer(t, says(429, ``, test.header...))
		if got := hub.RetryAfter(patch(t.Context(), s.client(t))); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
	if got := hub.RetryAfter(errors.New("else")); got != 0 {
		t.Errorf("got %s of an error of others", got)
	}
}

// Many calls at once share few connections, and a second round makes none.
func TestConnectionsAreKept(t *testing.T) {
	s := newServer(t, says(200, `{"deviceId":"d1"}`))
	c := newClient(t, s.host(), fixedToken(token), &hub.ClientOptions{RootCAs: s.roots(), Connections: 4})
	for range 2 {
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				if err := read(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	if n := s.opened.Load(); n > 4 {
		t.Errorf("%d connections for 128 calls", n)
	}
}

// Closing the loop early asks the hub for no more pages.
func TestTwinsStops(t *testing.T) {
	s := newServer(t, says(200, `[{"deviceId":"d1"},{"deviceId":"d2"}]`, "x-ms-continuation", "more"))
	for tw, err := range s.client(t).Twins(t.Context(), "SELECT * FROM devices") {
		if err != nil || tw.Ref != d1 {
			t.Error(tw, err)
		}
		break
	}
	if n := s.requests.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// A cancelled write may have arrived; a cancelled read is just over.
func TestCancel(t *testing.T) {
	for name, do := range map[string]bool{"read": false, "patch": true} {
		arrived := make(chan struct{}, 1)
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			arrived <- struct{}{}
			stall(w, r)
		})
		c := newClient(t, s.host(), fixedToken(token), &hub.ClientOptions{RootCAs: s.roots(), ClientOptions: azcore.ClientOptions{Retry: policy.RetryOptions{RetryDelay: time.Millisecond}}})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-arrived; cancel() }()
		var err error
		if do {
			err = patch(ctx, c)
		} else {
			err = read(ctx, c)
		}
		if !errors.Is(err, ctx.Err()) || errors.Is(err, twin.ErrMaybeApplied) != do {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
