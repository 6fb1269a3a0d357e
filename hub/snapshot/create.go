package snapshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Recorder writes a snapshot. Nothing stands at its path before
// [Recorder.Finish]; what stood there before is replaced in one step. It is used
// by one goroutine at a time.
type Recorder struct {
	header Header
	path   string
	body   *os.File // the lines, already compressed; put behind the header in the end
	out    io.WriteCloser
	digest twin.Digest
	err    error
}

// errEnded is the fate of calls after Finish or Abort.
var errEnded = errors.New("the recording has ended")

// Create begins a snapshot at path, in zstd when its name ends in ".zst" or
// ".zstd". Only its owner may read the file. The caller ends it with Finish or
// Abort.
func Create(path, hub string, takenAt time.Time, queries []string) (*Recorder, error) {
	body, err := os.CreateTemp(filepath.Dir(path), ".snapshot-*")
	if err != nil {
		return nil, fmt.Errorf("create snapshot: %w", err)
	}
	r := &Recorder{
		header: Header{Schema: Schema, Hub: hub, TakenAt: takenAt.UTC(), Queries: queries},
		path:   path, body: body,
	}
	if r.out, err = r.compressed(body, packBody()); err != nil {
		return nil, errors.Join(err, r.Abort())
	}
	return r, nil
}

// compressed returns a writer to w in the form that the path's name asks for, packed
// as the options say.
func (r *Recorder) compressed(w io.Writer, options []zstd.EOption) (io.WriteCloser, error) {
	if !namedZstd(r.path) {
		return nopCloser{w}, nil
	}
	return newFrameWriter(w, options)
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// Lacks notes that the twins lack members, since the way in which they are read
// does not tell them.
func (r *Recorder) Lacks(members ...string) { r.header.Missing = append(r.header.Missing, members...) }

// WithoutConfigurations notes that the configurations may not be read.
func (r *Recorder) WithoutConfigurations() { r.header.ConfigurationsUnread = true }

// Twin records t as the hub wrote it.
func (r *Recorder) Twin(t *twin.Twin) error {
	r.header.Twins++
	return r.line(t.Ref, t.JSON())
}

// Configuration records c with what a service may set and what the hub counts.
func (r *Recorder) Configuration(c *twin.Configuration) error {
	r.header.Configurations++
	return r.line(c.Ref(), twin.Encode(twin.Object{"configuration": configurationDocument(c)}))
}

// configurationDocument returns c as the hub writes it. Its own JSON is the body
// of a PUT, which has no counts.
func configurationDocument(c *twin.Configuration) twin.Object {
	doc, err := twin.DecodeObject(twin.Encode(c))
	if err != nil {
		panic(err) // it was encoded just now
	}
	if len(c.Counts) > 0 {
		doc["systemMetrics"] = twin.Object{"results": c.Counts}
	}
	return doc
}

func (r *Recorder) line(ref twin.Ref, data []byte) error {
	if r.err == nil && len(data) >= maxLine {
		r.err = fmt.Errorf("%s: more than %d bytes", ref, maxLine-1)
	}
	if r.err != nil {
		return r.err
	}
	line := oneLine(data)
	r.digest.Add(twin.DigestOf(line))
	_, r.err = r.out.Write(append(line, '\n'))
	return r.err
}

// oneLine returns a copy of JSON text without line ends, which are white space
// there: inside strings they are escaped.
func oneLine(data []byte) []byte {
	line := append(make([]byte, 0, len(data)+1), data...)
	for i, c := range line {
		if c == '\n' || c == '\r' {
			line[i] = ' '
		}
	}
	return line
}

// Finish writes the file and puts it in its place. Complete says that
// everything there was has been recorded. After a failure nothing is changed at
// the path and nothing is left beside it.
func (r *Recorder) Finish(complete bool) (Header, error) {
	if r.body == nil {
		return Header{}, fmt.Errorf("write snapshot %s: %w", r.path, errEnded)
	}
	r.header.Complete = complete
	r.header.Digest = r.digest.String()
	err := r.err
	if err == nil {
		err = r.out.Close()
	}
	if err == nil {
		err = r.assemble()
	}
	if err = errors.Join(err, r.Abort()); err != nil {
		return Header{}, fmt.Errorf("write snapshot %s: %w", r.path, err)
	}
	return r.header, nil
}

// Abort throws away what was recorded. It does nothing after Finish.
func (r *Recorder) Abort() error {
	if r.body == nil {
		return nil
	}
	err := errors.Join(r.body.Close(), os.Remove(r.body.Name()))
	r.body, r.err = nil, errEnded
	return err
}

// assemble writes header and body beside the path and renames the result.
func (r *Recorder) assemble() error {
	whole, err := os.CreateTemp(filepath.Dir(r.path), ".snapshot-*")
	if err != nil {
		return err
	}
	defer os.Remove(whole.Name()) // does nothing once it has been renamed
	err = errors.Join(r.writeTo(whole), whole.Sync(), whole.Close())
	if err != nil {
		return err
	}
	return os.Rename(whole.Name(), r.path)
}

func (r *Recorder) writeTo(w io.Writer) error {
	head, err := r.compressed(w, packHeader())
	if err != nil {
		return err
	}
	line, err := json.Marshal(r.header)
	if err == nil {
		_, err = head.Write(append(line, '\n'))
	}
	if err = errors.Join(err, head.Close()); err != nil {
		return err
	}
	if _, err := r.body.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(w, r.body)
	return err
}
