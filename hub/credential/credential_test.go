package credential_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// environment is a process's variables.
type environment map[string]string

func (e environment) lookup(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

// authority starts one that issues real tokens, and returns what to set to use it.
func authority(t *testing.T) (*emulator.Emulator, environment) {
	t.Helper()
	e, err := emulator.Start(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e, environment{
		"AZURE_AUTHORITY_HOST": e.Authority(),
		"AZURE_TENANT_ID":      e.Tenant(),
		"AZURE_CLIENT_ID":      e.Client(),
		"AZURE_CLIENT_SECRET":  e.Secret() + "\n",
	}
}

// signIn returns the error of getting a token as c says, nil if there is one.
func signIn(ctx context.Context, c credential.Config, env environment) error {
	cred, err := credential.New(c, env.lookup)
	if err != nil {
		return err
	}
	token, err := cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://iothubs.azure.net/.default"}})
	if err == nil && token.Token == "" {
		err = errors.New("an empty token")
	}
	return err
}

func TestClientSecret(t *testing.T) {
	e, env := authority(t)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("\t"+e.Secret()+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	without := func(names ...string) environment {
		out := environment{}
		for name, value := range env {
			out[name] = value
		}
		for _, name := range names {
			out[name] = " " // as good as unset
		}
		return out
	}
	secret := credential.Config{Kinds: []string{"client-secret"}, RootCAs: e.CertPool()}
	with := func(change func(*credential.Config)) credential.Config {
		c := secret
		change(&c)
		return c
	}
	tests := []struct {
		name    string
		config  credential.Config
		env     environment
		want    string // of the explanation; "" for success
		outcome error  // of those who tried
	}{
		{"from the environment, with a newline", secret, env, "", nil},
		{"from a file", with(func(c *credential.Config) { c.SecretFile = file }), without("AZURE_CLIENT_SECRET"), "", nil},
		{"by the SDK's name", with(func(c *credential.Config) { c.Kinds = []string{"ClientSecretCredential"} }), env, "", nil},
		{"from the configuration", with(func(c *credential.Config) {
			c.TenantID, c.ClientID, c.Authority, c.SecretEnv = e.Tenant(), e.Client(), e.Authority(), "MINE"
		}), environment{"MINE": e.Secret()}, "", nil},
		{"everything missing", secret, environment{}, "credential client-secret needs a tenant id (set AZURE_TENANT_ID) and a client id (set AZURE_CLIENT_ID) and a client secret (set AZURE_CLIENT_SECRET)", nil},
		{"empty variables", secret, without("AZURE_TENANT_ID"), "needs a tenant id (set AZURE_TENANT_ID)", nil},
		{"variable by another name", with(func(c *credential.Config) { c.SecretEnv = "MINE" }), env, "set MINE", nil},
		{"empty file", with(func(c *credential.Config) { c.SecretFile = empty }), env, "the file " + empty + " is empty", nil},
		{"wrong secret", with(func(c *credential.Config) { c.SecretEnv = "AZURE_CLIENT_ID" }), env, "the client secret is wrong: its value is needed, not its id (AADSTS7000215)", twin.ErrDenied},
		{"wrong tenant", with(func(c *credential.Config) { c.TenantID = "00000000-1111-2222-3333-444444444444" }), env, "check the tenant id", twin.ErrDenied},
		{"wrong client", with(func(c *credential.Config) { c.ClientID = "00000000-1111-2222-3333-444444444444" }), env, "knows no such application", twin.ErrDenied},
		{"untrusted authority", with(func(c *credential.Config) { c.RootCAs = nil }), env, "signed by nobody this machine trusts", twin.ErrUnavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := signIn(t.Context(), test.config, test.env)
			got := credential.Explain(err)
			if (err == nil) != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("got  %q (%v)\nwant %q", got, err, test.want)
			}
			if err != nil && strings.Contains(fmt.Sprintf("%v %+v %s", err, err, got), e.Secret()) {
				t.Error("the secret is in the error")
			}
			if test.outcome != nil && !errors.Is(err, test.outcome) {
				t.Errorf("%v is not %q", err, test.outcome)
			}
			if strings.Contains(got, "\n") {
				t.Errorf("more than one line: %q", got)
			}
		})
	}
}

// A deadNetwork is one that no request leaves.
type deadNetwork struct{}

func (deadNetwork) Do(*http.Request) (*http.Response, error) { return nil, deadError{} }

type deadError struct{}

func (deadError) Error() string { return "the network is dead" }

func (deadError) NonRetriable() {}

// An authority that is not reached is not one that says no, and giving up is neither.
func TestOutcome(t *testing.T) {
	_, env := authority(t)
	config := credential.Config{Kinds: []string{"client-secret"}, Transport: deadNetwork{}}
	err := signIn(t.Context(), config, env)
	if !errors.Is(err, twin.ErrUnavailable) || errors.Is(err, twin.ErrDenied) || !strings.Contains(err.Error(), "sign in: could not sign in: ") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = signIn(ctx, config, env)
	if err == nil || errors.Is(err, twin.ErrDenied) || errors.Is(err, twin.ErrUnavailable) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name   string
		config credential.Config
		env    environment
		want   string
	}{
		{"unknown kind", credential.Config{Kinds: []string{"msi"}}, nil, `no credential "msi"; there are default, environment, client-secret,`},
		{"no file", credential.Config{Kinds: []string{"client-secret"}, SecretFile: "/nowhere"}, nil, "needs a tenant id (set AZURE_TENANT_ID) and a client id"},
		{"authority without https", credential.Config{Authority: "http://login.example"}, nil, "not a URL with https"},
		{"authority with a user", credential.Config{}, environment{"AZURE_AUTHORITY_HOST": "https://me@login.example"}, "not a URL with https"},
		{"default with empty variables", credential.Config{}, environment{"AZURE_CLIENT_ID": ""}, "AZURE_CLIENT_ID: set to nothing"},
		{"each kind of a chain", credential.Config{Kinds: []string{"client-secret", "nonsense"}}, nil, `no credential "nonsense"`},
	}
	for _, test := range tests {
		_, err := credential.New(test.config, test.env.lookup)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", test.name, err, test.want)
		}
	}
}

// The default credential reads the process's own environment.
func TestDefault(t *testing.T) {
	e, env := authority(t)
	for name, value := range env {
		t.Setenv(name, strings.TrimSpace(value))
	}
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
	if err := signIn(t.Context(), credential.Config{RootCAs: e.CertPool()}, env); err != nil {
		t.Fatal(err)
	}
}

// In a chain, a credential that fails hands over to none, but what it says is
// explained.
func TestChain(t *testing.T) {
	e, env := authority(t)
	env["AZURE_CLIENT_SECRET"] = "wrong"
	err := signIn(t.Context(), credential.Config{Kinds: []string{"client-secret", "client-secret"}, RootCAs: e.CertPool()}, env)
	if got := credential.Explain(err); !strings.Contains(got, "AADSTS7000215") {
		t.Errorf("got %q (%v)", got, err)
	}
}

func TestExplainKnowsItsLimits(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errors.New("dial tcp: lookup contoso.azure-devices.net: no such host"), ""},
		{errors.New("x AADSTS99: what\x1b[31mever\nmore"), "Entra: AADSTS99: what [31mever"},
		{errors.New("AADSTS7000222"), "Entra: the client secret has expired: make a new one (AADSTS7000222)"},
	}
	for _, test := range tests {
		if got := credential.Explain(test.err); got != test.want {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
	}
}

func TestEmptyVariables(t *testing.T) {
	env := environment{"AZURE_CLIENT_ID": "", "AZURE_TENANT_ID": "x", "AZURE_CLIENT_SECRET": " ", "HOME": ""}
	if got := strings.Join(credential.EmptyVariables(env.lookup), " "); got != "AZURE_CLIENT_ID AZURE_CLIENT_SECRET" {
		t.Errorf("got %s", got)
	}
}

func TestSecretHides(t *testing.T) {
	type holder struct {
		Open   credential.Secret
		hidden credential.Secret
	}
	s := credential.NewSecret(" hunter2\n")
	h := holder{s, s}
	encoded, err := json.Marshal(map[string]any{"a": s, "b": h})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "s", s, "h", h)
	all := fmt.Sprintf("%v %+v %#v %s %q %x %d %v %+v %#v", s, s, s, s, s, s, s, h, h, h) + string(encoded) + log.String()
	if strings.Contains(all, "hunter2") || strings.Contains(all, fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("shown in %s", all)
	}
	if s.Reveal() != "hunter2" || (credential.Secret{}).Reveal() != "" {
		t.Errorf("reveals %q", s.Reveal())
	}
}

func Example() {
	variables := environment{"AZURE_TENANT_ID": "7e4a0000-0000-0000-0000-000000000000", "AZURE_CLIENT_SECRET": ""}
	_, err := credential.New(credential.Config{Kinds: []string{"client-secret"}}, variables.lookup)
	fmt.Println(credential.Explain(err))
	// Output: credential client-secret needs a client id (set AZURE_CLIENT_ID) and a client secret (set AZURE_CLIENT_SECRET)
}
