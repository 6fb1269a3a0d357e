package credential

import (
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Default tries what Microsoft's tools try, in their order, and stays with what
// works first. It is exactly the DefaultAzureCredential of the SDK.
var Default = &Kind{
	Name:    "default",
	Synonym: "DefaultAzureCredential",
	Doc:     "what the environment offers: AZURE_ variables, a workload or managed identity, az, azd, PowerShell",
	build: func(b *builder) (azcore.TokenCredential, error) {
		if names := EmptyVariables(b.lookup); len(names) > 0 {
			return nil, fmt.Errorf("%s: set to nothing, which is not the same as unset: unset it", strings.Join(names, ", "))
		}
		return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
			ClientOptions:            b.options.client,
			DisableInstanceDiscovery: b.options.private,
			TenantID:                 b.config.TenantID,
			// With AZURE_TOKEN_CREDENTIALS one says which of them, and no other is tried.
			RequireAzureTokenCredentials: b.config.Strict,
		})
	},
}

// EmptyVariables returns those variables that are set to nothing, as CI systems
// love to do, and that the SDK takes for values. [Default] reads the process's
// environment by itself, so a program has to unset them before it calls [New].
func EmptyVariables(lookup func(name string) (string, bool)) (names []string) {
	for _, name := range []string{
		"AZURE_TOKEN_CREDENTIALS", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET",
		"AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST",
	} {
		if value, set := lookup(name); set && strings.TrimSpace(value) == "" {
			names = append(names, name)
		}
	}
	return names
}
