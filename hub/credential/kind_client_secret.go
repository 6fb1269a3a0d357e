package credential

import (
	"cmp"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// ClientSecret signs in as an application with its secret.
var ClientSecret = &Kind{
	Name:    "client-secret",
	Synonym: "ClientSecretCredential",
	Doc:     "an application and its secret, from AZURE_CLIENT_SECRET or a file",
	build: func(b *builder) (azcore.TokenCredential, error) {
		tenant, client := b.tenant(), b.client()
		secret, err := b.secret("a client secret", b.config.SecretFile, cmp.Or(b.config.SecretEnv, "AZURE_CLIENT_SECRET"))
		if err != nil || len(b.missing.Items) > 0 {
			return nil, err
		}
		return azidentity.NewClientSecretCredential(tenant, client, secret.Reveal(), &azidentity.ClientSecretCredentialOptions{
			ClientOptions:            b.options.client,
			DisableInstanceDiscovery: b.options.private,
		})
	},
}
