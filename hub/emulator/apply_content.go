package emulator

import (
	"maps"
	"slices"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

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
