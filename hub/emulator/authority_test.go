package emulator_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// options returns what makes azidentity talk to e.
func options(t testing.TB, e *emulator.Emulator) azcore.ClientOptions {
	c := e.HTTPClient()
	t.Cleanup(c.CloseIdleConnections)
	return azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: e.Authority()},
		Transport: c,
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}
}

func scopes(resource string) policy.TokenRequestOptions {
	return policy.TokenRequestOptions{Scopes: []string{resource + "/.default"}}
}

const hubResource = "https://iothubs.azure.net"

// use reads a twin with the token of a real credential.
func use(t *testing.T, e *emulator.Emulator, cred azcore.TokenCredential) *response {
	t.Helper()
	token, err := cred.GetToken(context.Background(), scopes(hubResource))
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, e: e, http: e.HTTPClient(), token: token.Token}
	t.Cleanup(c.http.CloseIdleConnections)
	return c.do("GET", "/twins/d000", "")
}

func TestClientSecretCredential(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(1)})
	opts := &azidentity.ClientSecretCredentialOptions{ClientOptions: options(t, e), DisableInstanceDiscovery: true}
	for _, test := range []struct {
		name, tenant, client, secret, resource string
		code                                   int // 0 for success
	}{
		{"right", e.Tenant(), e.Client(), e.Secret(), hubResource, 0},
		{"right with slash", e.Tenant(), e.Client(), e.Secret(), hubResource + "/", 0},
		{"wrong secret", e.Tenant(), e.Client(), e.Secret() + "\n", hubResource, 7000215},
		{"unknown application", e.Tenant(), "dead0000-0000-4000-8000-00000000dead", e.Secret(), hubResource, 700016},
		{"unknown tenant", "ffffffff-0000-4000-8000-00000000ffff", e.Client(), e.Secret(), hubResource, 90002},
		{"unknown resource", e.Tenant(), e.Client(), e.Secret(), "https://nope.example", 500011},
	} {
		t.Run(test.name, func(t *testing.T) {
			cred, err := azidentity.NewClientSecretCredential(test.tenant, test.client, test.secret, opts)
			if err != nil {
				t.Fatal(err)
			}
			_, err = cred.GetToken(context.Background(), scopes(test.resource))
			switch {
			case test.code == 0 && err == nil:
				use(t, e, cred).want(200, "")
			case test.code == 0:
				t.Fatal(err)
			case err == nil || !strings.Contains(err.Error(), fmt.Sprintf("AADSTS%d: ", test.code)):
				t.Errorf("got %v, want AADSTS%d", err, test.code)
			}
		})
	}
}

// TestEnvironmentAlone runs this test binary as another process that has
// nothing but standard variables and ready.json's values.
func TestEnvironmentAlone(t *testing.T) {
	if addr := os.Getenv("EMULATOR_TEST_HUB"); addr != "" {
		readFromEnvironment(t, addr)
		return
	}
	e := start(t, &emulator.Options{Twins: numbered(1)})
	ready, err := e.WriteReady(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestEnvironmentAlone$")
	cmd.Env = append(os.Environ(), "EMULATOR_TEST_HUB="+ready.HubAddr, "SSL_CERT_FILE="+ready.CA,
		"AZURE_AUTHORITY_HOST="+ready.Authority, "AZURE_TENANT_ID="+ready.Tenant,
		"AZURE_CLIENT_ID="+ready.Client, "AZURE_CLIENT_SECRET="+ready.Secret)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := e.Requests(); len(got) == 0 || got[len(got)-1].Path != "/twins/d000" {
		t.Errorf("the other process did not read the twin: %v", got)
	}
}

func readFromEnvironment(t *testing.T, addr string) {
	defer http.DefaultClient.CloseIdleConnections()
	transport := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // azcore's own keeps connections
	cred, err := azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{
		DisableInstanceDiscovery: true, ClientOptions: azcore.ClientOptions{Transport: transport},
	})
	if err != nil {
		t.Fatal(err)
	}
	token, err := cred.GetToken(context.Background(), scopes(hubResource))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("GET", "https://"+addr+"/twins/d000?api-version=2021-04-12", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	r, err := transport.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != 200 {
		t.Errorf("got %s", r.Status)
	}
}

// selfSigned returns a certificate for an application.
func selfSigned(t *testing.T, key crypto.Signer, serial int64) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestCertificateCredential(t *testing.T) {
	key := signingKey()
	known, unknown := selfSigned(t, key, 1), selfSigned(t, key, 2)
	e := start(t, &emulator.Options{Twins: numbered(1), Applications: []emulator.Application{
		{Certificates: []*x509.Certificate{known}, Roles: []*emulator.Role{emulator.DataReader}}}})
	opts := &azidentity.ClientCertificateCredentialOptions{ClientOptions: options(t, e), DisableInstanceDiscovery: true}
	cred, err := azidentity.NewClientCertificateCredential(e.Tenant(), e.Client(), []*x509.Certificate{known}, key, opts)
	if err != nil {
		t.Fatal(err)
	}
	use(t, e, cred).want(200, "")

	cred, err = azidentity.NewClientCertificateCredential(e.Tenant(), e.Client(), []*x509.Certificate{unknown}, key, opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cred.GetToken(context.Background(), scopes(hubResource)); err == nil || !strings.Contains(err.Error(), "AADSTS700027") {
		t.Errorf("got %v, want AADSTS700027", err)
	}
}

// assertion signs claims for a client assertion.
func assertion(t *testing.T, method jwt.SigningMethod, key crypto.PrivateKey, header map[string]any, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	for name, value := range header {
		token.Header[name] = value
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestAssertionsAreVerified signs in by hand, with one thing wrong at a time.
func TestAssertionsAreVerified(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	issuerKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := signingKey()
	cert := selfSigned(t, key, 1)
	sum := sha256.Sum256(cert.Raw)
	x5t := map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}
	const issuer, subject, audience = "https://ci.example", "repo:org/rules", "api://AzureADTokenExchange"
	e := start(t, &emulator.Options{Applications: []emulator.Application{{
		Certificates: []*x509.Certificate{cert},
		Federated:    []emulator.Federated{{Issuer: issuer, Subject: subject, Audience: audience, Key: issuerKey.Public()}},
	}}})
	endpoint := e.Authority() + "/" + e.Tenant() + "/oauth2/v2.0/token"
	soon, past := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	own := func(aud string, exp int64) jwt.MapClaims {
		return jwt.MapClaims{"iss": e.Client(), "sub": e.Client(), "aud": aud, "exp": exp}
	}
	outside := func(iss, sub, aud string, exp int64) jwt.MapClaims {
		return jwt.MapClaims{"iss": iss, "sub": sub, "aud": aud, "exp": exp}
	}
	c := &client{t: t, e: e, http: e.HTTPClient()}
	defer c.http.CloseIdleConnections()
	for _, test := range []struct {
		name, assertion string
		code            int // 0 for success
	}{
		{"PS256", assertion(t, jwt.SigningMethodPS256, key, x5t, own(endpoint, soon)), 0},
		{"RS256", assertion(t, jwt.SigningMethodRS256, key, x5t, own(endpoint, soon)), 0},
		{"signed by another key", assertion(t, jwt.SigningMethodRS256, other, x5t, own(endpoint, soon)), 700027},
		{"expired", assertion(t, jwt.SigningMethodRS256, key, x5t, own(endpoint, past)), 700027},
		{"for another audience", assertion(t, jwt.SigningMethodRS256, key, x5t, own("https://x.example", soon)), 700027},
		{"of another application", assertion(t, jwt.SigningMethodRS256, key, x5t, outside("x", "x", endpoint, soon)), 700027},
		{"federated", assertion(t, jwt.SigningMethodES256, issuerKey, nil, outside(issuer, subject, audience, soon)), 0},
		{"federated, issuer", assertion(t, jwt.SigningMethodES256, issuerKey, nil, outside("x", subject, audience, soon)), 700211},
		{"federated, subject", assertion(t, jwt.SigningMethodES256, issuerKey, nil, outside(issuer, "x", audience, soon)), 700213},
		{"federated, audience", assertion(t, jwt.SigningMethodES256, issuerKey, nil, outside(issuer, subject, "x", soon)), 700212},
		{"federated, expired", assertion(t, jwt.SigningMethodES256, issuerKey, nil, outside(issuer, subject, audience, past)), 700024},
		{"federated, other key", assertion(t, jwt.SigningMethodRS256, other, nil, outside(issuer, subject, audience, soon)), 700024},
		{"unsigned", assertion(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, outside(issuer, subject, audience, soon)), 700024},
		{"no token", "x.y.z", 50027},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := c.signIn(e.Tenant(), url.Values{
				"grant_type": {"client_credentials"}, "client_id": {e.Client()}, "scope": {"openid " + hubResource + "/.default"},
				"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {test.assertion},
			})
			if test.code == 0 {
				if r.status != 200 || r.object()["access_token"] == nil {
					t.Errorf("got %d %s", r.status, r.body)
				}
				return
			}
			r.contains(fmt.Sprintf(`"error_codes":[%d]`, test.code)).contains(`"error":"invalid_client"`)
			if r.status != 401 {
				t.Errorf("got status %d, want 401", r.status)
			}
		})
	}
}

func TestFederatedCredential(t *testing.T) {
	key := signingKey()
	e := start(t, &emulator.Options{Twins: numbered(1), Applications: []emulator.Application{{
		Roles:     []*emulator.Role{emulator.TwinContributor},
		Federated: []emulator.Federated{{Issuer: "https://ci.example", Subject: "s", Audience: "api://AzureADTokenExchange", Key: key.Public()}},
	}}})
	cred, err := azidentity.NewClientAssertionCredential(e.Tenant(), e.Client(), func(context.Context) (string, error) {
		return assertion(t, jwt.SigningMethodRS256, key, nil, jwt.MapClaims{
			"iss": "https://ci.example", "sub": "s", "aud": "api://AzureADTokenExchange", "exp": time.Now().Add(time.Minute).Unix()}), nil
	}, &azidentity.ClientAssertionCredentialOptions{ClientOptions: options(t, e), DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	use(t, e, cred).want(200, "")
}

func TestTokenRequests(t *testing.T) {
	e := start(t, nil)
	c := &client{t: t, e: e, http: e.HTTPClient()}
	defer c.http.CloseIdleConnections()
	right := func() url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "client_id": {e.Client()}, "client_secret": {e.Secret()}, "scope": {hubResource + "/.default"}}
	}
	for _, test := range []struct {
		name, key, value string
		status, code     int
		oauth            string
	}{
		{"grant", "grant_type", "password", 400, 70003, "unsupported_grant_type"},
		{"no client", "client_id", "", 400, 900144, "invalid_request"},
		{"no secret", "client_secret", "", 401, 7000218, "invalid_client"},
		{"scope", "scope", hubResource + "/twins", 400, 70011, "invalid_scope"},
		{"assertion type", "client_assertion", "x", 400, 900144, "invalid_request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			form := right()
			if form.Set(test.key, test.value); test.value == "" {
				form.Del(test.key)
			}
			r := c.signIn(e.Tenant(), form)
			if r.status != test.status {
				t.Errorf("got status %d, want %d", r.status, test.status)
			}
			r.contains(fmt.Sprintf(`{"error":%q,"error_description":"AADSTS%d: `, test.oauth, test.code))
		})
	}
	r, err := c.http.Get(e.Authority() + "/" + e.Tenant() + "/nothing")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.read(r); got.status != 404 {
		t.Errorf("got %d for an endpoint that is not there", got.status)
	}
}

// TestPublishedKeyVerifiesTokens follows the discovery document as a resource
// does, and looks at the claims.
func TestPublishedKeyVerifiesTokens(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, TokenLifetime: 10 * time.Minute})
	c := connect(t, e, 0)
	get := func(target string) *response {
		r, err := c.http.Get(target)
		if err != nil {
			t.Fatal(err)
		}
		return c.read(r)
	}
	discovery := get(e.Authority() + "/" + e.Tenant() + "/v2.0/.well-known/openid-configuration").object()
	list, _ := get(discovery["jwks_uri"].(string)).object()["keys"].([]any)
	key := list[0].(twin.Object)
	n, err := base64.RawURLEncoding.DecodeString(key["n"].(string))
	if err != nil {
		t.Fatal(err)
	}
	exponent, err := base64.RawURLEncoding.DecodeString(key["e"].(string))
	if err != nil {
		t.Fatal(err)
	}
	public := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(exponent).Int64())}
	token, err := jwt.NewParser(jwt.WithTimeFunc(clock.now)).Parse(c.token, func(*jwt.Token) (any, error) { return public, nil })
	if err != nil {
		t.Fatal(err)
	}
	claims := token.Claims.(jwt.MapClaims)
	app := e.Applications()[0]
	for name, want := range map[string]any{
		"aud": hubResource, "iss": "https://sts.windows.net/" + e.Tenant() + "/", "tid": e.Tenant(), "appid": app.ClientID, "oid": app.ObjectID,
		"nbf": float64(clock.now().Unix()), "exp": float64(clock.now().Add(10 * time.Minute).Unix()),
		"roles": []any{"IoT Hub Data Contributor"},
	} {
		if got := claims[name]; !cmp.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}
