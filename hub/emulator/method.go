package emulator

import (
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

var methodRoutes = []route{
	{"POST", "/twins/*/methods", "directMethods/invoke/action", (*hub).invokeMethod},
	{"POST", "/twins/*/modules/*/methods", "directMethods/invoke/action", (*hub).invokeMethod},
}

// A method is a call of a direct method.
type method struct {
	name     string
	payload  json.RawMessage // nil for none
	response time.Duration   // how long the service waits for the answer
	connect  time.Duration   // how long it waits for the device to come online
}

// maxPayload bounds the payload of a method, there and back.
const maxPayload = 128 << 10

// Timeouts of methods, in seconds.
const (
	minResponse, maxResponse, defaultResponse = 5, 300, 30
	maxConnect                                = 300
)

// invokeMethod answers with what the device says.
func (h *hub) invokeMethod(c *call) (*answer, error) {
	m, err := readMethod(c.body)
	if err != nil {
		return nil, err
	}
	result, err := h.invokeAndWait(c.ref(), m)
	if err != nil {
		return nil, err
	}
	return reply(struct {
		Status  int             `json:"status"`
		Payload json.RawMessage `json:"payload"`
	}{result.Status, result.Payload}), nil
}

// readMethod reads the body of a call.
func readMethod(body []byte) (method, error) {
	var b struct {
		MethodName               string
		Payload                  json.RawMessage
		ResponseTimeoutInSeconds *int
		ConnectTimeoutInSeconds  *int
	}
	if err := readBody(body, &b); err != nil {
		return method{}, err
	}
	if b.MethodName == "" {
		return method{}, refuse("ArgumentNull", "methodName")
	}
	return newMethod(b.MethodName, b.Payload, b.ResponseTimeoutInSeconds, b.ConnectTimeoutInSeconds)
}

// newMethod checks a call; nil timeouts are the default ones.
func newMethod(name string, payload json.RawMessage, response, connect *int) (method, error) {
	m := method{name: name, payload: payload, response: defaultResponse * time.Second}
	if len(payload) > maxPayload {
		return m, refuse("MessageTooLarge", "A payload of %d bytes, the hub takes %d.", len(payload), maxPayload)
	}
	if response != nil {
		if *response < minResponse || *response > maxResponse {
			return m, refuse("ArgumentInvalid", "The response timeout is %d s, the hub takes %d to %d.", *response, minResponse, maxResponse)
		}
		m.response = time.Duration(*response) * time.Second
	}
	if connect != nil {
		if *connect < 0 || *connect > maxConnect {
			return m, refuse("ArgumentInvalid", "The connection timeout is %d s, the hub takes 0 to %d.", *connect, maxConnect)
		}
		m.connect = time.Duration(*connect) * time.Second
	}
	if m.connect > m.response {
		return m, refuse("ArgumentInvalid", "Device connection timeout '%s' cannot be longer than an overall call timeout '%s'", m.connect, m.response)
	}
	return m, nil
}

// readSeconds reads a timeout from a query string, nil when there is none.
func readSeconds(query url.Values, name string) (*int, error) {
	text := query.Get(name)
	if text == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil, refuse("ArgumentInvalid", "%s is '%s', which is no number.", name, text)
	}
	return &n, nil
}

// invokeAndWait invokes a method and returns when the device has answered.
func (h *hub) invokeAndWait(ref twin.Ref, m method) (MethodResult, error) {
	h.mu.Lock()
	result, err := h.invoke(ref, m)
	h.mu.Unlock()
	h.pause(min(result.After, m.response))
	return result, err
}

// pause waits where the clock is the real one; on a clock that is told to go on
// nothing takes time by itself.
func (h *hub) pause(d time.Duration) {
	if !h.real || d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-h.ctx.Done():
	}
}

// invoke returns what a device makes of a method, and how long it takes, which
// it does not wait for. A device that is offline is not waited for either,
// whatever the timeout for connecting: when it comes back is up to others. It
// fails with a refusal. The caller holds the lock.
func (h *hub) invoke(ref twin.Ref, m method) (MethodResult, error) {
	if _, err := h.document(ref); err != nil {
		return MethodResult{}, err
	}
	device := h.connections[ref]
	if device == nil {
		return MethodResult{}, refuse("DeviceNotOnline", "The operation failed because the requested device isn't online. "+
			"To learn more, see https://aka.ms/iothub404103")
	}
	result := device.Invoke(m.name, m.payload)
	switch {
	case result.After > m.response:
		return result, refuse("GatewayTimeout", "Timed out waiting for the response from device.")
	case len(result.Payload) > maxPayload:
		return result, refuse("MessageTooLarge", "The device answered with %d bytes, the hub takes %d.", len(result.Payload), maxPayload)
	}
	result.Payload = asJSON(result.Payload)
	return result, nil
}

// asJSON returns what a device sent as a JSON value: null for nothing, and as a
// string what is no JSON, of which it is not known what the hub does with it.
func asJSON(payload json.RawMessage) json.RawMessage {
	switch {
	case len(payload) == 0:
		return json.RawMessage("null")
	case !json.Valid(payload):
		return marshal(string(payload))
	}
	return payload
}
