package emulator

import (
	"strconv"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

var deviceRoutes = []route{
	{"GET", "/devices", "devices/read", (*hub).listDevices},
	{"GET", "/devices/*", "devices/read", (*hub).getDevice},
	{"PUT", "/devices/*", "devices/write", (*hub).putDevice},
	{"DELETE", "/devices/*", "devices/delete", (*hub).deleteIdentity},
}

// answer returns an identity on the wire, whose etag is a header too.
func (i identity) answer() *answer {
	a := reply(i)
	a.header["ETag"] = []string{`"` + i.ETag + `"`}
	return a
}

func (h *hub) getDevice(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d, err := h.registered(c.ref())
	if err != nil {
		return nil, err
	}
	return h.identityOf(d).answer(), nil
}

// putDevice creates without If-Match and updates with it.
func (h *hub) putDevice(c *call) (*answer, error) {
	e, err := readEnrolment(c.ref(), c.body)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !c.conditional() {
		d, err := h.create(e, &edit{}, c.now)
		if err != nil {
			return nil, err
		}
		return h.identityOf(d).newlyCreated().answer(), nil
	}
	d, err := h.amend(e, c.ifMatch, c.now)
	if err != nil {
		return nil, err
	}
	return h.identityOf(d).answer(), nil
}

// conditional reports whether a call has an If-Match. Two quotes are how the
// .NET client says none.
func (c *call) conditional() bool { return strings.Trim(c.ifMatch, `"`) != "" }

// deleteIdentity removes a device or a module, and demands an If-Match.
func (h *hub) deleteIdentity(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !c.conditional() {
		return nil, refuse("PreconditionFailed", "Etag missing")
	}
	d, err := h.registered(c.ref())
	if err != nil {
		return nil, err
	}
	if err := d.identityPrecondition(c.ifMatch); err != nil {
		return nil, err
	}
	h.unregister(d.ref)
	return newAnswer(204, nil), nil
}

// listDevices answers with the first devices by their ids; the hub's order is
// not known.
func (h *hub) listDevices(c *call) (*answer, error) {
	top, err := readTop(c.query.Get("top"))
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []identity{}
	for _, d := range h.fleet.all() {
		if len(list) < top && d.ref.Module == "" {
			list = append(list, h.identityOf(d))
		}
	}
	return reply(list), nil
}

func readTop(text string) (int, error) {
	if text == "" {
		return maxList, nil
	}
	top, err := strconv.Atoi(text)
	if err != nil || top < 1 || top > maxList {
		return 0, refuse("ArgumentInvalid", "top is '%s', the hub takes 1 to %d.", text, maxList)
	}
	return top, nil
}

// deviceOf returns the ref of the device that ref is or belongs to.
func deviceOf(ref twin.Ref) twin.Ref { return twin.Ref{Device: ref.Device} }
