// Package journal keeps on disk what an apply was about to write and what came
// of it, so that a run that was killed at any instant can be resumed and a run
// that ended can be looked at.
//
// Start with [Open], which creates the journal of a plan or goes on with it. A
// journal is a file of lines: a CRC-32C of what follows, and one JSON record
// that names the record before it. A torn last line is what a crash leaves and
// is dropped; damage anywhere else is refused.
//
// What to write, and what an outcome means, is left to package engine.
package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// FileName is the name of a journal in the folder of its run.
const FileName = "journal.jsonl"

// schema names the form of the records.
const schema = "twinrules/journal/v1"

// A record is one line. Exactly one of its pointers is set.
type record struct {
	N       int             `json:"n"` // counts from 1
	Begin   *Begin          `json:"begin,omitempty"`
	Intent  *twin.Ref       `json:"intent,omitempty"`
	Outcome *engine.Outcome `json:"outcome,omitempty"`
}

// Begin is the first record of a journal.
type Begin struct {
	Schema string    `json:"schema"`
	Plan   string    `json:"plan"` // digest
	Hub    string    `json:"hub"`
	At     time.Time `json:"at"`
}

// A Journal is an open journal. Its methods are safe for concurrent use.
type Journal struct {
	mu      sync.Mutex
	synced  *sync.Cond // signalled when a sync has ended
	file    *os.File
	begin   Begin
	n       int // records written
	durable int // records that are on the disk
	syncing bool
	err     error // the first failure; final, because after a failed sync nobody knows what is on the disk
	past    map[twin.Ref]engine.Status
}

var _ engine.Journal = (*Journal)(nil)

// Open opens the journal in dir for the plan that begin names, and creates both
// where they do not exist. It fails when the journal there is another plan's or
// is damaged. One process may have a journal open at a time; the caller sees to
// that with a lock. The caller closes it.
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
	j := &Journal{file: f, begin: begin, past: map[twin.Ref]engine.Status{}}
	j.synced = sync.NewCond(&j.mu)
	if err = j.load(); err == nil {
		err = j.start(dir)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open journal %s: %w", path, err)
	}
	return j, nil
}

// load reads the records that are there and cuts a torn tail off.
func (j *Journal) load() error {
	records, size, err := read(j.file)
	if err != nil {
		return err
	}
	if err := j.file.Truncate(size); err != nil {
		return err
	}
	if _, err := j.file.Seek(size, 0); err != nil {
		return err
	}
	for _, r := range records {
		j.take(r)
	}
	j.n, j.durable = len(records), len(records)
	if len(records) > 0 && records[0].Begin.Plan != j.begin.Plan {
		return fmt.Errorf("it is the journal of the plan %s", records[0].Begin.Plan)
	}
	return nil
}

func (j *Journal) take(r record) {
	switch {
	case r.Intent != nil:
		j.past[*r.Intent] = engine.InDoubt
	case r.Outcome != nil:
		j.past[r.Outcome.Ref] = r.Outcome.Status
	}
}

// start writes the first record of a new journal.
func (j *Journal) start(dir string) error {
	if j.n > 0 {
		return nil
	}
	if err := j.append(record{Begin: &j.begin}); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the journal's name durable, too.
func syncDir(dir string) error {
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

// Past returns the status of ref as of the journal's opening or since.
func (j *Journal) Past(ref twin.Ref) engine.Status {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.past[ref]
}

// append writes r and returns when it is on the disk. Records of callers that
// come while a sync is under way share the next one.
func (j *Journal) append(r record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	r.N = j.n + 1
	if _, err := j.file.Write(line(r)); err != nil {
		j.err = err
		return err
	}
	j.n = r.N
	j.take(r)
	for j.durable < r.N && j.err == nil {
		if j.syncing {
			j.synced.Wait()
			continue
		}
		j.sync()
	}
	return j.err
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
	if err != nil {
		j.err = fmt.Errorf("sync: %w", err)
	} else {
		j.durable = n
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

// A Run is what a journal says of an apply.
type Run struct {
	Begin
	Outcomes []engine.Outcome // in the order in which they were noted
	InDoubt  []twin.Ref       // intents without an outcome, in Ref order
}

// Read reads the journal in dir, which somebody may be writing.
func Read(dir string) (*Run, error) {
	f, err := os.Open(filepath.Join(dir, FileName))
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	defer f.Close()
	records, _, err := read(f)
	if err == nil && len(records) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("read journal %s: %w", f.Name(), err)
	}
	run := &Run{Begin: *records[0].Begin}
	open := map[twin.Ref]bool{}
	for _, r := range records {
		switch {
		case r.Intent != nil:
			open[*r.Intent] = true
		case r.Outcome != nil:
			delete(open, r.Outcome.Ref)
			run.Outcomes = append(run.Outcomes, *r.Outcome)
		}
	}
	for ref := range open {
		run.InDoubt = append(run.InDoubt, ref)
	}
	slices.SortFunc(run.InDoubt, twin.Ref.Compare)
	return run, nil
}

// line returns a record as it stands in the file.
func line(r record) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		panic(err) // strings and numbers only
	}
	return []byte(checksum(b.String()) + " " + b.String())
}
