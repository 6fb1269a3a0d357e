package credential

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// ConnectionString signs in with a shared access key of the hub. It is there for
// hubs that are not set up for Entra yet: such a key lives long, opens the whole
// hub, and does not say who used it. It makes no tokens of Entra, so [New]
// refuses it; see [SharedAccess].
var ConnectionString = &Kind{
	Name: "connection-string",
	Doc:  "a shared access key of the hub, from IOTHUB_CONNECTION_STRING or a file; better give a role instead",
	build: func(*builder) (azcore.TokenCredential, error) {
		return nil, errors.New("a connection string stands alone: it cannot be one of several")
	},
}

// SharedAccess returns the connection string when c asks for one, and false when
// it asks for anything else. Like [New] it makes no network call, and reports
// what is missing in a [*MissingError].
func SharedAccess(c Config, lookup func(name string) (string, bool)) (_ Secret, asked bool, _ error) {
	if !slices.ContainsFunc(c.Kinds, func(name string) bool { return strings.EqualFold(name, ConnectionString.Name) }) || len(c.Kinds) > 1 {
		return Secret{}, false, nil
	}
	b := &builder{config: c, lookup: lookup, missing: MissingError{Kind: ConnectionString.Name}}
	secret, err := b.secret("a connection string", c.ConnectionStringFile, cmp.Or(c.ConnectionStringEnv, "IOTHUB_CONNECTION_STRING"))
	if err == nil && len(b.missing.Items) > 0 {
		err = &b.missing
	}
	return secret, true, err
}
