package emulator

import (
	"bufio"
	"bytes"
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

// runTransfer does the job, most of it on an errand. It is completed also when
// entries failed; those are in importErrors.log. The caller holds the lock.
func (h *hub) runTransfer(t *transfer, now time.Time) {
	work := h.export(t)
	if t.Kind == "import" {
		work = h.importInto(t)
	}
	h.leave(now, func(on step) {
		err := work(on)
		on(func(now time.Time) { h.finishTransfer(t, err, now) }) // after a restart it begins anew
	})
}

// finishTransfer ends a job unless it was cancelled meanwhile.
func (h *hub) finishTransfer(t *transfer, err error, now time.Time) {
	switch {
	case t.Status != running:
	case err != nil:
		h.endTransfer(t, failed, err.Error(), now)
	default:
		t.Progress = 100
		h.endTransfer(t, completed, "", now)
	}
}

func (h *hub) endTransfer(t *transfer, status, failure string, now time.Time) {
	t.Status, t.Failure, t.Ended = status, failure, now
	h.store.touch(keptTransfers, t.ID)
}

// export returns how to write devices.txt, and configurations.txt if asked for,
// as everything is now. The caller holds the lock.
func (h *hub) export(t *transfer) func(step) error {
	devices, configurations := h.deviceLines(t.ExcludeKeys), h.configurationLines()
	return func(step) error {
		output, err := h.openFor(t, t.Output, "output")
		if err != nil {
			return err
		}
		if err := write(h, output, t.OutputBlob, devices); err != nil || !t.Configurations {
			return err
		}
		return write(h, output, t.ConfigBlob, configurations)
	}
}

// openFor opens a container. An error does not name it: its URI may hold a
// signature, and whoever may read jobs reads the error.
func (h *hub) openFor(t *transfer, uri, which string) (Container, error) {
	c, err := h.container(h.ctx, t, uri)
	if err != nil {
		return nil, fmt.Errorf("the %s container could not be opened", which)
	}
	return c, nil
}

// importInto returns how to apply devices.txt and, if asked for,
// configurations.txt, and to write importErrors.log. Both are read whole before
// anything is applied, all of it in one step.
func (h *hub) importInto(t *transfer) func(step) error {
	return func(on step) error {
		input, err := h.openFor(t, t.Input, "input")
		if err != nil {
			return err
		}
		output, err := h.openFor(t, t.Output, "output")
		if err != nil {
			return err
		}
		devices, err := h.read(input, t.InputBlob)
		if err != nil {
			return err
		}
		var configurations []twin.Object
		if t.Configurations {
			if configurations, err = h.read(input, t.ConfigBlob); err != nil {
				return err
			}
		}
		var failures []importFailure
		applied := on(func(now time.Time) {
			if t.Status == running { // and not cancelled
				failures = h.apply(t, devices, configurations, now)
			}
		})
		if !applied {
			return nil
		}
		return write(h, output, errorsBlob, linesOf(failures))
	}
}

// apply does what the lines of an import say. The caller holds the lock.
func (h *hub) apply(t *transfer, devices, configurations []twin.Object, now time.Time) (failures []importFailure) {
	for _, o := range devices {
		failures = append(failures, h.importLine(o, now)...)
	}
	for _, o := range configurations {
		failures = append(failures, h.importConfiguration(o, now)...)
	}
	if t.Configurations {
		h.evaluateAt(now)
	}
	return failures
}

func linesOf(failures []importFailure) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, f := range failures {
			if !yield(marshal(f)) {
				return
			}
		}
	}
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

// read returns the lines of a blob that are objects. Others, such as the warning
// of an export without keys, are passed over.
func (h *hub) read(c Container, name string) (list []twin.Object, err error) {
	blob, err := c.ReadBlob(h.ctx, name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
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
			return nil, fmt.Errorf("read %s:%d: %w", name, n, err)
		}
		list = append(list, o)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return list, nil
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
