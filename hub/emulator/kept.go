package emulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// The names of the collections in a store.
const (
	keptIdentity       = "hub"
	keptTwins          = "twins"
	keptRegistrations  = "registrations"
	keptBirths         = "births"
	keptConfigurations = "configurations"
	keptJobs           = "jobs"
	keptTasks          = "tasks"
	keptTransfers      = "transfers"
	keptLetters        = "messages"
	keptFeedback       = "feedback"
)

// collections lists what a store keeps. Whoever changes a document touches it,
// see [store.touch]; that is all that a collection needs besides a value here.
func collections() []collection {
	return []collection{
		{keptIdentity, (*hub).identityIDs, (*hub).keptIdentity, ignored, nil}, // read before there is a hub
		{keptTwins, (*hub).twinIDs, (*hub).keptTwin, (*hub).loadTwin, nil},
		{keptRegistrations, (*hub).registrationIDs, (*hub).keptRegistration, (*hub).loadRegistration, nil},
		{keptBirths, (*hub).birthIDs, (*hub).keptBirths, (*hub).loadBirths, nil},
		{keptConfigurations, (*hub).configurationIDs, (*hub).keptConfiguration, (*hub).loadConfiguration, (*hub).resumeConfigurations},
		{keptJobs, (*hub).jobIDs, (*hub).keptJob, (*hub).loadJob, nil},
		{keptTasks, (*hub).taskIDs, (*hub).keptTask, (*hub).loadTask, (*hub).resumeJobs},
		{keptTransfers, (*hub).transferIDs, (*hub).keptTransfer, (*hub).loadTransfer, (*hub).resumeTransfers},
		{keptLetters, (*hub).letterIDs, (*hub).keptLetter, (*hub).loadLetter, (*hub).resumeMail},
		{keptFeedback, (*hub).feedbackIDs, (*hub).keptFeedback, (*hub).loadFeedback, nil},
	}
}

func ignored(*hub, string, json.RawMessage) error { return nil }

// load takes in what a store has. The caller is alone with the hub.
func (h *hub) load(kept contents) error {
	for _, c := range collections() {
		for _, id := range slices.Sorted(maps.Keys(kept[c.name])) {
			if err := c.load(h, id, kept[c.name][id]); err != nil {
				return fmt.Errorf("load state: %s %q: %w", c.name, id, err)
			}
		}
	}
	for _, c := range collections() {
		if c.loaded != nil {
			c.loaded(h)
		}
	}
	return nil
}

func (h *hub) twinIDs() (ids []string) {
	for _, d := range h.fleet.all() {
		ids = append(ids, refKey(d.ref))
	}
	return ids
}

func (h *hub) keptTwin(id string) json.RawMessage {
	if d := h.fleet.documents[refOf(id)]; d != nil {
		return d.json
	}
	return nil
}

// touchTwin marks all that is kept of a twin: its registration and the count of
// births change with it alone.
func (h *hub) touchTwin(ref twin.Ref) {
	h.store.touch(keptTwins, refKey(ref))
	h.store.touch(keptRegistrations, refKey(ref))
	h.store.touch(keptBirths, "count")
}

func (h *hub) loadTwin(_ string, value json.RawMessage) error {
	t, err := twin.Parse(value)
	if err != nil {
		return err
	}
	o, err := twin.DecodeObject(value)
	if err != nil {
		return err
	}
	h.fleet.put(spelled(t.Ref, o, value))
	return nil
}

func (h *hub) registrationIDs() (ids []string) {
	for ref := range h.registry.known {
		ids = append(ids, refKey(ref))
	}
	slices.Sort(ids)
	return ids
}

func (h *hub) keptRegistration(id string) json.RawMessage {
	if r, ok := h.registry.known[refOf(id)]; ok {
		return marshal(r)
	}
	return nil
}

func (h *hub) loadRegistration(id string, value json.RawMessage) error {
	var r registration
	if err := json.Unmarshal(value, &r); err != nil {
		return err
	}
	h.registry.keep(refOf(id), r)
	return nil
}

// birthIDs is the one of the count of births: it must never go back, or two
// identities could be of one generation.
func (h *hub) birthIDs() []string { return []string{"count"} }

func (h *hub) keptBirths(string) json.RawMessage { return marshal(h.registry.births) }

func (h *hub) loadBirths(_ string, value json.RawMessage) error {
	return json.Unmarshal(value, &h.registry.births)
}

// A keptConfig is a configuration with what is not on the wire.
type keptConfig struct {
	Body         configurationBody
	Born, Writes int64
}

func (h *hub) configurationIDs() []string {
	return slices.Sorted(maps.Keys(h.configurations.byID))
}

func (h *hub) keptConfiguration(id string) json.RawMessage {
	if c := h.configurations.byID[id]; c != nil {
		return marshal(keptConfig{c.body, c.born, c.writes})
	}
	return nil
}

func (h *hub) loadConfiguration(id string, value json.RawMessage) error {
	var kept keptConfig
	if err := json.Unmarshal(value, &kept); err != nil {
		return err
	}
	c := &configuration{body: kept.Body, born: kept.Born, writes: kept.Writes}
	if err := c.understand(); err != nil {
		return err
	}
	h.configurations.byID[id] = c
	h.configurations.born = max(h.configurations.born, c.born)
	return nil
}

func (h *hub) resumeConfigurations() {
	if len(h.configurations.byID) > 0 {
		h.evaluateAt(h.now())
	}
}

func (h *hub) jobIDs() []string { return slices.Sorted(maps.Keys(h.jobs.byID)) }

func (h *hub) keptJob(id string) json.RawMessage {
	if j := h.jobs.byID[id]; j != nil {
		return marshal(j)
	}
	return nil
}

func (h *hub) loadJob(id string, value json.RawMessage) error {
	j := &job{}
	if err := json.Unmarshal(value, j); err != nil {
		return err
	}
	if jobKindNamed(j.Kind) == nil {
		return fmt.Errorf("the kind %q is unknown", j.Kind)
	}
	h.jobs.byID[id] = j
	h.jobs.list = append(h.jobs.list, j)
	return nil
}

func (h *hub) taskIDs() (ids []string) {
	for _, j := range h.jobs.list {
		for _, t := range j.tasks {
			ids = append(ids, t.key())
		}
	}
	return ids
}

func (h *hub) keptTask(id string) json.RawMessage {
	for _, j := range h.jobs.list {
		if t := j.byKey[id]; t != nil {
			return marshal(t)
		}
	}
	return nil
}

func (h *hub) loadTask(_ string, value json.RawMessage) error {
	t := &task{}
	if err := json.Unmarshal(value, t); err != nil {
		return err
	}
	j := h.jobs.byID[t.Job]
	if j == nil {
		return fmt.Errorf("there is no job %q", t.Job)
	}
	j.addTask(t)
	return nil
}

func (h *hub) resumeJobs() {
	slices.SortFunc(h.jobs.list, func(a, b *job) int { return cmp.Compare(a.Born, b.Born) })
	for _, j := range h.jobs.list {
		slices.SortFunc(j.tasks, func(a, b *task) int { return a.Ref.Compare(b.Ref) })
		h.resumeJob(j, h.now())
	}
}

func (h *hub) transferIDs() (ids []string) {
	for _, t := range h.transfers.list {
		ids = append(ids, t.ID)
	}
	return ids
}

func (h *hub) keptTransfer(id string) json.RawMessage {
	if t := h.transfers.find(id); t != nil {
		return marshal(t)
	}
	return nil
}

func (h *hub) loadTransfer(_ string, value json.RawMessage) error {
	t := &transfer{}
	if err := json.Unmarshal(value, t); err != nil {
		return err
	}
	h.transfers.list = append(h.transfers.list, t)
	return nil
}

func (h *hub) resumeTransfers() {
	slices.SortFunc(h.transfers.list, func(a, b *transfer) int { return cmp.Compare(a.Born, b.Born) })
	for _, t := range h.transfers.list {
		if t.active() {
			h.beginTransfer(t)
		}
	}
}
