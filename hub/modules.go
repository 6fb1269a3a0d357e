package hub

import (
	"context"
	"fmt"
	"iter"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/twinrules/twinrules/hub/twin"
)

type (
	// RegistryClientGetModuleOptions holds the optional settings of GetModule.
	// There are none yet.
	RegistryClientGetModuleOptions struct{}
	// RegistryClientListModulesOptions holds those of NewListModulesPager. There
	// are none yet.
	RegistryClientListModulesOptions struct{}

	// RegistryClientModuleResponse holds a module as it is now.
	RegistryClientModuleResponse struct{ *Module }
	// RegistryClientListModulesResponse is a page of modules; there is one.
	RegistryClientListModulesResponse struct{ Modules []*Module }
)

// GetModule reads the identity of a module, with its keys.
func (c *RegistryClient) GetModule(ctx context.Context, deviceID, moduleID string, _ *RegistryClientGetModuleOptions) (RegistryClientModuleResponse, error) {
	return c.module(ctx, request{op: getModule, ref: twin.Ref{Device: deviceID, Module: moduleID}, method: http.MethodGet})
}

// CreateOrUpdateModule is [RegistryClient.CreateOrUpdateDevice] for a module.
func (c *RegistryClient) CreateOrUpdateModule(ctx context.Context, module Module, o *RegistryClientWriteOptions) (out RegistryClientModuleResponse, err error) {
	r := request{op: putModule, ref: twin.Ref{Device: module.DeviceID, Module: module.ID}, rereadBy: getModule}
	if r, err = identityWrite(r, module.document(), o); err != nil {
		return out, c.client.failure(r, err)
	}
	return c.module(ctx, r)
}

// DeleteModule deletes a module with its twin.
func (c *RegistryClient) DeleteModule(ctx context.Context, deviceID, moduleID string, o *RegistryClientWriteOptions) (RegistryClientDeleteResponse, error) {
	r := request{op: deleteModule, ref: twin.Ref{Device: deviceID, Module: moduleID}}
	if err := checkModule(r.ref); err != nil {
		return RegistryClientDeleteResponse{}, c.client.failure(r, err)
	}
	return c.remove(ctx, r, o)
}

// NewListModulesPager returns the modules of a device, 50 at most, in one page.
func (c *RegistryClient) NewListModulesPager(deviceID string, _ *RegistryClientListModulesOptions) *runtime.Pager[RegistryClientListModulesResponse] {
	r := request{op: listModules, ref: twin.Ref{Device: deviceID}, method: http.MethodGet, path: []string{"devices", deviceID, "modules"}}
	return onePage(c.client, func(ctx context.Context) (out RegistryClientListModulesResponse, err error) {
		if err := checkRef(r.ref); err != nil {
			return out, c.client.failure(r, err)
		}
		out.Modules, err = list(ctx, c.client, r, parseModule)
		return out, err
	})
}

// Modules returns the modules of a device one by one. It ends after the first
// error.
func (c *RegistryClient) Modules(ctx context.Context, deviceID string, o *RegistryClientListModulesOptions) iter.Seq2[*Module, error] {
	return rows(ctx, c.NewListModulesPager(deviceID, o), func(p RegistryClientListModulesResponse) []*Module { return p.Modules })
}

// module sends a request about one module, which is also the answer.
func (c *RegistryClient) module(ctx context.Context, r request) (out RegistryClientModuleResponse, err error) {
	if err := checkModule(r.ref); err != nil {
		return out, c.client.failure(r, err)
	}
	a, err := c.identity(ctx, r)
	if err != nil {
		return out, err
	}
	out.Module, err = parseModule(a.body)
	if err == nil && (twin.Ref{Device: out.DeviceID, Module: out.ID}) != r.ref {
		err = fmt.Errorf("it is about %s", twin.Ref{Device: out.DeviceID, Module: out.ID})
	}
	if err != nil {
		return RegistryClientModuleResponse{}, c.client.bad(r, err)
	}
	return out, nil
}

// checkModule refuses the ref of a device, whose path would be another one.
func checkModule(ref twin.Ref) error {
	if err := twin.CheckID(ref.Module); err != nil {
		return fmt.Errorf("module id %q: %w", ref.Module, err)
	}
	return nil
}
