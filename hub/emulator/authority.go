package emulator

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"
)

// signingKeyID names the one key that an authority signs with.
const signingKeyID = "twinrules-emulator"

// An authority issues tokens to applications, in the way Microsoft Entra ID
// does. It verifies what it is given; nothing is waved through.
type authority struct {
	url      string // such as https://127.0.0.1:40443
	tenant   string
	key      *rsa.PrivateKey
	apps     []*Application
	lifetime time.Duration
	now      func() time.Time
	dice     *dice
}

// signingKeyBits is what Entra uses.
const signingKeyBits = 2048

func newSigningKey() (*rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, signingKeyBits)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	return key, nil
}

// serve answers the three paths that client libraries use.
func (a *authority) serve(r *http.Request, body []byte) (*answer, string) {
	tenant, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if tenant != a.tenant {
		return a.reject(aadsts{400, "invalid_request", 90002, fmt.Sprintf(
			"Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", tenant)}), ""
	}
	switch r.Method + " " + path {
	case "GET v2.0/.well-known/openid-configuration":
		return reply(a.discovery()), ""
	case "GET discovery/v2.0/keys":
		return reply(a.keys()), ""
	case "POST oauth2/v2.0/token":
		return a.token(body)
	}
	return a.reject(aadsts{404, "invalid_request", 900561, "The endpoint does not exist or does not accept " + r.Method + "."}), ""
}

func (a *authority) base() string          { return a.url + "/" + a.tenant }
func (a *authority) tokenEndpoint() string { return a.base() + "/oauth2/v2.0/token" }

// issuer is the one of version 1 tokens, which resources such as the hub get.
func (a *authority) issuer() string { return "https://sts.windows.net/" + a.tenant + "/" }

type discoveryDocument struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	KeysURI               string   `json:"jwks_uri"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
}

// discovery describes the endpoints. MSAL refuses an issuer on another host.
func (a *authority) discovery() discoveryDocument {
	return discoveryDocument{
		Issuer:                a.base() + "/v2.0",
		AuthorizationEndpoint: a.base() + "/oauth2/v2.0/authorize",
		TokenEndpoint:         a.tokenEndpoint(),
		KeysURI:               a.base() + "/discovery/v2.0/keys",
		AuthMethods:           []string{"client_secret_post", "private_key_jwt"},
	}
}

type keySet struct {
	Keys []publicKey `json:"keys"`
}

type publicKey struct {
	Type      string `json:"kty"`
	Use       string `json:"use"`
	ID        string `json:"kid"`
	Algorithm string `json:"alg"`
	Modulus   string `json:"n"`
	Exponent  string `json:"e"`
}

func (a *authority) keys() keySet {
	exponent := big.NewInt(int64(a.key.E)).Bytes()
	return keySet{[]publicKey{{
		Type: "RSA", Use: "sig", ID: signingKeyID, Algorithm: "RS256",
		Modulus:  base64.RawURLEncoding.EncodeToString(a.key.N.Bytes()),
		Exponent: base64.RawURLEncoding.EncodeToString(exponent),
	}}}
}

// application returns the application with a client id, or nil.
func (a *authority) application(client string) *Application {
	for _, app := range a.apps {
		if app.ClientID == client {
			return app
		}
	}
	return nil
}
