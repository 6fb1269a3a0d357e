package emulator

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// beginTransfer plans the steps of a job that is enqueued: it runs after a
// moment, and ends after another. How long a hub takes is not known. The caller
// holds the lock.
func (h *hub) beginTransfer(t *transfer) {
	h.agenda.plan(t.Start.Add(jobStep), func(time.Time) {
		if t.Status == enqueued {
			t.Status = running
			h.store.touch(keptTransfers, t.ID)
		}
	})
	h.agenda.plan(t.Start.Add(2*jobStep), func(now time.Time) {
		if t.Status == running {
			h.runTransfer(t, now)
		}
	})
}

// runTransfer does the job. It is completed also when entries failed; those are
// in importErrors.log.
func (h *hub) runTransfer(t *transfer, now time.Time) {
	do := h.export
	if t.Kind == "import" {
		do = h.importFrom
	}
	if err := do(t, now); err != nil {
		h.endTransfer(t, failed, err.Error(), now)
		return
	}
	t.Progress = 100
	h.endTransfer(t, completed, "", now)
}

func (h *hub) endTransfer(t *transfer, status, failure string, now time.Time) {
	t.Status, t.Failure, t.Ended = status, failure, now
	h.store.touch(keptTransfers, t.ID)
}

// export writes devices.txt, and configurations.txt if asked for.
func (h *hub) export(t *transfer, _ time.Time) error {
	output, err := h.open(t.Output)
	if err != nil {
		return errors.New("the output container could not be opened") // its name may hold a signature
	}
	if err := write(h, output, t.OutputBlob, h.deviceLines(t.ExcludeKeys)); err != nil || !t.Configurations {
		return err
	}
	return write(h, output, t.ConfigBlob, h.configurationLines())
}

// importFrom applies devices.txt and, if asked for, configurations.txt, and
// writes importErrors.log.
func (h *hub) importFrom(t *transfer, now time.Time) error {
	input, err := h.open(t.Input)
	if err != nil {
		return errors.New("the input container could not be opened")
	}
	output, err := h.open(t.Output)
	if err != nil {
		return errors.New("the output container could not be opened")
	}
	var failures []importFailure
	apply := func(o twin.Object) { failures = append(failures, h.importLine(o, now)...) }
	if err := h.read(input, t.InputBlob, apply); err != nil {
		return err
	}
	if t.Configurations {
		err := h.read(input, t.ConfigBlob, func(o twin.Object) { failures = append(failures, h.importConfiguration(o, now)...) })
		if err != nil {
			return err
		}
		h.evaluateAt(now)
	}
	return write(h, output, errorsBlob, func(yield func([]byte) bool) {
		for _, f := range failures {
			if !yield(marshal(f)) {
				return
			}
		}
	})
}

// write writes lines as a blob.
func write(h *hub, c Container, name string, lines iter.Seq[[]byte]) error {
	r := newLineReader(lines)
	defer r.stop()
	if err := c.WriteBlob(h.ctx, name, r); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// longestLine is more than a device with a full twin takes.
const longestLine = 1 << 20

// read calls apply with each line of a blob that is an object. Others, such as
// the warning of an export without keys, are passed over.
func (h *hub) read(c Container, name string, apply func(twin.Object)) error {
	blob, err := c.ReadBlob(h.ctx, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	defer blob.Close()
	lines := bufio.NewScanner(blob)
	lines.Buffer(nil, longestLine)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if !bytes.HasPrefix(line, []byte("{")) {
			continue
		}
		o, err := twin.DecodeObject(line)
		if err != nil {
			return fmt.Errorf("read %s:%d: %w", name, n, err)
		}
		apply(o)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// A lineReader reads lines as they are made, each with its end.
type lineReader struct {
	next func() ([]byte, bool)
	stop func()
	rest []byte
}

func newLineReader(lines iter.Seq[[]byte]) *lineReader {
	next, stop := iter.Pull(lines)
	return &lineReader{next: next, stop: stop}
}

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		line, ok := r.next()
		if !ok {
			return 0, io.EOF
		}
		r.rest = append(bytes.Clone(line), '\n')
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
