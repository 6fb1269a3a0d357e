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
// hexadecimal digits and a space. The last record of a document counts. What was
// done at once is a unit of several records, and counts when its last is there.
type record struct {
	In    string          `json:"in"` // the name of its collection
	ID    string          `json:"id"`
	Value json.RawMessage `json:"value,omitempty"`
	More  bool            `json:"more,omitempty"` // the next one is of the same unit
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// line returns the record with its end.
func (r record) line() []byte {
	text := marshal(r)
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(text, castagnoli), text)
}

// Contents are the documents of a store, by collection and id.
type contents map[string]map[string]json.RawMessage

// readRecords reads the file of a store; one that is not there has nothing. A
// last line without its end, or a last unit without its last line, was being
// written when the process died, and nobody was told of it: it is left out.
// Anything else that is wrong is damage.
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
	var unit []record
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err == io.EOF && n > 1 {
			return kept, nil
		}
		switch {
		case err == io.EOF:
			err = errors.New("the file is cut off")
		case err == nil && n == 1:
			err = checkHeader(line)
		case err == nil:
			unit, err = kept.read(unit, line)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
}

func checkHeader(line []byte) error {
	if string(line) != storeHeader {
		return errors.New("not a state that this version reads")
	}
	return nil
}

// read adds a line to the unit that has begun, and takes the unit in when it is
// whole. It returns what is left to take in.
func (c contents) read(unit []record, line []byte) ([]record, error) {
	r, err := readRecord(line)
	if err != nil {
		return nil, err
	}
	if collectionNamed(r.In) == nil {
		return nil, fmt.Errorf("%q is no collection that this version knows", r.In)
	}
	if unit = append(unit, r); r.More {
		return unit, nil
	}
	for _, r := range unit {
		c.take(r)
	}
	return unit[:0], nil
}

func (c contents) take(r record) {
	if c[r.In] == nil {
		c[r.In] = map[string]json.RawMessage{}
	}
	if c[r.In][r.ID] = r.Value; r.Value == nil {
		delete(c[r.In], r.ID)
	}
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
			n, err2 := b.Write(record{In: c.name, ID: id, Value: c.get(h, id)}.line())
			total += n
			err = errors.Join(err, err2)
		}
	}
	return int64(total), errors.Join(err, b.Flush())
}
