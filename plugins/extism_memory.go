package plugins

import (
	"cmp"
	"slices"
)

// An extism is what Extism's kernel keeps for a plugin, which is a module of its
// own there and a slice here. It holds for one call.
type extism struct {
	most   int // bytes of data
	config map[string][]byte

	data   []byte // addresses are indices, and 0 is none
	blocks []block
	vars   map[string][]byte
	stored int // bytes of vars
	output block
	failed block // the text of an error
}

// A block is some of the memory.
type block struct{ at, n uint64 }

const (
	// firstBlock is where memory starts, so that 0 is the address of nothing.
	firstBlock = 64
	// blockSize is what the sizes of blocks are multiples of: kits read eight bytes
	// at a time.
	blockSize = 8
	// mostExtism bounds the memory of blocks and that of variables, each, besides
	// the module's own limit.
	mostExtism = 16 << 20
	// keptExtism is how much of it an instance keeps from call to call.
	keptExtism = 1 << 20
)

func newExtism(most int64, config map[string][]byte) *extism {
	x := &extism{most: int(min(most, mostExtism)), config: config}
	x.begin(nil)
	return x
}

// begin forgets everything and makes input the first block, which is empty when
// there is no room.
func (x *extism) begin(input []byte) {
	if cap(x.data) > keptExtism {
		x.data = nil
	}
	x.data = append(x.data[:0], make([]byte, firstBlock)...)
	x.blocks, x.output, x.failed, x.stored = x.blocks[:0], block{}, block{}, 0
	clear(x.vars)
	if at := x.alloc(uint64(len(input))); at != 0 {
		copy(x.data[at:], input)
		return
	}
	x.data = append(x.data, make([]byte, blockSize)...) // every block has a place of its own
	x.blocks = append(x.blocks, block{firstBlock, 0})
}

// input is the block that begin made.
func (x *extism) input() block { return x.blocks[0] }

// alloc returns the address of a block of n bytes, all of them 0, or 0 when there
// is no room.
func (x *extism) alloc(n uint64) uint64 {
	at := len(x.data)
	if n == 0 || n > uint64(x.most-at) {
		return 0
	}
	size := (int(n) + blockSize - 1) / blockSize * blockSize
	x.data = slices.Grow(x.data, size)[:at+size]
	clear(x.data[at:])
	x.blocks = append(x.blocks, block{uint64(at), n})
	return uint64(at)
}

// free gives back the last block, and those before it that were freed already.
// Others stay until the call is over, and so do output and error: the kit for Go
// frees them as soon as it has set them, which Extism's kernel lets pass, as it
// leaves what was freed where it was.
func (x *extism) free(at uint64) {
	i, ok := x.find(at)
	if !ok || i == 0 {
		return
	}
	x.blocks[i].n = 0
	for last := len(x.blocks) - 1; last > 0 && x.blocks[last].n == 0 && !x.held(x.blocks[last].at); last-- {
		x.data, x.blocks = x.data[:x.blocks[last].at], x.blocks[:last]
	}
}

// held reports whether output or error reach beyond an address.
func (x *extism) held(at uint64) bool {
	return x.output.at+x.output.n > at || x.failed.at+x.failed.n > at
}

// find returns the index of the block at an address.
func (x *extism) find(at uint64) (int, bool) {
	return slices.BinarySearchFunc(x.blocks, at, func(b block, at uint64) int { return cmp.Compare(b.at, at) })
}

// length returns the size of the block at an address, 0 when there is none.
func (x *extism) length(at uint64) uint64 {
	if i, ok := x.find(at); ok {
		return x.blocks[i].n
	}
	return 0
}

// bytes returns n bytes at an address, and whether there are as many.
func (x *extism) bytes(at, n uint64) ([]byte, bool) {
	size := uint64(len(x.data))
	if at < firstBlock || at > size || n > size-at {
		return nil, false
	}
	return x.data[at : at+n : at+n], true
}

// block returns what is in the block at an address, nothing when there is none.
func (x *extism) block(at uint64) []byte {
	text, _ := x.bytes(at, x.length(at))
	return text
}

// put makes a block of text, or returns 0.
func (x *extism) put(text []byte) uint64 {
	at := x.alloc(uint64(len(text)))
	if at != 0 {
		copy(x.data[at:], text)
	}
	return at
}

// set keeps a copy of value as a variable, or forgets it when value is nil. It
// reports whether there was room.
func (x *extism) set(name string, value []byte) bool {
	if old, ok := x.vars[name]; ok {
		x.stored -= len(name) + len(old)
		delete(x.vars, name)
	}
	if value == nil {
		return true
	}
	if x.stored+len(name)+len(value) > x.most {
		return false
	}
	if x.vars == nil {
		x.vars = map[string][]byte{}
	}
	x.vars[name] = slices.Clone(value)
	x.stored += len(name) + len(value)
	return true
}
