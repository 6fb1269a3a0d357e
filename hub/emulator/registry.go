package emulator

import (
	"fmt"

	"github.com/twinrules/twinrules/hub/twin"
)

var registryRoutes = []route{
	{"GET", "/devices/*", "devices/read", (*hub).getIdentity},
	{"GET", "/statistics/devices", "statistics/read", (*hub).deviceStatistics},
	{"GET", "/statistics/service", "statistics/read", (*hub).serviceStatistics},
}

// An identity is a device in the registry, in the observed order of members.
// What is not used is null, not absent.
type identity struct {
	DeviceID         string          `json:"deviceId"`
	GenerationID     string          `json:"generationId"`
	ETag             string          `json:"etag"`
	ConnectionState  string          `json:"connectionState"`
	Status           string          `json:"status"`
	StatusReason     any             `json:"statusReason"`
	ConnectionUpdate any             `json:"connectionStateUpdatedTime"`
	StatusUpdate     any             `json:"statusUpdatedTime"`
	LastActivity     any             `json:"lastActivityTime"`
	MessageCount     any             `json:"cloudToDeviceMessageCount"`
	Authentication   *authentication `json:"authentication"`
	Capabilities     any             `json:"capabilities"`
	DeviceScope      any             `json:"deviceScope,omitempty"`
	ParentScopes     any             `json:"parentScopes,omitempty"`
}

type authentication struct {
	SymmetricKey symmetricKey `json:"symmetricKey"`
	Thumbprint   any          `json:"x509Thumbprint"`
	Type         any          `json:"type"`
}

type symmetricKey struct {
	Primary   *string `json:"primaryKey"`
	Secondary *string `json:"secondaryKey"`
}

// getIdentity answers with the registry's side of a device's document. Its
// generation and its keys belong to its id and the seed.
func (h *hub) getIdentity(c *call) (*answer, error) {
	h.mu.Lock()
	d, err := h.document(c.ref())
	h.mu.Unlock()
	if err != nil {
		return nil, err
	}
	t, o := d.parse(), d.decode()
	a := reply(identity{
		DeviceID: t.Ref.Device, GenerationID: h.generation(t.Ref), ETag: t.DeviceETag,
		ConnectionState: t.ConnectionState, Status: t.Status, StatusReason: o["statusReason"],
		ConnectionUpdate: never, StatusUpdate: o["statusUpdateTime"], LastActivity: o["lastActivityTime"],
		MessageCount: o["cloudToDeviceMessageCount"], Authentication: h.authentication(t.Ref, o),
		Capabilities: o["capabilities"], DeviceScope: o["deviceScope"], ParentScopes: o["parentScopes"],
	})
	a.header["ETag"] = []string{`"` + t.DeviceETag + `"`}
	return a, nil
}

// generation returns the 18 digits that a device keeps until it is made anew.
func (h *hub) generation(ref twin.Ref) string {
	return fmt.Sprintf("6%017d", h.dice.of("generation "+ref.String())%1e17)
}

func (h *hub) authentication(ref twin.Ref, o twin.Object) *authentication {
	a := &authentication{Thumbprint: o["x509Thumbprint"], Type: o["authenticationType"]}
	if a.Type == "sas" {
		primary, secondary := h.dice.keyOf("primary "+ref.String()), h.dice.keyOf("secondary "+ref.String())
		a.SymmetricKey = symmetricKey{&primary, &secondary}
	}
	return a
}

// deviceStatistics counts at once, where a hub lags by minutes.
func (h *hub) deviceStatistics(*call) (*answer, error) {
	total, enabled := 0, 0
	for t := range h.devices() {
		total++
		if t.Status == "enabled" {
			enabled++
		}
	}
	return reply(struct {
		Total    int `json:"totalDeviceCount"`
		Enabled  int `json:"enabledDeviceCount"`
		Disabled int `json:"disabledDeviceCount"`
	}{total, enabled, total - enabled}), nil
}

func (h *hub) serviceStatistics(*call) (*answer, error) {
	connected := 0
	for t := range h.devices() {
		if t.ConnectionState == "Connected" {
			connected++
		}
	}
	return reply(struct {
		Connected int `json:"connectedDeviceCount"`
	}{connected}), nil
}

// devices yields the device twins of this moment.
func (h *hub) devices() func(yield func(*twin.Twin) bool) {
	h.mu.Lock()
	documents := h.fleet.all()
	h.mu.Unlock()
	return func(yield func(*twin.Twin) bool) {
		for t := range twinsOf(documents) {
			if t.Ref.Module == "" && !yield(t) {
				return
			}
		}
	}
}
