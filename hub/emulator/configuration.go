package emulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A configuration is one of automatic device management. It is immutable: a
// write or an evaluation makes another one.
type configuration struct {
	body    configurationBody
	born    int64 // counts creations, so that the newest is known at equal times
	writes  int64 // counts writes, which is the etag
	content *content
	target  target
}

// A configurationBody is a configuration on the wire.
type configurationBody struct {
	ID              string            `json:"id"`
	SchemaVersion   *string           `json:"schemaVersion"`
	Labels          map[string]string `json:"labels"`
	Content         json.RawMessage   `json:"content"`
	TargetCondition string            `json:"targetCondition"`
	Created         string            `json:"createdTimeUtc"`
	Updated         string            `json:"lastUpdatedTimeUtc"`
	Priority        int               `json:"priority"`
	SystemMetrics   metrics           `json:"systemMetrics"`
	Metrics         metrics           `json:"metrics"`
	ETag            string            `json:"etag"`
}

type metrics struct {
	Results map[string]int64  `json:"results"`
	Queries map[string]string `json:"queries"`
}

// configurationID is what the hub takes: no capitals, little punctuation.
var configurationID = regexp.MustCompile(`^[a-z0-9\-+%_*!']{1,128}$`)

// maxMetrics is how many custom metrics a configuration may have.
const maxMetrics = 5

// readConfiguration reads the body of a PUT to id.
func readConfiguration(id string, body []byte) (*configuration, error) {
	if !configurationID.MatchString(id) {
		return nil, refuse("ArgumentInvalid", "The configuration id '%s' is invalid.", id)
	}
	if _, err := twin.DecodeObject(body); err != nil {
		return nil, refuse("IotHubFormatError", "%v", err)
	}
	c := &configuration{}
	if err := json.Unmarshal(body, &c.body); err != nil {
		return nil, refuse("ArgumentInvalid", "%v", err)
	}
	if c.body.ID != "" && c.body.ID != id {
		return nil, refuse("ArgumentInvalid", "The id '%s' is not the one of the path, '%s'.", c.body.ID, id)
	}
	c.body.ID = id
	if n := len(c.body.Metrics.Queries); n > maxMetrics {
		return nil, refuse("ArgumentInvalid", "%d custom metrics, the hub takes %d.", n, maxMetrics)
	}
	return c, c.understand()
}

// understand reads content and target condition of c.
func (c *configuration) understand() (err error) {
	if c.content, err = readContent(c.body.Content); err != nil {
		return err
	}
	if c.target, err = readTarget(c.content.kind, c.body.TargetCondition); err != nil {
		return err
	}
	c.body.Content = c.content.json
	c.body.SystemMetrics.Queries = systemQueries(c.content.kind, c.body.ID, c.body.TargetCondition)
	return nil
}

// create returns c as it is stored when it is new.
func (c *configuration) create(born int64, now time.Time) *configuration {
	created := *c
	created.born, created.writes = born, 1
	created.body.Created, created.body.Updated = stamp(now), stamp(now)
	created.body.ETag = decimalETag(1)
	created.body.SystemMetrics.Results = map[string]int64{}
	created.body.Metrics = metrics{Results: map[string]int64{}, Queries: orEmpty(c.body.Metrics.Queries)}
	return &created
}

// update returns what becomes of old when c is put over it. The content stays
// the old one: it is immutable, and the hub says nothing when another is sent.
func (old *configuration) update(c *configuration, now time.Time) (*configuration, error) {
	next := *c
	next.born, next.writes = old.born, old.writes+1
	next.body.Content = old.body.Content
	if err := next.understand(); err != nil {
		return nil, err
	}
	next.body.Created, next.body.Updated = old.body.Created, stamp(now)
	next.body.ETag = decimalETag(next.writes)
	next.body.SystemMetrics.Results = old.body.SystemMetrics.Results
	next.body.Metrics = metrics{Results: old.body.Metrics.Results, Queries: orEmpty(c.body.Metrics.Queries)}
	return &next, nil
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// answer returns c on the wire. Unlike twins, configurations have their etag
// also as a header.
func (c *configuration) answer() *answer {
	a := reply(c.body)
	a.header["ETag"] = []string{`"` + c.body.ETag + `"`}
	return a
}

// Configurations are the hub's, and when to evaluate them next. They are
// guarded by the hub.
type configurations struct {
	byID map[string]*configuration
	born int64
	due  time.Time // zero for never
}

// adopt takes in a configuration that was recorded on a hub, or written by hand.
func (cs *configurations) adopt(recorded *twin.Configuration, now time.Time) error {
	c, err := readConfiguration(recorded.ID, marshal(recorded))
	if err != nil {
		return fmt.Errorf("seed configuration %s: %w", recorded.ID, err)
	}
	cs.born++
	c = c.create(cs.born, now)
	if recorded.ETag != "" {
		c.body.ETag, c.writes = recorded.ETag, decimalOf(recorded.ETag)
	}
	maps.Copy(c.body.SystemMetrics.Results, recorded.Counts)
	cs.byID[recorded.ID] = c
	return nil
}

// all returns the configurations in the order of their ids.
func (cs *configurations) all() []*configuration {
	var list []*configuration
	for _, id := range slices.Sorted(maps.Keys(cs.byID)) {
		list = append(list, cs.byID[id])
	}
	return list
}
