package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

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
	var version struct {
		Schema string `json:"twinrules"`
	}
	// Asked first: a later version's header may have fields unknown to this one.
	if err := json.Unmarshal(line, &version); err == nil && version.Schema != Schema {
		return h, fmt.Errorf("%.40q is no snapshot that this version reads", version.Schema)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return h, fmt.Errorf("header: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return h, errors.New("header: text behind it")
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
		var got found
		for line, err := range f.lines() {
			var e entry
			if err == nil {
				got.digest.Add(twin.DigestOf(line))
				e, err = ownEntry(line)
			}
			if !yield(e, err) || err != nil {
				return
			}
			got.count(e)
		}
		if err := h.check(got); err != nil {
			yield(entry{}, err)
		}
	}
}

// digestKind begins the digests that this version writes and checks.
const digestKind = "xxh3:"

// check says how what was read differs from what h promises.
func (h *Header) check(got found) error {
	digest := got.digest.String()
	switch {
	case got.twins < h.Twins || got.configurations < h.Configurations:
		return fmt.Errorf("%w: %d of %d twins and %d of %d configurations", errCut, got.twins, h.Twins, got.configurations, h.Configurations)
	case got.twins > h.Twins || got.configurations > h.Configurations:
		return fmt.Errorf("the file was altered: it holds %d twins and %d configurations, its header says %d and %d",
			got.twins, got.configurations, h.Twins, h.Configurations)
	case !strings.HasPrefix(h.Digest, digestKind):
		return fmt.Errorf("its digest is %.80q, which this version does not know: record the fleet anew", h.Digest)
	case digest != h.Digest:
		return fmt.Errorf("the file was altered: its digest is %s, not %.80q", digest, h.Digest)
	}
	return nil
}

// configurationPrefix begins the line of a configuration; a twin's line begins
// with the twin.
var configurationPrefix = []byte(`{"configuration":`)

func ownEntry(line []byte) (e entry, err error) {
	if isConfiguration(line) {
		e.configuration, err = twin.ParseConfiguration(line[len(configurationPrefix) : len(line)-1])
		return e, err
	}
	e.twin, err = twin.Parse(line)
	return e, err
}
