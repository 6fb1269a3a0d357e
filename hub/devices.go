package hub

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/twinrules/twinrules/hub/twin"
)

type (
	// RegistryClientGetDeviceOptions holds the optional settings of GetDevice.
	// There are none yet.
	RegistryClientGetDeviceOptions struct{}
	// RegistryClientWriteOptions holds those of the methods that write identities.
	RegistryClientWriteOptions struct {
		// MatchConditions makes a PUT an update of the identity with that ETag, or
		// of any with "*"; without it, the PUT creates. A deletion without it deletes
		// any.
		MatchConditions *azcore.MatchConditions
	}
	// RegistryClientListDevicesOptions holds those of NewListDevicesPager.
	RegistryClientListDevicesOptions struct{ Top int } // how many, 1 to 1000; 0 means 1000

	// RegistryClientDeviceResponse holds a device as it is now.
	RegistryClientDeviceResponse struct{ *Device }
	// RegistryClientDeleteResponse holds nothing.
	RegistryClientDeleteResponse struct{}
	// RegistryClientListDevicesResponse is a page of devices; there is one.
	RegistryClientListDevicesResponse struct{ Devices []*Device }
)

// GetDevice reads the identity of a device, with its keys.
func (c *RegistryClient) GetDevice(ctx context.Context, deviceID string, _ *RegistryClientGetDeviceOptions) (RegistryClientDeviceResponse, error) {
	return c.device(ctx, request{op: getDevice, ref: twin.Ref{Device: deviceID}, method: http.MethodGet})
}

// CreateOrUpdateDevice writes an identity, the whole of it, and returns it. What
// exists is not created: that fails with [twin.ErrChanged].
func (c *RegistryClient) CreateOrUpdateDevice(ctx context.Context, device Device, o *RegistryClientWriteOptions) (out RegistryClientDeviceResponse, err error) {
	r := request{op: putDevice, ref: twin.Ref{Device: device.ID}, rereadBy: getDevice}
	if r, err = identityWrite(r, device.document(), o); err != nil {
		return out, c.client.failure(r, err)
	}
	return c.device(ctx, r)
}

// DeleteDevice deletes a device with its twin and its modules.
func (c *RegistryClient) DeleteDevice(ctx context.Context, deviceID string, o *RegistryClientWriteOptions) (RegistryClientDeleteResponse, error) {
	return c.remove(ctx, request{op: deleteDevice, ref: twin.Ref{Device: deviceID}}, o)
}

// NewListDevicesPager returns devices in no particular order, a thousand at most,
// in one page. The hub has no next page: ask for more by a query.
func (c *RegistryClient) NewListDevicesPager(o *RegistryClientListDevicesOptions) *runtime.Pager[RegistryClientListDevicesResponse] {
	top := 1000
	if o != nil && o.Top > 0 {
		top = o.Top
	}
	r := request{op: listDevices, method: http.MethodGet, path: []string{"devices"}, query: url.Values{"top": {strconv.Itoa(top)}}}
	return onePage(c.client, func(ctx context.Context) (out RegistryClientListDevicesResponse, err error) {
		out.Devices, err = list(ctx, c.client, r, parseDevice)
		return out, err
	})
}

// Devices returns the devices of [RegistryClient.NewListDevicesPager] one by one.
// It ends after the first error.
func (c *RegistryClient) Devices(ctx context.Context, o *RegistryClientListDevicesOptions) iter.Seq2[*Device, error] {
	return rows(ctx, c.NewListDevicesPager(o), func(p RegistryClientListDevicesResponse) []*Device { return p.Devices })
}

// device sends a request about one device, which is also the answer.
func (c *RegistryClient) device(ctx context.Context, r request) (out RegistryClientDeviceResponse, err error) {
	a, err := c.identity(ctx, r)
	if err != nil {
		return out, err
	}
	if out.Device, err = parseDevice(a.body); err == nil && out.ID != r.ref.Device {
		err = fmt.Errorf("it is about %s", twin.Ref{Device: out.ID})
	}
	if err != nil {
		return RegistryClientDeviceResponse{}, c.client.bad(r, err)
	}
	return out, nil
}

// identity sends a request about a device or a module that answers with JSON.
func (c *RegistryClient) identity(ctx context.Context, r request) (*answer, error) {
	if err := checkRef(r.ref); err != nil {
		return nil, c.client.failure(r, err)
	}
	r.path = identityPath(r.ref)
	a, err := c.client.do(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := a.checkJSON(); err != nil {
		return nil, c.client.bad(r, err)
	}
	return a, nil
}

// remove deletes a device or a module. The hub wants a condition for that.
func (c *RegistryClient) remove(ctx context.Context, r request, o *RegistryClientWriteOptions) (out RegistryClientDeleteResponse, err error) {
	r.method, r.path, r.header = http.MethodDelete, identityPath(r.ref), http.Header{"If-Match": {"*"}}
	if o != nil && o.MatchConditions != nil && o.MatchConditions.IfMatch != nil {
		r.header, err = ifMatchCondition(o.MatchConditions)
	}
	if err == nil {
		err = checkRef(r.ref)
	}
	if err != nil {
		return out, c.client.failure(r, err)
	}
	_, err = c.client.do(ctx, r)
	return out, err
}

func identityPath(ref twin.Ref) []string {
	if ref.Module != "" {
		return []string{"devices", ref.Device, "modules", ref.Module}
	}
	return []string{"devices", ref.Device}
}

// identityWrite makes r the PUT of an identity.
func identityWrite(r request, doc twin.Object, o *RegistryClientWriteOptions) (_ request, err error) {
	r.method, r.body = http.MethodPut, twin.Encode(doc)
	if o != nil {
		r.header, err = ifMatchCondition(o.MatchConditions)
	}
	r.creates = r.header == nil
	r.ours = holds(settable(doc))
	return r, err
}

// settable returns what a service decides of an identity.
func settable(doc twin.Object) twin.Object {
	out := twin.Object{}
	for _, key := range []string{"status", "statusReason", "authentication", "capabilities", "deviceScope", "parentScopes", "managedBy"} {
		if v, ok := doc[key]; ok {
			out[key] = v
		}
	}
	return out
}
