package emulator_test

import (
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/emulator"
)

func TestEdgeDeployments(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now})
	c := connect(t, e, 0)
	c.do("PUT", "/devices/gw", `{"deviceId":"gw","capabilities":{"iotEdge":true}}`).want(200, "")
	c.do("PUT", "/devices/leaf", `{"deviceId":"leaf"}`).want(200, "")
	put := func(id, priority, modules string) {
		t.Helper()
		clock.pass(time.Second)
		c.do("PUT", "/configurations/"+id, `{"targetCondition":"*","priority":`+priority+`,"content":{"modulesContent":`+modules+`}}`).want(200, "")
	}
	const agent = "/twins/gw/modules/$edgeAgent"
	states := func() *response {
		return c.do("POST", "/devices/query", `{"query":"SELECT configurations FROM devices.modules WHERE moduleId = '$edgeAgent'"}`)
	}

	put("layer", "20", `{"$edgeAgent":{"properties.desired.modules.cam":{"v":2}}}`)
	c.do("GET", agent, "").contains(`"desired":{"$metadata"`) // nothing to lay it over
	states().contains(`{"layer":{"status":"Targeted"}}`)

	put("base", "10", `{"$edgeAgent":{"properties.desired":{"runtime":1,"modules":{"cam":{"v":1,"on":true}}}},"cam":{"properties.desired":{"fps":5}}}`)
	c.do("GET", agent, "").contains(`"desired":{"modules":{"cam":{"on":true,"v":2}},"runtime":1,"$metadata"`)
	c.do("GET", "/twins/gw/modules/cam", "").contains(`"desired":{"fps":5,"$metadata"`)
	states().contains(`{"base":{"status":"Applied"},"layer":{"status":"Applied"}}`)
	c.do("GET", "/devices/leaf/modules", "").contains(`[]`)

	put("over", "30", `{"$edgeAgent":{"properties.desired":{"runtime":2}}}`)
	c.do("GET", agent, "").contains(`"desired":{"runtime":2,"$metadata"`)
	states().contains(`{"base":{"status":"Targeted"},"layer":{"status":"Targeted"},"over":{"status":"Applied"}}`)
	counted := c.do("GET", "/configurations/over", "")
	counted.contains(`"results":{"appliedCount":1,"reportedFailedCount":0,"reportedSuccessfulCount":0,"targetedCount":1}`)

	version := c.do("GET", agent, "").twin().DesiredVersion()
	clock.pass(5 * time.Minute)
	if again := c.do("GET", agent, "").twin().DesiredVersion(); again != version {
		t.Errorf("an evaluation without a change moved the version from %d to %d", version, again)
	}
	c.do("DELETE", "/configurations/over", "").want(204, "")
	c.do("GET", agent, "").contains(`"desired":{"modules":{"cam":{"on":true,"v":2}},"runtime":1,"$metadata"`)
}
