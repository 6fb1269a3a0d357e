package hub

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub/twin"
)

// A RegistryClient reads and writes twins one by one and queries them.
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

// TwinContent is what a service may set of a twin.
type TwinContent struct{ Tags, Desired twin.Object }

type (
	// RegistryClientGetTwinOptions holds the optional settings of GetTwin and
	// GetModuleTwin. There are none yet.
	RegistryClientGetTwinOptions struct{}
	// RegistryClientUpdateTwinOptions holds those of the methods that write twins.
	RegistryClientUpdateTwinOptions struct {
		// MatchConditions makes the write depend on the twin's ETag, which guards
		// tags and desired properties, not reported ones. Only IfMatch is used.
		MatchConditions *azcore.MatchConditions
	}
	// RegistryClientTwinResponse holds the twin as it is now.
	RegistryClientTwinResponse struct{ *twin.Twin }
)

// GetTwin reads the twin of a device. It is what the hub holds now, unlike the
// rows of a query.
func (c *RegistryClient) GetTwin(ctx context.Context, deviceID string, _ *RegistryClientGetTwinOptions) (RegistryClientTwinResponse, error) {
	return c.get(ctx, twin.Ref{Device: deviceID})
}

// GetModuleTwin reads the twin of a module.
func (c *RegistryClient) GetModuleTwin(ctx context.Context, deviceID, moduleID string, _ *RegistryClientGetTwinOptions) (RegistryClientTwinResponse, error) {
	return c.get(ctx, twin.Ref{Device: deviceID, Module: moduleID})
}

// UpdateTwin merges patch into the twin of a device and returns the result.
func (c *RegistryClient) UpdateTwin(ctx context.Context, deviceID string, patch twin.Patch, o *RegistryClientUpdateTwinOptions) (RegistryClientTwinResponse, error) {
	return c.update(ctx, twin.Ref{Device: deviceID}, patch, o)
}

// UpdateModuleTwin merges patch into the twin of a module and returns the result.
func (c *RegistryClient) UpdateModuleTwin(ctx context.Context, deviceID, moduleID string, patch twin.Patch, o *RegistryClientUpdateTwinOptions) (RegistryClientTwinResponse, error) {
	return c.update(ctx, twin.Ref{Device: deviceID, Module: moduleID}, patch, o)
}

// ReplaceTwin sets tags and desired properties of a device's twin to content,
// whatever they were: a section that content lacks is emptied.
func (c *RegistryClient) ReplaceTwin(ctx context.Context, deviceID string, content TwinContent, o *RegistryClientUpdateTwinOptions) (RegistryClientTwinResponse, error) {
	return c.replace(ctx, twin.Ref{Device: deviceID}, content, o)
}

// ReplaceModuleTwin is [RegistryClient.ReplaceTwin] for a module.
func (c *RegistryClient) ReplaceModuleTwin(ctx context.Context, deviceID, moduleID string, content TwinContent, o *RegistryClientUpdateTwinOptions) (RegistryClientTwinResponse, error) {
	return c.replace(ctx, twin.Ref{Device: deviceID, Module: moduleID}, content, o)
}

func (c *RegistryClient) get(ctx context.Context, ref twin.Ref) (RegistryClientTwinResponse, error) {
	return c.twin(ctx, request{op: getTwin, ref: ref, method: http.MethodGet})
}

func (c *RegistryClient) update(ctx context.Context, ref twin.Ref, p twin.Patch, o *RegistryClientUpdateTwinOptions) (RegistryClientTwinResponse, error) {
	r := request{op: updateTwin, ref: ref, method: http.MethodPatch, body: twin.Encode(p.Document())}
	return c.write(ctx, r, o)
}

func (c *RegistryClient) replace(ctx context.Context, ref twin.Ref, content TwinContent, o *RegistryClientUpdateTwinOptions) (RegistryClientTwinResponse, error) {
	doc := twin.Patch(content).Document() // an empty section is left out, and emptied by that
	return c.write(ctx, request{op: replaceTwin, ref: ref, method: http.MethodPut, body: twin.Encode(doc)}, o)
}

func (c *RegistryClient) write(ctx context.Context, r request, o *RegistryClientUpdateTwinOptions) (out RegistryClientTwinResponse, err error) {
	if o != nil {
		if r.header, err = ifMatchCondition(o.MatchConditions); err != nil {
			return out, c.client.failure(r, err)
		}
	}
	return c.twin(ctx, r)
}

// twin sends a request about one twin, which is also the answer.
func (c *RegistryClient) twin(ctx context.Context, r request) (out RegistryClientTwinResponse, err error) {
	if err := checkRef(r.ref); err != nil {
		return out, c.client.failure(r, err)
	}
	r.path = []string{"twins", r.ref.Device}
	if r.ref.Module != "" {
		r.path = append(r.path, "modules", r.ref.Module)
	}
	a, err := c.client.do(ctx, r)
	if err != nil {
		return out, err
	}
	if out.Twin, err = parseTwin(a, r.ref); err != nil {
		return RegistryClientTwinResponse{}, c.client.bad(r, err)
	}
	return out, nil
}

func checkRef(ref twin.Ref) error {
	if err := twin.CheckID(ref.Device); err != nil {
		return fmt.Errorf("device id %q: %w", ref.Device, err)
	}
	if ref.Configuration != "" {
		return errors.New("a configuration has no twin")
	}
	if ref.Module == "" {
		return nil
	}
	if err := twin.CheckID(ref.Module); err != nil {
		return fmt.Errorf("module id %q: %w", ref.Module, err)
	}
	return nil
}

// parseTwin reads an answer that must be the twin named ref.
func parseTwin(a *answer, ref twin.Ref) (*twin.Twin, error) {
	if err := a.checkJSON(); err != nil {
		return nil, err
	}
	t, err := twin.Parse(a.body)
	if err != nil {
		return nil, err
	}
	if t.Ref != ref {
		return nil, fmt.Errorf("it is about %s", t.Ref)
	}
	return t, nil
}

// checkJSON refuses what says of itself that it is something else, such as the
// sign-in page of a network.
func (a *answer) checkJSON() error {
	text := a.header.Get("Content-Type")
	if kind, _, err := mime.ParseMediaType(text); text != "" && (err != nil || !strings.HasSuffix(kind, "json")) {
		return fmt.Errorf("it is %s, not JSON", clean(text))
	}
	return nil
}
