package emulator

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Device is the other end of a connection: what a device or a module does.
// Its methods are called while the hub stands still, so they return at once and
// do not call those of [Emulator]; what takes time is said, not done.
type Device interface {
	// Invoke answers a direct method.
	Invoke(method string, payload json.RawMessage) MethodResult
	// Update learns the desired properties with their $version, when the device
	// connects and after they have changed. What it returns is merged into the
	// reported properties, nil for nothing. The properties are the hub's and must
	// not be changed.
	Update(desired twin.Object) (reported twin.Object)
}

// A MethodResult is what a device makes of a direct method.
type MethodResult struct {
	Status  int
	Payload json.RawMessage // nil for null
	After   time.Duration   // how long the device takes; Never for no answer
}

// Never is longer than anybody waits.
const Never time.Duration = math.MaxInt64

// Connections are the devices that are online. They are guarded by the hub.
type connections map[twin.Ref]Device

// Connect brings a device or module online, in place of the one that was. It
// fails with [twin.ErrNotFound], and with [twin.ErrDenied] when the device is
// disabled. The device learns its desired properties when the hub catches up.
func (e *Emulator) Connect(ref twin.Ref, d Device) error {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	if err := e.hub.connect(ref, d, e.hub.moment()); err != nil {
		return fmt.Errorf("connect %s: %w", ref, err)
	}
	return nil
}

// Disconnect takes a device or module offline, if it is online.
func (e *Emulator) Disconnect(ref twin.Ref) {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	e.hub.disconnect(ref, e.hub.moment())
}

// connect is called with the lock held, as is every function here.
func (h *hub) connect(ref twin.Ref, device Device, now time.Time) error {
	d := h.fleet.documents[ref]
	if d == nil {
		return twin.ErrNotFound
	}
	if !h.enabled(ref) {
		return fmt.Errorf("the device is disabled: %w", twin.ErrDenied)
	}
	if h.connections == nil {
		h.connections = connections{}
	}
	h.setConnection(d, "Connected", now)
	h.connections[ref] = device
	h.tellLater(ref, now)
	h.deliverLater(ref, now)
	return nil
}

func (h *hub) enabled(ref twin.Ref) bool {
	d := h.fleet.documents[deviceOf(ref)]
	return d != nil && d.parse().Status == "enabled"
}

func (h *hub) disconnect(ref twin.Ref, now time.Time) {
	if h.connections[ref] == nil {
		return
	}
	delete(h.connections, ref)
	if d := h.fleet.documents[ref]; d != nil {
		h.setConnection(d, "Disconnected", now)
	}
}

// setConnection moves neither etag nor version. That only connecting is an
// activity is inferred.
func (h *hub) setConnection(d *document, state string, now time.Time) {
	o := d.decode()
	if o["connectionState"] == state {
		return
	}
	r := h.registration(d.ref)
	r.ConnectionUpdate = stamp(now)
	h.registry.keep(d.ref, r)
	if o["connectionState"] = state; state == "Connected" {
		o["lastActivityTime"] = stamp(now)
	}
	h.fleet.put(newDocument(d.ref, o))
}

// tellDevices plans what a change of the fleet means for those that are online.
func (h *hub) tellDevices(before, after *document) {
	switch {
	case after == nil:
		delete(h.connections, before.ref)
	case before != nil && h.concerns(after.ref):
		h.follow(before.parse(), after.parse())
	}
}

// concerns reports whether a change of a twin may be news for a device: the one
// itself, one that waits to be let in, or a module of it.
func (h *hub) concerns(ref twin.Ref) bool {
	return h.connections[ref] != nil || h.fakes[ref] != nil ||
		ref.Module == "" && len(h.connections) > 0 && len(h.fleet.modules[ref.Device]) > 0
}

// follow plans what a change of a twin means for devices.
func (h *hub) follow(was, is *twin.Twin) {
	now := h.moment()
	if was.Status != is.Status {
		h.agenda.plan(now, func(now time.Time) { h.disconnectAll(is.Ref.Device, now) })
		if f := h.fakes[is.Ref]; f != nil {
			h.agenda.plan(now, f.join) // which fails when it is disabled
		}
	}
	if h.connections[is.Ref] != nil && was.DesiredVersion() != is.DesiredVersion() {
		h.tellLater(is.Ref, now)
	}
}

// disconnectAll takes a device and its modules offline unless it is enabled.
func (h *hub) disconnectAll(device string, now time.Time) {
	ref := twin.Ref{Device: device}
	if h.enabled(ref) {
		return
	}
	for _, d := range h.fleet.modulesOf(device) {
		h.disconnect(d.ref, now)
	}
	h.disconnect(ref, now)
}

// tellLater lets a device learn its desired properties, after the change of now
// is done.
func (h *hub) tellLater(ref twin.Ref, now time.Time) {
	h.agenda.plan(now, func(now time.Time) {
		device, d := h.connections[ref], h.fleet.documents[ref]
		if device == nil || d == nil {
			return
		}
		if reported := device.Update(d.parse().Desired()); reported != nil {
			h.report(ref, reported, now)
		}
	})
}

// report merges what a device reports. What the hub would refuse is lost: a
// device that is online is told so, but none here could do anything about it.
func (h *hub) report(ref twin.Ref, patch twin.Object, now time.Time) {
	d := h.fleet.documents[ref]
	if d == nil {
		return
	}
	if changed, err := d.report(patch, now); err == nil {
		h.fleet.put(changed)
	}
}
