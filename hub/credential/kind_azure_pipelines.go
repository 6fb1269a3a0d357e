package credential

import (
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// AzurePipelines signs in as the service connection of a pipeline's step.
var AzurePipelines = &Kind{
	Name:    "azure-pipelines",
	Synonym: "AzurePipelinesCredential",
	Doc:     "the service connection of an Azure Pipelines step, which has to map SYSTEM_ACCESSTOKEN",
	build: func(b *builder) (azcore.TokenCredential, error) {
		tenant := b.first("a tenant id", b.config.TenantID, "AZURESUBSCRIPTION_TENANT_ID", "AZURE_TENANT_ID")
		client := b.first("a client id", b.config.ClientID, "AZURESUBSCRIPTION_CLIENT_ID", "AZURE_CLIENT_ID")
		connection := b.need("a service connection", b.config.ServiceConnectionID, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID")
		token := NewSecret(env(b.lookup, "SYSTEM_ACCESSTOKEN"))
		if token.Reveal() == "" {
			b.miss("the pipeline's access token", "map it on the step: SYSTEM_ACCESSTOKEN: $(System.AccessToken)")
		}
		if env(b.lookup, "SYSTEM_OIDCREQUESTURI") == "" {
			b.miss("a pipeline to run in", "it has SYSTEM_OIDCREQUESTURI")
		}
		if len(b.missing.Items) > 0 {
			return nil, nil
		}
		return azidentity.NewAzurePipelinesCredential(tenant, client, connection, token.Reveal(), &azidentity.AzurePipelinesCredentialOptions{
			ClientOptions:            b.options.client,
			DisableInstanceDiscovery: b.options.private,
		})
	},
}
