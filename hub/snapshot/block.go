package snapshot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/zeebo/xxh3"
)

// A Block is a part of a snapshot: the lines of some twins. It is used by one
// goroutine at a time.
type Block struct {
	buffer []byte
	size   int   // of the lines in it
	before int   // lines of the file before them
	places []int // of each line in the file; nil when they follow each other
	cut    bool  // the last of them had no end
	path   string
	pool   *sync.Pool
}

// blockSize is about how much of a file is read at once.
const blockSize = 256 << 10

// Lines returns the JSON of twins, a line each. It may be overwritten after
// Release.
func (b *Block) Lines() []byte { return b.buffer[:b.size] }

// At names the place of a mistake in the line, counted from 0.
func (b *Block) At(line int, err error) error {
	last := line == bytes.Count(b.Lines(), lineEnd)-1
	f := &file{path: b.path, line: b.before + line + 1, cut: b.cut && last}
	if b.places != nil {
		f.line = b.places[line]
	}
	return fmt.Errorf("read snapshot: %w", f.at(err))
}

// Release says that the block is not used any more.
func (b *Block) Release() { b.pool.Put(b) }

var lineEnd = []byte("\n")

// Whole reports whether the file holds twins as the hub writes them, so that
// [Snapshot.Blocks] can tell them.
func (s *Snapshot) Whole() bool { return s.format == own }

// Blocks yields all twins, devices and modules, in the order of the file, as
// text that nobody has looked at yet: that it is JSON, and whose, the reader has to
// find out. What [Snapshot.All] checks of the file as a whole is checked in the
// end, and an error is the last that is yielded.
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
		r := &blockReader{file: f, sum: xxh3.New(), pool: &sync.Pool{}}
		if err = r.all(ctx, yield); err == nil {
			r.got.Digest = digestOf(r.sum)
			err = s.Header.check(r.got)
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, fmt.Errorf("read snapshot: %w", f.at(err)))
		}
	}
}

// A blockReader cuts a file into blocks.
type blockReader struct {
	*file
	sum   *xxh3.Hasher
	pool  *sync.Pool
	carry []byte // the beginning of a line whose end is in the next block
	err   error  // of reading
	got   Header
}

// all yields the blocks; errStop says that the reader has enough.
func (r *blockReader) all(ctx context.Context, yield func(*Block, error) bool) error {
	if _, err := r.next(); err != nil { // the header, which the caller has
		return err
	}
	for end := false; !end; {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := r.block()
		if end = errors.Is(err, io.EOF); err != nil && !end {
			return err
		}
		if err := r.take(b); err != nil {
			return err
		}
		if b.size > 0 && !yield(b, nil) {
			return errStop
		}
	}
	return nil
}

// block returns the next whole lines; with io.EOF those that are the last, if any.
func (r *blockReader) block() (*Block, error) {
	b, _ := r.pool.Get().(*Block)
	if b == nil {
		b = &Block{buffer: make([]byte, blockSize), path: r.path, pool: r.pool}
	}
	if r.err != nil {
		return nil, r.err
	}
	b.places, b.cut = nil, false
	if len(b.buffer) <= len(r.carry) { // behind a line that is longer than a block
		b.buffer = make([]byte, len(r.carry)+blockSize)
	}
	n := copy(b.buffer, r.carry)
	r.carry = r.carry[:0]
	for {
		m, err := io.ReadFull(r.reader, b.buffer[n:])
		n += m
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && r.ended()
		if err != nil && !end {
			r.err = err // behind the lines that came before it
		}
		if first := bytes.IndexByte(b.buffer[:n], '\n'); first >= maxLine || first < 0 && n > maxLine {
			r.line++
			return nil, fmt.Errorf("the line has more than %d bytes", maxLine)
		}
		if end {
			return r.last(b, n), io.EOF
		}
		if b.size = bytes.LastIndexByte(b.buffer[:n], '\n') + 1; b.size > 0 || r.err != nil {
			r.carry = append(r.carry, b.buffer[b.size:n]...)
			return b, nil
		}
		b.buffer = append(b.buffer, make([]byte, len(b.buffer))...)
	}
}

// ended reports whether the file came to its end, and not its compression.
func (r *blockReader) ended() bool {
	_, err := r.reader.Peek(1)
	return errors.Is(err, io.EOF)
}

// last makes n bytes the last block. A line without an end gets one.
func (r *blockReader) last(b *Block, n int) *Block {
	b.size = n
	if n > 0 && b.buffer[n-1] != '\n' {
		b.buffer, b.size, b.cut = append(b.buffer[:n:n], '\n'), n+1, true
	}
	return b
}

// take counts what is in a block, and takes configurations out of it.
func (r *blockReader) take(b *Block) error {
	lines := b.Lines()
	b.before = r.line
	if bytes.IndexByte(lines, '\r') >= 0 || bytes.HasPrefix(lines, configurationPrefix) || bytes.Contains(lines, configurationLine) {
		return r.sort(b)
	}
	n := bytes.Count(lines, lineEnd)
	r.sum.Write(lines)
	r.line, r.got.Twins = r.line+n, r.got.Twins+n
	return nil
}

var configurationLine = append([]byte("\n"), configurationPrefix...)

// sort keeps the twins of a block in which other lines stand, too, or that has
// line ends as of other systems.
func (r *blockReader) sort(b *Block) error {
	kept := b.buffer[:0]
	b.places = []int{}
	for line := range bytes.Lines(b.Lines()) {
		r.line++
		line = bytes.TrimRight(line, "\r\n")
		r.sum.Write(line)
		r.sum.Write(lineEnd)
		if isConfiguration(line) {
			if _, err := ownEntry(line); err != nil {
				return err
			}
			r.got.Configurations++
			continue
		}
		r.got.Twins++
		kept, b.places = append(append(kept, line...), '\n'), append(b.places, r.line)
	}
	b.size = len(kept)
	return nil
}

// isConfiguration reports whether a line is one of a configuration. A twin may
// begin with a member of that name, and then has others behind it.
func isConfiguration(line []byte) bool {
	body, is := bytes.CutPrefix(line, configurationPrefix)
	body, closed := bytes.CutSuffix(body, []byte("}"))
	return is && closed && json.Valid(body)
}
