package emulator

import (
	"crypto/rsa"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A principal is who sent a request, as the hub knows them.
type principal struct {
	name   string // object id, or the shared access policy
	roles  []*Role
	shared bool // whether it signed with a shared access policy
}

// A gate tells who sends a request.
type gate struct {
	hubName  string
	issuer   string
	key      *rsa.PublicKey
	apps     []*Application
	policies []policy
	now      func() time.Time
}

// admit returns who sent r. It fails with IotHubUnauthorizedAccess when that is
// nobody the hub knows; the hub does not say why.
func (g *gate) admit(r *http.Request) (*principal, error) {
	kind, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	var p *principal
	switch {
	case strings.EqualFold(kind, "Bearer"):
		p = g.bearer(credential)
	case kind == "SharedAccessSignature":
		p = g.shared(r, credential)
	}
	if p == nil {
		return nil, unauthorized()
	}
	return p, nil
}

func unauthorized() error { return refuse("IotHubUnauthorizedAccess", "Unauthorized") }

// bearer returns whose access token this is, or nil. What they may do hangs on
// the object id, not on the token, so that a stale token gains nothing.
func (g *gate) bearer(token string) *principal {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(g.issuer),
		jwt.WithAudience(hubResource, hubResource+"/"), jwt.WithExpirationRequired(), jwt.WithTimeFunc(g.now))
	t, err := parser.Parse(token, keyFunc(g.key))
	if err != nil {
		return nil
	}
	object, _ := t.Claims.(jwt.MapClaims)["oid"].(string)
	for _, app := range g.apps {
		if app.ObjectID == object {
			return &principal{name: object, roles: app.Roles}
		}
	}
	return &principal{name: object}
}

// shared returns which policy signed, or nil.
func (g *gate) shared(r *http.Request, signature string) *principal {
	p := signer(g.policies, signature, hostsOf(r, g.hubName), g.now())
	if p == nil {
		return nil
	}
	return &principal{name: p.name, roles: []*Role{{Name: p.name, Actions: p.actions}}, shared: true}
}

// authorize fails with IotHubUnauthorized, which is a 401 and not a 403, unless
// p may do all of actions. A shared access policy gets the answer of a wrong
// signature: its refusal was observed to be a 401, the code is inferred from the
// text that the documentation has for it.
func (p *principal) authorize(actions string, r *http.Request) error {
	missing := func(action string) bool { return !grants(p.roles, action) }
	switch {
	case !slices.ContainsFunc(strings.Fields(actions), missing):
		return nil
	case p.shared:
		return unauthorized()
	}
	return refuse("IotHubUnauthorized", "Principal %s is not authorized for %s on %s due to no assigned permissions",
		p.name, r.Method, r.URL.EscapedPath())
}
