package engine

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"
)

// A file of what was seen is, all numbers little-endian: the line [seenSchema]; the
// key; the moment, in seconds since 1970 and nanoseconds; how many outcomes there
// are and how long each is, and they; how many rows there are, and they; and the
// SHA-256 of all that. It is not packed: rows are made of hashes.

const seenSchema = "twinrules/seen/v1"

// What a file may hold.
const (
	maxSeenRows = 1 << 28
	maxOutcome  = 1 << 12 // bytes: two bits for each rule
	seenRowSize = 24
	seenChunk   = maxOutcome / seenRowSize // rows that are read at once
)

// errSeen is about a file that [WriteSeen] did not write, or that has changed since.
var errSeen = errors.New("it is torn, altered, or of another version")

// WriteSeen writes what passes saw. What is equal is written the same.
func WriteSeen(w io.Writer, s *Seen) error {
	out := &seenWriter{Writer: bufio.NewWriterSize(w, 64<<10), sum: sha256.New()}
	out.put([]byte(seenSchema + "\n"))
	out.put(s.key[:])
	size := 0
	if len(s.outcomes) > 0 {
		size = len(s.outcomes[0])
	}
	out.numbers(uint64(s.at.Unix()), uint64(s.at.Nanosecond()), uint64(len(s.outcomes)), uint64(size))
	for _, outcome := range s.outcomes {
		out.put([]byte(outcome))
	}
	out.numbers(uint64(s.Len()))
	for _, part := range s.rows {
		for some := range slices.Chunk(part, seenChunk) {
			out.rows(some)
		}
	}
	out.put(out.sum.Sum(nil))
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write what was seen: %w", err)
	}
	return nil
}

// A seenWriter sums up what it writes. Its first failure is returned by Flush.
type seenWriter struct {
	*bufio.Writer
	sum  hash.Hash
	text []byte
}

func (w *seenWriter) put(b []byte) {
	w.sum.Write(b)
	w.Write(b)
}

func (w *seenWriter) numbers(list ...uint64) {
	w.text = w.text[:0]
	for _, n := range list {
		w.text = binary.LittleEndian.AppendUint64(w.text, n)
	}
	w.put(w.text)
}

func (w *seenWriter) rows(list []seenRow) {
	w.text = w.text[:0]
	for _, r := range list {
		w.text = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(w.text, r.print), r.name)
		w.text = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(w.text, r.wake), r.what)
	}
	w.put(w.text)
}

// ReadSeen reads what [WriteSeen] wrote, and nothing else.
func ReadSeen(r io.Reader) (*Seen, error) {
	in := &seenReader{r: bufio.NewReaderSize(r, 64<<10), sum: sha256.New()}
	s := in.seen()
	if sum := in.sum.Sum(nil); !bytes.Equal(in.get(len(sum)), sum) {
		in.refuse()
	}
	if _, err := in.r.ReadByte(); err != io.EOF {
		in.refuse()
	}
	if in.err != nil {
		return nil, fmt.Errorf("read what was seen: %w", in.err)
	}
	return s, nil
}

// A seenReader sums up what it reads. After a failure it reads zeros.
type seenReader struct {
	r    *bufio.Reader
	sum  hash.Hash
	text [maxOutcome]byte
	last uint64 // print that was read, if there was some
	some bool
	err  error
}

func (in *seenReader) refuse() {
	if in.err == nil {
		in.err = errSeen
	}
}

// get reads n bytes, which are good until the next call.
func (in *seenReader) get(n int) []byte {
	b := in.text[:n]
	if in.err == nil {
		if _, err := io.ReadFull(in.r, b); err != nil {
			in.err = errSeen
			if err != io.EOF && err != io.ErrUnexpectedEOF {
				in.err = err
			}
		}
	}
	if in.err != nil {
		clear(b)
	}
	in.sum.Write(b)
	return b
}

func (in *seenReader) number() uint64 { return binary.LittleEndian.Uint64(in.get(8)) }

// count reads a number that is no larger than most.
func (in *seenReader) count(most int) int {
	n := in.number()
	if n > uint64(most) {
		in.refuse()
		return 0
	}
	return int(n)
}

func (in *seenReader) seen() *Seen {
	s := &Seen{}
	if string(in.get(len(seenSchema)+1)) != seenSchema+"\n" {
		in.refuse()
	}
	copy(s.key[:], in.get(len(s.key)))
	seconds := int64(in.number())
	s.at = time.Unix(seconds, int64(in.count(1e9-1))).UTC()
	in.outcomes(s)
	for n := in.count(maxSeenRows); n > 0 && in.err == nil; n -= seenChunk {
		in.rows(s, min(n, seenChunk))
	}
	return s
}

// outcomes reads outcomes in order, each once, of one size.
func (in *seenReader) outcomes(s *Seen) {
	n, size := in.count(maxOutcomes), in.count(maxOutcome)
	if n > 0 != (size > 0) {
		in.refuse()
	}
	for ; n > 0 && in.err == nil; n-- {
		text := string(in.get(size))
		if k := len(s.outcomes); k > 0 && s.outcomes[k-1] >= text {
			in.refuse()
		}
		s.outcomes = append(s.outcomes, text)
	}
}

// rows reads rows in order, each behind those with smaller prints.
func (in *seenReader) rows(s *Seen, n int) {
	for b := in.get(n * seenRowSize); len(b) > 0; b = b[seenRowSize:] {
		r := seenRow{
			print: binary.LittleEndian.Uint64(b), name: binary.LittleEndian.Uint64(b[8:]),
			wake: binary.LittleEndian.Uint32(b[16:]), what: binary.LittleEndian.Uint32(b[20:]),
		}
		if in.some && r.print <= in.last || r.outcome() >= len(s.outcomes) {
			in.refuse()
			return
		}
		in.last, in.some = r.print, true
		s.rows[r.print>>56] = append(s.rows[r.print>>56], r)
	}
}
