package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// schema names the form of the records.
const schema = "twinrules/journal/v1"

// A record is one line. Exactly one of its pointers is set.
type record struct {
	N       int             `json:"n"` // counts from 1
	Begin   *Begin          `json:"begin,omitempty"`
	Intent  *twin.Ref       `json:"intent,omitempty"`
	Outcome *engine.Outcome `json:"outcome,omitempty"`
}

// Begin is the first record of a journal.
type Begin struct {
	Schema string    `json:"schema"` // set by Open
	Plan   string    `json:"plan"`   // digest
	Hub    string    `json:"hub"`
	At     time.Time `json:"at"`
}

// A checksum is the CRC-32C of all records so far, so that a record is good in
// its own place only.
type checksum uint32

func (c checksum) with(body []byte) checksum {
	return checksum(crc32.Update(uint32(c), crc32.MakeTable(crc32.Castagnoli), body))
}

func (c checksum) String() string { return fmt.Sprintf("%08x", uint32(c)) }

// line returns r as it stands in the file, and the checksum with it.
func (c checksum) line(r record) ([]byte, checksum) {
	body := append(twin.Encode(r), '\n')
	c = c.with(body)
	return append([]byte(c.String()+" "), body...), c
}

// errDamaged says that a line is not what was written.
var errDamaged = errors.New("its checksum is wrong: the journal is damaged, and cannot be gone on with")

// parse reads the line of record n, and returns the checksum with it.
func (c checksum) parse(line []byte, n int) (r record, sum checksum, err error) {
	text, body, found := bytes.Cut(line, []byte(" "))
	if sum = c.with(body); !found || string(text) != sum.String() {
		return r, sum, errDamaged
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return r, sum, err
	}
	return r, sum, r.check(n)
}

// check says why r cannot be record n.
func (r record) check(n int) error {
	set := 0
	for _, is := range []bool{r.Begin != nil, r.Intent != nil, r.Outcome != nil} {
		if is {
			set++
		}
	}
	switch {
	case n == 1 && r.Begin != nil && r.Begin.Schema != schema:
		return fmt.Errorf("%.40q is no journal that this version reads", r.Begin.Schema)
	case r.N != n:
		return fmt.Errorf("it says that it is record %d", r.N)
	case set != 1:
		return errors.New("this version does not know what it says")
	case (n == 1) != (r.Begin != nil):
		return errors.New("a journal has one beginning")
	}
	return nil
}
