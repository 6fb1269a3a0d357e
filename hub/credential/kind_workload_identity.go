package credential

import (
	"fmt"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// WorkloadIdentity signs in with the federated token that Kubernetes keeps in a
// file. The file is read again for every token.
var WorkloadIdentity = &Kind{
	Name:    "workload-identity",
	Synonym: "WorkloadIdentityCredential",
	Doc:     "the federated token that Kubernetes keeps in the file AZURE_FEDERATED_TOKEN_FILE",
	build: func(b *builder) (azcore.TokenCredential, error) {
		tenant, client := b.tenant(), b.client()
		file := b.need("a token file", b.config.TokenFile, "AZURE_FEDERATED_TOKEN_FILE")
		if len(b.missing.Items) > 0 {
			return nil, nil
		}
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("find the federated token: %w", err)
		}
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions:            b.options.client,
			DisableInstanceDiscovery: b.options.private,
			TenantID:                 tenant, ClientID: client, TokenFilePath: file,
		})
	},
}
