package emulator

import (
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// checkAssertion verifies the signed claim that its bearer speaks for app: with
// a thumbprint in its header it is signed by a certificate of app, without by
// an issuer that app trusts.
func (a *authority) checkAssertion(app *Application, kind, assertion string) *aadsts {
	if kind != jwtBearer {
		return &aadsts{400, "invalid_request", 900144, "The request body must contain the following parameter: 'client_assertion_type'."}
	}
	t, _, err := jwt.NewParser().ParseUnverified(assertion, jwt.MapClaims{})
	if err != nil {
		return &aadsts{401, "invalid_client", 50027, "JWT token is invalid or malformed."}
	}
	if t.Header["x5t#S256"] != nil || t.Header["x5t"] != nil {
		return a.checkCertificate(app, t, assertion)
	}
	return a.checkFederated(app, t, assertion)
}

// checkCertificate verifies an assertion that app signed itself.
func (a *authority) checkCertificate(app *Application, t *jwt.Token, assertion string) *aadsts {
	reject := func(why string) *aadsts {
		return &aadsts{401, "invalid_client", 700027,
			"The certificate with identifier used to sign the client assertion is not registered on application. [Reason - " + why + "]"}
	}
	i := slices.IndexFunc(app.Certificates, func(c *x509.Certificate) bool { return hasThumbprint(t, c) })
	if i < 0 {
		return reject("The key was not found.")
	}
	_, err := a.parser("PS256", "RS256").Parse(assertion, keyFunc(app.Certificates[i].PublicKey))
	if err != nil {
		return reject("The signature or a claim is wrong: " + err.Error())
	}
	issuer, _ := t.Claims.GetIssuer()
	subject, _ := t.Claims.GetSubject()
	audience, _ := t.Claims.GetAudience()
	if issuer != app.ClientID || subject != app.ClientID || !slices.Contains(audience, a.tokenEndpoint()) {
		return reject("The issuer and subject must be the client id, the audience the token endpoint.")
	}
	return nil
}

// hasThumbprint reports whether the header of t names c. MSAL for Go writes
// padded standard base64 where RFC 7515 says unpadded base64url.
func hasThumbprint(t *jwt.Token, c *x509.Certificate) bool {
	long, short := sha256.Sum256(c.Raw), sha1.Sum(c.Raw)
	return isThumbprint(t.Header["x5t#S256"], long[:]) || isThumbprint(t.Header["x5t"], short[:])
}

func isThumbprint(header any, sum []byte) bool {
	text, _ := header.(string)
	return text == base64.RawURLEncoding.EncodeToString(sum) || text == base64.StdEncoding.EncodeToString(sum)
}

// checkFederated verifies an assertion of another issuer.
func (a *authority) checkFederated(app *Application, t *jwt.Token, assertion string) *aadsts {
	reject := func(number int, what, value string) *aadsts {
		return &aadsts{401, "invalid_client", number, fmt.Sprintf("No matching federated identity record found for presented assertion %s '%s'. "+
			"Check your federated identity credential Subject, Audience and Issuer against the presented assertion.", what, value)}
	}
	issuer, _ := t.Claims.GetIssuer()
	subject, _ := t.Claims.GetSubject()
	audience, _ := t.Claims.GetAudience()
	trusted := keep(app.Federated, func(f Federated) bool { return f.Issuer == issuer })
	if len(trusted) == 0 {
		return reject(700211, "issuer", issuer)
	}
	if trusted = keep(trusted, func(f Federated) bool { return f.Subject == subject }); len(trusted) == 0 {
		return reject(700213, "subject", subject)
	}
	if trusted = keep(trusted, func(f Federated) bool { return slices.Contains(audience, f.Audience) }); len(trusted) == 0 {
		return reject(700212, "audience", strings.Join(audience, ","))
	}
	if _, err := a.parser("RS256", "ES256").Parse(assertion, keyFunc(trusted[0].Key)); err != nil {
		return &aadsts{401, "invalid_client", 700024, "Client assertion is not within its valid time range, or its signature is wrong: " + err.Error()}
	}
	return nil
}

func keep(list []Federated, wanted func(Federated) bool) []Federated {
	return slices.DeleteFunc(slices.Clone(list), func(f Federated) bool { return !wanted(f) })
}

// parser verifies signatures by methods and times by the emulator's clock.
func (a *authority) parser(methods ...string) *jwt.Parser {
	return jwt.NewParser(jwt.WithValidMethods(methods), jwt.WithExpirationRequired(), jwt.WithTimeFunc(a.now))
}

func keyFunc(key crypto.PublicKey) jwt.Keyfunc {
	return func(*jwt.Token) (any, error) { return key, nil }
}
