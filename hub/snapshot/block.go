package snapshot

import (
	"bytes"
	"fmt"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Block is a part of a snapshot: the lines of some twins. It is used by one
// goroutine at a time; several goroutines may use several blocks.
type Block struct {
	reading *reading
	before  int    // lines of the file before it
	text    []byte // its lines; of a file of frames, once they are unpacked
	label   label  // of its frame, when it has one
	packed  []byte // that frame
	found   found
	whole   bool // all of it is in found
}

var lineEnd = []byte("\n")

// Lines calls judge with the JSON of each twin of the block, in the order of the
// file, and with its digest, which is part of the snapshot's. Nobody has looked at
// it yet: that it is JSON, and whose, judge has to find out. It may be overwritten
// after Release. An error of judge's ends the block, and is returned with the
// place of the line; other errors are those of the file.
//
// Of a file that this package compressed it is here that a block is unpacked, so
// that as many processors unpack as there are goroutines that use blocks.
func (b *Block) Lines(judge func(line []byte, digest twin.Digest) error) error {
	if err := b.unpack(); err != nil {
		return b.at(b.before, false, err)
	}
	line, f := b.before, found{}
	for text := range bytes.Lines(b.text) {
		line++
		if err := f.line(text, judge); err != nil {
			return b.at(line, text[len(text)-1] != '\n', err)
		}
	}
	b.found, b.whole = f, true
	return nil
}

// at places an error in a line; cut says that the line has no end.
func (b *Block) at(line int, cut bool, err error) error {
	f := &file{path: b.reading.path, line: line, cut: cut}
	return fmt.Errorf("read snapshot: %w", f.at(err))
}

// unpack makes text of a frame.
func (b *Block) unpack() (err error) {
	if b.label.size == 0 || b.text != nil {
		return nil
	}
	b.text, err = b.label.unpack(b.reading.zstd, b.packed, b.reading.room())
	return err
}

// empty reports whether there are no lines in it.
func (b *Block) empty() bool { return b.label.size == 0 && len(b.text) == 0 }

// Release says that the block is not used any more.
func (b *Block) Release() { b.reading.take(b) }
