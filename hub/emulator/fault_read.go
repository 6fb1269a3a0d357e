package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/twinrules/twinrules/hub/twin"
)

// ReadFaults reads a list of faults in JSON. A member it does not know is an
// error, as is one that stands there twice and a fault that could not be
// scripted. The errors name line and column.
func ReadFaults(data []byte) ([]Fault, error) {
	if _, err := twin.Decode(data); err != nil {
		return nil, fmt.Errorf("read faults: %w", positioned(data, offsetOf(err), err))
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, fmt.Errorf("read faults: %w", positioned(data, 0, errors.New("not a list")))
	}
	list := []Fault{}
	for n := 1; d.More(); n++ {
		at := begin(data, int(d.InputOffset()))
		var f Fault
		err := d.Decode(&f)
		if err == nil {
			_, err = newScripted(f)
		}
		if err != nil {
			return nil, fmt.Errorf("read faults: %w", positioned(data, at, fmt.Errorf("fault %d: %w", n, err)))
		}
		list = append(list, f)
	}
	return list, nil
}

// begin returns where the next value begins after offset.
func begin(data []byte, offset int) int {
	rest := bytes.TrimLeft(data[offset:], " \t\r\n,")
	return len(data) - len(rest)
}

func offsetOf(err error) int {
	if e, ok := errors.AsType[*twin.SyntaxError](err); ok {
		return e.Offset
	}
	return 0
}

// positioned puts line and column of offset before err.
func positioned(data []byte, offset int, err error) error {
	before := data[:min(offset, len(data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("%d:%d: %w", line, column, err)
}
