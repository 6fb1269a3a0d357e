package hub

import (
	"context"
	"maps"
	"net/http"

	"github.com/twinrules/twinrules/hub/twin"
)

type (
	// ConfigurationClientTestQueriesOptions holds the optional settings of
	// TestQueries. There are none yet.
	ConfigurationClientTestQueriesOptions struct{}
	// ConfigurationClientApplyOptions holds those of ApplyOnEdgeDevice. There are
	// none yet.
	ConfigurationClientApplyOptions struct{}

	// ConfigurationClientTestQueriesResponse says what is wrong with queries.
	ConfigurationClientTestQueriesResponse struct {
		ConditionError string            // "" when it is right
		MetricErrors   map[string]string // by the metrics' names; only what is wrong
	}
	// ConfigurationClientApplyResponse holds nothing.
	ConfigurationClientApplyResponse struct{}
)

// TestQueries asks the hub whether a target condition and the queries of metrics
// are right. Mistakes are no error but part of the response. The hub finds fault
// with the condition "*", although a configuration may have it.
func (c *ConfigurationClient) TestQueries(ctx context.Context, condition string, metrics map[string]string, _ *ConfigurationClientTestQueriesOptions) (out ConfigurationClientTestQueriesResponse, err error) {
	if metrics == nil {
		metrics = map[string]string{}
	}
	r := request{
		op: testQueries, method: http.MethodPost, path: []string{"configurations", "testQueries"},
		body: twin.Encode(map[string]any{"targetCondition": condition, "customMetricQueries": metrics}),
	}
	var j struct {
		Condition string            `json:"targetConditionError"`
		Metrics   map[string]string `json:"customMetricQueryErrors"`
	}
	if err := c.client.read(ctx, r, &j); err != nil {
		return out, err
	}
	maps.DeleteFunc(j.Metrics, func(_, text string) bool { return text == "" })
	return ConfigurationClientTestQueriesResponse{j.Condition, j.Metrics}, nil
}

// ApplyOnEdgeDevice sets the modules of one IoT Edge device, until a deployment
// that targets it is evaluated. The content is that of a configuration.
func (c *ConfigurationClient) ApplyOnEdgeDevice(ctx context.Context, deviceID string, content twin.Object, _ *ConfigurationClientApplyOptions) (out ConfigurationClientApplyResponse, err error) {
	r := request{
		op: applyOnEdge, ref: twin.Ref{Device: deviceID}, method: http.MethodPost,
		path: []string{"devices", deviceID, "applyConfigurationContent"}, body: twin.Encode(content),
	}
	if err := checkRef(r.ref); err != nil {
		return out, c.client.failure(r, err)
	}
	_, err = c.client.do(ctx, r)
	return out, err
}
