package emulator

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// resources lists what tokens can be for. The hub's is the same in every cloud;
// storage is where exports go, and a token for it must not open the hub.
var resources = []string{hubResource, storageResource}

// hubResource is the hub's name at the authority.
const hubResource = "https://iothubs.azure.net"

type tokenBody struct {
	Type      string `json:"token_type"`
	ExpiresIn int    `json:"expires_in"`
	Extended  int    `json:"ext_expires_in"`
	Token     string `json:"access_token"`
}

// token answers a client credentials request.
func (a *authority) token(body []byte) (*answer, string) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return a.reject(aadsts{400, "invalid_request", 900144, "The request body is not a form."}), ""
	}
	app, refused := a.signIn(form)
	if refused != nil {
		return a.reject(*refused), ""
	}
	audience, refused := a.audience(form.Get("scope"))
	if refused != nil {
		return a.reject(*refused), app.ClientID
	}
	seconds := int(a.lifetime.Seconds())
	answer := reply(tokenBody{Type: "Bearer", ExpiresIn: seconds, Extended: seconds, Token: a.mint(app, audience)})
	answer.header.Set("Cache-Control", "no-store")
	return answer, app.ClientID
}

// signIn returns the application that form proves to speak for.
func (a *authority) signIn(form url.Values) (*Application, *aadsts) {
	if grant := form.Get("grant_type"); grant != "client_credentials" {
		return nil, &aadsts{400, "unsupported_grant_type", 70003,
			"The app requested an unsupported grant type '" + grant + "'."}
	}
	client := form.Get("client_id")
	app := a.application(client)
	switch {
	case client == "":
		return nil, &aadsts{400, "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'."}
	case app == nil:
		return nil, &aadsts{400, "unauthorized_client", 700016, fmt.Sprintf("Application with identifier '%s' was not found in the directory '%s'. "+
			"This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. "+
			"You may have sent your authentication request to the wrong tenant.", client, a.tenant)}
	case form.Has("client_assertion"):
		return app, a.checkAssertion(app, form.Get("client_assertion_type"), form.Get("client_assertion"))
	case !form.Has("client_secret"):
		return nil, &aadsts{401, "invalid_client", 7000218,
			"The request body must contain the following parameter: 'client_assertion' or 'client_secret'."}
	case form.Get("client_secret") != app.Secret:
		return nil, &aadsts{401, "invalid_client", 7000215, fmt.Sprintf("Invalid client secret provided. Ensure the secret being sent in the request is "+
			"the client secret value, not the client secret ID, for a secret added to app '%s'.", client)}
	}
	return app, nil
}

// audience returns the resource that scope asks for. MSAL adds the scopes of
// OpenID Connect to it.
func (a *authority) audience(scope string) (string, *aadsts) {
	for _, s := range strings.Fields(scope) {
		audience, ok := strings.CutSuffix(s, "/.default")
		if !ok {
			continue
		}
		for _, known := range resources {
			if strings.TrimSuffix(audience, "/") == known {
				return audience, nil
			}
		}
		return "", &aadsts{400, "invalid_resource", 500011, fmt.Sprintf("The resource principal named %s was not found in the tenant named %s. "+
			"This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.", audience, a.tenant)}
	}
	return "", &aadsts{400, "invalid_scope", 70011, fmt.Sprintf("The provided value for the input parameter 'scope' is not valid. The scope %s is not valid.", scope)}
}

// mint signs a token of version 1 for app.
func (a *authority) mint(app *Application, audience string) string {
	now := a.now()
	roles := []string{}
	for _, r := range app.Roles {
		roles = append(roles, r.Name)
	}
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"aud": audience, "iss": a.issuer(), "tid": a.tenant, "appid": app.ClientID, "oid": app.ObjectID, "sub": app.ObjectID,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(a.lifetime).Unix(),
		"roles": roles, "ver": "1.0", "uti": a.dice.uuid(),
	})
	t.Header["kid"] = signingKeyID
	signed, err := t.SignedString(a.key)
	if err != nil {
		panic(err) // the key and the claims are ours
	}
	return signed
}
