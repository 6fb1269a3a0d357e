package hub

import (
	"context"
	"encoding/json"
	"net/http"
)

type (
	// RegistryClientStatisticsOptions holds the optional settings of the methods
	// that read statistics. There are none yet.
	RegistryClientStatisticsOptions struct{}
	// RegistryClientRegistryStatisticsResponse counts the devices of a hub. The
	// numbers lag by minutes.
	RegistryClientRegistryStatisticsResponse struct {
		Total    int64 `json:"totalDeviceCount"`
		Enabled  int64 `json:"enabledDeviceCount"`
		Disabled int64 `json:"disabledDeviceCount"`
	}
	// RegistryClientServiceStatisticsResponse counts the devices that are
	// connected. The number lags by minutes.
	RegistryClientServiceStatisticsResponse struct {
		Connected int64 `json:"connectedDeviceCount"`
	}
)

// GetRegistryStatistics returns how many devices there are.
func (c *RegistryClient) GetRegistryStatistics(ctx context.Context, _ *RegistryClientStatisticsOptions) (out RegistryClientRegistryStatisticsResponse, err error) {
	err = c.client.read(ctx, request{op: getRegistryStatistics, method: http.MethodGet, path: []string{"statistics", "devices"}}, &out)
	return out, err
}

// GetServiceStatistics returns how many devices are connected.
func (c *RegistryClient) GetServiceStatistics(ctx context.Context, _ *RegistryClientStatisticsOptions) (out RegistryClientServiceStatisticsResponse, err error) {
	err = c.client.read(ctx, request{op: getServiceStatistics, method: http.MethodGet, path: []string{"statistics", "service"}}, &out)
	return out, err
}

// read sends a request and reads its answer, a JSON object, into out.
func (c *Client) read(ctx context.Context, r request, out any) error {
	a, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	if err = a.checkJSON(); err == nil {
		err = json.Unmarshal(a.body, out)
	}
	if err != nil {
		return c.bad(r, err)
	}
	return nil
}
