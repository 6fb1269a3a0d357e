package plugins

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// TestExtismMemory holds the memory of a plugin of Extism against a table of what
// its blocks should hold, through calls in which anything is allocated, written and
// freed.
func TestExtismMemory(t *testing.T) {
	const most = 4096
	x := newExtism(most, nil) // from run to run: what was there must never show
	rapid.Check(t, func(t *rapid.T) {
		input := rapid.SliceOfN(rapid.Byte(), 0, 5000).Draw(t, "input")
		x.begin(input)
		if b := x.input(); b.n != 0 && !bytes.Equal(x.block(b.at), input) || b.n == 0 && len(input) != 0 && len(input) <= most-firstBlock {
			t.Fatalf("the input is %v", b)
		}
		blocks := map[uint64][]byte{}
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			at := rapid.Uint64Range(0, most+64).Draw(t, "address")
			if len(blocks) > 0 && rapid.Bool().Draw(t, "of a block") {
				at = rapid.SampledFrom(addresses(x)).Draw(t, "block")
			}
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				n := rapid.Uint64Range(0, 600).Draw(t, "size")
				if at := x.alloc(n); at != 0 {
					text, ok := x.bytes(at, n)
					if !ok || len(bytes.Trim(text, "\x00")) > 0 || at%blockSize != 0 {
						t.Fatalf("a new block at %d: %v, %t", at, text, ok)
					}
					copy(text, bytes.Repeat([]byte{byte(len(blocks) + 1)}, int(n)))
					blocks[at] = bytes.Clone(text)
				}
			case 1:
				x.free(at)
				delete(blocks, at)
			case 2:
				if text, ok := blocks[at]; x.length(at) != uint64(len(text)) && (ok || at != x.input().at) {
					t.Fatalf("the block at %d has %d bytes, want %d", at, x.length(at), len(text))
				}
			}
			for at, text := range blocks {
				if !bytes.Equal(x.block(at), text) {
					t.Fatalf("the block at %d has changed", at)
				}
			}
			if len(x.data) > most {
				t.Fatalf("it has %d bytes", len(x.data))
			}
		}
	})
}

// addresses lists where blocks are.
func addresses(x *extism) (list []uint64) {
	for _, b := range x.blocks {
		list = append(list, b.at)
	}
	return list
}
