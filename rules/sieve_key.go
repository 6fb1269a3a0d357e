package rules

import (
	"encoding/binary"
	"math/bits"

	"github.com/twinrules/twinrules/hub/twin"
)

// longestKey is how many bytes of values, or of all of them together, are
// remembered.
const longestKey = 8*len(valueKey{}.words) - 1

// A valueKey is the text of what a group reads, in words of eight bytes: of one
// value as it stands, of several each behind its length. Only the words that
// there are count, of which there is at least one; the last ends with zeros.
type valueKey struct {
	size  int // bytes
	words [6]uint64
}

// used returns how many words there are.
func (k *valueKey) used() int { return k.size/8 + 1 }

// one makes the key of one value, nothing of a missing one.
func (k *valueKey) one(data []byte, s twin.Span) {
	k.size = s.Len()
	if text := data[s.Start:]; len(text) >= 8*len(k.words) {
		k.load(text)
		return
	}
	var text [8 * len(k.words)]byte
	copy(text[:], s.Of(data))
	k.load(text[:])
}

// several makes the key of several values.
func (k *valueKey) several(data []byte, all []twin.Span, spans []int) {
	var text [8 * len(k.words)]byte
	k.size = 0
	for _, i := range spans {
		text[k.size] = byte(all[i].Len())
		k.size += 1 + copy(text[k.size+1:], all[i].Of(data))
	}
	k.load(text[:])
}

// load takes the words of the key from a text that is long enough for all.
func (k *valueKey) load(text []byte) {
	text = text[:8*len(k.words)]
	n := k.used()
	for i := range n {
		k.words[i] = binary.LittleEndian.Uint64(text[8*i:])
	}
	k.words[n-1] &= 1<<(k.size%8*8) - 1
}

// hash returns a number that is the same for the same key and seed.
func (k *valueKey) hash(seed uint64) uint64 {
	h := seed ^ uint64(k.size)
	for _, w := range k.words[:k.used()] {
		high, low := bits.Mul64(h^w, 0x9e3779b97f4a7c15)
		h = high ^ low
	}
	return h
}

// is reports whether two keys are the same.
func (k *valueKey) is(other *valueKey) bool {
	if k.size != other.size {
		return false
	}
	for i, w := range k.words[:k.used()] {
		if w != other.words[i] {
			return false
		}
	}
	return true
}
