package credential_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/golang-jwt/jwt/v5"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/emulator"
)

const (
	ciIssuer  = "https://ci.example"
	ciSubject = "repo:contoso/fleet:ref:refs/heads/main"
	audience  = "api://AzureADTokenExchange"
)

// A world is an authority with one application, which may sign in with a secret,
// a certificate, or a token of a CI system; and that CI system.
type world struct {
	*emulator.Emulator
	env         environment
	key         *rsa.PrivateKey // of the application's certificate and of the CI system
	certificate *x509.Certificate
	roots       *x509.CertPool // everybody's
}

func newWorld(t *testing.T) *world {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{key: key, certificate: selfSigned(t, key)}
	w.Emulator, err = emulator.Start(t.Context(), &emulator.Options{Applications: []emulator.Application{{
		Certificates: []*x509.Certificate{w.certificate},
		Federated:    []emulator.Federated{{Issuer: ciIssuer, Subject: ciSubject, Audience: audience, Key: &key.PublicKey}},
		Roles:        []*emulator.Role{emulator.DataContributor},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	w.env = environment{
		"AZURE_AUTHORITY_HOST": w.Authority(), "AZURE_TENANT_ID": w.Tenant(), "AZURE_CLIENT_ID": w.Client(),
	}
	w.roots = w.CertPool()
	return w
}

func selfSigned(t *testing.T, key *rsa.PrivateKey) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// with returns the variables of w and some more, "NAME=value".
func (w *world) with(pairs ...string) environment {
	out := environment{}
	for name, value := range w.env {
		out[name] = value
	}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		out[name] = value
	}
	return out
}

// assertion is a token of the CI system.
func (w *world) assertion(t *testing.T, subject, audience string, lifetime time.Duration) string {
	t.Helper()
	text, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": ciIssuer, "sub": subject, "aud": audience, "exp": time.Now().Add(lifetime).Unix(),
	}).SignedString(w.key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// serve starts a TLS server that w trusts.
func (w *world) serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewTLSServer(handler)
	t.Cleanup(s.Close)
	w.roots.AddCert(s.Certificate())
	return s.URL
}

// accepted reports as an error what keeps the hub from taking the credential.
func (w *world) accepted(t *testing.T, c credential.Config, env environment) error {
	t.Helper()
	c.RootCAs = w.roots
	cred, err := credential.New(c, env.lookup)
	if err != nil {
		return err
	}
	return w.admits(t, cred)
}

func (w *world) admits(t *testing.T, cred azcore.TokenCredential) error {
	t.Helper()
	token, err := cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://iothubs.azure.net/.default"}})
	if err != nil {
		return err
	}
	req, err := http.NewRequest("GET", "https://"+w.HubAddr()+"/twins/nobody?api-version=2021-04-12", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	client := w.HTTPClient()
	t.Cleanup(client.CloseIdleConnections)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		return errors.New("the hub answered " + resp.Status)
	}
	return nil
}

// check holds what signing in came to against want, a part of its explanation,
// "" for success.
func check(t *testing.T, err error, want string) {
	t.Helper()
	got := credential.Explain(err)
	if got == "" && err != nil {
		got = err.Error()
	}
	if (err == nil) != (want == "") || !strings.Contains(got, want) {
		t.Errorf("got  %q (%v)\nwant %q", got, err, want)
	}
	if strings.Contains(got, "\n") {
		t.Errorf("more than one line: %q", got)
	}
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (w *world) pem(t *testing.T, key crypto.PrivateKey) []byte {
	t.Helper()
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.certificate.Raw})...)
}

func TestClientCertificate(t *testing.T) {
	w := newWorld(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	modern, err := pkcs12.Modern.Encode(w.key, w.certificate, nil, "pass word")
	if err != nil {
		t.Fatal(err)
	}
	legacy, err := pkcs12.Legacy.Encode(w.key, w.certificate, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := pkcs12.Modern.Encode(stranger, selfSigned(t, stranger), nil, "")
	if err != nil {
		t.Fatal(err)
	}
	text := write(t, "app.pem", w.pem(t, w.key))
	pfx := write(t, "app.pfx", modern)
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}})
	const password = "AZURE_CLIENT_CERTIFICATE_PASSWORD=pass word"
	tests := []struct {
		name, file string
		change     func(*credential.Config)
		env        environment
		want       string
	}{
		{"PEM", text, nil, w.env, ""},
		{"PEM from the environment", "", nil, w.with("AZURE_CLIENT_CERTIFICATE_PATH=" + text), ""},
		{"PFX as OpenSSL 3 writes it", pfx, nil, w.with(password), ""},
		{"its password in another variable", pfx, func(c *credential.Config) { c.CertificatePasswordEnv = "MINE" }, w.with("MINE=pass word"), ""},
		{"old PFX without password", write(t, "old.pfx", legacy), nil, w.env, ""},
		{"with its chain", text, func(c *credential.Config) { c.SendCertificateChain = true }, w.env, ""},
		{"no password", pfx, nil, w.env, "its password is wrong: set AZURE_CLIENT_CERTIFICATE_PASSWORD"},
		{"unregistered", write(t, "foreign.pfx", foreign), nil, w.env, "the certificate is not registered with the application"},
		{"no file named", "", nil, w.env, "needs a certificate (set AZURE_CLIENT_CERTIFICATE_PATH)"},
		{"everything missing", "", nil, environment{}, "needs a tenant id (set AZURE_TENANT_ID) and a client id (set AZURE_CLIENT_ID) and a certificate ("},
		{"no file", "/nowhere", nil, w.env, "read the certificate: open /nowhere"},
		{"neither PEM nor PFX", write(t, "x", []byte("x")), nil, w.env, "neither PEM nor a PFX"},
		{"encrypted PEM", write(t, "enc.pem", encrypted), nil, w.env, "keep it in a PFX file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := credential.Config{Kinds: []string{"client-certificate"}, CertificateFile: test.file}
			if test.change != nil {
				test.change(&c)
			}
			check(t, w.accepted(t, c, test.env), test.want)
		})
	}
}

// What the openssl of this machine writes is read, whatever its defaults are.
func TestCertificateOfOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	w := newWorld(t)
	text, pfx := write(t, "app.pem", w.pem(t, w.key)), filepath.Join(t.TempDir(), "app.pfx")
	out, err := exec.Command(openssl, "pkcs12", "-export", "-in", text, "-out", pfx, "-passout", "pass:s3cret").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c := credential.Config{Kinds: []string{"client-certificate"}, CertificateFile: pfx}
	check(t, w.accepted(t, c, w.with("AZURE_CLIENT_CERTIFICATE_PASSWORD=s3cret")), "")
}

func TestEnvironment(t *testing.T) {
	w := newWorld(t)
	text := write(t, "app.pem", w.pem(t, w.key))
	tests := []struct {
		name string
		env  environment
		want string
	}{
		{"secret", w.with("AZURE_CLIENT_SECRET=" + w.Secret()), ""},
		{"certificate", w.with("AZURE_CLIENT_SECRET= ", "AZURE_CLIENT_CERTIFICATE_PATH="+text), ""},
		{"neither", w.env, "needs a secret or a certificate (set AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH)"},
		{"nothing", environment{}, "needs a tenant id (set AZURE_TENANT_ID) and a client id (set AZURE_CLIENT_ID) and a secret or a certificate"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := credential.Config{Kinds: []string{"EnvironmentCredential"}, SecretFile: "/ignored"}
			check(t, w.accepted(t, c, test.env), test.want)
		})
	}
}

func TestWorkloadIdentity(t *testing.T) {
	w := newWorld(t)
	file := func(text string) string { return write(t, "token", []byte(text)) }
	good := file(w.assertion(t, ciSubject, audience, time.Hour))
	tests := []struct {
		name, file string
		env        environment
		want       string
	}{
		{"token", good, w.env, ""},
		{"from the environment", "", w.with("AZURE_FEDERATED_TOKEN_FILE=" + good), ""},
		{"expired", file(w.assertion(t, ciSubject, audience, -time.Hour)), w.env, "the federated token has expired"},
		{"wrong subject", file(w.assertion(t, "repo:evil/fleet", audience, time.Hour)), w.env, "trusts no such subject"},
		{"wrong audience", file(w.assertion(t, ciSubject, "api://other", time.Hour)), w.env, "the federated token is for another audience"},
		{"no token", file("nonsense"), w.env, "AADSTS50027"},
		{"no such file", "/nowhere", w.env, "find the federated token: stat /nowhere"},
		{"missing", "", environment{}, "needs a tenant id (set AZURE_TENANT_ID) and a client id (set AZURE_CLIENT_ID) and a token file (set AZURE_FEDERATED_TOKEN_FILE)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			check(t, w.accepted(t, credential.Config{Kinds: []string{"workload-identity"}, TokenFile: test.file}, test.env), test.want)
		})
	}
}

func TestGitHubActions(t *testing.T) {
	w := newWorld(t)
	asked := 0
	github := w.serve(t, func(rw http.ResponseWriter, r *http.Request) {
		asked++
		switch {
		case r.Header.Get("Authorization") != "Bearer right":
			rw.WriteHeader(http.StatusForbidden)
		case r.URL.Path == "/garbage":
			fmt.Fprint(rw, "[")
		default:
			subject := r.URL.Query().Get("sub")
			json.NewEncoder(rw).Encode(map[string]string{"value": w.assertion(t, subject, r.URL.Query().Get("audience"), time.Minute)})
		}
	})
	place := "ACTIONS_ID_TOKEN_REQUEST_URL=" + github + "/token?sub=" + url.QueryEscape(ciSubject)
	const right = "ACTIONS_ID_TOKEN_REQUEST_TOKEN=right"
	tests := []struct {
		name string
		env  environment
		want string
	}{
		{"main", w.with(place, right), ""},
		{"another branch", w.with("ACTIONS_ID_TOKEN_REQUEST_URL="+github+"/?sub=repo:contoso/fleet:pull_request", right), "a branch, an environment and a pull request each have their own"},
		{"wrong right", w.with(place, "ACTIONS_ID_TOKEN_REQUEST_TOKEN=x"), "it answered 403"},
		{"garbage", w.with("ACTIONS_ID_TOKEN_REQUEST_URL="+github+"/garbage", right), "there is no token in its answer"},
		{"in clear text", w.with("ACTIONS_ID_TOKEN_REQUEST_URL=http://127.0.0.1/", right), "not a URL with https"},
		{"not allowed", w.with(place), "needs the right to ask for the job's tokens (give the job permissions: id-token: write)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			check(t, w.accepted(t, credential.Config{Kinds: []string{"github-actions"}}, test.env), test.want)
		})
	}
	if asked < 4 {
		t.Errorf("GitHub was asked %d times", asked)
	}
}

func TestAzurePipelines(t *testing.T) {
	w := newWorld(t)
	devops := w.serve(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer step" || r.URL.Query().Get("serviceConnectionId") != "conn" {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		json.NewEncoder(rw).Encode(map[string]string{"oidcToken": w.assertion(t, ciSubject, audience, time.Minute)})
	})
	t.Setenv("SYSTEM_OIDCREQUESTURI", devops) // which the SDK reads by itself
	step := []string{
		"SYSTEM_OIDCREQUESTURI=" + devops, "SYSTEM_ACCESSTOKEN=step", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID=conn",
		"AZURE_TENANT_ID=", "AZURE_CLIENT_ID=", "AZURESUBSCRIPTION_TENANT_ID=" + w.Tenant(), "AZURESUBSCRIPTION_CLIENT_ID=" + w.Client(),
	}
	tests := []struct {
		name string
		env  environment
		want string
	}{
		{"a step", w.with(step...), ""},
		{"wrong token", w.with(append(step, "SYSTEM_ACCESSTOKEN=x")...), "401"},
		{"wrong connection", w.with(append(step, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID=x")...), "401"},
		{"nothing", environment{}, "needs a tenant id (set AZURESUBSCRIPTION_TENANT_ID) and a client id (set AZURESUBSCRIPTION_CLIENT_ID) and " +
			"a service connection (set AZURESUBSCRIPTION_SERVICE_CONNECTION_ID) and the pipeline's access token (map it on the step: " +
			"SYSTEM_ACCESSTOKEN: $(System.AccessToken)) and a pipeline to run in (it has SYSTEM_OIDCREQUESTURI)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			check(t, w.accepted(t, credential.Config{Kinds: []string{"azure-pipelines"}}, test.env), test.want)
		})
	}
}

// token is one for the hub, with its end in seconds.
func (w *world) token(t *testing.T) (string, int64) {
	t.Helper()
	cred, err := credential.New(credential.Config{Kinds: []string{"client-secret"}, RootCAs: w.roots}, w.with("AZURE_CLIENT_SECRET="+w.Secret()).lookup)
	if err != nil {
		t.Fatal(err)
	}
	token, err := cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://iothubs.azure.net/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	return token.Token, token.ExpiresOn.Unix()
}

// TestManagedIdentity asks an endpoint as App Service has one. MSAL keeps tokens
// of managed identities for the whole process, so each identity is asked once.
func TestManagedIdentity(t *testing.T) {
	w := newWorld(t)
	var asked []string
	endpoint := w.serve(t, func(rw http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked = append(asked, q.Get("client_id")+q.Get("mi_res_id"))
		if r.Header.Get("X-IDENTITY-HEADER") != "mine" || q.Get("client_id") == "stranger" {
			rw.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(rw, `{"statusCode":400,"message":"No User Assigned or Delegated Managed Identity found"}`)
			return
		}
		token, end := w.token(t)
		fmt.Fprintf(rw, `{"access_token":%q,"expires_on":"%d","resource":"https://iothubs.azure.net","token_type":"Bearer"}`, token, end)
	})
	t.Setenv("IDENTITY_ENDPOINT", endpoint)
	t.Setenv("IDENTITY_HEADER", "mine")
	const resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
	tests := []struct {
		name   string
		config credential.Config
		want   string
		asked  string
	}{
		{"the system's, whatever AZURE_CLIENT_ID is", credential.Config{}, "", ""},
		{"by client id", credential.Config{ManagedIdentity: "client-1"}, "", "client-1"},
		{"by the configured client id", credential.Config{ClientID: "client-2"}, "", "client-2"},
		{"by resource id", credential.Config{ManagedIdentity: resource}, "", resource},
		{"unknown", credential.Config{ManagedIdentity: "stranger"}, "No User Assigned", "stranger"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			asked = nil
			test.config.Kinds = []string{"managed-identity"}
			check(t, w.accepted(t, test.config, w.env), test.want)
			if len(asked) == 0 || asked[0] != test.asked {
				t.Errorf("it asked for %q, want %q", asked, test.asked)
			}
		})
	}
}

// TestTools signs in through az and azd, scripts that print what the tools do.
func TestTools(t *testing.T) {
	w := newWorld(t)
	token, end := w.token(t)
	when := time.Unix(end, 0).UTC()
	bin := t.TempDir()
	script := func(name, text string) {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+"/bin")
	const expired = "AADSTS700082: The refresh token has expired due to inactivity"
	script("az", fmt.Sprintf(`case "$*" in *stranger*) echo "ERROR: %s" >&2; exit 1;; esac
echo '{"accessToken":"%s","expiresOn":"%s","expires_on":%d,"tokenType":"Bearer"}'`, expired, token, when.Local().Format("2006-01-02 15:04:05.999999"), end))
	script("azd", fmt.Sprintf(`case "$*" in *stranger*) echo "ERROR: not logged in, run azd auth login" >&2; exit 1;; esac
echo '{"token":"%s","expiresOn":"%s"}'`, token, when.Format(time.RFC3339)))
	tests := []struct {
		name   string
		kind   string
		tenant string
		want   string
	}{
		{"az", "azure-cli", "", ""},
		{"az by its type's name", "AzureCLICredential", "", ""},
		{"az signed out", "azure-cli", "stranger", "AADSTS700082"},
		{"azd", "azure-developer-cli", "", ""},
		{"azd signed out", "azure-developer-cli", "stranger", "azd auth login"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			check(t, w.accepted(t, credential.Config{Kinds: []string{test.kind}, TenantID: test.tenant}, w.env), test.want)
		})
	}
	t.Run("a chain goes on to the next", func(t *testing.T) {
		script("azd", `exit 127`)
		kinds := []string{"managed-identity", "azure-cli"}
		t.Setenv("IDENTITY_ENDPOINT", "")
		chain := credential.Config{Kinds: append([]string{"azure-developer-cli"}, kinds[1:]...)}
		if err := os.Remove(filepath.Join(bin, "azd")); err != nil {
			t.Fatal(err)
		}
		check(t, w.accepted(t, chain, w.env), "")
	})
}

func TestSharedAccess(t *testing.T) {
	file := write(t, "cs", []byte("HostName=h;SharedAccessKey=x\n"))
	tests := []struct {
		name   string
		config credential.Config
		env    environment
		asked  bool
		want   string // the string, or the error
	}{
		{"from the environment", credential.Config{Kinds: []string{"connection-string"}}, environment{"IOTHUB_CONNECTION_STRING": " HostName=h "}, true, "HostName=h"},
		{"from a file", credential.Config{Kinds: []string{"connection-string"}, ConnectionStringFile: file}, nil, true, "HostName=h;SharedAccessKey=x"},
		{"missing", credential.Config{Kinds: []string{"connection-string"}}, nil, true, "credential connection-string needs a connection string (set IOTHUB_CONNECTION_STRING)"},
		{"not asked for", credential.Config{Kinds: []string{"azure-cli"}}, environment{"IOTHUB_CONNECTION_STRING": "x"}, false, ""},
		{"by default", credential.Config{}, environment{"IOTHUB_CONNECTION_STRING": "x"}, false, ""},
	}
	for _, test := range tests {
		secret, asked, err := credential.SharedAccess(test.config, test.env.lookup)
		got := secret.Reveal()
		if err != nil {
			got = err.Error()
		}
		if asked != test.asked || got != test.want {
			t.Errorf("%s: got %q, %t; want %q, %t", test.name, got, asked, test.want, test.asked)
		}
	}
	_, err := credential.New(credential.Config{Kinds: []string{"azure-cli", "connection-string"}}, environment{}.lookup)
	if err == nil || !strings.Contains(err.Error(), "cannot be one of several") {
		t.Errorf("in a chain: %v", err)
	}
}

func TestClouds(t *testing.T) {
	tests := []struct{ host, want string }{
		{"contoso.azure-devices.net", "public"},
		{"Contoso.Azure-Devices.US:443", "usgov"},
		{"contoso.azure-devices.cn", "china"},
		{"127.0.0.1:18443", "public"},
		{"", "public"},
	}
	for _, test := range tests {
		if got := credential.CloudOf(test.host).Name; got != test.want {
			t.Errorf("%s is in %s, want %s", test.host, got, test.want)
		}
	}
}

// A recorder answers nothing and remembers who was asked.
type recorder struct{ host string }

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	r.host = req.URL.Host
	return nil, deadError{}
}

func TestWhereToSignIn(t *testing.T) {
	tests := []struct {
		name   string
		config credential.Config
		env    environment
		want   string
	}{
		{"nothing said", credential.Config{}, nil, "login.microsoftonline.com"},
		{"the hub's cloud", credential.Config{Host: "c.azure-devices.us"}, nil, "login.microsoftonline.us"},
		{"a named cloud", credential.Config{Cloud: "china", Host: "c.azure-devices.us"}, environment{"AZURE_AUTHORITY_HOST": "https://ignored.example"}, "login.chinacloudapi.cn"},
		{"the variable", credential.Config{Host: "c.azure-devices.us"}, environment{"AZURE_AUTHORITY_HOST": "https://login.example"}, "login.example"},
		{"a private one", credential.Config{Authority: "https://login.private.example", Cloud: "china"}, nil, "login.private.example"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := &recorder{}
			test.config.Kinds, test.config.Transport = []string{"client-secret"}, r
			test.config.TenantID, test.config.ClientID, test.config.SecretEnv = "7e4a0000-0000-0000-0000-000000000000", "c", "S"
			env := environment{"S": "s"}
			for name, value := range test.env {
				env[name] = value
			}
			if err := signIn(t.Context(), test.config, env); err == nil {
				t.Fatal("it signed in")
			}
			if r.host != test.want {
				t.Errorf("it went to %s, want %s", r.host, test.want)
			}
		})
	}
	_, err := credential.New(credential.Config{Cloud: "moon"}, environment{}.lookup)
	if err == nil || !strings.Contains(err.Error(), `no cloud "moon"; there are public, usgov, china`) {
		t.Errorf("got %v", err)
	}
}

// The default credential can be held to one that is pinned.
func TestStrict(t *testing.T) {
	_, err := credential.New(credential.Config{Strict: true}, environment{}.lookup)
	if err == nil || !strings.Contains(err.Error(), "AZURE_TOKEN_CREDENTIALS") {
		t.Errorf("got %v", err)
	}
}
