package hub

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/twinrules/twinrules/hub/twin"
)

// A ConfigurationClient reads and writes automatic device management
// configurations.
type ConfigurationClient struct{ client *Client }

// ConfigurationClientOptions holds the optional settings of [NewConfigurationClient].
type ConfigurationClientOptions struct{ ClientOptions }

// NewConfigurationClient is [NewClient] for those who need nothing but
// configurations.
func NewConfigurationClient(host string, cred azcore.TokenCredential, opts *ConfigurationClientOptions) (*ConfigurationClient, error) {
	if opts == nil {
		opts = &ConfigurationClientOptions{}
	}
	c, err := NewClient(host, cred, &opts.ClientOptions)
	if err != nil {
		return nil, err
	}
	return c.NewConfigurationClient(), nil
}

// NewConfigurationClient returns a client of the configurations that shares c's
// pipeline.
func (c *Client) NewConfigurationClient() *ConfigurationClient { return &ConfigurationClient{c} }

type (
	// ConfigurationClientGetOptions holds the optional settings of Get. There are
	// none yet.
	ConfigurationClientGetOptions struct{}
	// ConfigurationClientListOptions holds those of NewListPager. There are none yet.
	ConfigurationClientListOptions struct{}
	// ConfigurationClientCreateOrUpdateOptions holds those of CreateOrUpdate.
	ConfigurationClientCreateOrUpdateOptions struct {
		// MatchConditions makes the call an update of the configuration with that
		// ETag, or of any with "*". Without it, the call creates.
		MatchConditions *azcore.MatchConditions

		once bool // whoever asks knows better when to send it again
	}
	// ConfigurationClientDeleteOptions holds those of Delete.
	ConfigurationClientDeleteOptions struct {
		MatchConditions *azcore.MatchConditions

		once bool
	}

	// ConfigurationClientResponse holds a configuration as it is now.
	ConfigurationClientResponse struct{ *twin.Configuration }
	// ConfigurationClientDeleteResponse holds nothing.
	ConfigurationClientDeleteResponse struct{}
	// ConfigurationClientListResponse is a page of configurations; there is one.
	ConfigurationClientListResponse struct{ Configurations []*twin.Configuration }
)

// Get reads the configuration called id.
func (c *ConfigurationClient) Get(ctx context.Context, id string, _ *ConfigurationClientGetOptions) (ConfigurationClientResponse, error) {
	return c.one(ctx, request{op: getConfiguration, ref: twin.Ref{Configuration: id}, method: http.MethodGet})
}

// CreateOrUpdate writes a configuration and returns it. What exists is not
// created: that fails with [twin.ErrChanged]. The hub keeps the content of a
// configuration for ever and says nothing, so an update reads the configuration
// back, and fails with [ErrContentKept] when its content is not the one given;
// the rest has been updated then.
func (c *ConfigurationClient) CreateOrUpdate(ctx context.Context, conf twin.Configuration, o *ConfigurationClientCreateOrUpdateOptions) (out ConfigurationClientResponse, err error) {
	r := request{op: putConfiguration, ref: conf.Ref(), method: http.MethodPut, creates: true, rereadBy: getConfiguration}
	if o != nil {
		r.solo = o.once
	}
	if o != nil && o.MatchConditions != nil {
		if r.header, err = ifMatchCondition(o.MatchConditions); err != nil {
			return out, c.client.failure(r, err)
		}
		r.creates = r.header == nil
	}
	if r.body, err = conf.MarshalJSON(); err != nil {
		return out, c.client.failure(r, err)
	}
	wanted, err := twin.DecodeObject(r.body)
	if err != nil {
		return out, c.client.failure(r, err)
	}
	delete(wanted, "etag")
	r.ours = holds(wanted)
	if out, err = c.one(ctx, r); err != nil || r.creates {
		return out, err
	}
	return c.readBack(ctx, r, &conf)
}

// readBack returns the configuration that r wrote, if it has the content of want.
func (c *ConfigurationClient) readBack(ctx context.Context, r request, want *twin.Configuration) (ConfigurationClientResponse, error) {
	have, err := c.Get(ctx, want.ID, nil)
	if err != nil {
		e := c.client.failure(r, fmt.Errorf("read it back: %v", err)) // not %w: what came of reading is not what came of r
		e.stage = unanswered
		e.maybeApplied()
		return ConfigurationClientResponse{}, e
	}
	if !twin.Equal(withoutNulls(have.Content), withoutNulls(want.Content)) {
		return ConfigurationClientResponse{}, c.client.failure(r, ErrContentKept)
	}
	return have, nil
}

// withoutNulls drops the kinds of content that are spelled out as null.
func withoutNulls(content twin.Object) twin.Object {
	out := twin.Object{}
	for kind, value := range content {
		if value != nil {
			out[kind] = value
		}
	}
	return out
}

// Delete deletes the configuration called id. What it applied stays in the twins.
func (c *ConfigurationClient) Delete(ctx context.Context, id string, o *ConfigurationClientDeleteOptions) (out ConfigurationClientDeleteResponse, err error) {
	r := request{op: deleteConfiguration, ref: twin.Ref{Configuration: id}, method: http.MethodDelete, path: configurationPath(id)}
	if o != nil {
		r.solo = o.once
		r.header, err = ifMatchCondition(o.MatchConditions)
	}
	if err == nil {
		err = checkConfigurationID(id)
	}
	if err != nil {
		return out, c.client.failure(r, err)
	}
	_, err = c.client.do(ctx, r)
	return out, err
}

// NewListPager returns all configurations, a hundred at most, in one page.
func (c *ConfigurationClient) NewListPager(*ConfigurationClientListOptions) *runtime.Pager[ConfigurationClientListResponse] {
	return onePage(c.client, c.list)
}

// Configurations returns all configurations one by one. It ends after the first
// error.
func (c *ConfigurationClient) Configurations(ctx context.Context) iter.Seq2[*twin.Configuration, error] {
	return rows(ctx, c.NewListPager(nil), func(p ConfigurationClientListResponse) []*twin.Configuration { return p.Configurations })
}

func (c *ConfigurationClient) list(ctx context.Context) (out ConfigurationClientListResponse, err error) {
	r := request{op: listConfigurations, method: http.MethodGet, path: []string{"configurations"}, query: url.Values{"top": {"100"}}}
	out.Configurations, err = list(ctx, c.client, r, twin.ParseConfiguration)
	return out, err
}

// one sends a request about one configuration, which is also the answer.
func (c *ConfigurationClient) one(ctx context.Context, r request) (out ConfigurationClientResponse, err error) {
	id := r.ref.Configuration
	if err := checkConfigurationID(id); err != nil {
		return out, c.client.failure(r, err)
	}
	r.path = configurationPath(id)
	a, err := c.client.do(ctx, r)
	if err != nil {
		return out, err
	}
	if err = a.checkJSON(); err == nil {
		out.Configuration, err = twin.ParseConfiguration(a.body)
	}
	if err == nil && out.ID != id {
		err = fmt.Errorf("it is about %s", out.Ref())
	}
	if err != nil {
		return ConfigurationClientResponse{}, c.client.bad(r, err)
	}
	return out, nil
}

func configurationPath(id string) []string { return []string{"configurations", id} }

// checkConfigurationID says why id cannot be the id of a configuration. The hub
// refuses capitals, of which Microsoft's clients know nothing.
func checkConfigurationID(id string) error {
	if id == "" || len(id) > 128 {
		return fmt.Errorf("an id has 1 to 128 characters, this one has %d", len(id))
	}
	for _, c := range id {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-+%_*!'", c) {
			return fmt.Errorf("the id of a configuration must not contain %q", c)
		}
	}
	return nil
}
