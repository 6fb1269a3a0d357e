package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// A store keeps what is on a hub in a folder, so that it survives the process.
// What a request did is handed to the operating system before its answer is
// sent, in one write: killing the process loses nothing that was answered. It is
// not forced to the disk, so a machine that loses its power may lose the latest;
// what is left is whole.
//
// The one file of a store is a log, see [record]; it is written anew at each
// start, and when most of it is stale. A store is guarded by its hub. A nil one
// keeps nothing.
type store struct {
	dir     string
	lock    *flock.Flock
	file    *os.File
	touched []spot
	known   map[spot]bool // whether it is in touched
	written int64         // bytes since the file was written anew
	whole   int64         // bytes when it was
	least   int64         // how long a log grows at least before it is written anew
	err     error         // of the first write that failed; nothing is written after it
}

// A spot names one document of a collection.
type spot struct{ in, id string }

// openStore locks dir, which it makes, and returns what is kept in it.
func openStore(dir string) (*store, contents, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("open state: %w", err)
	}
	s := &store{dir: dir, lock: flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600)), known: map[spot]bool{}, least: 16 << 20}
	free, err := s.lock.TryLock()
	if err != nil {
		return nil, nil, fmt.Errorf("open state: %w", err)
	}
	if !free {
		return nil, nil, fmt.Errorf("open state: another emulator keeps its state in %s", dir)
	}
	kept, err := readRecords(s.path())
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open state: %w", err), s.lock.Unlock())
	}
	return s, kept, nil
}

func (s *store) path() string { return filepath.Join(s.dir, "hub.state") }

// touch marks a document that was made, changed or removed.
func (s *store) touch(in, id string) {
	p := spot{in, id}
	if s == nil || s.known[p] {
		return
	}
	s.known[p] = true
	s.touched = append(s.touched, p)
}

// keep writes what was touched as one unit: all of it is there tomorrow, or
// nothing. The caller holds the lock.
func (h *hub) keep() error {
	s := h.store
	if s == nil || s.err != nil || s.file == nil || len(s.touched) == 0 {
		return s.failure()
	}
	var unit []byte
	for i, p := range s.touched {
		r := record{In: p.in, ID: p.id, Value: collectionNamed(p.in).get(h, p.id), More: i+1 < len(s.touched)}
		unit = append(unit, r.line()...)
	}
	s.touched, s.known = nil, map[spot]bool{}
	n, err := s.file.Write(unit)
	s.written += int64(n)
	if err == nil && s.written > max(s.whole*4, s.least) {
		err = h.keepAll()
	}
	if err != nil {
		s.err = fmt.Errorf("keep state: %w", err)
	}
	return s.err
}

// kept is keep for a request, whose answer must not be sent when what it did is
// not kept.
func (h *hub) kept() error {
	if h.store == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.keep(); err != nil {
		return refuse("ServerError", "%v", err)
	}
	return nil
}

// keepAll writes everything into a new file, which takes the place of the old
// one whole or not at all. The caller holds the lock or is alone.
func (h *hub) keepAll() error {
	s := h.store
	next, err := os.OpenFile(s.path()+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep state: %w", err)
	}
	n, err := h.writeAll(next)
	if err == nil {
		err = next.Sync()
	}
	if err == nil {
		err = os.Rename(next.Name(), s.path())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep state: %w", err), next.Close())
	}
	if s.file != nil {
		err = s.file.Close()
	}
	s.file, s.written, s.whole = next, 0, n
	s.touched, s.known = nil, map[spot]bool{}
	return err
}

func (s *store) failure() error {
	if s == nil {
		return nil
	}
	return s.err
}

func (s *store) close() error {
	if s == nil {
		return nil
	}
	var err error
	if s.file != nil {
		err = s.file.Close()
		s.file = nil
	}
	return errors.Join(s.err, err, s.lock.Unlock())
}

// A collection is one sort of documents that are kept, by their ids.
type collection struct {
	name string
	ids  func(h *hub) []string
	// get returns a document, nil when there is none.
	get func(h *hub, id string) json.RawMessage
	// load takes in a document at the start, in no order.
	load func(h *hub, id string, value json.RawMessage) error
	// loaded is called when all of all collections are there; nil for nothing.
	loaded func(h *hub)
}

func collectionNamed(name string) *collection {
	for _, c := range collections() {
		if c.name == name {
			return &c
		}
	}
	return nil
}
