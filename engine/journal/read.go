package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

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
	run := &Run{}
	open := map[twin.Ref]bool{}
	end, err := read(f, func(r record) error {
		switch {
		case r.Begin != nil:
			run.Begin = *r.Begin
		case r.Intent != nil:
			open[*r.Intent] = true
		case r.Outcome != nil:
			delete(open, r.Outcome.Ref)
			run.Outcomes = append(run.Outcomes, *r.Outcome)
		}
		return nil
	})
	if err == nil && end.n == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("read journal %s: %w", f.Name(), err)
	}
	for ref := range open {
		run.InDoubt = append(run.InDoubt, ref)
	}
	slices.SortFunc(run.InDoubt, twin.Ref.Compare)
	return run, nil
}

// An end is where the whole records of a file end. What follows is torn.
type end struct {
	n    int   // records
	size int64 // bytes
	sum  checksum
}

// read hands the records of a journal to take, until that fails. It fails when
// something other than the tail is damaged.
func read(f io.Reader, take func(record) error) (e end, err error) {
	for lines := bufio.NewReaderSize(f, 64<<10); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return e, nil // torn, if there is anything: the end of the line was never written
		}
		if err != nil {
			return e, err
		}
		r, sum, err := e.sum.parse(line, e.n+1)
		if err != nil && torn(line, lines) {
			return e, nil
		}
		if err == nil {
			err = take(r)
		}
		if err != nil {
			return e, fmt.Errorf("record %d: %w", e.n+1, err)
		}
		e = end{e.n + 1, e.size + int64(len(line)), sum}
	}
}

// torn reports whether a damaged line is the tail of a crash. When power fails,
// a file may have been made longer before its last blocks were written; those
// hold zeros, and nothing follows them. Other bytes are damage.
func torn(line []byte, rest io.ByteReader) bool {
	if !bytes.Contains(line, []byte{0}) {
		return false
	}
	for {
		c, err := rest.ReadByte()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		if c != 0 {
			return false
		}
	}
}
