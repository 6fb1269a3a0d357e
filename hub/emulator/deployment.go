package emulator

import (
	"maps"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// ModuleSettings are what an IoT Edge deployment says of one module.
type moduleSettings struct {
	whole   bool // "properties.desired" as a whole, which takes the place of what was there
	desired twin.Object
}

// over returns the desired properties that the settings make of below.
func (s moduleSettings) over(below twin.Object) twin.Object {
	if s.whole {
		below = nil
	}
	return twin.Merge(below, s.desired)
}

// readModules reads modulesContent.
func readModules(modules twin.Object) (map[string]moduleSettings, error) {
	if _, ok := modules["$edgeAgent"]; !ok {
		return nil, badContent("modulesContent lacks $edgeAgent.")
	}
	read := map[string]moduleSettings{}
	for _, id := range slices.Sorted(maps.Keys(modules)) {
		settings, ok := modules[id].(twin.Object)
		if !ok {
			return nil, badContent("modulesContent." + id + " is not an object.")
		}
		if err := twin.CheckID(id); err != nil {
			return nil, badContent("modulesContent: " + err.Error())
		}
		desired, err := desiredOf(settings)
		if err != nil {
			return nil, err
		}
		_, whole := settings["properties.desired"]
		read[id] = moduleSettings{whole, desired}
	}
	return read, nil
}

// isLayered reports whether an IoT Edge deployment is laid over another one,
// instead of being a whole one.
func (c *content) isLayered() bool { return !c.modules["$edgeAgent"].whole }

// A deployment is what all IoT Edge deployments come to on one device.
type deployment struct {
	modules map[string]twin.Object // desired properties
	states  twin.Object            // of the deployments, which $edgeAgent shows
}

// deployments returns what the deployments among cs, which are by precedence,
// come to on each edge device, and registers the modules that a device lacks as
// the hub's own are. The caller holds the lock.
func (h *hub) deployments(cs []*configuration) map[string]*deployment {
	cs = slices.DeleteFunc(slices.Clone(cs), func(c *configuration) bool { return c.content.kind != edgeContent })
	if len(cs) == 0 {
		return nil
	}
	all := map[string]*deployment{}
	for _, d := range h.fleet.all() {
		if t := d.parse(); t.Edge && t.Ref.Module == "" {
			all[t.Ref.Device] = deploymentFor(t, cs)
			for _, id := range slices.Sorted(maps.Keys(all[t.Ref.Device].modules)) {
				if ref := (twin.Ref{Device: t.Ref.Device, Module: id}); h.fleet.documents[ref] == nil {
					h.createEdgeModule(ref)
				}
			}
		}
	}
	return all
}

// deploymentFor takes the whole deployment of the highest precedence, and lays
// over it the layered ones that go before it, the lowest first. Without a whole
// one nothing is applied. What the hub does with what it had applied before is
// not known: modules stay.
func deploymentFor(t *twin.Twin, cs []*configuration) *deployment {
	d := &deployment{modules: map[string]twin.Object{}, states: twin.Object{}}
	cs = slices.DeleteFunc(slices.Clone(cs), func(c *configuration) bool { return !c.target.includes(t) })
	for _, c := range cs {
		d.states[c.body.ID] = twin.Object{"status": "Targeted"}
	}
	base := slices.IndexFunc(cs, func(c *configuration) bool { return !c.content.isLayered() })
	for i := base; i >= 0; i-- {
		d.states[cs[i].body.ID] = twin.Object{"status": "Applied"}
		for id, settings := range cs[i].content.modules {
			d.modules[id] = settings.over(d.modules[id])
		}
	}
	return d
}

// settle puts into states and over patch what d says of the module t. A device
// that is under no deployment has none.
func (d *deployment) settle(t *twin.Twin, patch, states twin.Object) twin.Object {
	if d == nil || t.Ref.Module == "" {
		return patch
	}
	if t.Ref.Module == "$edgeAgent" {
		maps.Copy(states, d.states)
	}
	if wanted, ok := d.modules[t.Ref.Module]; ok {
		patch = over(patch, twin.Diff(withoutHubKeys(t.Desired()), wanted))
	}
	return patch
}
