package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Method is a call of a function on a device.
type Method struct {
	Name    string
	Payload any // JSON of up to 128 KB; nil for null
	// ResponseTimeout is how long the device may take, 5 s to 300 s; 0 means the
	// hub's 30 s. ConnectTimeout is how long to wait for a device that is offline,
	// not longer than the response; 0 means not at all.
	ResponseTimeout, ConnectTimeout time.Duration
}

type (
	// RegistryClientInvokeMethodOptions holds the optional settings of the methods
	// that invoke methods. There are none yet.
	RegistryClientInvokeMethodOptions struct{}
	// RegistryClientInvokeMethodResponse is what the device answered.
	RegistryClientInvokeMethodResponse struct {
		Status  int             `json:"status"` // the device's own
		Payload json.RawMessage `json:"payload"`
	}
)

// InvokeMethod calls a method of a device and waits for its answer. It is sent
// once: if the answer is lost it fails with [twin.ErrMaybeApplied]. A device that
// is not connected is a [CodeDeviceNotOnline]; one that does not answer in time is
// that or a [CodeGatewayTimeout], which hubs use is not known.
func (c *RegistryClient) InvokeMethod(ctx context.Context, deviceID string, m Method, _ *RegistryClientInvokeMethodOptions) (RegistryClientInvokeMethodResponse, error) {
	return c.invoke(ctx, twin.Ref{Device: deviceID}, m)
}

// InvokeModuleMethod is [RegistryClient.InvokeMethod] for a module.
func (c *RegistryClient) InvokeModuleMethod(ctx context.Context, deviceID, moduleID string, m Method, _ *RegistryClientInvokeMethodOptions) (out RegistryClientInvokeMethodResponse, err error) {
	ref := twin.Ref{Device: deviceID, Module: moduleID}
	if err := checkModule(ref); err != nil {
		return out, c.client.failure(request{op: invokeMethod, ref: ref}, err)
	}
	return c.invoke(ctx, ref, m)
}

func (c *RegistryClient) invoke(ctx context.Context, ref twin.Ref, m Method) (out RegistryClientInvokeMethodResponse, err error) {
	r := request{op: invokeMethod, ref: ref, method: http.MethodPost, path: append(twinPath(ref), "methods")}
	if err = checkRef(ref); err == nil {
		r.body, err = m.body()
	}
	if err != nil {
		return out, c.client.failure(r, err)
	}
	r.charge, r.slow = pieces(r.body), m.ResponseTimeout+m.ConnectTimeout
	err = c.client.read(ctx, r, &out)
	return out, err
}

// body returns the method as the hub reads it.
func (m Method) body() ([]byte, error) {
	if m.Name == "" {
		return nil, errors.New("the method has no name")
	}
	payload, err := json.Marshal(m.Payload)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	o := map[string]any{"methodName": m.Name, "payload": json.RawMessage(payload)}
	if m.ResponseTimeout != 0 {
		o["responseTimeoutInSeconds"] = seconds(m.ResponseTimeout)
	}
	if m.ConnectTimeout != 0 {
		o["connectTimeoutInSeconds"] = seconds(m.ConnectTimeout)
	}
	return twin.Encode(o), nil
}

// seconds rounds up: a timeout of half a second is not none.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// pieces returns how many 4 KB the limit of methods counts for a body.
func pieces(body []byte) int { return (len(body) + 4<<10 - 1) / (4 << 10) }
