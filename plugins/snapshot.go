package plugins

import (
	"bytes"
	"errors"
)

// A snapshot is all that an instance holds at one moment. The host's own view of
// the buffer for input is a part of it.
type snapshot struct {
	size     int      // of the memory
	pages    [][]byte // of the memory; those that hold nothing but zeros are one
	state    []uint64
	at, room uint32
}

// often is after how many calls the pages that were ever written are given back.
// Which page was written stays known until then, though it was put back: so a call
// that writes much makes the next ones dearer, but not for ever. Giving back costs
// some microseconds for each page that is written again.
const often = 256

// page is how much memory is compared at once, and copied when it differs.
const page = 4 << 10

func (g *guest) snapshot() *snapshot {
	view, _ := g.mod.Memory().Read(0, g.mod.Memory().Size())
	s := &snapshot{size: len(view), at: g.at, room: g.room}
	zeros := make([]byte, page)
	for at := 0; at < len(view); at += page {
		// What is compared with the same zeros is read once: they stay in the
		// processor's cache, and most of the memory of a runtime such as Go's is empty.
		if now := view[at : at+page]; bytes.Equal(now, zeros) {
			s.pages = append(s.pages, zeros)
		} else {
			s.pages = append(s.pages, bytes.Clone(now))
		}
	}
	for _, global := range g.state {
		s.state = append(s.state, global.Get())
	}
	return s
}

// start gives g, which is new, the memory that s needs, and puts it to s. What its
// data segments wrote is not kept as written.
func (g *guest) start(s *snapshot) error {
	if missing := s.size - int(g.mod.Memory().Size()); missing > 0 {
		if _, ok := g.mod.Memory().Grow(uint32(missing / pageSize)); !ok {
			g.close()
			return errors.New("there is not enough memory for another instance")
		}
	}
	if g.mapping != nil {
		g.mapping.drop()
	}
	g.restore(s)
	return nil
}

// fits reports whether g has exactly the memory of s. One that grew cannot be
// put back: restored, its allocator would grow it again in every call.
func (g *guest) fits(s *snapshot) bool { return int(g.mod.Memory().Size()) == s.size }

// restore puts g back to s.
func (g *guest) restore(s *snapshot) {
	if g.mapping == nil || !g.mapping.restore(s.pages) {
		g.compare(s)
	}
	for i, global := range g.state {
		global.Set(s.state[i])
	}
	g.at, g.room = s.at, s.room
}

// compare puts the memory of g back where nobody knows what was written. A call
// changes few pages, and to compare all of them takes a third of the time of copying them.
func (g *guest) compare(s *snapshot) {
	view, _ := g.mod.Memory().Read(0, uint32(s.size))
	for i, then := range s.pages {
		if now := view[i*page : (i+1)*page]; !bytes.Equal(now, then) {
			copy(now, then)
		}
	}
}
