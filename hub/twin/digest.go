package twin

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"

	"github.com/zeebo/xxh3"
)

// A Digest stands for a set of documents, whatever their order: the sum, modulo
// 2^128, of the XXH3 of each. It tells fleets apart and finds damage. It is no
// defence against somebody who makes documents to collide; who can do that can
// write another digest, too. XXH3 is a hundred times as fast as SHA-256 on a
// processor without instructions for it, where that would take longer than
// judging the twins.
type Digest [2]uint64

// DigestOf returns the digest of one document.
func DigestOf(data []byte) Digest {
	sum := xxh3.Hash128(data)
	return Digest{sum.Lo, sum.Hi}
}

// Add adds the documents of other.
func (d *Digest) Add(other Digest) {
	var carry uint64
	d[0], carry = bits.Add64(d[0], other[0], 0)
	d[1], _ = bits.Add64(d[1], other[1], carry)
}

// String returns "xxh3:" and 32 hexadecimal digits.
func (d Digest) String() string {
	b := binary.BigEndian.AppendUint64(nil, d[1])
	return "xxh3:" + hex.EncodeToString(binary.BigEndian.AppendUint64(b, d[0]))
}
