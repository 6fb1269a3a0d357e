// Package snapshot records the state of a fleet in a file and reads it back, so
// that a plan can be computed where there is no hub, as in a pull request.
//
// Start with [Open] to read and [Create] to record. Besides its own format it
// reads what people have already: the devices.txt of a hub's export job, also as a
// stream with [Exported], and what "az iot hub state export" writes.
//
// A snapshot file is newline-delimited JSON, plain or in zstd: a [Header], then
// a line for each twin as the hub wrote it, then a line for each configuration.
// In zstd it is many frames, which any tool for zstd unpacks as one text, with
// labels between them by which [Snapshot.Blocks] hands them out unseen.
// Files are read as streams and believed in nothing: size, inflation, each line
// and the digest of all are checked.
package snapshot

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

// A Header says what a snapshot holds. It is the first line of a file.
type Header struct {
	Schema         string    `json:"twinrules"` // Schema
	Hub            string    `json:"hub"`       // host name; "" when the file does not say
	TakenAt        time.Time `json:"takenAt"`   // when reading began; of an export, when its job ended
	Queries        []string  `json:"queries"`   // that selected the twins
	Complete       bool      `json:"complete"`  // reading came to its end
	Twins          int       `json:"twins"`
	Configurations int       `json:"configurations"`
	// ConfigurationsUnread: whoever recorded the twins was not allowed to see the
	// configurations, so nobody knows which there were.
	ConfigurationsUnread bool `json:"configurationsUnread,omitempty"`
	// Missing names the members that no twin has because the way in which they were
	// read does not tell them, such as connectionState in an export.
	Missing []string `json:"missing,omitempty"`
	// Digest is the sum of the digests of all lines after this one, whatever their
	// order, each without its end, see [twin.Digest].
	Digest string `json:"digest"`
}

// Schema is the schema of files that this version writes.
const Schema = "snapshot/v1"

// A Snapshot is a file that can be read any number of times, each time from the
// start. It holds nothing open in between and is safe for concurrent use.
type Snapshot struct {
	Header
	// Format is how the file is written: "twinrules", "devices.txt" or
	// "az state export".
	Format string
	path   string
	format *format
}

// Open looks at the file at path and reads its header. For the formats that
// have none it reads the whole file to count and to find the newest time in it,
// which becomes TakenAt. What is in no format that it knows is refused.
func Open(path string) (*Snapshot, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("open snapshot: %w", err)
	}
	defer f.Close()
	s := &Snapshot{path: path}
	if s.format, err = f.detect(); err == nil {
		s.Format = s.format.name
		s.Header, err = s.format.header(f)
	}
	if err != nil {
		return nil, fmt.Errorf("open snapshot: %w", f.at(err))
	}
	return s, nil
}

// Twins yields the twins that text, a query of the hub's language, selects, in
// the order of the file. After an error it yields nothing more; the error names
// the file and the line.
func (s *Snapshot) Twins(ctx context.Context, text string) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		q, err := query.Parse(text)
		if err == nil && (q.Raw() || q.Top() > 0) {
			err = errors.New("a snapshot answers SELECT * queries only")
		}
		if err != nil {
			yield(nil, fmt.Errorf("query snapshot: %w", err))
			return
		}
		s.read(ctx, yield, func(e entry) (*twin.Twin, bool) { return e.twin, e.twin != nil && q.Matches(e.twin) })
	}
}

// All yields every twin, devices and modules, in the order of the file.
func (s *Snapshot) All(ctx context.Context) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		s.read(ctx, yield, func(e entry) (*twin.Twin, bool) { return e.twin, e.twin != nil })
	}
}

// Configurations yields the configurations that were recorded, in the order of
// the file. It fails with [twin.ErrDenied], as the hub did, when whoever recorded
// was not allowed to see them.
func (s *Snapshot) Configurations(ctx context.Context) iter.Seq2[*twin.Configuration, error] {
	return func(yield func(*twin.Configuration, error) bool) {
		if s.ConfigurationsUnread {
			yield(nil, fmt.Errorf("read snapshot: %s has no configurations: reading them was %w when it was recorded", s.path, twin.ErrDenied))
			return
		}
		if s.Header.Configurations == 0 {
			return
		}
		read(ctx, s, yield, func(e entry) (*twin.Configuration, bool) { return e.configuration, e.configuration != nil })
	}
}

func (s *Snapshot) read(ctx context.Context, yield func(*twin.Twin, error) bool, pick func(entry) (*twin.Twin, bool)) {
	read(ctx, s, yield, pick)
}

// An entry is a document of a file: one of its fields is set.
type entry struct {
	twin          *twin.Twin
	configuration *twin.Configuration
}

// read walks the file and yields what pick takes.
func read[T any](ctx context.Context, s *Snapshot, yield func(T, error) bool, pick func(entry) (T, bool)) {
	var zero T
	f, err := openFile(s.path)
	if err != nil {
		yield(zero, fmt.Errorf("read snapshot: %w", err))
		return
	}
	defer f.Close()
	for e, err := range s.format.entries(f, s.Header) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			yield(zero, fmt.Errorf("read snapshot: %w", f.at(err)))
			return
		}
		if v, ok := pick(e); ok && !yield(v, nil) {
			return
		}
	}
}
