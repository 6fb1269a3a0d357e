package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/twinrules/twinrules/hub/twin"
)

// own is the format that this package writes.
var own = &format{
	name:    "twinrules",
	is:      func(head []byte) bool { return ownHead.Match(head) },
	header:  ownHeader,
	entries: ownEntries,
}

func ownHeader(f *file) (h Header, err error) {
	line, err := f.next()
	if err != nil {
		return h, err
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return h, fmt.Errorf("header: %w", err)
	}
	if h.Schema != Schema {
		return h, fmt.Errorf("%.40q is no snapshot that this version reads", h.Schema)
	}
	return h, nil
}

// ownEntries yields the documents and, at the end, checks that they are those
// that were recorded.
func ownEntries(f *file, h Header) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		if _, err := f.next(); err != nil { // the header, which the caller has
			yield(entry{}, err)
			return
		}
		sum, twins, configurations := sha256.New(), 0, 0
		for line, err := range f.lines() {
			var e entry
			if err == nil {
				sum.Write(line)
				sum.Write([]byte("\n"))
				e, err = ownEntry(line)
			}
			if e.twin != nil {
				twins++
			} else {
				configurations++
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		got := "sha256:" + hex.EncodeToString(sum.Sum(nil))
		switch {
		case twins < h.Twins || configurations < h.Configurations:
			yield(entry{}, fmt.Errorf("the file is cut off: %d of %d twins and %d of %d configurations", twins, h.Twins, configurations, h.Configurations))
		case got != h.Digest:
			yield(entry{}, fmt.Errorf("the file was altered: its digest is %s, not %s", got, h.Digest))
		}
	}
}

// configurationPrefix begins the line of a configuration; a twin's line begins
// with the twin.
var configurationPrefix = []byte(`{"configuration":`)

func ownEntry(line []byte) (e entry, err error) {
	body, isConfiguration := bytes.CutPrefix(line, configurationPrefix)
	if !isConfiguration {
		e.twin, err = twin.Parse(line)
		return e, err
	}
	body, closed := bytes.CutSuffix(body, []byte("}"))
	if !closed {
		return e, errors.New("the line is cut off")
	}
	e.configuration, err = twin.ParseConfiguration(body)
	return e, err
}
