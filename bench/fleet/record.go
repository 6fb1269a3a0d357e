package fleet

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
)

// Record writes a fleet of n devices as snapshots of twinrules to paths, in zstd
// where the name ends in ".zst". It calls done with each.
func Record(paths []string, n int, o *Options, done func(path string, h snapshot.Header)) (err error) {
	list := make([]*snapshot.Recorder, len(paths))
	for i, path := range paths {
		if list[i], err = snapshot.Create(path, "bench.azure-devices.net", Taken, []string{"SELECT * FROM devices", "SELECT * FROM devices.modules"}); err != nil {
			return err
		}
		defer list[i].Abort() // does nothing once it has ended
	}
	for i := range n {
		if err := record(list, Append(nil, o, i)); err != nil {
			return fmt.Errorf("device %d: %w", i, err)
		}
	}
	for i, r := range list {
		h, err := r.Finish(true)
		if err != nil {
			return err
		}
		done(paths[i], h)
	}
	return nil
}

func record(to []*snapshot.Recorder, lines []byte) error {
	for line := range bytes.Lines(lines) {
		t, err := twin.Parse(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return err
		}
		for _, r := range to {
			if err := r.Twin(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// Write writes the twins of a fleet of n devices, a line each, and nothing else.
func Write(w io.Writer, n int, o *Options) error {
	out := bufio.NewWriterSize(w, 1<<20)
	var b []byte
	for i := range n {
		b = Append(b[:0], o, i)
		if _, err := out.Write(b); err != nil {
			return err
		}
	}
	return out.Flush()
}
