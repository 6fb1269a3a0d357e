package twin

import "encoding/binary"

// Two thirds of what the hub writes of a twin says when each value was updated, in
// these words:
//
//	"$lastUpdated":"2026-10-30T15:18:55.4363632Z"
//	"$lastUpdatedVersion":
//
// To know them by their shape, eight bytes at a time, makes passing over a twin a
// third faster (see BenchmarkSkip).
const (
	stampKey   = `"$lastUpdated":"`
	stampText  = `0000-00-00T00:00:00.0000000Z"`
	versionKey = `"$lastUpdatedVersion":`
)

// stampEnd returns where a stamp ends that begins at i, and 0 when there is none.
// Of digits it says that they are neither quotes nor backslashes; nothing else
// matters to who passes over them.
func stampEnd(data []byte, i int) int {
	const size = len(stampKey) + len(stampText)
	if len(data)-i < size || word(data[i:]) != stampKey0 {
		return 0
	}
	d := data[i : i+size]
	if word(d[8:]) != stampKey1 {
		if word(d[8:]) == versionKey1 && string(d[16:22]) == versionKey[16:] {
			return i + len(versionKey)
		}
		return 0
	}
	odd := word(d[16:])&stampMasks[0] ^ stampWords[0]
	odd |= word(d[24:])&stampMasks[1] ^ stampWords[1]
	odd |= word(d[32:])&stampMasks[2] ^ stampWords[2]
	odd |= word(d[37:])&stampMasks[3] ^ stampWords[3]
	if odd != 0 {
		return 0
	}
	return i + size
}

func word(data []byte) uint64 { return binary.LittleEndian.Uint64(data) }

// The words of the shapes; of a digit only the upper half is compared.
var (
	stampKey0, stampKey1   = word([]byte(stampKey)), word([]byte(stampKey[8:]))
	versionKey1            = word([]byte(versionKey[8:]))
	stampWords, stampMasks = stampShape()
)

func stampShape() (words, masks [4]uint64) {
	for n, at := range []int{0, 8, 16, len(stampText) - 8} {
		shape, mask := []byte(stampText[at:at+8]), make([]byte, 8)
		for i, c := range shape {
			if mask[i] = 0xff; c == '0' {
				mask[i] = 0xf0
			}
		}
		words[n], masks[n] = word(shape), word(mask)
	}
	return words, masks
}
