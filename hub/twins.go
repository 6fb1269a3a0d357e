package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub/twin"
)

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

		once bool // whoever asks knows better when to send it again
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
	r := request{op: updateTwin, ref: ref, method: http.MethodPatch, body: twin.Encode(p.Document()), ours: merged(p)}
	return c.write(ctx, r, o)
}

func (c *RegistryClient) replace(ctx context.Context, ref twin.Ref, content TwinContent, o *RegistryClientUpdateTwinOptions) (RegistryClientTwinResponse, error) {
	doc := twin.Patch(content).Document() // an empty section is left out, and emptied by that
	r := request{op: replaceTwin, ref: ref, method: http.MethodPut, body: twin.Encode(doc), ours: replaced(content)}
	return c.write(ctx, r, o)
}

func (c *RegistryClient) write(ctx context.Context, r request, o *RegistryClientUpdateTwinOptions) (out RegistryClientTwinResponse, err error) {
	r.rereadBy = getTwin
	if o != nil {
		r.solo = o.once
		if r.header, err = ifMatchCondition(o.MatchConditions); err != nil {
			return out, c.client.failure(r, err)
		}
	}
	return c.twin(ctx, r)
}

// merged returns a test for twins that p would not change.
func merged(p twin.Patch) func([]byte) bool {
	return func(body []byte) bool {
		t, err := twin.Parse(body)
		return err == nil && twin.Equal(twin.Merge(t.Tags(), p.Tags), t.Tags()) && twin.Equal(twin.Merge(t.Desired(), p.Desired), t.Desired())
	}
}

// replaced returns a test for twins that hold content and nothing else.
func replaced(content TwinContent) func([]byte) bool {
	return func(body []byte) bool {
		t, err := twin.Parse(body)
		if err != nil {
			return false
		}
		desired := maps.Clone(t.Desired())
		delete(desired, "$metadata")
		delete(desired, "$version")
		return twin.Equal(t.Tags(), twin.Merge(content.Tags, nil)) && twin.Equal(desired, twin.Merge(content.Desired, nil))
	}
}

// twin sends a request about one twin, which is also the answer.
func (c *RegistryClient) twin(ctx context.Context, r request) (out RegistryClientTwinResponse, err error) {
	if err := checkRef(r.ref); err != nil {
		return out, c.client.failure(r, err)
	}
	r.path = twinPath(r.ref)
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

func twinPath(ref twin.Ref) []string {
	if ref.Module != "" {
		return []string{"twins", ref.Device, "modules", ref.Module}
	}
	return []string{"twins", ref.Device}
}
