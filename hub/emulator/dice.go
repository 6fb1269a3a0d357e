package emulator

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
)

// Dice draw every id and secret of an emulator from its seed. The same seed
// gives the same draws in the same order.
type dice struct {
	seed uint64
	mu   sync.Mutex
	rand *rand.ChaCha8
}

func newDice(seed uint64) *dice {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return &dice{seed: seed, rand: rand.NewChaCha8(key)}
}

func (d *dice) bytes(n int) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := make([]byte, n)
	_, _ = d.rand.Read(b) // documented to never fail
	return b
}

// restart goes on with other draws, which belong to the nth run of an emulator.
// What belongs to names stays.
func (d *dice) restart(run uint64) {
	other := newDice(d.of("run " + formatInt(int64(run))))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rand = other.rand
}

// uuid returns a random UUID, version 4.
func (d *dice) uuid() string {
	b := d.bytes(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// key returns a shared access key, as the portal shows it.
func (d *dice) key() string { return base64.StdEncoding.EncodeToString(d.bytes(32)) }

// secret returns a client secret of characters that need no quoting anywhere.
func (d *dice) secret() string { return base64.RawURLEncoding.EncodeToString(d.bytes(30)) }

// of returns a number that belongs to name: it does not depend on what was
// drawn before, so that the order of a fleet does not matter.
func (d *dice) of(name string) uint64 {
	h := fnv.New64a()
	_ = binary.Write(h, binary.LittleEndian, d.seed)
	_, _ = h.Write([]byte(name))
	return h.Sum64()
}

// uuidOf returns the UUID that belongs to name.
func (d *dice) uuidOf(name string) string { return newDice(d.of(name)).uuid() }

// keyOf returns the shared access key that belongs to name.
func (d *dice) keyOf(name string) string { return newDice(d.of(name)).key() }
