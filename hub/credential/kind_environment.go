package credential

import "github.com/Azure/azure-sdk-for-go/sdk/azcore"

// Environment signs in as the application that the AZURE_ variables describe,
// whatever else is configured: with its secret, or else its certificate.
var Environment = &Kind{
	Name:    "environment",
	Synonym: "EnvironmentCredential",
	Doc:     "an application, its secret or its certificate, all from AZURE_ variables",
	build: func(b *builder) (azcore.TokenCredential, error) {
		b.config = Config{}
		switch {
		case env(b.lookup, "AZURE_CLIENT_SECRET") != "":
			return ClientSecret.build(b)
		case env(b.lookup, "AZURE_CLIENT_CERTIFICATE_PATH") != "":
			return ClientCertificate.build(b)
		}
		b.tenant()
		b.client()
		b.miss("a secret or a certificate", "set AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH")
		return nil, nil
	},
}
