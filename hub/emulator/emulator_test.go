package emulator_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// signingKey is shared by the tests, because making one takes long.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// start runs an emulator for the length of a test.
func start(t testing.TB, o *emulator.Options) *emulator.Emulator {
	t.Helper()
	if o == nil {
		o = &emulator.Options{}
	}
	o.SigningKey = signingKey()
	e, err := emulator.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// fleet yields twins written in JSON.
func fleet(texts ...string) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		for _, text := range texts {
			if !yield(twin.Parse([]byte(text))) {
				return
			}
		}
	}
}

// numbered yields n twins called d000, d001 and so on.
func numbered(n int) iter.Seq2[*twin.Twin, error] {
	var texts []string
	for i := range n {
		texts = append(texts, fmt.Sprintf(`{"deviceId":"d%03d","tags":{"n":%d}}`, i, i))
	}
	return fleet(texts...)
}

// A clock stands still until it is told to go on.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 123456700, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// A client speaks plain HTTP to an emulator as one of its applications.
type client struct {
	t     testing.TB
	e     *emulator.Emulator
	http  *http.Client
	token string
}

// connect signs in as the nth application.
func connect(t testing.TB, e *emulator.Emulator, n int) *client {
	t.Helper()
	c := &client{t: t, e: e, http: e.HTTPClient()}
	t.Cleanup(c.http.CloseIdleConnections)
	app := e.Applications()[n]
	a := c.signIn(e.Tenant(), url.Values{
		"grant_type": {"client_credentials"}, "scope": {"https://iothubs.azure.net/.default"},
		"client_id": {app.ClientID}, "client_secret": {app.Secret},
	})
	c.token, _ = a.object()["access_token"].(string)
	if c.token == "" {
		t.Fatalf("no token: %s", a.body)
	}
	return c
}

// signIn asks the authority for a token.
func (c *client) signIn(tenant string, form url.Values) *response {
	c.t.Helper()
	r, err := c.http.PostForm(c.e.Authority()+"/"+tenant+"/oauth2/v2.0/token", form)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.read(r)
}

// do sends a request to the hub; header holds names and values in turn.
func (c *client) do(method, path, body string, header ...string) *response {
	c.t.Helper()
	r, err := c.try(method, path, body, header...)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func (c *client) try(method, path, body string, header ...string) (*response, error) {
	target := "https://" + c.e.HubName() + path
	if !strings.Contains(path, "?") {
		target += "?api-version=2021-04-12"
	}
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	r, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return &response{c.t, r.StatusCode, r.Header, string(text)}, err
}

func (c *client) read(r *http.Response) *response {
	c.t.Helper()
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return &response{c.t, r.StatusCode, r.Header, string(text)}
}

type response struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

func (r *response) object() twin.Object {
	r.t.Helper()
	o, err := twin.DecodeObject([]byte(r.body))
	if err != nil {
		r.t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
	return o
}

func (r *response) twin() *twin.Twin {
	r.t.Helper()
	t, err := twin.Parse([]byte(r.body))
	if err != nil {
		r.t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
	return t
}

// want fails the test unless the answer has this status and error code.
func (r *response) want(status int, code string) *response {
	r.t.Helper()
	if got := r.header.Get("iothub-errorcode"); r.status != status || got != code {
		r.t.Errorf("got %d %q, want %d %q: %s", r.status, got, status, code, r.body)
	}
	return r
}

// contains fails the test unless the body has text in it.
func (r *response) contains(text string) *response {
	r.t.Helper()
	if !strings.Contains(r.body, text) {
		r.t.Errorf("got %s, want in it: %s", r.body, text)
	}
	return r
}

func TestReady(t *testing.T) {
	e := start(t, nil)
	t.Chdir(t.TempDir())
	ready, err := e.WriteReady("emu")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("emu/ready.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := twin.DecodeObject(bytes.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Abs("emu")
	if err != nil {
		t.Fatal(err)
	}
	want := twin.Object{
		"hubName": "emu.azure-devices.net", "hubAddr": e.HubAddr(), "ca": filepath.Join(dir, "ca.pem"),
		"authority": e.Authority(), "tenant": e.Tenant(), "client": e.Client(), "secret": e.Secret(),
		"connectionString": e.ConnectionString(),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat("emu/ready.json"); err != nil || info.Mode() != 0o600 {
		t.Errorf("got mode %v, want 0600 (%v)", info.Mode(), err)
	}
	if ca, err := os.ReadFile(ready.CA); err != nil || !bytes.Equal(ca, e.CA()) {
		t.Errorf("ca.pem is not the CA (%v)", err)
	}
	entries, err := os.ReadDir("emu")
	if err != nil || len(entries) != 2 {
		t.Errorf("got %v, want ca.pem and ready.json alone (%v)", entries, err)
	}
}

func TestSeedDecidesEveryID(t *testing.T) {
	describe := func(seed uint64) string {
		e := start(t, &emulator.Options{Seed: seed, Twins: numbered(2), Now: newClock().now})
		text := e.Tenant() + e.Client() + e.Secret() + e.ConnectionString()
		for d := range e.Twins() {
			text += string(d.JSON())
		}
		return text + connect(t, e, 0).do("GET", "/devices/d001", "").body
	}
	first := describe(7)
	if again := describe(7); again != first {
		t.Errorf("got %s\nand then %s", first, again)
	}
	if other := describe(8); other == first {
		t.Error("another seed made the same ids")
	}
}

func TestStartFails(t *testing.T) {
	broken := func(yield func(*twin.Twin, error) bool) { yield(nil, errors.New("disk on fire")) }
	for name, test := range map[string]struct {
		options emulator.Options
		want    string
	}{
		"fleet":         {emulator.Options{Twins: broken}, "seed twins: disk on fire"},
		"fault":         {emulator.Options{Faults: []emulator.Fault{{}}}, "fault 1: it does nothing"},
		"address":       {emulator.Options{Listen: "127.0.0.1:nowhere"}, "listen on 127.0.0.1:nowhere"},
		"configuration": {emulator.Options{Configurations: []*twin.Configuration{{ID: "UPPER"}}}, "configuration id 'UPPER' is invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := emulator.Start(context.Background(), &test.options)
			if err == nil {
				e.Close()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestContextEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	e, err := emulator.Start(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, e, 0)
	cancel()
	for { // until the shutdown that cancel began has come that far
		if _, err := c.try("GET", "/statistics/devices", ""); err != nil {
			break
		}
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestRequestLog(t *testing.T) {
	var log bytes.Buffer
	clock := newClock()
	e := start(t, &emulator.Options{Twins: numbered(1), RequestLog: &log, Now: clock.now})
	c := connect(t, e, 0)
	c.do("GET", "/twins/d000", "")
	c.do("GET", "/twins/a%2Fb/", "").want(404, "DeviceNotFound")
	c.token = ""
	c.do("GET", "/twins/d000", "").want(401, "IotHubUnauthorizedAccess")

	app := e.Applications()[0]
	want := []emulator.Request{
		{Method: "POST", Path: "/" + e.Tenant() + "/oauth2/v2.0/token", Status: 200, Principal: app.ClientID},
		{Method: "GET", Path: "/twins/d000", Status: 200, Principal: app.ObjectID},
		{Method: "GET", Path: "/twins/a%2Fb/", Status: 404, Principal: app.ObjectID},
		{Method: "GET", Path: "/twins/d000", Status: 401},
	}
	for i := range want {
		want[i].Time, want[i].Answered = clock.now(), clock.now()
	}
	if diff := cmp.Diff(want, e.Requests()); diff != "" {
		t.Error(diff)
	}
	first, _, _ := strings.Cut(log.String(), "\n")
	if want := string(mustMarshal(t, want[0])); first != want {
		t.Errorf("got line %s, want %s", first, want)
	}
}

func mustMarshal(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestCloseTellsOfALostRequestLog(t *testing.T) {
	e, err := emulator.Start(context.Background(), &emulator.Options{RequestLog: brokenWriter{}})
	if err != nil {
		t.Fatal(err)
	}
	connect(t, e, 0)
	if err := e.Close(); err == nil || !strings.Contains(err.Error(), "write request log: disk full") {
		t.Errorf("got %v, want the log's error", err)
	}
}
