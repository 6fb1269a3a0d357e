package engine

import (
	"bytes"
	"encoding/binary"

	"github.com/twinrules/twinrules/hub/twin"
)

// A linePrinter makes numbers of twins' lines that stay as long as nothing changes
// but what changes whenever a device speaks. Without that every line of a fleet
// that lives would be another one in every pass. It does not read a line: the
// members in question stand before the first that is an object, as the hub writes
// twins, and where they do not, they count. That all devices have spoken makes no
// difference so (see BenchmarkSeen), where it would make a pass five times as long.
// It is used by one goroutine.
type linePrinter struct {
	frames []frame
	head   []byte
}

// A frame is what stands before the text of such a member.
type frame struct {
	text []byte
	last int // where it was in the line before this one: mostly there it is again
}

func newLinePrinter(volatile []string) *linePrinter {
	p := &linePrinter{}
	for _, name := range volatile {
		p.frames = append(p.frames, frame{text: []byte(`,"` + name + `":"`)})
	}
	return p
}

// of returns the number of a line.
func (p *linePrinter) of(line []byte) uint64 {
	if len(p.frames) == 0 || len(line) == 0 {
		return twin.DigestOf(line)[0]
	}
	// In front of a brace there are members of the twin itself only, and a frame in
	// a text would have its quotes escaped.
	end := max(1, 1+bytes.IndexByte(line[1:], '{'))
	p.head = append(p.head[:0], line[:end]...)
	for i := range p.frames {
		p.cut(&p.frames[i])
	}
	p.head = binary.LittleEndian.AppendUint64(p.head, twin.DigestOf(line[end:])[0])
	return twin.DigestOf(p.head)[0]
}

// cut takes out of the head the text behind a frame, as far as it is plain.
func (p *linePrinter) cut(f *frame) {
	if f.last > len(p.head) || !bytes.HasPrefix(p.head[f.last:], f.text) {
		i := bytes.Index(p.head, f.text)
		if i < 0 {
			return
		}
		f.last = i
	}
	i := f.last + len(f.text)
	n := 0
	for i+n < len(p.head) && plainText(p.head[i+n]) {
		n++
	}
	p.head = append(p.head[:i], p.head[i+n:]...)
}

// plainText reports whether times and states are made of c.
func plainText(c byte) bool {
	return '0' <= c && c <= ':' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '+' || c == '.'
}
