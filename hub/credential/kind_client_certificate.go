package credential

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"software.sslmate.com/src/go-pkcs12"
)

// ClientCertificate signs in as an application with its certificate.
var ClientCertificate = &Kind{
	Name:    "client-certificate",
	Synonym: "ClientCertificateCredential",
	Doc:     "an application and its certificate with key, a PEM or PFX file",
	build: func(b *builder) (azcore.TokenCredential, error) {
		tenant, client := b.tenant(), b.client()
		file := b.need("a certificate", b.config.CertificateFile, "AZURE_CLIENT_CERTIFICATE_PATH")
		if len(b.missing.Items) > 0 {
			return nil, nil
		}
		password := env(b.lookup, cmp.Or(b.config.CertificatePasswordEnv, "AZURE_CLIENT_CERTIFICATE_PASSWORD"))
		certificates, key, err := readCertificates(file, NewSecret(password))
		if err != nil {
			return nil, err
		}
		return azidentity.NewClientCertificateCredential(tenant, client, certificates, key, &azidentity.ClientCertificateCredentialOptions{
			ClientOptions:            b.options.client,
			DisableInstanceDiscovery: b.options.private,
			SendCertificateChain:     b.config.SendCertificateChain || env(b.lookup, "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN") == "true",
		})
	},
}

// readCertificates returns the chain and the key in a file. The SDK reads no PFX
// whose integrity is kept by SHA-256, which is what OpenSSL 3 writes.
func readCertificates(file string, password Secret) ([]*x509.Certificate, crypto.PrivateKey, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("read the certificate: %w", err)
	}
	if block, _ := pem.Decode(data); block != nil {
		certificates, key, err := azidentity.ParseCertificates(data, nil)
		if err != nil {
			err = fmt.Errorf("read the certificate %s: %w%s", file, err, pemHint(data))
		}
		return certificates, key, err
	}
	key, leaf, chain, err := pkcs12.DecodeChain(data, password.Reveal())
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, nil, fmt.Errorf("read the certificate %s: its password is wrong: set AZURE_CLIENT_CERTIFICATE_PASSWORD", file)
	case err != nil:
		return nil, nil, fmt.Errorf("read the certificate %s: neither PEM nor a PFX with one certificate and its key: %w", file, err)
	}
	return append([]*x509.Certificate{leaf}, chain...), key, nil
}

// pemHint tells what to do about a PEM file whose key is encrypted.
func pemHint(data []byte) string {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			return "; its key is encrypted: keep it in a PFX file, or decrypt it with openssl pkey"
		}
	}
	return ""
}
