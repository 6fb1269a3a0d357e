package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

// blockSize is about how much of a file without frames is read at once.
const blockSize = 256 << 10

// Whole reports whether the file holds twins as the hub writes them, so that
// [Snapshot.Blocks] can tell them.
func (s *Snapshot) Whole() bool { return s.format == own }

// Blocks yields all twins, devices and modules, in the order of the file, as
// text. Each block has to be released, by whomever: behind the last one it waits
// until all are, and then checks what [Snapshot.All] checks of the file as a whole,
// unless somebody gave back a block without having read its lines to their end. An
// error is the last that is yielded.
func (s *Snapshot) Blocks(ctx context.Context) iter.Seq2[*Block, error] {
	return func(yield func(*Block, error) bool) {
		f, err := openFile(s.path)
		if err != nil {
			yield(nil, fmt.Errorf("read snapshot: %w", err))
			return
		}
		defer f.Close()
		if !s.Whole() {
			yield(nil, fmt.Errorf("read snapshot: %s is no file of twins as the hub writes them", s.path))
			return
		}
		if err = f.blocks(ctx, s.Header, yield); err != nil && !errors.Is(err, errStop) {
			yield(nil, fmt.Errorf("read snapshot: %w", f.at(err)))
		}
	}
}

// blocks yields the blocks of a file with header h, and checks them against it;
// errStop says that the reader has enough.
func (f *file) blocks(ctx context.Context, h Header, yield func(*Block, error) bool) error {
	if _, err := f.next(); err != nil { // the header, which the caller has
		return err
	}
	r, err := newReading(f)
	if err != nil {
		return err
	}
	next := (&cutter{file: f}).next
	if f.frames != nil {
		next = f.nextFrame
	}
	for err == nil {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := r.block()
		if err = next(b); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if b.empty() {
			continue
		}
		r.out.Add(1)
		if !yield(b, nil) {
			return errStop
		}
	}
	return r.check(h)
}

// nextFrame makes b the next frame; with io.EOF there is none.
func (f *file) nextFrame(b *Block) (err error) {
	b.before = f.line
	if b.label, b.packed, err = f.frames.next(b.packed); err == nil {
		f.line += b.label.lines
	}
	return err
}

// A cutter cuts a file without frames into blocks.
type cutter struct {
	*file
	carry []byte // the beginning of a line whose end is in the next block
	err   error  // of reading
}

// next makes b the next whole lines; with io.EOF those that are the last, if any.
func (c *cutter) next(b *Block) error {
	if c.err != nil {
		return c.err
	}
	b.before = c.line
	err := c.fill(b)
	c.line += bytes.Count(b.text, lineEnd)
	if n := len(b.text); n > 0 && b.text[n-1] != '\n' {
		c.line++
	}
	return err
}

func (c *cutter) fill(b *Block) error {
	buffer := b.reading.room()
	if len(buffer) <= len(c.carry) { // behind a line that is longer than a block
		buffer = make([]byte, len(c.carry)+blockSize)
	}
	n := copy(buffer, c.carry)
	c.carry = c.carry[:0]
	for {
		m, err := io.ReadFull(c.reader, buffer[n:])
		n += m
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && c.ended()
		if err != nil && !end {
			c.err = err // behind the lines that came before it
		}
		if first := bytes.IndexByte(buffer[:n], '\n'); first >= maxLine || first < 0 && n > maxLine {
			c.line++
			return errLine
		}
		if end {
			b.text = buffer[:n]
			return io.EOF
		}
		if size := bytes.LastIndexByte(buffer[:n], '\n') + 1; size > 0 || c.err != nil {
			c.carry = append(c.carry, buffer[size:n]...)
			b.text = buffer[:size]
			return nil
		}
		buffer = append(buffer, make([]byte, len(buffer))...)
	}
}

// ended reports whether the file came to its end, and not its compression.
func (c *cutter) ended() bool {
	_, err := c.reader.Peek(1)
	return errors.Is(err, io.EOF)
}
