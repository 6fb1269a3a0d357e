package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// ErrScratch is wrapped by errors of the file that holds what does not fit in
// memory, see [Options.Scratch].
var ErrScratch = errors.New("hold what does not fit in memory")

// A spill is the one file of an evaluation for what does not fit in memory. Several
// goroutines may use it at once. It begins with the first thing that is kept. Where
// the system allows it has no name from then on, so that a process that is killed
// leaves nothing behind; where not, as on Windows, close removes it. A nil spill
// keeps everything in memory.
type spill struct {
	dir string

	mu   sync.Mutex
	file *os.File
	end  int64
	name string // to be removed; "" when it is
}

// A region is what was kept at once: in memory, or in a file.
type region struct {
	data []byte // what of it is in memory: all, or nothing
	file *spill // nil for memory
	at   int64
	size int64
}

func inMemory(data []byte) region { return region{data: data, size: int64(len(data))} }

// keep keeps data, which may be overwritten afterwards.
func (s *spill) keep(data []byte) (region, error) {
	if s == nil {
		return inMemory(bytes.Clone(data)), nil
	}
	r, err := s.reserve(int64(len(data)))
	if err == nil {
		_, err = s.file.WriteAt(data, r.at)
	}
	if err != nil {
		return region{}, fmt.Errorf("%w: %w", ErrScratch, err)
	}
	return r, nil
}

func (s *spill) reserve(size int64) (r region, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		if s.file, err = os.CreateTemp(s.dir, "twinrules-*"); err != nil {
			return r, err
		}
		if s.name = s.file.Name(); os.Remove(s.name) == nil {
			s.name = ""
		}
	}
	r = region{file: s, at: s.end, size: size}
	s.end += size
	return r, nil
}

// close gives the file up, and all that was kept in it. It may be called again.
func (s *spill) close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	if s.name != "" {
		err = errors.Join(err, os.Remove(s.name))
	}
	return err
}

// read fills b with what stands at an offset of the region, which must have that
// much.
func (r region) read(b []byte, offset int64) error {
	if r.file == nil {
		copy(b, r.data[offset:])
		return nil
	}
	n, err := r.file.file.ReadAt(b, r.at+offset)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("read %s: %w", r.file.file.Name(), io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%w: %w", ErrScratch, err)
}
