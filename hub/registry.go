package hub

import (
	"fmt"
	"mime"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// A RegistryClient reads and writes the identities of devices and modules and
// their twins, queries twins, and invokes methods.
type RegistryClient struct{ client *Client }

// RegistryClientOptions holds the optional settings of [NewRegistryClient].
type RegistryClientOptions struct{ ClientOptions }

// NewRegistryClient is [NewClient] for those who need nothing but the registry.
func NewRegistryClient(host string, cred azcore.TokenCredential, opts *RegistryClientOptions) (*RegistryClient, error) {
	if opts == nil {
		opts = &RegistryClientOptions{}
	}
	c, err := NewClient(host, cred, &opts.ClientOptions)
	if err != nil {
		return nil, err
	}
	return c.NewRegistryClient(), nil
}

// NewRegistryClient returns a client of the registry that shares c's pipeline.
func (c *Client) NewRegistryClient() *RegistryClient { return &RegistryClient{c} }

// checkJSON refuses what says of itself that it is something else, such as the
// sign-in page of a network.
func (a *answer) checkJSON() error {
	text := a.header.Get("Content-Type")
	if kind, _, err := mime.ParseMediaType(text); text != "" && (err != nil || !strings.HasSuffix(kind, "json")) {
		return fmt.Errorf("it is %s, not JSON", clean(text))
	}
	return nil
}
