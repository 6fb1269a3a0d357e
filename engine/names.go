package engine

import (
	"encoding/binary"
	"slices"
)

// nameHashes are those of the names of twins, to find out whether one came twice.
// A fleet comes in no order that anybody promises, neither in a query of the hub
// nor in an export, so that all of them have to be looked at in the end: eight
// bytes a twin. They are held in runs of a fixed size, each in parts by the first
// byte of the hashes, so that in the end one part of all runs is looked at at a time.
type nameHashes struct {
	spill *spill
	room  int // how many are held before they become a run
	fresh []uint64
	bytes []byte // of the last run, for the next
	runs  []nameRun
	err   error // of keeping a run, after which none is
}

// A nameRun is a run of hashes with where its parts begin, and where the last ends.
type nameRun struct {
	region
	starts [nameParts + 1]uint32
}

const (
	nameParts = 256
	nameSize  = 8 // bytes of a hash
)

func (n *nameHashes) add(hash uint64) {
	if n.fresh = append(n.fresh, hash); len(n.fresh) >= n.room {
		n.flush(n.spill)
	}
}

// flush makes a run of those that are held.
func (n *nameHashes) flush(to *spill) {
	r := nameRun{}
	for _, hash := range n.fresh {
		r.starts[hash>>56+1]++
	}
	for i := range nameParts {
		r.starts[i+1] += r.starts[i]
	}
	n.bytes = slices.Grow(n.bytes[:0], nameSize*len(n.fresh))[:nameSize*len(n.fresh)]
	next := r.starts
	for _, hash := range n.fresh {
		binary.LittleEndian.PutUint64(n.bytes[nameSize*next[hash>>56]:], hash)
		next[hash>>56]++
	}
	n.fresh = n.fresh[:0]
	if n.err != nil {
		return
	}
	if r.region, n.err = to.keep(n.bytes); n.err == nil {
		n.runs = append(n.runs, r)
	}
}

// twice reports whether two twins may have one name. It is certain when it says
// no.
func twice(workers []*worker) (bool, error) {
	var runs []nameRun
	for _, w := range workers {
		w.names.flush(nil)
		if w.names.err != nil {
			return false, w.names.err
		}
		runs = append(runs, w.names.runs...)
		w.names = nameHashes{}
	}
	var part []uint64
	var text []byte
	for i := range nameParts {
		part = part[:0]
		for _, r := range runs {
			from, to := int(r.starts[i]), int(r.starts[i+1])
			text = slices.Grow(text[:0], nameSize*(to-from))[:nameSize*(to-from)]
			if err := r.read(text, int64(nameSize*from)); err != nil {
				return false, err
			}
			for ; len(text) > 0; text = text[nameSize:] {
				part = append(part, binary.LittleEndian.Uint64(text))
			}
		}
		slices.Sort(part)
		if n := len(part); len(slices.Compact(part)) < n {
			return true, nil
		}
	}
	return false, nil
}
