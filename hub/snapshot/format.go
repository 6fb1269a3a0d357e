package snapshot

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"regexp"
)

// A format is a way in which a file holds a fleet.
type format struct {
	name string
	// is reports whether a file that begins with head is of the format.
	is func(head []byte) bool
	// header returns what the file says of itself.
	header func(f *file) (Header, error)
	// entries yields the file's documents from the start. It ends after the
	// first error.
	entries func(f *file, h Header) iter.Seq2[entry, error]
}

// formats lists what is read, in the order in which they are tried.
func formats() []*format { return []*format{own, devicesTxt, stateExport} }

var (
	ownHead    = regexp.MustCompile(`^\s*\{\s*"twinrules"\s*:`)
	exportHead = regexp.MustCompile(`^\s*\{\s*"(arm|configurations|devices)"\s*:`)
	deviceHead = regexp.MustCompile(`^(?:[^{\n]*\r?\n)?\{[^\n]*"id"\s*:`)
)

// detect finds the format of the file from its first bytes.
func (f *file) detect() (*format, error) {
	head, err := f.peek(64 << 10)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(head)) == 0 {
		return nil, errors.New("the file is empty")
	}
	for _, format := range formats() {
		if format.is(head) {
			return format, nil
		}
	}
	return nil, errors.New("not a snapshot: it begins like none of twinrules' own format, devices.txt of an export job, and the JSON of az iot hub state export")
}

// survey says of the documents of a file without a header what one would.
func survey(entries iter.Seq2[entry, error]) (Header, error) {
	h := Header{Schema: Schema, Complete: true, Queries: []string{"SELECT * FROM devices", "SELECT * FROM devices.modules"}}
	var got found
	for e, err := range entries {
		if err != nil {
			return h, err
		}
		got.count(e)
		if e.twin != nil {
			h.TakenAt = latest(h.TakenAt, newest(e.twin))
		}
	}
	h.Twins, h.Configurations = got.twins, got.configurations
	return h, nil
}

// lines yields the lines of the file that are left.
func (f *file) lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			line, err := f.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}
