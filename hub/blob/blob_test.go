package blob_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/twinrules/twinrules/hub/blob"
	"github.com/twinrules/twinrules/hub/blob/blobtest"
	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/emulator"
)

// signIn returns who signs in at a real authority, and the way to ask for a token.
func signIn(t *testing.T) (azcore.TokenCredential, func(context.Context) (string, error)) {
	t.Helper()
	e, err := emulator.Start(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	vars := map[string]string{"AZURE_CLIENT_SECRET": e.Secret()}
	cred, err := credential.New(credential.Config{
		Kinds: []string{"client-secret"}, TenantID: e.Tenant(), ClientID: e.Client(), Authority: e.Authority(), RootCAs: e.CertPool(),
	}, func(name string) (string, bool) { v, ok := vars[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	return cred, func(ctx context.Context) (string, error) {
		token, err := cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{blob.Audience + "/.default"}})
		return token.Token, err
	}
}

// TestAzurite is a blob's life at a real blob service.
func TestAzurite(t *testing.T) {
	cred, token := signIn(t)
	account := blobtest.Start(t, token, "exports")
	c, err := blob.NewContainer(account.URL+"/exports", cred, &blob.Options{RootCAs: account.CertPool()})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for _, name := range []string{"devices.txt", "a b/ü%#?.txt"} {
		data := bytes.Repeat([]byte("0123456789"), 300_000)
		if err := c.Put(ctx, name, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, c, name); !bytes.Equal(got, data) {
			t.Errorf("%s: read %d bytes of %d", name, len(got), len(data))
		}
		if p, err := c.Properties(ctx, name); err != nil || p.Size != int64(len(data)) || time.Since(p.Modified).Abs() > time.Minute {
			t.Errorf("%s: got %+v, %v", name, p, err)
		}
		if err := c.Put(ctx, name, strings.NewReader("")); err != nil {
			t.Fatal(err)
		}
		if got := read(t, c, name); len(got) != 0 {
			t.Errorf("%s: read %q of nothing", name, got)
		}
		if err := c.Delete(ctx, name); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Open(ctx, name); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("%s: opened after it was deleted: %v", name, err)
		}
		if err := c.Delete(ctx, name); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("%s: deleted twice: %v", name, err)
		}
		if _, err := c.Properties(ctx, name); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("%s: looked at after it was deleted: %v", name, err)
		}
	}
}

func read(t *testing.T, c *blob.Container, name string) []byte {
	t.Helper()
	r, err := c.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A network answers requests without one.
type network func(*http.Request) *http.Response

func (n network) Do(req *http.Request) (*http.Response, error) { return n(req), nil }

// answer is one with a body, which may break off or never end.
func answer(status int, etag string, size int64, body io.Reader) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Etag": {etag}}, ContentLength: size,
		Body: io.NopCloser(body), Request: httptest.NewRequest("GET", "/", nil),
	}
}

func container(t *testing.T, n network) *blob.Container {
	t.Helper()
	c, err := blob.NewContainer("https://127.0.0.1/account/exports?sig=hunter2", nil, &blob.Options{ClientOptions: azcore.ClientOptions{
		Transport: n, Retry: policy.RetryOptions{MaxRetries: -1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestReadResumes cuts the connection every few bytes, and lets others hang.
func TestReadResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := strings.Repeat("0123456789", 10)
		asked := 0
		c := container(t, func(req *http.Request) *http.Response {
			asked++
			var at int64
			status := http.StatusOK
			if from := req.Header.Get("Range"); from != "" {
				if _, err := fmt.Sscanf(from, "bytes=%d-", &at); err != nil || req.Header.Get("If-Match") != `"1"` {
					t.Errorf("asked for %q if %q", from, req.Header.Get("If-Match"))
				}
				status = http.StatusPartialContent
			}
			var rest io.Reader = strings.NewReader(text[at:min(int(at)+7, len(text))])
			if asked%3 == 0 {
				rest = io.MultiReader(rest, hanging{req.Context()})
			}
			resp := answer(status, `"1"`, int64(len(text))-at, rest)
			resp.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(text)-1, len(text)))
			return resp
		})
		start := time.Now()
		if got := string(read(t, c, "devices.txt")); got != text {
			t.Errorf("got %q", got)
		}
		if took := time.Since(start); asked != 15 || took < 4*time.Minute || took > 6*time.Minute {
			t.Errorf("%d requests in %s", asked, took)
		}
	})
}

// hanging stands still until the connection is given up.
type hanging struct{ ctx context.Context }

func (h hanging) Read([]byte) (int, error) {
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

func TestReadRefuses(t *testing.T) {
	tests := []struct {
		name  string
		first *http.Response
		rest  func() *http.Response
		want  string
	}{
		{"replaced meanwhile", answer(200, `"1"`, 9, strings.NewReader("abc")), func() *http.Response { return answer(412, "", 0, strings.NewReader("")) }, "it was replaced while it was read, at byte 3 of 9"},
		{"another part", answer(200, `"1"`, 9, strings.NewReader("abc")), func() *http.Response { return answer(206, `"1"`, 5, strings.NewReader("12345")) }, "is not the rest of the blob from byte 3 of 9"},
		{"from the start", answer(200, `"1"`, 9, strings.NewReader("abc")), func() *http.Response { return answer(200, `"1"`, 9, strings.NewReader("abcdefghi")) }, "answered 200 to a request for the rest of it"},
		{"too much", answer(200, `"1"`, 2, strings.NewReader("abc")), func() *http.Response { return answer(412, "", 0, strings.NewReader("")) }, "it was replaced"},
		{"no length", answer(200, `"1"`, -1, strings.NewReader("abc")), nil, "does not say how long it is"},
		{"no right", answer(403, "", 0, strings.NewReader("")), nil, "give the identity the role Storage Blob Data Reader"},
		{"redirect", answer(302, "", 0, strings.NewReader("")), nil, "302"},
		{"always broken", answer(200, `"1"`, 9, strings.NewReader("abc")), func() *http.Response {
			r := answer(206, `"1"`, 6, strings.NewReader(""))
			r.Header.Set("Content-Range", "bytes 3-8/9")
			return r
		}, "the connection breaks at byte 3 of 9"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			asked := 0
			c := container(t, func(*http.Request) *http.Response {
				if asked++; asked == 1 {
					return test.first
				}
				return test.rest()
			})
			r, err := c.Open(t.Context(), "devices.txt")
			if err == nil {
				_, err = io.ReadAll(r)
				r.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if asked > 10 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

// TestPropertiesRefuses asks accounts that do not say what a blob is like.
func TestPropertiesRefuses(t *testing.T) {
	undated := answer(200, `"1"`, 9, strings.NewReader(""))
	endless := answer(200, `"1"`, -1, strings.NewReader(""))
	endless.Header.Set("Last-Modified", "Sun, 01 Mar 2026 12:00:00 GMT")
	for name, test := range map[string]struct {
		answer *http.Response
		want   string
	}{
		"no date":   {undated, "does not say how long and how old"},
		"no length": {endless, "does not say how long and how old"},
		"no right":  {answer(403, "", 0, strings.NewReader("")), "give the identity the role Storage Blob Data Reader"},
	} {
		_, err := container(t, func(*http.Request) *http.Response { return test.answer }).Properties(t.Context(), "devices.txt")
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// TestCredential sends the token that a function returns.
func TestCredential(t *testing.T) {
	var sent string
	c, err := blob.NewContainer("https://127.0.0.1/account/exports", blob.Credential(func() (string, time.Time) { return "t0ken", time.Now().Add(time.Hour) }),
		&blob.Options{ClientOptions: azcore.ClientOptions{Transport: network(func(req *http.Request) *http.Response {
			sent = req.Header.Get("Authorization")
			return answer(202, "", 0, strings.NewReader(""))
		})}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), "x"); err != nil || sent != "Bearer t0ken" {
		t.Errorf("sent %q, %v", sent, err)
	}
}

func TestNewContainerRefuses(t *testing.T) {
	tests := []struct{ name, uri, want string }{
		{"clear text", "http://a.blob.core.windows.net/c", "is not the URL of a container"},
		{"no container", "https://a.blob.core.windows.net/", "is not the URL of a container"},
		{"a user", "https://me:hunter2@a.blob.core.windows.net/c", "is not the URL of a container"},
		{"another host", "https://a.blob.core.windows.net.evil.example/c?sig=hunter2", "is no storage account"},
		{"a bare domain", "https://.blob.core.windows.net/c", "is no storage account"},
		{"garbage", "https://a\x00hunter2", "not named by a URL"},
		{"nobody", "https://a.blob.core.windows.net/c", "neither a credential nor a signature"},
	}
	for _, test := range tests {
		_, err := blob.NewContainer(test.uri, nil, nil)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
	c := container(t, nil)
	for _, name := range []string{"", "/a", "../a", "a/../b", "."} {
		if err := c.Delete(t.Context(), name); err == nil || !strings.Contains(err.Error(), "is not the name of a blob") {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

// Over the network itself: who is not trusted gets neither token nor signature.
func TestUntrusted(t *testing.T) {
	asked := false
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer s.Close()
	c, err := blob.NewContainer(s.URL+"/c?sig=hunter2", nil, &blob.Options{
		ClientOptions: azcore.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}}, RootCAs: x509.NewCertPool(),
	})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Put(t.Context(), "x", strings.NewReader("x"))
	if err == nil || asked || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("asked: %t, got %v", asked, err)
	}
}
