package snapshot

import (
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A reading is one pass over a file in blocks: what they share, and what was
// found in those that were released.
type reading struct {
	path   string
	zstd   *zstd.Decoder  // of a file of frames; for many goroutines at once
	size   int            // of the room that a block begins with
	out    sync.WaitGroup // blocks that are not released yet
	blocks sync.Pool
	rooms  sync.Pool // of []byte

	mu    sync.Mutex
	found found
	parts bool // some block was not read to its end
}

func newReading(f *file) (r *reading, err error) {
	r = &reading{path: f.path, size: blockSize}
	if f.frames != nil {
		r.size = frameSize
		r.zstd, err = newUnpacker(0)
	}
	return r, err
}

// block returns a block to be filled.
func (r *reading) block() *Block {
	b, _ := r.blocks.Get().(*Block)
	if b == nil {
		return &Block{reading: r}
	}
	*b = Block{reading: r, packed: b.packed[:0]}
	return b
}

// room returns memory for text. What waits for a worker has none: a frame takes
// much less.
func (r *reading) room() []byte {
	if room, ok := r.rooms.Get().(*[]byte); ok {
		return (*room)[:cap(*room)]
	}
	return make([]byte, r.size)
}

// take counts what was found in a block, and takes it back.
func (r *reading) take(b *Block) {
	r.mu.Lock()
	r.parts = r.parts || !b.whole
	r.found.add(b.found)
	r.mu.Unlock()
	if room := b.text; cap(room) > 0 {
		r.rooms.Put(&room)
	}
	b.text = nil
	r.blocks.Put(b)
	r.out.Done()
}

// check waits for all blocks and compares them with the header.
func (r *reading) check(h Header) error {
	r.out.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.parts {
		return nil // whoever did so knows why
	}
	return h.check(r.found)
}
