package emulator

import (
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// create registers an identity that is new, and with it bears its twin, with the
// tags and desired properties of data. The metadata of the twin says that it was
// born at born. The caller holds the lock, as of every function here.
func (h *hub) create(e *enrolment, data *edit, born time.Time) (*document, error) {
	if err := h.mayCreate(e.ref); err != nil {
		return nil, err
	}
	o := twin.Object{"deviceId": e.ref.Device, "tags": twin.Merge(nil, data.tags), "properties": twin.Object{"desired": data.desired}}
	set(o, "moduleId", orNull(e.ref.Module))
	if err := refuseData(data); err != nil {
		return nil, err
	}
	r, etag := h.bear(e.ref)
	e.write(o)
	if e.ref.Module == "" {
		if err := e.writeScopes(nil, o, r.Generation); err != nil {
			return nil, err
		}
	}
	return h.settle(e, o, r, etag, born), nil
}

// settle keeps a new identity and its twin.
func (h *hub) settle(e *enrolment, o twin.Object, r registration, etag string, born time.Time) *document {
	o["deviceEtag"] = etag
	r.ManagedBy = e.managedBy
	e.proof.keep(&r, e.ref.String()+" "+r.Generation+" "+etag, h.dice)
	t, err := twin.Parse(twin.Encode(o))
	if err != nil {
		panic(err) // the ids were checked
	}
	d, err := birth(t, h.dice, born)
	if err != nil {
		panic(err) // as it was just encoded
	}
	h.registry.keep(e.ref, r)
	h.fleet.put(d)
	h.tendEdge(e)
	return d
}

func refuseData(data *edit) error {
	if err := refuseAny("tags", twin.CheckTags(data.tags)); err != nil {
		return err
	}
	return refuseAny("desired", twin.CheckDesired(data.desired))
}

func (h *hub) mayCreate(ref twin.Ref) error {
	if err := h.mayExist(ref); err != nil {
		return err
	}
	if n, limit := len(h.fleet.documents), h.limits.identities; n >= limit {
		// Which code the hub has for it is not known.
		return refuse("TooManyDevices", "There are %d devices and modules, the hub takes %d.", n, limit)
	}
	return nil
}

// mayExist refuses a name that is taken, and a module that has no place.
func (h *hub) mayExist(ref twin.Ref) error {
	exists := h.fleet.documents[ref] != nil
	if ref.Module == "" {
		if exists {
			return refuse("DeviceAlreadyExists", "A device with ID '%s' is already registered.", ref.Device)
		}
		return nil
	}
	if _, err := h.document(deviceOf(ref)); err != nil {
		return err
	}
	if exists {
		name, _, _ := strings.Cut(h.gate.hubName, ".")
		return refuse("ModuleAlreadyExistsOnDevice", "Device %s in IotHub %s already contains Module %s.", ref.Device, name, ref.Module)
	}
	own := 0
	for module := range h.fleet.modules[ref.Device] {
		if !strings.HasPrefix(module.Module, "$") {
			own++
		}
	}
	if own >= maxModules {
		return refuse("TooManyModulesOnDevice", "The device '%s' has %d modules, the hub takes %d.", ref.Device, own, maxModules)
	}
	return nil
}

// amend replaces an identity that is there if its etag meets ifMatch. The twin
// keeps its etag and version, as observed.
func (h *hub) amend(e *enrolment, ifMatch string, now time.Time) (*document, error) {
	d, err := h.registered(e.ref)
	if err != nil {
		return nil, err
	}
	if err := d.identityPrecondition(ifMatch); err != nil {
		return nil, err
	}
	old, o, r := d.decode(), d.decode(), h.registration(e.ref)
	etag, _ := old["deviceEtag"].(string)
	etag = decimalETag(decimalOf(etag) + 1)
	o["deviceEtag"] = etag
	e.write(o)
	if e.ref.Module == "" {
		if err := e.writeScopes(old, o, r.Generation); err != nil {
			return nil, err
		}
		if o["status"] != old["status"] {
			o["statusUpdateTime"] = stamp(now)
		}
	}
	r.ManagedBy = e.managedBy // cleared when omitted, as observed
	e.proof.keep(&r, e.ref.String()+" "+r.Generation+" "+etag, h.dice)
	h.registry.keep(e.ref, r)
	d = newDocument(e.ref, o)
	h.fleet.put(d)
	h.tendEdge(e)
	return d, nil
}

// identityPrecondition holds an If-Match against the etag of the identity. The
// text is the one observed of devices.
func (d *document) identityPrecondition(ifMatch string) error {
	etag := d.parse().DeviceETag
	if meets(ifMatch, etag) {
		return nil
	}
	return refuse("PreconditionFailed", "Precondition failed: Device version did not match, existingVersion:%d newVersion:%d",
		decimalOf(etag), decimalOf(strings.Trim(ifMatch, `"`)))
}

// registered returns the twin of an identity. Unlike the paths of twins, those
// of the registry tell a missing module from a missing device.
func (h *hub) registered(ref twin.Ref) (*document, error) {
	if _, err := h.document(deviceOf(ref)); err != nil {
		return nil, err
	}
	d := h.fleet.documents[ref]
	if d == nil {
		return nil, refuse("ModuleNotFound", "%s", idsOf(ref))
	}
	return d, nil
}

// unregister removes an identity with its twin, a device with its modules.
func (h *hub) unregister(ref twin.Ref) {
	if ref.Module == "" {
		for _, d := range h.fleet.modulesOf(ref.Device) {
			h.drop(d.ref)
		}
	}
	h.drop(ref)
}

// drop removes one twin and all that belongs to it alone.
func (h *hub) drop(ref twin.Ref) {
	h.fleet.remove(ref)
	delete(h.registry.known, ref)
	if ref.Module == "" {
		h.discard(ref.Device)
	}
}

// edgeModules are the hub's own on an edge device.
var edgeModules = []string{"$edgeAgent", "$edgeHub"}

// tendEdge gives an edge device the hub's modules. That they go when it becomes
// a leaf is inferred.
func (h *hub) tendEdge(e *enrolment) {
	if e.ref.Module != "" {
		return
	}
	for _, id := range edgeModules {
		ref := twin.Ref{Device: e.ref.Device, Module: id}
		if exists := h.fleet.documents[ref] != nil; e.edge && !exists {
			h.createEdgeModule(ref)
		} else if !e.edge && exists {
			h.drop(ref)
		}
	}
}

// createEdgeModule registers a module that IoT Edge manages.
func (h *hub) createEdgeModule(ref twin.Ref) *document {
	manager := "iotEdge"
	o := twin.Object{"deviceId": ref.Device, "moduleId": ref.Module}
	e := &enrolment{ref: ref, proof: proof{kind: "none"}, managedBy: &manager}
	e.write(o)
	r, etag := h.bear(ref)
	return h.settle(e, o, r, etag, time.Time{})
}
