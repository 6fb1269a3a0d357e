package credential

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Config says who signs in. What is empty is taken from the AZURE_ variables
// that Microsoft's tools use too.
type Config struct {
	Kinds    []string // names of [Kinds], tried in order; none means default
	Strict   bool     // default is refused unless AZURE_TOKEN_CREDENTIALS pins it
	TenantID string   // "" means AZURE_TENANT_ID
	ClientID string   // "" means AZURE_CLIENT_ID, but for managed-identity

	SecretEnv  string // the variable that holds the secret; "" means AZURE_CLIENT_SECRET
	SecretFile string // a file that holds it instead

	CertificateFile        string // PEM or PFX; "" means AZURE_CLIENT_CERTIFICATE_PATH
	CertificatePasswordEnv string // the variable that holds its password; "" means AZURE_CLIENT_CERTIFICATE_PASSWORD
	SendCertificateChain   bool   // for subject name and issuer authentication

	TokenFile           string // with a federated token; "" means AZURE_FEDERATED_TOKEN_FILE
	ManagedIdentity     string // a client id, or a resource id; "" or "system" means the machine's own
	ServiceConnectionID string // of Azure Pipelines; "" means AZURESUBSCRIPTION_SERVICE_CONNECTION_ID
	Subscription        string // that az signs in for, a name or an id; "" means its current one

	ConnectionStringEnv  string // the variable that holds one; "" means IOTHUB_CONNECTION_STRING
	ConnectionStringFile string // a file that holds it instead

	// Cloud is the name of one of [Clouds]; "" means AZURE_AUTHORITY_HOST's, else
	// the one that Host, the name of the hub, belongs to.
	Cloud, Host string
	// Authority is where to sign in instead, a URL. Of one that is not Microsoft's,
	// Microsoft is not asked whether it exists.
	Authority string
	RootCAs   *x509.CertPool     // who may vouch for the authority; nil means the system's
	Transport policy.Transporter // replaces the package's own, and RootCAs with it
}

// New returns the credential that c describes, looking up variables in lookup,
// in which one that is set to nothing counts as unset. It makes no network call;
// what is missing is reported in one [*MissingError] for each kind, joined. Where
// the credential fails to get a token, its error is an [*Error].
func New(c Config, lookup func(name string) (string, bool)) (azcore.TokenCredential, error) {
	names := c.Kinds
	if len(names) == 0 {
		names = []string{Default.Name}
	}
	options, err := newOptions(&c, lookup)
	if err != nil {
		return nil, err
	}
	var credentials []azcore.TokenCredential
	var errs []error
	for _, name := range names {
		one, err := build(name, c, lookup, options)
		credentials, errs = append(credentials, one), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(credentials) == 1 {
		return signer{credentials[0]}, nil
	}
	chain, err := azidentity.NewChainedTokenCredential(credentials, nil)
	if err != nil {
		return nil, fmt.Errorf("credential: %w", err)
	}
	return signer{chain}, nil
}

func build(name string, c Config, lookup func(string) (string, bool), o options) (azcore.TokenCredential, error) {
	kind, err := find(name)
	if err != nil {
		return nil, err
	}
	b := &builder{config: c, lookup: lookup, options: o, missing: MissingError{Kind: kind.Name}}
	credential, err := kind.build(b)
	if len(b.missing.Items) > 0 {
		return nil, &b.missing
	}
	if err != nil {
		return nil, fmt.Errorf("credential %s: %w", kind.Name, err)
	}
	return credential, nil
}

func find(name string) (*Kind, error) {
	i := slices.IndexFunc(Kinds, func(k *Kind) bool {
		return strings.EqualFold(k.Name, name) || strings.EqualFold(k.Synonym, name)
	})
	if i < 0 {
		var known []string
		for _, k := range Kinds {
			known = append(known, k.Name)
		}
		return nil, fmt.Errorf("no credential %q; there are %s", name, strings.Join(known, ", "))
	}
	return Kinds[i], nil
}
