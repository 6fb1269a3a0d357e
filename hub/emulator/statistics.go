package emulator

import "github.com/twinrules/twinrules/hub/twin"

var statisticsRoutes = []route{
	{"GET", "/statistics/devices", "statistics/read", (*hub).deviceStatistics},
	{"GET", "/statistics/service", "statistics/read", (*hub).serviceStatistics},
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
