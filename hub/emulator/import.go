package emulator

import (
	"encoding/json"
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

// importLine applies a line of devices.txt. The caller holds the lock.
func (h *hub) importLine(line twin.Object, now time.Time) []importFailure {
	e, err := readImportEntry(twin.Encode(line))
	if err == nil && textOf(line, "status") == "" {
		err = refuse("ArgumentInvalid", "status is missing") // needed on every line, as observed
	}
	if err == nil {
		err = h.importEntry(e, now)
	}
	if err != nil {
		return []importFailure{failureOf(e.ref(), err)}
	}
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
		stored, err = old.update(wanted, now)
	} else {
		stored, err = h.addConfiguration(wanted, now)
	}
	if err != nil {
		return err
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
