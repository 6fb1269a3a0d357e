package hub_test

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

const token = "the-token-that-nobody-may-see"

// A fixedToken is a credential that has its token already.
type fixedToken string

func (f fixedToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// A server answers as a test wants it to, over TLS, and counts.
type server struct {
	*httptest.Server
	requests atomic.Int32
	opened   atomic.Int32 // connections
}

func newServer(t *testing.T, answer http.HandlerFunc) *server {
	s := &server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		answer(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.opened.Add(1)
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func (s *server) host() string { return strings.TrimPrefix(s.URL, "https://") }

func (s *server) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

// client returns a client of the server that does not wait long.
func (s *server) client(t *testing.T) *hub.Client {
	return newClient(t, s.host(), fixedToken(token), &hub.ClientOptions{RootCAs: s.roots()})
}

func newClient(t *testing.T, host string, cred azcore.TokenCredential, o *hub.ClientOptions) *hub.Client {
	t.Helper()
	if o.Pacer == nil {
		o.Pacer = newPacer(t, &hub.PacerOptions{Pause: time.Millisecond, Patience: 10 * time.Millisecond})
	}
	if o.Retry.RetryDelay == 0 {
		o.Retry = policy.RetryOptions{RetryDelay: time.Millisecond, MaxRetries: 2, TryTimeout: 5 * time.Second}
	}
	c, err := hub.NewClient(host, cred, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newPacer(t *testing.T, o *hub.PacerOptions) *hub.Pacer {
	t.Helper()
	p, err := hub.NewPacer(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// onEmulator returns a client, signed in for real, of a hub with the device d1,
// whose application has the roles.
func onEmulator(t *testing.T, roles ...*emulator.Role) (*emulator.Emulator, *hub.Client) {
	t.Helper()
	e, err := emulator.Start(t.Context(), &emulator.Options{
		Applications: []emulator.Application{{Name: "test", Roles: roles}},
		Twins: func(yield func(*twin.Twin, error) bool) {
			yield(twin.Parse([]byte(`{"deviceId":"d1"}`)))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e, newClient(t, e.HubAddr(), signIn(t, e, e.Secret()), &hub.ClientOptions{RootCAs: e.CertPool()})
}

func signIn(t *testing.T, e *emulator.Emulator, secret string) azcore.TokenCredential {
	t.Helper()
	cred, err := credential.New(credential.Config{
		Kinds: []string{"client-secret"}, RootCAs: e.CertPool(), Authority: e.Authority(), TenantID: e.Tenant(), ClientID: e.Client(),
	}, func(name string) (string, bool) { return secret, name == "AZURE_CLIENT_SECRET" })
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

var (
	d1    = twin.Ref{Device: "d1"}
	fan   = twin.Patch{Desired: twin.Object{"fan": "on"}}
	conf1 = &twin.Configuration{ID: "tr-a", Content: twin.Object{"deviceContent": twin.Object{}}}
)

func read(ctx context.Context, c *hub.Client) error {
	_, err := c.Twin(ctx, d1)
	return err
}

func patch(ctx context.Context, c *hub.Client) error {
	_, err := c.PatchTwin(ctx, d1, fan, "AAAAAAAAAAE=")
	return err
}

func query(ctx context.Context, c *hub.Client) error {
	for _, err := range c.Twins(ctx, "SELECT * FROM devices") {
		if err != nil {
			return err
		}
	}
	return nil
}

func list(ctx context.Context, c *hub.Client) error {
	for _, err := range c.Configurations(ctx) {
		if err != nil {
			return err
		}
	}
	return nil
}

func put(ctx context.Context, c *hub.Client) error {
	_, err := c.PutConfiguration(ctx, conf1, "")
	return err
}

func remove(ctx context.Context, c *hub.Client) error {
	return c.DeleteConfiguration(ctx, "tr-a", "*")
}
