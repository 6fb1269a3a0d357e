package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub/twin"
)

// A DigitalTwinClient reads and writes twins in the form of their model, and
// invokes the commands of a model.
type DigitalTwinClient struct{ client *Client }

// DigitalTwinClientOptions holds the optional settings of [NewDigitalTwinClient].
type DigitalTwinClientOptions struct{ ClientOptions }

// NewDigitalTwinClient is [NewClient] for those who need nothing but digital twins.
func NewDigitalTwinClient(host string, cred azcore.TokenCredential, opts *DigitalTwinClientOptions) (*DigitalTwinClient, error) {
	if opts == nil {
		opts = &DigitalTwinClientOptions{}
	}
	c, err := NewClient(host, cred, &opts.ClientOptions)
	if err != nil {
		return nil, err
	}
	return c.NewDigitalTwinClient(), nil
}

// NewDigitalTwinClient returns a client of the digital twins that shares c's
// pipeline.
func (c *Client) NewDigitalTwinClient() *DigitalTwinClient { return &DigitalTwinClient{c} }

type (
	// DigitalTwinClientGetOptions holds the optional settings of Get. There are
	// none yet.
	DigitalTwinClientGetOptions struct{}
	// DigitalTwinClientUpdateOptions holds those of Update.
	DigitalTwinClientUpdateOptions struct{ MatchConditions *azcore.MatchConditions }
	// DigitalTwinClientCommandOptions holds those of the methods that invoke
	// commands; the timeouts are those of a [Method].
	DigitalTwinClientCommandOptions struct{ ResponseTimeout, ConnectTimeout time.Duration }

	// DigitalTwinClientGetResponse holds a digital twin as it is now.
	DigitalTwinClientGetResponse struct {
		Twin json.RawMessage // members as in its model
		ETag azcore.ETag
	}
	// DigitalTwinClientUpdateResponse holds the ETag after an update.
	DigitalTwinClientUpdateResponse struct{ ETag azcore.ETag }
	// DigitalTwinClientCommandResponse is what the device answered.
	DigitalTwinClientCommandResponse struct {
		Status    int // the device's own, 0 when the hub does not say
		Payload   json.RawMessage
		RequestID string
	}
)

// Get reads the digital twin of a device, also of one without a model.
func (c *DigitalTwinClient) Get(ctx context.Context, deviceID string, _ *DigitalTwinClientGetOptions) (out DigitalTwinClientGetResponse, err error) {
	r := request{op: getDigitalTwin, ref: twin.Ref{Device: deviceID}, method: http.MethodGet, path: []string{"digitaltwins", deviceID}}
	if err := checkRef(r.ref); err != nil {
		return out, c.client.failure(r, err)
	}
	a, err := c.client.do(ctx, r)
	if err != nil {
		return out, err
	}
	if err = a.checkJSON(); err == nil {
		err = isDigitalTwin(a.body, deviceID)
	}
	if err != nil {
		return out, c.client.bad(r, err)
	}
	return DigitalTwinClientGetResponse{a.body, azcore.ETag(a.header.Get("ETag"))}, nil
}

func isDigitalTwin(data []byte, id string) error {
	doc, err := twin.DecodeObject(data)
	if err == nil && doc["$dtId"] != id {
		err = fmt.Errorf("it is about %s", clean(fmt.Sprint(doc["$dtId"])))
	}
	return err
}

// Update applies patch to the digital twin of a device. What it writes are the
// desired properties of the twin.
func (c *DigitalTwinClient) Update(ctx context.Context, deviceID string, patch JSONPatch, o *DigitalTwinClientUpdateOptions) (out DigitalTwinClientUpdateResponse, err error) {
	r := request{op: updateDigitalTwin, ref: twin.Ref{Device: deviceID}, method: http.MethodPatch, path: []string{"digitaltwins", deviceID}, ours: patch.done, rereadBy: getDigitalTwin}
	if err = checkRef(r.ref); err == nil {
		r.body, err = patch.body()
	}
	if err == nil && o != nil {
		r.header, err = ifMatchCondition(o.MatchConditions)
	}
	if err != nil {
		return out, c.client.failure(r, err)
	}
	a, err := c.client.do(ctx, r)
	if err != nil {
		return out, err
	}
	return DigitalTwinClientUpdateResponse{azcore.ETag(a.header.Get("ETag"))}, nil
}

// InvokeCommand invokes a command of the device itself and waits for its answer.
// It is sent once, like [RegistryClient.InvokeMethod]. Hubs were seen to refuse
// commands to whoever signs in with Microsoft Entra, whatever the role: then
// invoke the method of that name instead.
func (c *DigitalTwinClient) InvokeCommand(ctx context.Context, deviceID, command string, payload any, o *DigitalTwinClientCommandOptions) (DigitalTwinClientCommandResponse, error) {
	r := request{op: invokeCommand, ref: twin.Ref{Device: deviceID}, path: []string{"digitaltwins", deviceID, "commands", command}}
	return c.command(ctx, r, []string{command}, payload, o)
}

// InvokeComponentCommand invokes a command of a component. The method for those
// who sign in with Microsoft Entra is called component*command.
func (c *DigitalTwinClient) InvokeComponentCommand(ctx context.Context, deviceID, component, command string, payload any, o *DigitalTwinClientCommandOptions) (DigitalTwinClientCommandResponse, error) {
	r := request{op: invokeComponentCommand, ref: twin.Ref{Device: deviceID}, path: []string{"digitaltwins", deviceID, "components", component, "commands", command}}
	return c.command(ctx, r, []string{component, command}, payload, o)
}

func (c *DigitalTwinClient) command(ctx context.Context, r request, names []string, payload any, o *DigitalTwinClientCommandOptions) (out DigitalTwinClientCommandResponse, err error) {
	r.method, r.query = http.MethodPost, url.Values{}
	if o != nil {
		r.slow = o.ResponseTimeout + o.ConnectTimeout
		o.put(r.query)
	}
	err = checkRef(r.ref)
	for _, name := range names {
		if name == "" {
			err = fmt.Errorf("the command or its component has no name")
		}
	}
	if err == nil {
		r.body, err = json.Marshal(payload)
	}
	if err != nil {
		return out, c.client.failure(r, err)
	}
	r.charge = pieces(r.body)
	a, err := c.client.do(ctx, r)
	if err != nil {
		return out, err
	}
	if len(a.body) > 0 && !json.Valid(a.body) {
		return out, c.client.bad(r, fmt.Errorf("the payload is not JSON"))
	}
	status, _ := strconv.Atoi(a.header.Get("x-ms-command-statuscode"))
	return DigitalTwinClientCommandResponse{status, a.body, clean(a.header.Get("x-ms-request-id"))}, nil
}

func (o *DigitalTwinClientCommandOptions) put(query url.Values) {
	if o.ResponseTimeout != 0 {
		query.Set("responseTimeoutInSeconds", strconv.Itoa(seconds(o.ResponseTimeout)))
	}
	if o.ConnectTimeout != 0 {
		query.Set("connectTimeoutInSeconds", strconv.Itoa(seconds(o.ConnectTimeout)))
	}
}
