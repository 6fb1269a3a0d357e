package engine

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A runReader reads a run from its beginning.
type runReader struct {
	run    changeRun
	size   int    // of what is read of a file at once
	buffer []byte // what was
	text   []byte // of the run, from the next change on
	read   int64  // how much of the run was read
	record []byte // the change that it is at, without its length
}

// How much is read at once of a run in a file, and of all runs together, as long
// as there are not thousands.
const (
	runBuffer    = 16 << 10
	minRunBuffer = 512
	allBuffers   = 512 << 10
)

// next goes on to the next change; at the end it is io.EOF.
func (r *runReader) next() error {
	for {
		if len(r.text) >= lengthSize {
			if end := lengthSize + int(binary.LittleEndian.Uint32(r.text)); end <= len(r.text) {
				r.record, r.text = r.text[lengthSize:end], r.text[end:]
				return nil
			}
		}
		if r.read == r.run.size {
			if len(r.text) == 0 {
				return io.EOF
			}
			return fmt.Errorf("%w: %w", ErrScratch, errChange)
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
}

// fill reads more of the run.
func (r *runReader) fill() error {
	if r.run.file == nil {
		r.text, r.read = r.run.data, r.run.size
		return nil
	}
	rest := len(r.text)
	buffer := r.buffer
	if len(buffer) < 2*rest || buffer == nil {
		buffer = make([]byte, max(r.size, 2*rest))
	}
	copy(buffer, r.text)
	n := min(int64(len(buffer)-rest), r.run.size-r.read)
	if err := r.run.region.read(buffer[rest:rest+int(n)], r.read); err != nil {
		return err
	}
	r.buffer, r.text, r.read = buffer, buffer[:rest+int(n)], r.read+n
	return nil
}

func (r *runReader) change() (Change, error) {
	c, err := decodeChange(r.record, r.run.lists.lists)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrScratch, err)
	}
	return c, err
}

// A runMerge reads several runs, the one with the first change in front, as a heap.
type runMerge []*runReader

func mergeRuns(runs []changeRun) (m runMerge, err error) {
	size := max(minRunBuffer, min(runBuffer, allBuffers/max(len(runs), 1)))
	for _, run := range runs {
		r := &runReader{run: run, size: size}
		if err := r.next(); err != nil {
			return nil, err // no run is empty
		}
		m = append(m, r)
	}
	for i := len(m)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return m, nil
}

// next goes on to the next change of all.
func (m *runMerge) next() error {
	list := *m
	switch err := list[0].next(); {
	case err == nil:
	case errors.Is(err, io.EOF):
		last := len(list) - 1
		list[0], *m = list[last], list[:last]
	default:
		return err
	}
	m.down(0)
	return nil
}

// down puts a reader where it belongs, below those with earlier changes.
func (m runMerge) down(i int) {
	for {
		first := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(m); child++ {
			if compareChanges(m[child].record, m[first].record) < 0 {
				first = child
			}
		}
		if first == i {
			return
		}
		m[i], m[first] = m[first], m[i]
		i = first
	}
}

// compareChanges compares the names that the bytes of changes begin with.
func compareChanges(x, y []byte) int {
	device1, module1 := refOf(x)
	device2, module2 := refOf(y)
	return cmp.Or(bytes.Compare(device1, device2), bytes.Compare(module1, module2))
}
