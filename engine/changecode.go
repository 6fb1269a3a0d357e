package engine

import (
	"encoding/binary"
	"errors"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A change is held as bytes: its twin's name, which stands first because changes
// are sorted by it, its state, the number of its list of edits among those that
// changes have in common, or 0 and its own edits, and its cohorts. In front stands
// the length of all that.

// appendChange appends the bytes of a change whose edits are those of list, or
// those that own are the bytes of.
func appendChange(to []byte, id rules.TwinID, state rules.TwinState, list int, own []byte, cohorts []Cohort) []byte {
	start := len(to)
	to = append(to, 0, 0, 0, 0) // room for the length
	for _, text := range [...][]byte{id.Device, id.Module, state.ETag, state.DeviceETag} {
		to = append(binary.AppendUvarint(to, uint64(len(text))), text...)
	}
	to = binary.AppendVarint(binary.AppendVarint(to, state.Version), state.DesiredVersion)
	to = append(binary.AppendUvarint(to, uint64(list)), own...)
	to = binary.AppendUvarint(to, uint64(len(cohorts)))
	for _, c := range cohorts {
		to = binary.AppendVarint(appendString(appendString(to, c.Rule), c.Unit), int64(c.Wave))
	}
	binary.LittleEndian.PutUint32(to[start:], uint32(len(to)-start-lengthSize))
	return to
}

// lengthSize is how many bytes the length of a change takes.
const lengthSize = 4

func appendString(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// appendStrings tells an empty list from none, as a plan's file does.
func appendStrings(to []byte, list []string) []byte {
	if list == nil {
		return append(to, 0)
	}
	to = binary.AppendUvarint(to, uint64(len(list)+1))
	for _, text := range list {
		to = appendString(to, text)
	}
	return to
}

// appendOwn appends the bytes of edits.
func appendOwn(to []byte, edits []Edit) []byte {
	to = binary.AppendUvarint(to, uint64(len(edits)))
	for i := range edits {
		e := &edits[i]
		to = appendStrings(appendString(to, e.Section), e.Path)
		to = appendValue(appendValue(to, e.Before), e.After)
		to = appendString(appendStrings(to, e.Rules), e.Why)
	}
	return to
}

func appendValue(to []byte, v any) []byte {
	if v == nil {
		return append(to, 0)
	}
	var room [64]byte
	text := twin.AppendJSON(room[:0], v)
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// errChange is what a file says that was changed behind our back.
var errChange = errors.New("what was read is not what was kept")

// A changeDecoder reads the bytes of changes. After the first mistake bad is set
// and everything is empty.
type changeDecoder struct {
	data []byte
	bad  bool
}

// decodeChange returns a change, which may have edits of lists.
func decodeChange(data []byte, lists [][]Edit) (c Change, err error) {
	d := &changeDecoder{data: data}
	c.Ref = twin.Ref{Device: string(d.text()), Module: string(d.text())}
	c.ETag, c.DeviceETag = string(d.text()), string(d.text())
	c.Version, c.DesiredVersion = d.signed(), d.signed()
	if list := d.number(); list == 0 {
		c.Edits = d.own()
	} else if list <= uint64(len(lists)) {
		c.Edits = lists[list-1]
	} else {
		d.bad = true
	}
	for range d.count() {
		c.Cohorts = append(c.Cohorts, Cohort{Rule: string(d.text()), Unit: string(d.text()), Wave: int(d.signed())})
	}
	if d.bad || len(d.data) > 0 {
		return Change{}, errChange
	}
	return c, nil
}

// refOf returns the name that the bytes of a change begin with.
func refOf(data []byte) (device, module []byte) {
	d := changeDecoder{data: data}
	return d.text(), d.text()
}

func (d *changeDecoder) number() uint64 {
	n, size := binary.Uvarint(d.data)
	return n * d.skip(size)
}

func (d *changeDecoder) signed() int64 {
	n, size := binary.Varint(d.data)
	return n * int64(d.skip(size))
}

// skip skips a number, and returns 1 if there is one, else 0.
func (d *changeDecoder) skip(size int) uint64 {
	if size <= 0 {
		d.bad, d.data = true, nil
		return 0
	}
	d.data = d.data[size:]
	return 1
}

// count reads how many there are of what takes a byte or more each.
func (d *changeDecoder) count() int {
	n := d.number()
	if n > uint64(len(d.data)) {
		d.bad, d.data = true, nil
		return 0
	}
	return int(n)
}

func (d *changeDecoder) text() (text []byte) {
	n := d.count()
	text, d.data = d.data[:n], d.data[n:]
	return text
}

func (d *changeDecoder) strings() (list []string) {
	n := d.number()
	if n == 0 || n-1 > uint64(len(d.data)) {
		d.bad = d.bad || n > 0
		return nil
	}
	list = make([]string, n-1)
	for i := range list {
		list[i] = string(d.text())
	}
	return list
}

func (d *changeDecoder) own() (list []Edit) {
	for range d.count() {
		list = append(list, Edit{
			Section: string(d.text()), Path: d.strings(), Before: d.value(), After: d.value(), Rules: d.strings(), Why: string(d.text()),
		})
	}
	return list
}

func (d *changeDecoder) value() any {
	text := d.text()
	if len(text) == 0 {
		return nil
	}
	v, err := twin.Decode(text)
	d.bad = d.bad || err != nil
	return v
}
