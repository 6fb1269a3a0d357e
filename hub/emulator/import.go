package emulator

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// An importFailure is a line of importErrors.log.
type importFailure struct {
	Device string `json:"deviceId"`
	Module string `json:"moduleId,omitempty"`
	Code   int    `json:"errorCode"`
	Status string `json:"errorStatus"`
}

// A lineMode is what a line of an import asks for.
type lineMode struct {
	name string
	must bool // the twin has to be there
	do   func(h *hub, ref twin.Ref, entry twin.Object, now time.Time) error
}

// lineModes lists the modes that are about twins; the first is meant when a
// line says none.
var lineModes = []lineMode{
	{"createOrUpdate", false, (*hub).anyLine},
	{"createOrUpdateIfMatchETag", false, (*hub).anyLine},
	{"create", false, (*hub).newLine},
	{"update", true, (*hub).editLine},
	{"updateIfMatchETag", true, (*hub).editLine},
	{"updateTwin", true, (*hub).editLine},
	{"updateTwinIfMatchETag", true, (*hub).editLine},
	{"delete", true, (*hub).deleteLine},
	{"deleteIfMatchETag", true, (*hub).deleteLine},
}

// applyTwinLine applies a line of an import to the twins alone: identities have no
// more than their twins here. The caller holds the lock.
func (h *hub) applyTwinLine(entry twin.Object, now time.Time) []importFailure {
	ref := twin.Ref{Device: textOf(entry, "id"), Module: textOf(entry, "moduleId")}
	if err := h.importLine(ref, entry, now); err != nil {
		return []importFailure{failureOf(ref, err)}
	}
	return nil
}

func (h *hub) importLine(ref twin.Ref, entry twin.Object, now time.Time) error {
	wanted := either(textOf(entry, "importMode"), lineModes[0].name)
	i := slices.IndexFunc(lineModes, func(m lineMode) bool { return strings.EqualFold(m.name, wanted) })
	switch {
	case twin.CheckID(ref.Device) != nil || ref.Module != "" && twin.CheckID(ref.Module) != nil:
		return refuse("ArgumentInvalid", "%s is not valid", idsOf(ref))
	case i < 0:
		return refuse("ArgumentInvalid", "importMode '%s' is unknown", wanted)
	case textOf(entry, "status") == "":
		return refuse("ArgumentInvalid", "status is missing") // needed on every line, as observed
	}
	mode, old := lineModes[i], h.fleet.documents[ref]
	if old == nil && mode.must {
		return refuse("DeviceNotFound", "%s", idsOf(ref))
	}
	if strings.HasSuffix(mode.name, "IfMatchETag") && old != nil {
		if err := matchEntry(old.parse(), mode.name, entry); err != nil {
			return err
		}
	}
	return mode.do(h, ref, entry, now)
}

// matchEntry compares the etag that a mode looks at. A line without one matches,
// as was observed of deleting.
func matchEntry(old *twin.Twin, mode string, entry twin.Object) error {
	have, want := old.DeviceETag, either(textOf(entry, "eTag"), textOf(entry, "etag"))
	if mode == "updateTwinIfMatchETag" {
		have, want = old.ETag, textOf(entry, "twinETag")
	}
	if !meets(want, have) {
		return refuse("PreconditionFailed", "ETag mismatch for %s", idsOf(old.Ref))
	}
	return nil
}

func (h *hub) anyLine(ref twin.Ref, entry twin.Object, now time.Time) error {
	if h.fleet.documents[ref] != nil {
		return h.editLine(ref, entry, now)
	}
	return h.newLine(ref, entry, now)
}

func (h *hub) newLine(ref twin.Ref, entry twin.Object, now time.Time) error {
	switch {
	case h.fleet.documents[ref] != nil:
		return refuse("DeviceAlreadyExists", "A device with ID '%s' is already registered.", ref.Device)
	case ref.Module != "" && h.fleet.documents[twin.Ref{Device: ref.Device}] == nil:
		return refuse("DeviceNotFound", "%s", idsOf(twin.Ref{Device: ref.Device}))
	}
	e, err := readEdit(twin.Encode(entry), true)
	if err != nil {
		return err
	}
	if err := refuseAny("tags", twin.CheckTags(e.tags)); err != nil {
		return err
	}
	if err := refuseAny("desired", twin.CheckDesired(e.desired)); err != nil {
		return err
	}
	o := twin.Object{"deviceId": ref.Device, "status": entry["status"]}
	if ref.Module != "" {
		o["moduleId"] = ref.Module
	}
	if e.tags != nil {
		o["tags"] = e.tags
	}
	if e.desired != nil {
		o["properties"] = twin.Object{"desired": e.desired}
	}
	t, err := twin.Parse(twin.Encode(o))
	if err != nil {
		return refuse("ArgumentInvalid", "%v", err)
	}
	d, err := birth(t, h.dice, now)
	if err != nil {
		return refuse("ArgumentInvalid", "%v", err)
	}
	h.fleet.put(d)
	return nil
}

// editLine merges tags and desired properties as a PATCH does. Other members
// of the line are the registry's.
func (h *hub) editLine(ref twin.Ref, entry twin.Object, now time.Time) error {
	e, err := readEdit(twin.Encode(entry), false)
	if err != nil {
		return err
	}
	if e.tags == nil && e.desired == nil {
		return nil
	}
	d, err := h.document(ref)
	if err != nil {
		return err
	}
	if d, err = d.write(e, now); err != nil {
		return err
	}
	h.fleet.put(d)
	return nil
}

func (h *hub) deleteLine(ref twin.Ref, _ twin.Object, _ time.Time) error {
	h.removeTwin(ref)
	return nil
}

// importConfiguration makes a configuration of a line of configurations.txt, or
// updates the one with its id. The caller holds the lock.
func (h *hub) importConfiguration(line twin.Object, now time.Time) []importFailure {
	var b configurationBody // whose members encoding/json finds in any letters
	err := json.Unmarshal(twin.Encode(smallKeys(line)), &b)
	if err == nil {
		err = h.storeConfiguration(b, now)
	}
	if err != nil {
		return []importFailure{failureOf(twin.Ref{Device: b.ID}, err)}
	}
	return nil
}

func (h *hub) storeConfiguration(b configurationBody, now time.Time) error {
	wanted, err := readConfiguration(b.ID, marshal(b))
	if err != nil {
		return err
	}
	stored, old := wanted, h.configurations.byID[b.ID]
	if old != nil {
		if stored, err = old.update(wanted, now); err != nil {
			return err
		}
	} else {
		h.configurations.born++
		stored = wanted.create(h.configurations.born, now)
	}
	h.configurations.byID[b.ID] = stored
	h.store.touch(keptConfigurations, b.ID)
	return nil
}

// smallKeys returns a line with the kind of its content spelled as on the wire.
func smallKeys(line twin.Object) twin.Object {
	out := twin.Object{}
	for key, value := range line {
		content, ok := value.(twin.Object)
		if ok && strings.EqualFold(key, "content") {
			small := twin.Object{}
			for kind, settings := range content {
				small[either(spelledLike(kind, []string{deviceContent, moduleContent, edgeContent}), kind)] = settings
			}
			value = small
		}
		out[key] = value
	}
	return out
}

func textOf(o twin.Object, key string) string {
	text, _ := o[key].(string)
	return text
}

// failureOf names an error of an entry. What is no refusal is a mistake in the
// entry.
func failureOf(ref twin.Ref, err error) importFailure {
	r, ok := err.(*refusal)
	if !ok {
		r = refuse("ArgumentInvalid", "%v", err)
	}
	return importFailure{Device: ref.Device, Module: ref.Module, Code: r.code.number, Status: r.text}
}
