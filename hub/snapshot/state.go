package snapshot

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// maxValue bounds what is read at once of a state export: a device with its
// modules, of which it may have 50, or a part of the file that is skipped.
const maxValue = 32 << 20

// stateExport is what "az iot hub state export" writes: one JSON document with
// configurations and devices by id, modules inside their devices. It holds no
// etags of twins and no versions.
var stateExport = &format{
	name:    "az state export",
	is:      func(head []byte) bool { return exportHead.Match(head) },
	header:  func(f *file) (Header, error) { return survey(stateEntries(f, Header{})) },
	entries: stateEntries,
}

func stateEntries(f *file, _ Header) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		v := &valueReader{r: f.reader}
		d := json.NewDecoder(v)
		v.decoder = d
		err := stateDocument(d, yield)
		if err == nil {
			_, err = d.Token()
			if errors.Is(err, io.EOF) {
				return
			}
			err = errors.New("text behind the document")
		}
		if !errors.Is(err, errStop) {
			yield(entry{}, fmt.Errorf("at byte %d: %w", d.InputOffset(), err))
		}
	}
}

// A valueReader refuses values of more than maxValue bytes, which the decoder
// would hold in memory whole: it reads on only while the value that begins at
// its offset has no end.
type valueReader struct {
	r       io.Reader
	n       int64
	decoder *json.Decoder
}

func (v *valueReader) Read(b []byte) (int, error) {
	if v.n-v.decoder.InputOffset() > maxValue {
		return 0, fmt.Errorf("a value has more than %d bytes", maxValue)
	}
	n, err := v.r.Read(b)
	v.n += int64(n)
	return n, err
}

func stateDocument(d *json.Decoder, yield func(entry, error) bool) error {
	return members(d, func(key string) error {
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
}

// errStop ends the reading of a file because its reader has enough.
var errStop = errors.New("stop")

// members reads an object and calls member behind each key. A null is an empty
// object.
func members(d *json.Decoder, member func(key string) error) error {
	open, err := d.Token()
	if err != nil || open == nil {
		return noEOF(err)
	}
	if open != json.Delim('{') {
		return errors.New("something else where an object should stand")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return noEOF(err)
		}
		if err := member(key.(string)); err != nil {
			return noEOF(err)
		}
	}
	_, err = d.Token()
	return noEOF(err)
}

// noEOF returns err, which is no good end of a file inside of an object.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
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
		ModelID    string      `json:"modelId"`
		Tags       twin.Object `json:"tags"`
		Properties twin.Object `json:"properties"`
	} `json:"twin"`
	Parent  string               `json:"parent"` // az takes it from the first of parentScopes
	Modules map[string]stateNode `json:"modules"`
}

// twin makes a twin of the node. What az writes into the identity of a device it
// writes into the twin of a module.
func (n stateNode) twin(device, module string) (*twin.Twin, error) {
	doc := twin.Object{"deviceId": device}
	for key, text := range map[string]string{
		"moduleId": module, "connectionState": n.Identity.ConnectionState,
		"status":  cmp.Or(n.Identity.Status, n.Twin.Status),
		"modelId": cmp.Or(n.Identity.ModelID, n.Twin.ModelID),
	} {
		if text != "" {
			doc[key] = text
		}
	}
	for key, o := range map[string]twin.Object{"tags": n.Twin.Tags, "capabilities": n.Identity.Capabilities, "properties": n.Twin.Properties} {
		if len(o) > 0 {
			doc[key] = o
		}
	}
	if n.Parent != "" && module == "" {
		doc["parentScopes"] = []any{twin.ScopeOf(n.Parent)}
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
