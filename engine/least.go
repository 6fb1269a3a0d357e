package engine

import "slices"

// A least holds the smallest of the numbers that were added to it, each once, and
// no more than twice as many as are asked for.
type least struct {
	most int // numbers that are asked for
	list []uint64
	// sorted is how many of list, from its beginning, are in order and distinct.
	sorted int
}

// add adds a number.
func (l *least) add(n uint64) {
	if l.sorted == l.most && n >= l.list[l.sorted-1] {
		return
	}
	if l.list = append(l.list, n); len(l.list) >= l.sorted+max(l.most, 64) {
		l.settle()
	}
}

// settle puts the numbers in order and drops those that are too many.
func (l *least) settle() {
	slices.Sort(l.list)
	l.list = slices.Compact(l.list)
	l.list = l.list[:min(len(l.list), l.most)]
	l.sorted = len(l.list)
}

// merge adds what other holds.
func (l *least) merge(other *least) {
	for _, n := range other.list {
		l.add(n)
	}
}

// numbers returns the smallest, in order.
func (l *least) numbers() []uint64 {
	if l == nil {
		return nil
	}
	l.settle()
	return l.list
}
