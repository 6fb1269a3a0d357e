package engine

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"iter"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// Changes are the changes of a plan, a twin each. In a plan they are in Ref order.
// Nearly all of a plan's memory is in them: what most of them have in common is
// held once, and the rest as bytes, which takes a sixth of what a []Change does.
// The zero Changes are none. They may be read by several goroutines at once.
type Changes struct {
	order []changePlace
	packs []*changePack
	whole []*Change // that are held as they are
	edits int
}

// A changePlace says where a change is held: in a chunk of a pack, or at an index of
// whole.
type changePlace struct {
	pack   uint16 // wholeChange: in whole
	chunk  uint16
	offset uint32
}

const wholeChange = 1<<16 - 1

// A changePack holds changes as bytes: each its edits' number in lists, its
// versions, and the lengths and the text of its names.
type changePack struct {
	lists  *[][]Edit
	chunks [][]byte
}

// packChunk is how many bytes of changes are allocated at once.
const packChunk = 64 << 10

// ChangesOf returns the changes in list, which must be in Ref order.
func ChangesOf(list ...Change) (c Changes) {
	for _, change := range list {
		c.add(change)
	}
	return c
}

// Len returns how many there are.
func (c *Changes) Len() int { return len(c.order) }

// Edits returns how many edits they have.
func (c *Changes) Edits() int { return c.edits }

// All yields the changes with their indices, in order. Their edits must not be
// changed.
func (c *Changes) All() iter.Seq2[int, Change] {
	return func(yield func(int, Change) bool) {
		for i := range c.order {
			if !yield(i, c.At(i)) {
				return
			}
		}
	}
}

// At returns the change with an index. Its edits must not be changed.
func (c *Changes) At(i int) Change {
	at := c.order[i]
	if at.pack == wholeChange {
		return *c.whole[at.offset]
	}
	p := c.packs[at.pack]
	return p.change(p.chunks[at.chunk][at.offset:])
}

// add adds a change as it is.
func (c *Changes) add(change Change) {
	c.order = append(c.order, changePlace{pack: wholeChange, offset: uint32(len(c.whole))})
	c.whole = append(c.whole, &change)
	c.edits += len(change.Edits)
}

// pack adds a change whose edits others may have, too, under the number of their
// list in into.
func (c *Changes) pack(into *changePack, list int, id rules.TwinID, state rules.TwinState) {
	if len(c.packs) == 0 {
		c.packs = []*changePack{into}
	}
	chunk, offset := into.append(list, id, state)
	if chunk > wholeChange {
		c.add(into.change(into.chunks[chunk][offset:]))
		return
	}
	c.order = append(c.order, changePlace{chunk: uint16(chunk), offset: uint32(offset)})
	c.edits += len((*into.lists)[list])
}

func (p *changePack) append(list int, id rules.TwinID, state rules.TwinState) (chunk, offset int) {
	texts := [...][]byte{id.Device, id.Module, state.ETag, state.DeviceETag}
	size := 7 * binary.MaxVarintLen64
	for _, text := range texts {
		size += len(text)
	}
	if chunk = len(p.chunks) - 1; chunk < 0 || cap(p.chunks[chunk])-len(p.chunks[chunk]) < size {
		p.chunks = append(p.chunks, make([]byte, 0, max(size, packChunk)))
		chunk++
	}
	b := p.chunks[chunk]
	offset = len(b)
	for _, n := range [...]uint64{uint64(list), uint64(state.Version), uint64(state.DesiredVersion)} {
		b = binary.AppendUvarint(b, n)
	}
	for _, text := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	p.chunks[chunk] = b
	return chunk, offset
}

// change returns the change that data begins with.
func (p *changePack) change(data []byte) Change {
	var numbers [3]uint64
	for i := range numbers {
		n, size := binary.Uvarint(data)
		numbers[i], data = n, data[size:]
	}
	var texts [4]string
	for i := range texts {
		n, size := binary.Uvarint(data)
		texts[i], data = string(data[size:size+int(n)]), data[size+int(n):]
	}
	return Change{
		Ref: twin.Ref{Device: texts[0], Module: texts[1]}, ETag: texts[2], DeviceETag: texts[3],
		Version: int64(numbers[1]), DesiredVersion: int64(numbers[2]), Edits: (*p.lists)[numbers[0]],
	}
}

// List returns the changes, in order.
func (c *Changes) List() (list []Change) {
	for _, change := range c.All() {
		list = append(list, change)
	}
	return list
}

// sort brings the changes in Ref order.
func (c *Changes) sort() {
	slices.SortFunc(c.order, func(x, y changePlace) int {
		device1, module1 := c.ref(x)
		device2, module2 := c.ref(y)
		return cmp.Or(bytes.Compare(device1, device2), bytes.Compare(module1, module2))
	})
}

// ref returns the name of the twin of a change.
func (c *Changes) ref(at changePlace) (device, module []byte) {
	if at.pack == wholeChange {
		ref := c.whole[at.offset].Ref
		return []byte(ref.Device), []byte(ref.Module)
	}
	data := c.packs[at.pack].chunks[at.chunk][at.offset:]
	for range 3 {
		_, size := binary.Uvarint(data)
		data = data[size:]
	}
	n, size := binary.Uvarint(data)
	device, data = data[size:size+int(n)], data[size+int(n):]
	n, size = binary.Uvarint(data)
	return device, data[size : size+int(n)]
}

// take moves the changes of other to c.
func (c *Changes) take(other *Changes) {
	packs, whole := len(c.packs), len(c.whole)
	c.order = slices.Grow(c.order, len(other.order))
	for _, at := range other.order {
		if at.pack == wholeChange {
			at.offset += uint32(whole)
		} else {
			at.pack += uint16(packs)
		}
		c.order = append(c.order, at)
	}
	c.packs, c.whole, c.edits = append(c.packs, other.packs...), append(c.whole, other.whole...), c.edits+other.edits
	*other = Changes{}
}
