package credential

import (
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// AzureCLI signs in as whoever is signed in at az. It keeps no tokens: each one
// takes a run of az.
var AzureCLI = &Kind{
	Name:    "azure-cli",
	Synonym: "AzureCLICredential",
	Doc:     "whoever is signed in at az",
	build: func(b *builder) (azcore.TokenCredential, error) {
		return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{
			TenantID: b.config.TenantID, Subscription: b.config.Subscription,
		})
	},
}

// AzureDeveloperCLI signs in as whoever is signed in at azd, as [AzureCLI] does.
var AzureDeveloperCLI = &Kind{
	Name:    "azure-developer-cli",
	Synonym: "AzureDeveloperCLICredential",
	Doc:     "whoever is signed in at azd",
	build: func(b *builder) (azcore.TokenCredential, error) {
		return azidentity.NewAzureDeveloperCLICredential(&azidentity.AzureDeveloperCLICredentialOptions{TenantID: b.config.TenantID})
	},
}
