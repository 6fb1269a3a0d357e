package twin

import (
	"encoding/json"
	"fmt"
)

// A Configuration is an automatic device management configuration: the hub
// itself applies its content to the devices that meet the target condition.
type Configuration struct {
	ID              string
	ETag            string // as the hub sent it; "" when unknown
	SchemaVersion   string // of the tool that made it, which a write without it would clear; "" for none
	Labels          map[string]string
	Content         Object // deviceContent, moduleContent or modulesContent; immutable on the hub
	TargetCondition string // "*" for all devices, "" for none
	Priority        int
	Metrics         map[string]string // name to query
	// Counts are the hub's own metrics, such as targetedCount and appliedCount.
	// Empty until the hub has evaluated the configuration.
	Counts map[string]int64
}

// Ref returns the configuration's name among all documents.
func (c *Configuration) Ref() Ref { return Ref{Configuration: c.ID} }

type configurationMetrics struct {
	Results map[string]int64  `json:"results,omitempty"`
	Queries map[string]string `json:"queries,omitempty"`
}

type configurationJSON struct {
	ID              string                `json:"id"`
	ETag            string                `json:"etag,omitempty"`
	SchemaVersion   string                `json:"schemaVersion,omitempty"`
	Labels          map[string]string     `json:"labels,omitempty"`
	Content         json.RawMessage       `json:"content,omitempty"`
	TargetCondition string                `json:"targetCondition"`
	Priority        int                   `json:"priority"`
	Metrics         *configurationMetrics `json:"metrics,omitempty"`
	SystemMetrics   *configurationMetrics `json:"systemMetrics,omitempty"`
}

// ParseConfiguration reads a configuration as the hub writes it.
func ParseConfiguration(data []byte) (*Configuration, error) {
	var j configurationJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if j.ID == "" || len(j.ID) > maxID {
		return nil, fmt.Errorf("read configuration: the id %q does not have 1 to %d characters", j.ID, maxID)
	}
	c := &Configuration{
		ID: j.ID, ETag: j.ETag, SchemaVersion: j.SchemaVersion, Labels: j.Labels,
		TargetCondition: j.TargetCondition, Priority: j.Priority,
	}
	if j.Metrics != nil {
		c.Metrics = j.Metrics.Queries
	}
	if j.SystemMetrics != nil {
		c.Counts = j.SystemMetrics.Results
	}
	if len(j.Content) == 0 || string(j.Content) == "null" {
		return c, nil
	}
	var err error
	if c.Content, err = DecodeObject(j.Content); err != nil {
		return nil, fmt.Errorf("read configuration %s: content: %w", c.ID, err)
	}
	return c, nil
}

// MarshalJSON writes the members that a service may set, as the body of a
// configuration PUT.
func (c *Configuration) MarshalJSON() ([]byte, error) {
	j := configurationJSON{
		ID: c.ID, ETag: c.ETag, SchemaVersion: c.SchemaVersion, Labels: c.Labels,
		TargetCondition: c.TargetCondition, Priority: c.Priority,
	}
	if c.Content != nil {
		j.Content = Encode(c.Content)
	}
	if len(c.Metrics) > 0 {
		j.Metrics = &configurationMetrics{Queries: c.Metrics}
	}
	return Encode(j), nil
}
