package hub

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

const (
	moduleName    = "twinrules/hub"
	moduleVersion = "v0.1.0"
	apiVersion    = "2021-04-12"

	// Audience is the resource that tokens are asked for, in every cloud: a US
	// Government one was in Microsoft's SDKs in 2021 and was taken back, because
	// the service does not want it.
	Audience = "https://iothubs.azure.net"
)

// ClientOptions holds the optional settings of [NewClient].
type ClientOptions struct {
	// ClientOptions are those of the Azure SDK. What is tried again is decided by
	// this package; Retry says how often and how fast, and may narrow it. Throttling
	// is the Pacer's. Retry.TryTimeout, two minutes by default, bounds each try of
	// anything. A Transport given here replaces the client's own, and RootCAs and
	// Connections with it.
	azcore.ClientOptions

	Audience    string         // of tokens; "" means [Audience]
	Hosts       []string       // names without port, in small letters, that are hubs although they do not look it
	RootCAs     *x509.CertPool // who may vouch for the hub; nil means the system's
	Connections int            // at once, and kept when idle; 0 means 64
	PageSize    int            // rows of a query's page; 0 means 100, the documented limit
	Pacer       *Pacer         // may be shared by the clients of one hub; nil means one of its own for a hub of unknown tier
}

// A Client talks to one IoT Hub. It may be used by many goroutines at once and
// starts none.
type Client struct {
	internal *azcore.Client
	host     string
	retry    policy.RetryOptions
	pageSize int
	pacer    *Pacer
	pages    chan *bytes.Buffer // to be used again
	shared   bool               // signs with a shared access key
}

// NewClient returns a client of the hub named host, such as
// contoso.azure-devices.net, which may carry a port. No request is made. Names
// that are neither in a domain of IoT Hub, nor loopback, nor in
// [ClientOptions.Hosts] are refused.
func NewClient(host string, cred azcore.TokenCredential, opts *ClientOptions) (*Client, error) {
	if cred == nil {
		return nil, errors.New("hub: no credential")
	}
	o := withDefaults(opts)
	auth := runtime.NewBearerTokenPolicy(cred, []string{strings.TrimSuffix(o.Audience, "/.default") + "/.default"}, nil)
	return newClient(host, auth, o)
}

// newClient returns a client whose requests are signed by auth.
func newClient(host string, auth policy.Policy, o ClientOptions) (*Client, error) {
	host, err := checkHost(host, o.Hosts)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	if o.Pacer == nil {
		if o.Pacer, err = NewPacer(nil); err != nil {
			return nil, fmt.Errorf("hub: %w", err)
		}
	}
	c := &Client{host: host, retry: o.Retry, pageSize: o.PageSize, pacer: o.Pacer}
	c.pages = make(chan *bytes.Buffer, keptPages)
	c.retry.TryTimeout = 0 // bound does it, without the time that a try waits for its turn
	o.Transport = &receiver{o.Transport, c.pages}
	c.internal, err = azcore.NewClient(moduleName, moduleVersion, runtime.PipelineOptions{
		AllowedHeaders:         []string{"iothub-errorcode", "x-ms-continuation", "x-ms-max-item-count", "x-ms-item-type"},
		AllowedQueryParameters: []string{"top"},
		PerCall:                []policy.Policy{runtime.NewRequestIDPolicy()},
		PerRetry:               []policy.Policy{policyFunc(o.Pacer.pace), bound(o.Retry.TryTimeout), auth},
		Tracing:                runtime.TracingOptions{Namespace: "Microsoft.Devices"},
	}, &o.ClientOptions)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	return c, nil
}

// Pacer returns what paces the client's requests.
func (c *Client) Pacer() *Pacer { return c.pacer }

// Host returns the name of the hub, with its port if one was given.
func (c *Client) Host() string { return c.host }

func withDefaults(opts *ClientOptions) ClientOptions {
	var o ClientOptions
	if opts != nil {
		o = *opts
	}
	if o.Audience == "" {
		o.Audience = Audience
	}
	if o.Connections == 0 {
		o.Connections = 64
	}
	if o.PageSize == 0 {
		o.PageSize = 100
	}
	if o.Retry.TryTimeout == 0 {
		o.Retry.TryTimeout = 2 * time.Minute
	}
	if o.Retry.MaxRetries == 0 {
		o.Retry.MaxRetries = 5 // spread over some 45 s
	}
	if o.Transport == nil {
		o.Transport = newTransport(o.Connections, o.RootCAs)
	}
	return o
}
