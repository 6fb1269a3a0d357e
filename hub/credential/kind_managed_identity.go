package credential

import (
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// ManagedIdentity signs in as the identity that Azure gave to the machine, the
// app or the container. Which of several is never taken from AZURE_CLIENT_ID,
// because that variable means an application to other kinds.
var ManagedIdentity = &Kind{
	Name:    "managed-identity",
	Synonym: "ManagedIdentityCredential",
	Doc:     "the identity that Azure gave to the machine, app or container it runs on",
	build: func(b *builder) (azcore.TokenCredential, error) {
		return azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
			ClientOptions: b.options.client, ID: managedIdentity(b.config),
		})
	},
}

func managedIdentity(c Config) azidentity.ManagedIDKind {
	id := c.ManagedIdentity
	if id == "" {
		id = c.ClientID
	}
	switch {
	case id == "" || id == "system":
		return nil
	case strings.HasPrefix(id, "/"):
		return azidentity.ResourceID(id)
	}
	return azidentity.ClientID(id)
}
