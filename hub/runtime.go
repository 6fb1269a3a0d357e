package hub

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub/twin"
)

// A RuntimeClient handles what becomes of messages to devices: feedback about
// them, and the queue of those not yet delivered. Sending them needs AMQP and is
// not part of the hub's HTTP API.
type RuntimeClient struct{ client *Client }

// RuntimeClientOptions holds the optional settings of [NewRuntimeClient].
type RuntimeClientOptions struct{ ClientOptions }

// NewRuntimeClient is [NewClient] for those who need nothing but messages.
func NewRuntimeClient(host string, cred azcore.TokenCredential, opts *RuntimeClientOptions) (*RuntimeClient, error) {
	if opts == nil {
		opts = &RuntimeClientOptions{}
	}
	c, err := NewClient(host, cred, &opts.ClientOptions)
	if err != nil {
		return nil, err
	}
	return c.NewRuntimeClient(), nil
}

// NewRuntimeClient returns a client of the messages that shares c's pipeline.
func (c *Client) NewRuntimeClient() *RuntimeClient { return &RuntimeClient{c} }

// A Feedback says what became of one message to a device.
type Feedback struct {
	MessageID    string `json:"originalMessageId"`
	Enqueued     string `json:"enqueuedTimeUtc"` // as the hub spells it
	Status       string `json:"statusCode"`      // "Success", "Expired", "DeliveryCountExceeded", "Rejected" or "Purged"
	Description  string `json:"description"`
	DeviceID     string `json:"deviceId"`
	GenerationID string `json:"deviceGenerationId"`
}

type (
	// RuntimeClientReceiveFeedbackOptions holds the optional settings of
	// ReceiveFeedback. There are none yet.
	RuntimeClientReceiveFeedbackOptions struct{}
	// RuntimeClientFeedbackOptions holds those of CompleteFeedback and
	// AbandonFeedback. There are none yet.
	RuntimeClientFeedbackOptions struct{}
	// RuntimeClientPurgeCommandsOptions holds those of PurgeCommands. There are
	// none yet.
	RuntimeClientPurgeCommandsOptions struct{}

	// RuntimeClientReceiveFeedbackResponse is a batch of feedback, or nothing: then
	// LockToken is "".
	RuntimeClientReceiveFeedbackResponse struct {
		LockToken string // to complete or abandon it with, within a minute
		Records   []Feedback
	}
	// RuntimeClientFeedbackResponse holds nothing.
	RuntimeClientFeedbackResponse struct{}
	// RuntimeClientPurgeCommandsResponse says how many messages there were.
	RuntimeClientPurgeCommandsResponse struct {
		DeviceID string `json:"deviceId"`
		ModuleID string `json:"moduleId"`
		Purged   int    `json:"totalMessagesPurged"`
	}
)

// ReceiveFeedback returns the next batch of feedback and locks it for a minute.
// It does not wait for one: when there is none, the response is empty. If the
// answer is lost the batch comes again after that minute.
func (c *RuntimeClient) ReceiveFeedback(ctx context.Context, _ *RuntimeClientReceiveFeedbackOptions) (out RuntimeClientReceiveFeedbackResponse, err error) {
	r := request{
		op: receiveFeedback, method: http.MethodGet, path: feedbackPath(),
		header: http.Header{"Accept": {"application/json, application/vnd.microsoft.iothub.feedback.json"}},
	}
	a, err := c.client.do(ctx, r)
	if err != nil || a.status == http.StatusNoContent {
		return out, err
	}
	out.LockToken = strings.Trim(a.header.Get("ETag"), `"`)
	if err = a.checkJSON(); err == nil {
		err = json.Unmarshal(a.body, &out.Records)
	}
	if err == nil && out.LockToken == "" {
		err = errors.New("it has no lock token")
	}
	if err != nil {
		return RuntimeClientReceiveFeedbackResponse{}, c.client.bad(r, err)
	}
	return out, nil
}

// CompleteFeedback takes a batch off the hub's list. After the minute it fails
// with [CodeDeviceMessageLockLost].
func (c *RuntimeClient) CompleteFeedback(ctx context.Context, lockToken string, _ *RuntimeClientFeedbackOptions) (RuntimeClientFeedbackResponse, error) {
	return c.settle(ctx, request{op: completeFeedback, method: http.MethodDelete, path: append(feedbackPath(), lockToken)}, lockToken)
}

// AbandonFeedback lets somebody else receive a batch, at once.
func (c *RuntimeClient) AbandonFeedback(ctx context.Context, lockToken string, _ *RuntimeClientFeedbackOptions) (RuntimeClientFeedbackResponse, error) {
	return c.settle(ctx, request{op: abandonFeedback, method: http.MethodPost, path: append(feedbackPath(), lockToken, "abandon")}, lockToken)
}

func (c *RuntimeClient) settle(ctx context.Context, r request, lockToken string) (out RuntimeClientFeedbackResponse, err error) {
	if lockToken == "" {
		return out, c.client.failure(r, errors.New("there is no lock token"))
	}
	_, err = c.client.do(ctx, r)
	return out, err
}

// PurgeCommands deletes the messages that wait for a device.
func (c *RuntimeClient) PurgeCommands(ctx context.Context, deviceID string, _ *RuntimeClientPurgeCommandsOptions) (out RuntimeClientPurgeCommandsResponse, err error) {
	r := request{op: purgeCommands, ref: twin.Ref{Device: deviceID}, method: http.MethodDelete, path: []string{"devices", deviceID, "commands"}}
	if err := checkRef(r.ref); err != nil {
		return out, c.client.failure(r, err)
	}
	err = c.client.read(ctx, r, &out)
	return out, err
}

func feedbackPath() []string { return []string{"messages", "serviceBound", "feedback"} }
