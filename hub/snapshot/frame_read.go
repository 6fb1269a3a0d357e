package snapshot

import (
	"bufio"
	"bytes"
	"io"

	"github.com/klauspost/compress/zstd"
)

// frames reads a file of frames without unpacking them.
type frames struct {
	in    *bufio.Reader
	limit *limiter
	first bool // the next is the first
}

// framed reports whether a file that begins with head is one of frames.
func framed(head []byte) bool { return bytes.HasPrefix(head, labelHead) }

// next returns a label and the frame behind it; io.EOF behind the last. It uses
// the memory of buffer when that is enough.
func (f *frames) next(buffer []byte) (label, []byte, error) {
	var head [labelSize]byte
	if _, err := io.ReadFull(f.in, head[:]); err != nil {
		return label{}, nil, err
	}
	l, err := parseLabel(head[:])
	if err == nil && f.first && l.lines != 1 {
		err = errLabel
	}
	if err == nil {
		err = f.limit.add(l.size)
	}
	if err != nil {
		return label{}, nil, err
	}
	f.first = false
	if cap(buffer) < l.packed {
		buffer = make([]byte, l.packed)
	}
	buffer = buffer[:l.packed]
	_, err = io.ReadFull(f.in, buffer)
	return l, buffer, noEOF(err)
}

// A frameReader is the text of a file of frames, for those who read lines.
type frameReader struct {
	frames *frames
	zstd   *zstd.Decoder
	packed []byte
	text   []byte
	rest   []byte // of text, not yet read
	err    error  // that ended it
}

func (r *frameReader) Read(b []byte) (int, error) {
	if len(r.rest) == 0 && r.err == nil {
		r.err = r.next()
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, r.err
}

func (r *frameReader) next() error {
	l, packed, err := r.frames.next(r.packed)
	if err != nil {
		return err
	}
	text, err := l.unpack(r.zstd, packed, r.text)
	if err != nil {
		return err
	}
	r.packed, r.text, r.rest = packed, text, text
	return nil
}

// newUnpacker returns a decoder of frames by as many goroutines at once; 0 means
// GOMAXPROCS. There is nothing to close: it has no goroutines of its own.
func newUnpacker(atOnce int) (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(atOnce), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(maxWindow))
}
