package hub

import (
	"context"
	"errors"
	"iter"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub/twin"
)

// Twin reads the twin named ref. It fails with [twin.ErrNotFound] if there is none.
func (c *Client) Twin(ctx context.Context, ref twin.Ref) (*twin.Twin, error) {
	out, err := c.NewRegistryClient().get(ctx, ref)
	return out.Twin, err
}

// PatchTwin merges p into the twin named ref if its ETag is still etag, and
// returns the result. It sends one request, whatever comes of it: when to send
// another is left to the caller, unlike with [RegistryClient.UpdateTwin]. It fails with [twin.ErrChanged] if it is not, and with
// [twin.ErrMaybeApplied] if the answer was lost. The etag "*" stands for any; an
// empty one is refused, lest an unknown etag become an unguarded write. So is an
// empty patch, which would still move the twin's versions and wake the device.
func (c *Client) PatchTwin(ctx context.Context, ref twin.Ref, p twin.Patch, etag string) (*twin.Twin, error) {
	match, err := condition(etag)
	if err == nil && p.Empty() {
		err = errors.New("the patch is empty")
	}
	if err != nil {
		return nil, c.failure(request{op: updateTwin, ref: ref}, err)
	}
	out, err := c.NewRegistryClient().update(ctx, ref, p, &RegistryClientUpdateTwinOptions{MatchConditions: match, once: true})
	return out.Twin, err
}

// Configurations returns all configurations of the hub, in its order. It ends
// after the first error.
func (c *Client) Configurations(ctx context.Context) iter.Seq2[*twin.Configuration, error] {
	return c.NewConfigurationClient().Configurations(ctx)
}

// PutConfiguration creates conf if etag is empty, else updates it if its ETag is
// still etag, and returns the result. It fails with [twin.ErrChanged] if it is
// not, or exists already, and with [ErrContentKept] if only the content was to
// change, see [ConfigurationClient.CreateOrUpdate]. Like [Client.PatchTwin] it
// writes once.
func (c *Client) PutConfiguration(ctx context.Context, conf *twin.Configuration, etag string) (*twin.Configuration, error) {
	o := &ConfigurationClientCreateOrUpdateOptions{once: true}
	sent := *conf
	sent.ETag = "" // the header decides
	if etag != "" {
		o.MatchConditions, _ = condition(etag)
	}
	out, err := c.NewConfigurationClient().CreateOrUpdate(ctx, sent, o)
	return out.Configuration, err
}

// DeleteConfiguration deletes the configuration called id if its ETag is still
// etag. The etag "*" stands for any; an empty one is refused. Like
// [Client.PatchTwin] it sends one request.
func (c *Client) DeleteConfiguration(ctx context.Context, id, etag string) error {
	match, err := condition(etag)
	if err != nil {
		return c.failure(request{op: deleteConfiguration, ref: twin.Ref{Configuration: id}}, err)
	}
	_, err = c.NewConfigurationClient().Delete(ctx, id, &ConfigurationClientDeleteOptions{MatchConditions: match, once: true})
	return err
}

func condition(etag string) (*azcore.MatchConditions, error) {
	if etag == "" {
		return nil, errors.New(`no etag to guard the write; "*" would write over anything`)
	}
	tag := azcore.ETag(etag)
	return &azcore.MatchConditions{IfMatch: &tag}, nil
}
