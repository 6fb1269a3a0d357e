package engine

import (
	"encoding/binary"
	"slices"

	"github.com/twinrules/twinrules/rules"
)

// A changePile collects the changes that one worker makes, in any order: once they
// take as many bytes as there is room for, they are sorted and become a run.
type changePile struct {
	lists  *editLists
	spill  *spill
	room   int
	data   []byte
	starts []uint32 // of the changes in data
	sorted []byte   // of the last run, for the next
	made   Changes
	err    error // of keeping a run, after which none is
}

// startSize is how many bytes it takes to know where a change starts.
const startSize = 4

func newChangePile(lists *editLists, to *spill, room int) *changePile {
	return &changePile{lists: lists, spill: to, room: room}
}

// add adds a change.
func (p *changePile) add(c *Change) {
	id := rules.TwinID{Device: []byte(c.Ref.Device), Module: []byte(c.Ref.Module)}
	state := rules.TwinState{ETag: []byte(c.ETag), DeviceETag: []byte(c.DeviceETag), Version: c.Version, DesiredVersion: c.DesiredVersion}
	list, own := p.lists.ofEdits(c.Edits)
	p.append(id, state, list, own, len(c.Edits), c.Cohorts)
}

// unmet adds the change that meets wishes.
func (p *changePile) unmet(id rules.TwinID, state rules.TwinState, unmet []rules.Unmet) {
	list, own := p.lists.of(unmet)
	p.append(id, state, list, own, len(unmet), nil)
}

func (p *changePile) append(id rules.TwinID, state rules.TwinState, list int, own []byte, edits int, cohorts []Cohort) {
	p.starts = append(p.starts, uint32(len(p.data)))
	p.data = appendChange(p.data, id, state, list, own, cohorts)
	p.made.count++
	p.made.edits += edits
	if len(p.data)+startSize*len(p.starts) >= p.room {
		p.flush(p.spill)
	}
}

// flush makes a run of what has collected.
func (p *changePile) flush(to *spill) {
	if len(p.starts) == 0 {
		return
	}
	slices.SortFunc(p.starts, func(x, y uint32) int { return compareChanges(p.record(x), p.record(y)) })
	p.sorted = p.sorted[:0]
	for _, start := range p.starts {
		p.sorted = append(p.sorted, p.data[start:int(start)+lengthSize+len(p.record(start))]...)
	}
	p.data, p.starts = p.data[:0], p.starts[:0]
	if p.err != nil {
		return
	}
	var kept region
	if kept, p.err = to.keep(p.sorted); p.err == nil {
		p.made.runs = append(p.made.runs, changeRun{kept, p.lists})
	}
}

// record returns the bytes of a change without their length.
func (p *changePile) record(start uint32) []byte {
	data := p.data[start:]
	return data[lengthSize : lengthSize+binary.LittleEndian.Uint32(data)]
}

// changes returns what was collected, and leaves nothing.
func (p *changePile) changes() (Changes, error) {
	p.flush(nil)
	made, err := p.made, p.err
	*p = *newChangePile(p.lists, p.spill, p.room)
	return made, err
}
