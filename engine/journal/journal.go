// Package journal keeps on disk what an apply was about to write and what came
// of it, so that a run that was killed at any instant can be resumed and a run
// that ended can be looked at.
//
// Start with [Open], which creates the journal of a plan or goes on with it, or
// with [Read]. A journal is a file of lines: a CRC-32C of all records up to this
// one, and the record as JSON. A torn last line is what a crash leaves and is
// dropped; damage anywhere else is refused.
//
// What to write, and what an outcome means, is left to package engine.
package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// FileName is the name of a journal in the folder of its run.
const FileName = "journal.jsonl"

// A Journal is an open journal. Its methods are safe for concurrent use.
type Journal struct {
	mu      sync.Mutex
	synced  *sync.Cond // signalled when a sync has ended
	file    disk
	sum     checksum // of all records written
	n       int      // records written
	durable int      // records that are on the disk
	syncing bool
	err     error // the first failure; final, because after a failed sync nobody knows what is on the disk
	past    map[twin.Ref]ending
}

// An ending is an outcome without its ref, which is the key: there may be a million.
type ending struct {
	status engine.Status
	detail string
	moved  bool
}

// A disk is what a journal is written to.
type disk interface {
	io.WriteCloser
	Sync() error
}

var _ engine.Journal = (*Journal)(nil)

// Open opens the journal in dir for the plan that begin names, and creates both
// where they do not exist, for their owner alone. It fails, and changes nothing,
// when the journal there is another plan's or is damaged. One process may have a
// journal open at a time; the caller sees to that with a lock. The caller closes
// it.
func Open(dir string, begin Begin) (*Journal, error) {
	begin.Schema = schema
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	path := filepath.Join(dir, FileName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{file: f, past: map[twin.Ref]ending{}}
	j.synced = sync.NewCond(&j.mu)
	if err = j.load(f, begin.Plan); err == nil && j.n == 0 {
		err = j.start(dir, begin)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open journal %s: %w", path, err)
	}
	return j, nil
}

// load reads the records that are there, which must be of plan, and cuts a torn
// tail off.
func (j *Journal) load(f *os.File, plan string) error {
	end, err := read(f, func(r record) error {
		if r.Begin != nil && r.Begin.Plan != plan {
			return fmt.Errorf("it is the journal of the plan %.80q", r.Begin.Plan)
		}
		j.take(r)
		return nil
	})
	if err != nil {
		return err
	}
	j.n, j.durable, j.sum = end.n, end.n, end.sum
	if err := f.Truncate(end.size); err != nil {
		return err
	}
	_, err = f.Seek(end.size, io.SeekStart)
	return err
}

func (j *Journal) take(r record) {
	switch {
	case r.Intent != nil:
		j.past[*r.Intent] = ending{status: engine.InDoubt}
	case r.Outcome != nil:
		j.past[r.Outcome.Ref] = ending{r.Outcome.Status, r.Outcome.Detail, r.Outcome.Moved}
	}
}

// start writes the first record of a new journal and makes its name durable.
func (j *Journal) start(dir string, begin Begin) error {
	return errors.Join(j.append(record{Begin: &begin}), syncDir(dir), syncDir(filepath.Dir(dir)))
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // which has no way to do it
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Intend returns when it is durable that ref is about to be written.
func (j *Journal) Intend(ref twin.Ref) error { return j.append(record{Intent: &ref}) }

// Record notes what came of an intent, durably.
func (j *Journal) Record(o engine.Outcome) error { return j.append(record{Outcome: &o}) }

// Past returns what came of ref, as of the journal's opening or since.
func (j *Journal) Past(ref twin.Ref) engine.Outcome {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := j.past[ref]
	return engine.Outcome{Ref: ref, Status: p.status, Detail: p.detail, Moved: p.moved}
}

// append writes r and returns when it is on the disk. Records of callers that
// come while a sync is under way share the next one. After a failure nothing is
// written any more.
func (j *Journal) append(r record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	r.N = j.n + 1
	line, sum := j.sum.line(r)
	if _, err := j.file.Write(line); err != nil {
		j.err = err
		return err
	}
	j.n, j.sum = r.N, sum
	j.take(r)
	for j.durable < r.N && j.err == nil {
		if j.syncing {
			j.synced.Wait()
			continue
		}
		j.sync()
	}
	if j.durable < r.N {
		return j.err
	}
	return nil
}

// sync makes everything written so far durable. It is called with mu held and
// lets go of it meanwhile.
func (j *Journal) sync() {
	n := j.n
	j.syncing = true
	j.mu.Unlock()
	err := j.file.Sync()
	j.mu.Lock()
	j.syncing = false
	switch {
	case err == nil:
		j.durable = n
	case j.err == nil:
		j.err = fmt.Errorf("sync: %w", err)
	}
	j.synced.Broadcast()
}

// Close closes the file. Everything that a method returned for is on the disk.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = os.ErrClosed
	}
	return j.file.Close()
}
