package emulator

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
)

// storeHeader begins the file of a store. Another number is another format.
const storeHeader = "twinrules emulator state 1\n"

// A record is a line of a store's file: a document that was made or changed, or
// without a value, removed. The CRC-32C of the JSON stands before it, in eight
// hexadecimal digits and a space. The last record of a document counts.
type record struct {
	In    string          `json:"in"` // the name of its collection
	ID    string          `json:"id"`
	Value json.RawMessage `json:"value,omitempty"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func recordOf(s spot, value json.RawMessage) []byte {
	text := marshal(record{s.in, s.id, value})
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(text, castagnoli), text)
}

// Contents are the documents of a store, by collection and id.
type contents map[string]map[string]json.RawMessage

// readRecords reads the file of a store; one that is not there has nothing. A
// last line without its end was being written when the process died, and nobody
// was told of it: it is left out. Anything else that is wrong is damage.
func readRecords(path string) (contents, error) {
	kept := contents{}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err == io.EOF && n > 1 {
			return kept, nil
		}
		switch {
		case err == nil:
			err = kept.read(n, line)
		case err == io.EOF:
			err = errors.New("the file is cut off")
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
}

func (c contents) read(n int, line []byte) error {
	if n == 1 {
		if string(line) != storeHeader {
			return fmt.Errorf("not a state that this version reads")
		}
		return nil
	}
	r, err := readRecord(line)
	if err != nil {
		return err
	}
	if collectionNamed(r.In) == nil {
		return fmt.Errorf("%q is no collection that this version knows", r.In)
	}
	if c[r.In] == nil {
		c[r.In] = map[string]json.RawMessage{}
	}
	if c[r.In][r.ID] = r.Value; r.Value == nil {
		delete(c[r.In], r.ID)
	}
	return nil
}

// readRecord reads a line with its end.
func readRecord(line []byte) (r record, err error) {
	sum, text, found := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
	if !found || string(sum) != fmt.Sprintf("%08x", crc32.Checksum(text, castagnoli)) {
		return r, fmt.Errorf("damaged: the line and its checksum disagree")
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("damaged: %w", err)
	}
	return r, nil
}

// writeAll writes a store's file and returns its length.
func (h *hub) writeAll(w io.Writer) (int64, error) {
	b := bufio.NewWriter(w)
	total, err := b.WriteString(storeHeader)
	for _, c := range collections() {
		for _, id := range c.ids(h) {
			n, err2 := b.Write(recordOf(spot{c.name, id}, c.get(h, id)))
			total += n
			err = errors.Join(err, err2)
		}
	}
	return int64(total), errors.Join(err, b.Flush())
}
