package credential

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// options are what all kinds share.
type options struct {
	client azcore.ClientOptions
	// private: the authority is not one of Microsoft's. The SDK would ask
	// Microsoft whether it exists, and has no variable to turn that off.
	private bool
}

func newOptions(c *Config, lookup func(string) (string, bool)) (options, error) {
	o := options{client: azcore.ClientOptions{Transport: c.Transport}}
	if o.client.Transport == nil {
		o.client.Transport = newTransport(c.RootCAs)
	}
	var err error
	o.client.Cloud, o.private, err = c.authority(lookup)
	return o, err
}

// newTransport returns an HTTP client that follows no redirects: requests to the
// authority carry secrets.
func newTransport(roots *x509.CertPool) policy.Transporter {
	return transport{&http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			IdleConnTimeout:        90 * time.Second,
			ForceAttemptHTTP2:      true,
		},
	}}
}

// A transport tells the SDK not to try again what stays as it is.
type transport struct{ *http.Client }

func (t transport) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.Client.Do(req)
	var certificate *tls.CertificateVerificationError
	var name *net.DNSError
	if errors.As(err, &certificate) || errors.As(err, &name) && name.IsNotFound {
		return nil, permanent{err}
	}
	return resp, err
}

// permanent is an error that trying again does not heal.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// NonRetriable tells the SDK's retry policy.
func (permanent) NonRetriable() {}
