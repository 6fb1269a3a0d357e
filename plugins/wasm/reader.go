package wasm

import (
	"fmt"
	"unicode/utf8"
)

// A FormatError says why bytes are not a module that this package reads.
type FormatError struct {
	Offset int    // bytes of the file before the mistake
	Reason string // such as "unknown instruction 0x12"
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("not a usable WebAssembly module: %s, at byte %d", e.Reason, e.Offset)
}

// A reader reads a binary from front to back. After the first mistake err is
// set, and everything reads as zero.
type reader struct {
	data []byte
	pos  int
	end  int // of the section or body being read
	err  *FormatError
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &FormatError{Offset: r.pos, Reason: fmt.Sprintf(format, args...)}
	}
}

func (r *reader) more() bool { return r.err == nil && r.pos < r.end }

func (r *reader) byte() byte {
	if !r.more() {
		r.fail("the text ends early")
		return 0
	}
	r.pos++
	return r.data[r.pos-1]
}

func (r *reader) skip(n uint64) {
	if r.err != nil || n > uint64(r.end-r.pos) {
		r.fail("the text ends early")
		return
	}
	r.pos += int(n)
}

// u32 reads an unsigned LEB128 number of at most 32 bits, which may be padded
// to five bytes, as linkers do.
func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if v>>32 != 0 {
				r.fail("a number has more than 32 bits")
				return 0
			}
			return uint32(v)
		}
	}
	r.fail("a number has more than 32 bits")
	return 0
}

// signed reads a signed LEB128 number of at most size bytes.
func (r *reader) signed(size int) int64 {
	var v int64
	for i := range size {
		b := r.byte()
		v |= int64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if unused := 64 - 7*(i+1); unused > 0 {
				v = v << unused >> unused
			}
			return v
		}
	}
	r.fail("a number is longer than %d bytes", size)
	return 0
}

func (r *reader) name() string {
	n := r.u32()
	start := r.pos
	r.skip(uint64(n))
	name := string(r.data[start:r.pos])
	if !utf8.ValidString(name) {
		r.fail("a name that is not UTF-8")
	}
	if r.err != nil {
		return ""
	}
	return name
}

// vector calls item as often as the count that stands next says.
func (r *reader) vector(item func()) {
	for n := r.u32(); n > 0 && r.err == nil; n-- {
		item()
	}
}
