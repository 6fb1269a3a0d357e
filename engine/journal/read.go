package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// maxSize bounds what is read of a journal: a million changes with two records
// each stay below it.
const maxSize = 1 << 30

func checksum(text string) string {
	return fmt.Sprintf("%08x", crc32.Checksum([]byte(text), crc32.MakeTable(crc32.Castagnoli)))
}

// read returns the records of a journal and how many bytes they take; what
// follows is a torn tail. It fails when something other than the tail is
// damaged.
func read(f io.Reader) (records []record, size int64, err error) {
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, 0, err
	}
	if len(data) > maxSize {
		return nil, 0, fmt.Errorf("more than %d bytes", maxSize)
	}
	for rest := data; len(rest) > 0; {
		text, after, whole := bytes.Cut(rest, []byte("\n"))
		if !whole {
			break // torn: the end of the line was never written
		}
		r, err := parse(text, len(records)+1)
		if err != nil && torn(after) {
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("record %d: %w", len(records)+1, err)
		}
		records = append(records, r)
		size += int64(len(text)) + 1
		rest = after
	}
	return records, size, nil
}

// torn reports whether nothing whole follows a damaged record: then it is the
// tail of a crash, which may have left blocks of zeros.
func torn(after []byte) bool { return len(bytes.Trim(after, "\x00\n")) == 0 }

func parse(text []byte, n int) (r record, err error) {
	sum, body, found := bytes.Cut(text, []byte(" "))
	if !found || string(sum) != checksum(string(body)+"\n") {
		return r, errors.New("its checksum is wrong: the journal is damaged")
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return r, err
	}
	switch {
	case r.N != n:
		return r, fmt.Errorf("it says that it is record %d", r.N)
	case (n == 1) != (r.Begin != nil):
		return r, errors.New("a journal has one beginning")
	case n == 1 && r.Begin.Schema != schema:
		return r, fmt.Errorf("%.40q is no journal that this version reads", r.Begin.Schema)
	}
	return r, nil
}
