package snapshot

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// devicesTxt is the file that a hub's export job writes: one ExportImportDevice
// a line. With keys left out, its first line is a warning in plain text.
var devicesTxt = &format{
	name:    "devices.txt",
	is:      func(head []byte) bool { return deviceHead.Match(head) && !exportHead.Match(head) },
	header:  devicesHeader,
	entries: deviceEntries,
}

func devicesHeader(f *file) (Header, error) {
	h, err := survey(deviceEntries(f, Header{}))
	h.Missing = ExportLacks()
	return h, err
}

// Exported yields the twins of a devices.txt as they come. What they lack,
// [ExportLacks] says. An error names the file as name, and the line; it is the
// last that is yielded. No more than a line is held in memory.
func Exported(name string, r io.Reader) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		f := &file{path: name, reader: bufio.NewReaderSize(r, 64<<10)}
		for e, err := range deviceEntries(f, Header{}) {
			if err != nil {
				err = fmt.Errorf("read export: %w", f.at(err))
			}
			if !yield(e.twin, err) || err != nil {
				return
			}
		}
	}
}

func deviceEntries(f *file, _ Header) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for line, err := range f.lines() {
			if err == nil && !bytes.HasPrefix(line, []byte("{")) && (f.line == 1 || len(line) == 0) {
				continue
			}
			var e entry
			if err == nil {
				e.twin, err = exported(line)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// deviceMembers are the members of an ExportImportDevice that a twin has, too,
// and what they are called there. Keys and other secrets are among the rest.
var deviceMembers = [...]struct{ from, to string }{
	{"id", "deviceId"}, {"moduleId", "moduleId"}, {"twinETag", "etag"}, {"eTag", "deviceEtag"}, {"status", "status"},
	{"statusReason", "statusReason"}, {"modelId", "modelId"}, {"tags", "tags"}, {"properties", "properties"},
	{"capabilities", "capabilities"}, {"deviceScope", "deviceScope"}, {"parentScopes", "parentScopes"},
}

// authenticationMembers are those of its authentication.
var authenticationMembers = [...]struct{ from, to string }{{"type", "authenticationType"}, {"x509Thumbprint", "x509Thumbprint"}}

// ExportLacks returns the members of twins that an export does not tell, as the
// hub's reference and the recorded ones have it.
func ExportLacks() []string {
	return []string{"statusUpdateTime", "connectionState", "lastActivityTime", "cloudToDeviceMessageCount", "modelId", "version", "configurations"}
}

// exported makes a twin of a line of devices.txt.
func exported(line []byte) (*twin.Twin, error) {
	device, err := twin.DecodeObject(line)
	if err != nil {
		return nil, fmt.Errorf("read exported device: %w", err)
	}
	doc := twin.Object{}
	for _, m := range deviceMembers {
		if value := device[m.from]; value != nil {
			doc[m.to] = value
		}
	}
	if tags, ok := doc["tags"].(twin.Object); ok && len(tags) == 0 {
		delete(doc, "tags") // which a twin without tags does not have
	}
	authentication, _ := device["authentication"].(twin.Object)
	for _, m := range authenticationMembers {
		if value := authentication[m.from]; value != nil {
			doc[m.to] = value
		}
	}
	return twin.Parse(twin.Encode(doc))
}

// newest returns the latest time that a twin speaks of, as far as its sections
// say when they were updated; the zero time when they do not.
func newest(t *twin.Twin) (at time.Time) {
	for _, section := range []string{"desired", "reported"} {
		updated, _ := t.Updated(section)
		at = latest(at, updated)
	}
	return at
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
