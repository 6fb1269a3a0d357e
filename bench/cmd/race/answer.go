package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
)

// An answer is what an engine found, and what it would write. One that only
// decides writes nothing and has no digest.
type answer struct {
	Devices int    `json:"devices"`
	Matched []int  `json:"matched"`
	Written int    `json:"written"`
	Digest  string `json:"digest"`
}

func parse(stdout []byte) (*answer, error) {
	a := &answer{}
	return a, json.Unmarshal(stdout, a)
}

// ask has cmd/peer read an output. Race itself stays small: a process that it
// starts counts as using as much memory as race did then.
func (r *race) ask(args ...string) (*answer, error) {
	out, err := exec.Command(r.file("peer"), args...).Output()
	if failed := new(exec.ExitError); errors.As(err, &failed) {
		err = fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	if err != nil {
		return nil, err
	}
	return parse(out)
}

// withPatches completes what a peer printed with what it wrote.
func (r *race) withPatches(stdout []byte, path string) (*answer, error) {
	a, err := parse(stdout)
	if err != nil || a.Written == 0 {
		return a, err
	}
	written, err := r.ask("-patches", path)
	if err != nil {
		return nil, err
	}
	if written.Written != a.Written {
		return nil, fmt.Errorf("%d devices with patches were counted, %d are in the file", a.Written, written.Written)
	}
	a.Digest = written.Digest
	return a, nil
}

// countNumbers counts lines of rule numbers, such as [0,12].
func (r *race) countNumbers(stdout []byte) (*answer, error) {
	a := &answer{Matched: make([]int, r.rules)}
	for line := range bytes.Lines(stdout) {
		a.Devices++
		for part := range bytes.SplitSeq(bytes.Trim(line, "[]\n"), []byte(",")) {
			if len(part) == 0 {
				continue
			}
			n, err := strconv.Atoi(string(part))
			if err != nil || n < 0 || n >= r.rules {
				return nil, fmt.Errorf("%.40q is not the number of a rule", part)
			}
			a.Matched[n]++
		}
	}
	return a, nil
}

// agree says how the answers differ.
func (r *race) agree() error {
	var all []error
	var first, writer *entrant
	for _, e := range r.entrants {
		switch {
		case e.answer == nil:
			continue
		case first == nil:
			first = e
		case e.answer.Devices != first.answer.Devices || !slices.Equal(e.answer.Matched, first.answer.Matched):
			all = append(all, fmt.Errorf("%s found %v of %d devices, %s %v of %d", e.name, e.answer.Matched, e.answer.Devices, first.name, first.answer.Matched, first.answer.Devices))
		}
		if e.answer.Digest == "" {
			continue
		}
		if writer == nil {
			writer = e
		} else if e.answer.Digest != writer.answer.Digest {
			all = append(all, fmt.Errorf("%s writes %d devices (%s), %s %d (%s)", e.name, e.answer.Written, e.answer.Digest, writer.name, writer.answer.Written, writer.answer.Digest))
		}
	}
	return errors.Join(all...)
}
