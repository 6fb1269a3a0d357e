package emulator

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

var configurationToolRoutes = []route{
	{"POST", "/configurations/testQueries", "configurations/testQueries/action", (*hub).testQueries},
	{"POST", "/devices/*/applyConfigurationContent", "configurations/applyToEdgeDevice/action", (*hub).applyContent},
}

// testQueries says in its answer what is wrong, with status 200. Unlike a PUT it
// refuses the condition "*", as observed.
func (h *hub) testQueries(c *call) (*answer, error) {
	var b struct {
		TargetCondition     string
		CustomMetricQueries map[string]string
	}
	if err := readBody(c.body, &b); err != nil {
		return nil, err
	}
	result := struct {
		Target  *string           `json:"targetConditionError"`
		Metrics map[string]string `json:"customMetricQueryErrors"`
	}{Metrics: map[string]string{}}
	if err := testCondition(b.TargetCondition); err != nil {
		text := err.(*refusal).text
		result.Target = &text
	}
	for name, text := range b.CustomMetricQueries {
		if _, err := query.Parse(text); err != nil {
			result.Metrics[name] = err.Error()
		}
	}
	return reply(result), nil
}

// testCondition returns what is wrong with a target condition, whose kind its
// beginning tells.
func testCondition(text string) error {
	kind := deviceContent
	if modulePrefix.MatchString(text) {
		kind = moduleContent
	}
	if strings.TrimSpace(text) == "*" {
		return badTarget("The condition '*' is not an expression.")
	}
	_, err := readTarget(kind, text)
	return err
}

// applyContent writes the content of a deployment to one edge device. It stays
// until a deployment for the device is evaluated.
func (h *hub) applyContent(c *call) (*answer, error) {
	content, err := readContent(c.body)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	d, err := h.document(c.ref())
	if err != nil {
		return nil, err
	}
	if content.kind != edgeContent {
		return nil, badContent("Only modulesContent can be applied to a device.")
	}
	if !isEdge(d.decode()) {
		return nil, refuse("ArgumentInvalid", "Not an Azure IoT Edge device")
	}
	return newAnswer(204, nil), h.deploy(c.ref(), content, c.now)
}

// deploy writes the modules of a deployment to one device.
func (h *hub) deploy(device twin.Ref, c *content, now time.Time) error {
	for _, id := range slices.Sorted(maps.Keys(c.modules)) {
		ref := twin.Ref{Device: device.Device, Module: id}
		d := h.fleet.documents[ref]
		if d == nil {
			d = h.createEdgeModule(ref)
		}
		before := withoutHubKeys(section(d.decode(), "desired"))
		patch := twin.Diff(before, c.modules[id].over(before))
		if _, err := h.writeDocument(ref, &edit{desired: patch}, "", now); err != nil {
			return err
		}
	}
	return nil
}
