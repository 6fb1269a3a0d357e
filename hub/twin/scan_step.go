package twin

import "math/bits"

// A step is a member that came when certain others had come.
type step struct {
	words, masks [stepWords]uint64 // of its text, as far as it goes
	size         int32             // of its text: the key in quotes, and a colon
	then         int32             // what came after it, 0 for nothing
	or           int32             // what else came instead
	slot         int32             // of its value, -1 where it has none
	child        *pathChild
	below        *pathNode
	seen         uint64 // wanted keys that have come then
}

const (
	stepWords   = 4
	longestStep = 8 * stepWords
)

func newStep(text []byte, c *pathChild) step {
	var padded, mask [longestStep]byte
	for i := range mask[:copy(padded[:], text)] {
		mask[i] = 0xff
	}
	s := step{size: int32(len(text)), slot: -1, child: c}
	for n := range s.words {
		s.words[n], s.masks[n] = word(padded[8*n:]), word(mask[8*n:])
	}
	if c != nil {
		s.below = c.below
	}
	if c != nil && len(c.slots) > 0 {
		s.slot = int32(c.slots[0])
	}
	return s
}

// begins reports whether the step's text begins a text.
func (s *step) begins(text *[longestStep]byte) bool {
	odd := word(text[0:])&s.masks[0] ^ s.words[0]
	odd |= word(text[8:])&s.masks[1] ^ s.words[1]
	odd |= word(text[16:])&s.masks[2] ^ s.words[2]
	odd |= word(text[24:])&s.masks[3] ^ s.words[3]
	return odd == 0
}

// follow reads members of an object from i on as long as they are known, and
// reports whether there are more. What it knows of others than the next it keeps
// to itself until it is at its end: this loop is what a plan waits for.
func (p *pass) follow(n *pathNode, m *members, i int) (end int, more bool) {
	data, steps := p.data, p.learner.steps
	var at lesson
	var rest [longestStep]byte // zero behind the end, as no key is
	for next := p.learner.first[n.number]; next > 0; {
		text := &rest
		if i+longestStep <= len(data) {
			text = (*[longestStep]byte)(data[i:])
		} else {
			clear(rest[copy(rest[:], data[i:]):])
		}
		s := &steps[next]
		if !s.begins(text) {
			at.or, next, at.tried = next, s.or, at.tried+1
			continue
		}
		at.after, at.or, next, at.tried = next, 0, s.then, 0
		i = p.known(s, i+int(s.size))
		if i+1 < len(data) && data[i] == ',' && data[i+1] == '"' {
			i++
		} else if i, more = p.next(i); !more {
			return i, false
		}
	}
	m.seen, m.lesson = steps[at.after].seen, at
	return i, true
}

// known reads the value of a step.
func (p *pass) known(s *step, start int) (i int) {
	if start+9 < len(p.data) && p.data[start] == '"' {
		i = start + 1 + plainBytes(word(p.data[start+1:]))
		if p.data[i] != '"' {
			i = p.text(i)
		} else {
			i++
		}
	} else if start = p.space(start); s.below != nil && p.at(start) == '{' {
		i = p.object(s.below, start+1)
	} else {
		i = p.skip(start)
	}
	if s.slot >= 0 {
		p.store(s.child, start, i)
	}
	return i
}

// plainBytes returns how many bytes of a word stand before the first quote or
// backslash.
func plainBytes(x uint64) int {
	return bits.TrailingZeros64(zeroBytes(x^quotes)|zeroBytes(x^backslashes)) >> 3
}
