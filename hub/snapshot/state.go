package snapshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// maxState bounds the size of a state export, which is one JSON document.
const maxState = 4 << 30

// stateExport is what "az iot hub state export" writes: one JSON document with
// configurations and devices by id, modules inside their devices. It holds no
// etags of twins, so that a plan of it can be looked at and not be applied.
var stateExport = &format{
	name:    "az state export",
	is:      func(head []byte) bool { return exportHead.Match(head) },
	header:  func(f *file) (Header, error) { return survey(stateEntries(f, Header{})) },
	entries: stateEntries,
}

func stateEntries(f *file, _ Header) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		d := json.NewDecoder(io.LimitReader(f.reader, maxState))
		err := members(d, func(key string) error {
			switch key {
			case "devices":
				return members(d, func(id string) error { return stateDevice(d, id, yield) })
			case "configurations":
				return members(d, func(string) error {
					return members(d, func(string) error { return stateConfiguration(d, yield) })
				})
			}
			var skip json.RawMessage
			return d.Decode(&skip)
		})
		if err == nil {
			_, err = d.Token()
			if errors.Is(err, io.EOF) {
				return
			}
			err = errors.New("text after the document")
		}
		if !errors.Is(err, errStop) {
			yield(entry{}, fmt.Errorf("at byte %d: %w", d.InputOffset(), err))
		}
	}
}

// errStop ends the reading of a file because its reader has enough.
var errStop = errors.New("stop")

// members reads an object and calls member behind each key. A null is an empty
// object.
func members(d *json.Decoder, member func(key string) error) error {
	open, err := d.Token()
	if err != nil || open == nil {
		return err
	}
	if open != json.Delim('{') {
		return fmt.Errorf("%v where an object should stand", open)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if err := member(key.(string)); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// A stateNode is a device or a module of a state export.
type stateNode struct {
	Identity struct {
		Status          string      `json:"status"`
		ConnectionState string      `json:"connectionState"`
		ModelID         string      `json:"modelId"`
		Capabilities    twin.Object `json:"capabilities"`
	} `json:"identity"`
	Twin struct {
		Status     string      `json:"status"`
		Tags       twin.Object `json:"tags"`
		Properties twin.Object `json:"properties"`
	} `json:"twin"`
	Modules map[string]stateNode `json:"modules"`
}

// twin makes a twin of the node.
func (n stateNode) twin(device, module string) (*twin.Twin, error) {
	doc := twin.Object{"deviceId": device}
	optional(doc, "moduleId", module)
	optional(doc, "status", n.Identity.Status)
	optional(doc, "connectionState", n.Identity.ConnectionState)
	optional(doc, "modelId", n.Identity.ModelID)
	if n.Identity.Status == "" {
		optional(doc, "status", n.Twin.Status)
	}
	for key, o := range map[string]twin.Object{"tags": n.Twin.Tags, "capabilities": n.Identity.Capabilities, "properties": n.Twin.Properties} {
		if len(o) > 0 {
			doc[key] = o
		}
	}
	return twin.Parse(twin.Encode(doc))
}

func stateDevice(d *json.Decoder, id string, yield func(entry, error) bool) error {
	var n stateNode
	if err := d.Decode(&n); err != nil {
		return inDevice(id, err)
	}
	t, err := n.twin(id, "")
	if err != nil {
		return inDevice(id, err)
	}
	if !yield(entry{twin: t}, nil) {
		return errStop
	}
	for _, module := range slices.Sorted(maps.Keys(n.Modules)) {
		t, err := n.Modules[module].twin(id, module)
		if err != nil {
			return inDevice(id, err)
		}
		if !yield(entry{twin: t}, nil) {
			return errStop
		}
	}
	return nil
}

// inDevice places an error in a document whose lines mean nothing.
func inDevice(id string, err error) error { return fmt.Errorf("device %.140q: %w", id, err) }

func stateConfiguration(d *json.Decoder, yield func(entry, error) bool) error {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return err
	}
	c, err := twin.ParseConfiguration(raw)
	if err != nil {
		return err
	}
	if !yield(entry{configuration: c}, nil) {
		return errStop
	}
	return nil
}
