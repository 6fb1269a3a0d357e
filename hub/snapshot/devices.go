package snapshot

import (
	"bytes"
	"encoding/json"
	"iter"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// devicesTxt is the file that a hub's export job writes: one ExportImportDevice
// a line. With keys left out, its first line is a warning in plain text.
var devicesTxt = &format{
	name:    "devices.txt",
	is:      func(head []byte) bool { return deviceHead.Match(head) && !exportHead.Match(head) },
	header:  func(f *file) (Header, error) { return survey(deviceEntries(f, Header{})) },
	entries: deviceEntries,
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

// A device is an ExportImportDevice, as far as a twin needs it.
type device struct {
	ID           string      `json:"id"`
	ModuleID     string      `json:"moduleId"`
	ETag         string      `json:"eTag"`
	TwinETag     string      `json:"twinETag"`
	Status       string      `json:"status"`
	ModelID      string      `json:"modelId"`
	Tags         twin.Object `json:"tags"`
	Capabilities twin.Object `json:"capabilities"`
	Properties   twin.Object `json:"properties"`
}

// exported makes a twin of a line of devices.txt.
func exported(line []byte) (*twin.Twin, error) {
	var d device
	if err := json.Unmarshal(line, &d); err != nil {
		return nil, err
	}
	doc := twin.Object{"deviceId": d.ID, "etag": d.TwinETag, "deviceEtag": d.ETag, "status": d.Status}
	optional(doc, "moduleId", d.ModuleID)
	optional(doc, "modelId", d.ModelID)
	for key, o := range map[string]twin.Object{"tags": d.Tags, "capabilities": d.Capabilities, "properties": d.Properties} {
		if len(o) > 0 {
			doc[key] = o
		}
	}
	return twin.Parse(twin.Encode(doc))
}

func optional(doc twin.Object, key, value string) {
	if value != "" {
		doc[key] = value
	}
}

// newest returns the latest time that a twin speaks of, as far as its sections
// say when they were updated; the zero time when they do not.
func newest(t *twin.Twin) (latest time.Time) {
	times := []string{t.LastActivityTime}
	for _, section := range []twin.Object{t.Desired(), t.Reported()} {
		at, _ := section.Lookup("$metadata", "$lastUpdated")
		text, _ := at.(string)
		times = append(times, text)
	}
	for _, text := range times {
		if at, err := twin.ParseTime(text); err == nil && at.After(latest) && at.Year() > 1 {
			latest = at
		}
	}
	return latest
}
