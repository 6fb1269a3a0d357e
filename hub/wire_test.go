package hub_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// The failures on the wire that the project promises to survive, and where each
// is tested. What the client can do alone is held in this folder; the rest is
// engine's, which sees the plan.
//
//	B1  the answer is lost after the hub accepted    TestRepeats, TestNotOurs, TestDoubtStays, TestLostAnswer; engine re-reads before it writes again
//	B2  a write arrives late                         TestLateArrival; engine: it never says "not applied" while the etag is unchanged
//	B3  412                                          TestHostileHub ("patch: changed"), TestNotOurs; engine compares the touched paths
//	B4  the etag is sent wrongly                     TestRequests, TestEtags
//	B5  the device was deleted and created again     hubtest ("a device made anew has a new twin"); engine: the registration, the desired $version
//	B6  a storm of 429                               TestStorm, TestPauses, TestSharedPacer
//	B7  5xx, resets, half-open connections, DNS      TestRepeats, TestHostileHub, TestNotReached
//	B8  truncated, huge, slow, wrong answers         TestHostileHub, TestSlow, TestBombInAnError
//	B9  redirects, other hosts, TLS                  TestRedirect, TestHosts, TestNotReached, TestCertificates
//	B10 expired tokens, claims, roles taken away     TestClaims, TestTokenExpires, TestRoleRemoved
//	B11 another hub under the same name              command: a plan is for its hub (apply.txtar); engine: TestAnotherHub

// A hub that sends a byte a second is given up, however long it would go on.
func TestSlow(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 5 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			text := `{"deviceId":"d1","tags":{"x":"` + strings.Repeat("y", 2000) + `"}}`
			began := time.Now()
			c := newClient(t, "contoso.azure-devices.net", fixedToken(token), &hub.ClientOptions{ClientOptions: azcore.ClientOptions{
				Retry: policy.RetryOptions{MaxRetries: -1, RetryDelay: time.Millisecond},
				Transport: transport(func(*http.Request) (*http.Response, error) {
					resp := saying(200, ``)
					resp.Body = io.NopCloser(&drip{text: text, every: every})
					return resp, nil
				}),
			}})
			err := read(t.Context(), c)
			if every == time.Second && (err == nil || !strings.Contains(err.Error(), "too slowly") || time.Since(began) > 11*time.Second) {
				t.Errorf("a byte in %s: %v after %s", every, err, time.Since(began))
			}
			if every < time.Second && err != nil {
				t.Errorf("a byte in %s: %v", every, err)
			}
		})
	}
}

// A drip is a text that comes byte by byte.
type drip struct {
	text  string
	every time.Duration
}

func (d *drip) Read(p []byte) (int, error) {
	if d.text == "" {
		return 0, io.EOF
	}
	timer := time.NewTimer(d.every)
	<-timer.C
	n := copy(p[:1], d.text)
	d.text = d.text[n:]
	return n, nil
}

// The text of an error is read with a bound too.
func TestBombInAnError(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(make([]byte, 8<<20))
	z.Close()
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write(b.Bytes())
	})
	if err := read(t.Context(), s.client(t)); !errors.Is(err, hub.ErrBadAnswer) {
		t.Errorf("got %v", err)
	}
}

// Nothing is sent to a hub whose certificate is not valid.
func TestCertificates(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		until   time.Time
		host    string
		trusted bool
		want    string
	}{
		"good":        {now.Add(time.Hour), "127.0.0.1", true, ""},
		"expired":     {now.Add(-time.Minute), "127.0.0.1", true, "is not valid"},
		"self-signed": {now.Add(time.Hour), "127.0.0.1", false, "signed by nobody"},
		"wrong host":  {now.Add(time.Hour), "127.0.0.2", true, "is another host's"},
	} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: test.until,
			IPAddresses: []net.IP{net.ParseIP(test.host)}, IsCA: true, BasicConstraintsValid: true,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		asked := 0
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked++; says(200, twinBody)(w, r) }))
		s.Config.ErrorLog = newServer(t, says(200, ``)).Config.ErrorLog
		s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
		s.StartTLS()
		roots := x509.NewCertPool()
		if test.trusted {
			roots.AddCert(cert)
		}
		err = read(t.Context(), newClient(t, strings.TrimPrefix(s.URL, "https://"), fixedToken(token), &hub.ClientOptions{RootCAs: roots}))
		s.Close()
		if test.want == "" && (err != nil || asked != 1) || test.want != "" && (!errors.Is(err, twin.ErrUnavailable) || asked != 0 || !strings.Contains(hub.Explain(err), test.want)) {
			t.Errorf("%s: %v, %s; %d requests arrived", name, err, hub.Explain(err), asked)
		}
	}
}

// A counting credential makes a new token each time, and remembers the claims.
type counting struct {
	life   time.Duration
	tokens int
	claims string
}

func (c *counting) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.tokens++
	c.claims = o.Claims
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(c.life)}, nil
}

// The hub may ask for more claims at any time: one new token answers it, for a
// write as well, of which nothing was done.
func TestClaims(t *testing.T) {
	claims := `{"access_token":{"nbf":{"essential":true,"value":"1"}}}`
	cred := &counting{life: time.Hour}
	n := 0
	c := newClient(t, "contoso.azure-devices.net", cred, &hub.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: transport(func(*http.Request) (*http.Response, error) {
			if n++; n == 2 {
				return saying(401, ``, "WWW-Authenticate", `Bearer error="insufficient_claims", claims="`+base64.StdEncoding.EncodeToString([]byte(claims))+`"`), nil
			}
			return saying(200, twinBody), nil
		}),
	}})
	for range 2 {
		if err := patch(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if n != 3 || cred.tokens != 2 || cred.claims != claims {
		t.Errorf("%d requests, %d tokens, claims %s", n, cred.tokens, cred.claims)
	}
}

// A run outlives its tokens.
func TestTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cred := &counting{life: time.Hour}
		c := newClient(t, "contoso.azure-devices.net", cred, &hub.ClientOptions{ClientOptions: azcore.ClientOptions{
			Transport: transport(func(*http.Request) (*http.Response, error) { return saying(200, twinBody), nil }),
		}})
		for range 10 {
			if err := read(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			pass(30 * time.Minute)
		}
		if cred.tokens < 5 || cred.tokens > 10 {
			t.Errorf("%d tokens in five hours", cred.tokens)
		}
	})
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.NewTimer(d).C }

// A role that is taken away ends the run with one request and one clear line.
func TestRoleRemoved(t *testing.T) {
	for _, status := range []int{401, 403} {
		n := 0
		c := onTransport(t, func(*http.Request) (*http.Response, error) {
			if n++; n > 100 {
				return saying(status, `{"Message":"ErrorCode:IotHubUnauthorized;Principal 12 is not authorized for PATCH on /twins/d1 due to no assigned permissions"}`), nil
			}
			return saying(200, twinBody), nil
		})
		for range 100 {
			if err := patch(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		err := patch(t.Context(), c)
		if n != 101 || !errors.Is(err, twin.ErrDenied) || !strings.Contains(hub.Explain(err), `12 may not patch twin`) {
			t.Errorf("%d: %d requests, %s", status, n, hub.Explain(err))
		}
	}
}

func TestEtags(t *testing.T) {
	for etag, want := range map[string]string{"MQ==": `"MQ=="`, `"MQ=="`: `"MQ=="`, "*": "*"} {
		var got string
		c := onTransport(t, func(req *http.Request) (*http.Response, error) {
			got = req.Header.Get("If-Match")
			return saying(200, twinBody), nil
		})
		if _, err := c.PatchTwin(t.Context(), d1, fan, etag); err != nil || got != want {
			t.Errorf("%s: got %s, %v", etag, got, err)
		}
	}
}

// A write that was given up may still arrive. What is sent again under the same
// etag and what comes late cannot both take effect, whichever is first, so that
// the same may always be sent once more.
func TestLateArrival(t *testing.T) {
	lines := make(signal, 10)
	e, err := emulator.Start(t.Context(), &emulator.Options{
		RequestLog: lines,
		Twins:      func(yield func(*twin.Twin, error) bool) { yield(twin.Parse([]byte(`{"deviceId":"d1"}`))) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	c := newClient(t, e.HubAddr(), signIn(t, e, e.Secret()), &hub.ClientOptions{RootCAs: e.CertPool()})
	before, err := c.Twin(t.Context(), d1)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.SetFaults(emulator.Fault{Method: "PATCH", Times: 1, LatencyMS: 300}); err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { giveUp() }})
	if _, err := c.PatchTwin(ctx, d1, fan, before.ETag); !errors.Is(err, twin.ErrMaybeApplied) {
		t.Fatalf("given up: got %v", err)
	}
	if _, err := c.PatchTwin(t.Context(), d1, fan, before.ETag); err != nil && !errors.Is(err, twin.ErrChanged) {
		t.Errorf("sent again: got %v", err)
	}
	for arrived := 0; arrived < 2; {
		if strings.Contains(<-lines, `"PATCH"`) {
			arrived++
		}
	}
	if after, err := e.Twin(d1); err != nil || after.Version != before.Version+1 {
		t.Errorf("version %d after %d, %v", after.Version, before.Version, err)
	}
}

// A signal gets the lines of a log.
type signal chan string

func (s signal) Write(line []byte) (int, error) {
	s <- string(line)
	return len(line), nil
}
