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
// until a deployment is evaluated for the device, which no emulator does.
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

// deploy writes the modules of a deployment. One that the device lacks is
// registered as the hub's own are, which is inferred from what deployed devices
// show.
func (h *hub) deploy(device twin.Ref, c *content, now time.Time) error {
	o, err := twin.DecodeObject(c.json)
	if err != nil {
		panic(err) // read before
	}
	modules, _ := o[edgeContent].(twin.Object)
	for _, id := range slices.Sorted(maps.Keys(modules)) {
		settings, _ := modules[id].(twin.Object)
		if err := h.deployModule(twin.Ref{Device: device.Device, Module: id}, settings, now); err != nil {
			return err
		}
	}
	return nil
}

// deployModule writes the settings of one module. A whole "properties.desired"
// replaces what was there, a path below it is laid over it.
func (h *hub) deployModule(ref twin.Ref, settings twin.Object, now time.Time) error {
	if err := twin.CheckID(ref.Module); err != nil {
		return badContent(err.Error())
	}
	patch, err := desiredOf(settings)
	if err != nil {
		return err
	}
	d := h.fleet.documents[ref]
	if d == nil {
		d = h.createEdgeModule(ref)
	}
	if _, whole := settings["properties.desired"]; whole {
		before := withoutHubKeys(section(d.decode(), "desired"))
		patch = over(twin.Diff(before, twin.Merge(nil, patch)), patch)
	}
	_, err = h.writeDocument(ref, &edit{desired: patch}, "", now)
	return err
}
