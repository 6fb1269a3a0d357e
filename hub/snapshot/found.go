package snapshot

import (
	"bytes"
	"encoding/json"

	"github.com/twinrules/twinrules/hub/twin"
)

// found is what was found in some lines.
type found struct {
	twins, configurations int
	digest                twin.Digest
}

// count counts an entry.
func (f *found) count(e entry) {
	if e.twin != nil {
		f.twins++
	} else {
		f.configurations++
	}
}

// add adds what was found elsewhere.
func (f *found) add(other found) {
	f.twins += other.twins
	f.configurations += other.configurations
	f.digest.Add(other.digest)
}

// line adds what is in a line of the file.
func (f *found) line(text []byte, judge func([]byte, twin.Digest) error) error {
	if len(text) > maxLine {
		return errLine
	}
	text = trimEnd(text)
	digest := twin.DigestOf(text)
	f.digest.Add(digest)
	if isConfiguration(text) {
		f.configurations++
		_, err := ownEntry(text)
		return err
	}
	f.twins++
	return judge(text, digest)
}

// trimEnd returns a line without its end, which may be one as on other systems.
func trimEnd(line []byte) []byte {
	for n := len(line); n > 0 && (line[n-1] == '\n' || line[n-1] == '\r'); n-- {
		line = line[:n-1]
	}
	return line
}

// isConfiguration reports whether a line is one of a configuration. A twin may
// begin with a member of that name, and then has others behind it.
func isConfiguration(line []byte) bool {
	body, is := bytes.CutPrefix(line, configurationPrefix)
	body, closed := bytes.CutSuffix(body, []byte("}"))
	return is && closed && json.Valid(body)
}
