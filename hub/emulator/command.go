package emulator

import (
	"strconv"

	"github.com/twinrules/twinrules/hub/twin"
)

// invokeCommand invokes a command as the direct method that the device knows it
// by. Under Entra every command is answered with 401 whatever the roles, as
// observed; a method of the same name does the same.
func (h *hub) invokeCommand(c *call) (*answer, error) {
	if !c.who.shared {
		return nil, unauthorized()
	}
	name := c.ids[1]
	if len(c.ids) == 3 {
		name += "*" + c.ids[2]
	}
	m, err := c.command(name)
	if err != nil {
		return nil, err
	}
	result, err := h.invokeAndWait(twin.Ref{Device: c.ids[0]}, m)
	if err != nil {
		return nil, err
	}
	a := newAnswer(200, result.Payload)
	a.header["x-ms-command-statuscode"] = []string{strconv.Itoa(result.Status)}
	return a, nil
}

// command reads a call of a command: any body, and timeouts in the query.
func (c *call) command(name string) (method, error) {
	payload := c.body
	if len(payload) > 0 {
		if _, err := twin.Decode(payload); err != nil {
			return method{}, refuse("IotHubFormatError", "%v", err)
		}
	}
	response, err := readSeconds(c.query, "responseTimeoutInSeconds")
	if err != nil {
		return method{}, err
	}
	connect, err := readSeconds(c.query, "connectTimeoutInSeconds")
	if err != nil {
		return method{}, err
	}
	return newMethod(name, payload, response, connect)
}
