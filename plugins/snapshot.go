package plugins

import (
	"bytes"
	"errors"
)

// A snapshot is all that an instance holds at one moment. The host's own view of
// the buffer for input is a part of it.
type snapshot struct {
	memory   []byte
	state    []uint64
	at, room uint32
}

func (g *guest) snapshot() *snapshot {
	view, _ := g.mod.Memory().Read(0, g.mod.Memory().Size())
	s := &snapshot{memory: append([]byte(nil), view...), at: g.at, room: g.room}
	for _, global := range g.state {
		s.state = append(s.state, global.Get())
	}
	return s
}

// grow gives g the memory that s needs.
func (g *guest) grow(s *snapshot) error {
	if missing := len(s.memory) - int(g.mod.Memory().Size()); missing > 0 {
		if _, ok := g.mod.Memory().Grow(uint32(missing / pageSize)); !ok {
			return errors.New("there is not enough memory for another instance")
		}
	}
	return nil
}

// fits reports whether g has exactly the memory of s. One that grew cannot be
// put back: restored, its allocator would grow it again in every call.
func (g *guest) fits(s *snapshot) bool { return int(g.mod.Memory().Size()) == len(s.memory) }

// restore puts g back to s. A call changes few pages, and to compare all of them
// takes a third of the time of copying them.
func (g *guest) restore(s *snapshot) {
	const page = 4 << 10
	view, _ := g.mod.Memory().Read(0, uint32(len(s.memory)))
	for at := 0; at < len(view); at += page {
		if now, then := view[at:at+page], s.memory[at:at+page]; !bytes.Equal(now, then) {
			copy(now, then)
		}
	}
	for i, global := range g.state {
		global.Set(s.state[i])
	}
	g.at, g.room = s.at, s.room
}
