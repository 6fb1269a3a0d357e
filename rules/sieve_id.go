package rules

import (
	"math/bits"

	"github.com/twinrules/twinrules/hub/twin"
)

// A TwinID is the name of a twin as it stands in its JSON.
type TwinID struct{ Device, Module []byte } // Module is nil for a device

// Hash returns a number that is the same for the same name, and hardly ever for
// two.
func (id TwinID) Hash() uint64 {
	h := twin.DigestOf(id.Device)[0]
	if id.Module != nil {
		h ^= bits.RotateLeft64(twin.DigestOf(id.Module)[0], 1)
	}
	return h
}

// ID returns the name of the twin that was sifted last, which is good until its
// JSON changes, and whether it has one that is plainly spelled.
func (f *Sifter) ID() (id TwinID, ok bool) { return f.id, f.plain }

// name finds the name of the twin, and reports whether it has one.
func (f *Sifter) name() bool {
	device, ok1 := f.plainID(0)
	module, ok2 := f.plainID(1)
	f.id, f.plain = TwinID{device, module}, ok1 && ok2 && device != nil
	return f.plain
}

// plainID returns the id in one of the first members of [identity], nil when it is
// missing.
func (f *Sifter) plainID(member int) (id []byte, ok bool) {
	text := f.spans[len(sectionNames)+member].Of(f.view.data)
	if text == nil {
		return nil, true
	}
	if len(text) < 2 || text[0] != '"' {
		return nil, false
	}
	id = text[1 : len(text)-1]
	return id, twin.CheckID(string(id)) == nil
}
