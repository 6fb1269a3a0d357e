package emulator

import "github.com/twinrules/twinrules/hub/twin"

var moduleRoutes = []route{
	{"GET", "/devices/*/modules", "devices/read", demandDevice((*hub).listModules)},
	{"GET", "/devices/*/modules/*", "devices/read", demandDevice((*hub).getModule)},
	{"PUT", "/devices/*/modules/*", "devices/write", demandDevice((*hub).putModule)},
	{"DELETE", "/devices/*/modules/*", "devices/delete", demandDevice((*hub).deleteModule)},
}

// demandDevice wraps an operation on module identities with a quirk observed
// under shared access signatures: a device that is missing or disabled is
// answered as a wrong signature is. Under Entra all is as elsewhere.
func demandDevice(serve func(*hub, *call) (*answer, error)) func(*hub, *call) (*answer, error) {
	return func(h *hub, c *call) (*answer, error) {
		if c.who.shared && !h.hasEnabled(c.ids[0]) {
			return nil, unauthorized()
		}
		return serve(h, c)
	}
}

func (h *hub) hasEnabled(device string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.fleet.documents[twin.Ref{Device: device}]
	return d != nil && d.parse().Status == "enabled"
}

func (h *hub) listModules(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, err := h.document(c.ref()); err != nil {
		return nil, err
	}
	list := []moduleIdentity{}
	for _, d := range h.fleet.modulesOf(c.ids[0]) {
		list = append(list, h.moduleIdentityOf(d))
	}
	return reply(list), nil
}

// getModule answers without an ETag header, as PUT was observed to; of GET it is
// inferred.
func (h *hub) getModule(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d, err := h.registered(c.ref())
	if err != nil {
		return nil, err
	}
	return reply(h.moduleIdentityOf(d)), nil
}

// putModule creates without If-Match and updates with it.
func (h *hub) putModule(c *call) (*answer, error) {
	e, err := readEnrolment(c.ref(), c.body)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var d *document
	if c.conditional() {
		d, err = h.amend(e, c.ifMatch, c.now)
	} else {
		d, err = h.create(e, &edit{}, c.now)
	}
	if err != nil {
		return nil, err
	}
	return reply(h.moduleIdentityOf(d)), nil
}

// deleteModule refuses the hub's own modules, as PUT does; of DELETE it is
// inferred.
func (h *hub) deleteModule(c *call) (*answer, error) {
	if err := checkIDs(c.ref()); err != nil {
		return nil, err
	}
	return h.deleteIdentity(c)
}
