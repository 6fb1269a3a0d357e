package credential

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// An Identity is who a token says that its bearer is. What is empty the token
// does not say.
type Identity struct {
	Tenant      string    `json:"tenant"`
	Application string    `json:"application"`    // client id of what asked for the token
	Object      string    `json:"object"`         // id of the principal, which roles are assigned to
	Name        string    `json:"name,omitempty"` // of a person
	Audience    string    `json:"audience"`
	Issuer      string    `json:"issuer"`
	Expires     time.Time `json:"expires"`
}

// WhoIs gets a token for audience and says whose it is. The token itself stays
// here.
func WhoIs(ctx context.Context, cred azcore.TokenCredential, audience string) (*Identity, error) {
	token, err := cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{audience + "/.default"}})
	if err != nil {
		return nil, err
	}
	return Identify(token.Token)
}

// Identify reads the claims of an access token of Entra. It does not verify
// them: the token is for the hub, and only the hub can tell whether it is good.
// What it returns can be shown; nothing of it opens anything.
func Identify(token string) (*Identity, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("the token is not a JWT: it says nothing about its bearer")
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, fmt.Errorf("read the token's claims: %w", errors.New("they are not base64"))
	}
	var c struct {
		TID, AppID, AZP, OID, UPN, Aud, Iss string
		Preferred                           string `json:"preferred_username"`
		Exp                                 int64
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("read the token's claims: %w", errors.New("they are not JSON of the expected types"))
	}
	return &Identity{
		Tenant: clean(c.TID), Application: clean(cmp.Or(c.AppID, c.AZP)), Object: clean(c.OID), Name: clean(cmp.Or(c.UPN, c.Preferred)),
		Audience: clean(c.Aud), Issuer: clean(c.Iss), Expires: time.Unix(c.Exp, 0).UTC(),
	}, nil
}
