package emulator

import (
	"fmt"
	"iter"

	"github.com/twinrules/twinrules/hub/twin"
)

// newHub returns an empty hub that trusts a.
func newHub(o *Options, t *tier, a *authority) *hub {
	h := &hub{
		gate: gate{
			hubName: o.HubName, issuer: a.issuer(), key: &a.key.PublicKey, apps: a.apps, now: o.Now,
			policies: policiesOf(a.dice),
		},
		dice: a.dice, now: o.Now, pageSize: o.PageSize, gaps: o.EmptyPages,
		strict: o.StrictQuery, tier: t, shaping: newShaping(o, t), open: o.Containers, storage: &storageIdentities{a},
		fleet: newFleet(), configurations: configurations{byID: map[string]*configuration{}},
		views: views{lifetime: o.ContinuationLifetime}, jobs: jobs{byID: map[string]*job{}},
		limits: limitsOf(o, t), real: o.real, events: newEventLog(o.Events),
	}
	h.index = h.fleet
	return h
}

// seed takes in what is on the hub at the start.
func (h *hub) seed(o *Options) error {
	if o.Twins != nil {
		if err := h.seedTwins(o.Twins); err != nil {
			return fmt.Errorf("seed twins: %w", err)
		}
	}
	for _, c := range o.Configurations {
		if err := h.configurations.adopt(c, h.now()); err != nil {
			return err
		}
		h.evaluateAt(h.now())
	}
	h.makeDevices(o.Devices)
	return nil
}

func (h *hub) seedTwins(twins iter.Seq2[*twin.Twin, error]) error {
	now := h.now()
	for t, err := range twins {
		if err != nil {
			return err
		}
		if old := h.fleet.documents[t.Ref]; old != nil && old.parse().Version > t.Version {
			continue
		}
		d, err := birth(t, h.dice, now)
		if err != nil {
			return err
		}
		h.fleet.put(d)
	}
	return nil
}

// Twins yields the twins of this moment in the order of their refs, as rows of
// a query have them, so that they can be saved.
func (e *Emulator) Twins() iter.Seq[*twin.Twin] {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	return twinsOf(e.hub.fleet.all())
}

// Configurations returns those of this moment in the order of their ids.
func (e *Emulator) Configurations() []*twin.Configuration {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	var list []*twin.Configuration
	for _, c := range e.hub.configurations.all() {
		parsed, err := twin.ParseConfiguration(marshal(c.body))
		if err != nil {
			panic(err) // understood when it came
		}
		list = append(list, parsed)
	}
	return list
}

// Twin returns a twin as GET does. It fails with [twin.ErrNotFound].
func (e *Emulator) Twin(ref twin.Ref) (*twin.Twin, error) {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	d := e.hub.fleet.documents[ref]
	if d == nil {
		return nil, fmt.Errorf("%s: %w", ref, twin.ErrNotFound)
	}
	return twin.Parse(d.answer())
}

// Put creates the twin or takes the place of the one with its name, as when a
// device is deleted and made anew. Members it lacks are made as at creation.
func (e *Emulator) Put(t *twin.Twin) error {
	d, err := birth(t, e.hub.dice, e.hub.now())
	if err != nil {
		return fmt.Errorf("put twin %w", err)
	}
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	e.hub.drop(d.ref) // with its connection
	if etag := e.hub.renew(d.ref); t.DeviceETag == "" {
		o := d.decode()
		o["deviceEtag"] = etag
		d = newDocument(d.ref, o)
	}
	e.hub.fleet.put(d)
	return e.hub.keep()
}

// Delete removes a twin, a device's with those of its modules.
func (e *Emulator) Delete(ref twin.Ref) {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	e.hub.unregister(ref)
	_ = e.hub.keep() // the store remembers its error
}

// Report is what a device does: it merges patch into the reported properties
// of its twin, which moves the version but not the etag.
func (e *Emulator) Report(ref twin.Ref, patch twin.Object) error {
	return e.change(ref, func(d *document) (*document, error) { return d.report(patch, e.hub.now()) })
}

// Patch is what another service does: it merges p into the twin named ref,
// whatever its etag is.
func (e *Emulator) Patch(ref twin.Ref, p twin.Patch) error {
	return e.change(ref, func(d *document) (*document, error) {
		return d.write(&edit{tags: p.Tags, desired: p.Desired}, e.hub.now())
	})
}

// change replaces one document by what becomes of it.
func (e *Emulator) change(ref twin.Ref, to func(*document) (*document, error)) error {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	d := e.hub.fleet.documents[ref]
	if d == nil {
		return fmt.Errorf("change %s: %w", ref, twin.ErrNotFound)
	}
	changed, err := to(d)
	if err != nil {
		return fmt.Errorf("change %s: %w", ref, err)
	}
	e.hub.fleet.put(changed)
	return e.hub.keep()
}

// CatchUp makes happen what is due by now. The hub does so by itself before it
// answers a request, and each second when the clock is the real one.
func (e *Emulator) CatchUp() { e.hub.catchUp(e.hub.now()) }

// Evaluate applies the configurations to the fleet now. The hub does so by
// itself at the first request after one was written, and every five minutes.
func (e *Emulator) Evaluate() {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	e.hub.evaluate(e.hub.now())
	_ = e.hub.keep() // as in Delete
}
