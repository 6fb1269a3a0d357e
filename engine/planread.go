package engine

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/twinrules/twinrules/hub/twin"
)

// What is read of a plan file at the most. Plans of a hundred thousand alike
// changes were seen to deflate 290 times.
const (
	maxPlanLine  = 4 << 20
	maxPlanSize  = 2 << 30
	maxPlanRatio = 500 // uncompressed bytes for each byte of the file, beyond maxPlanFree
	maxPlanFree  = 16 << 20
)

// ReadPlan reads what [WritePlan] wrote, and nothing else: a file that is torn,
// altered, too large, of another major version, or that says something which
// this program would have said otherwise is refused, with the line.
func ReadPlan(r io.Reader) (*Plan, error) {
	counted := &countingReader{r: r}
	z, err := zstd.NewReader(counted, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	defer z.Close()
	p, err := readLines(&cappedReader{r: z, in: counted})
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	return p, nil
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// A cappedReader refuses to inflate a small file into a huge one.
type cappedReader struct {
	r   io.Reader
	in  *countingReader
	out int64
}

func (c *cappedReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.out += int64(n)
	if c.out > maxPlanSize || (c.out-maxPlanFree)/maxPlanRatio > c.in.n {
		return 0, errors.New("the file inflates to more than a plan can be")
	}
	return n, err
}

// readLines reads a plan line by line.
func readLines(r io.Reader) (*Plan, error) {
	lists := &editLists{}
	p := &planReader{sum: sha256.New(), changes: newChangePile(lists, nil, defaultRoom), audited: newChangePile(lists, nil, defaultRoom)}
	lines := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		data, err := readLine(lines)
		switch {
		case err == io.EOF && p.ended:
			return &p.plan, nil
		case err == io.EOF:
			return nil, fmt.Errorf("line %d: the file is torn, its end is missing", n)
		case err == nil:
			err = p.line(data)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
}

// readLine returns the next line with its end. A last line without an end is
// io.ErrUnexpectedEOF.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxPlanLine {
			return nil, fmt.Errorf("longer than %d bytes", maxPlanLine)
		}
		switch {
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(line) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return line, err
		}
	}
}

// A planReader puts the lines of a file together.
type planReader struct {
	plan    Plan
	sum     hash.Hash // of the lines so far
	kind    int       // of the last line
	last    twin.Ref  // of the last change
	changes *changePile
	audited *changePile
	begun   bool
	ended   bool
}

func (p *planReader) line(data []byte) error {
	if p.ended {
		return errors.New("a line behind the end")
	}
	var line planLine
	if err := strict(data, &line); err != nil {
		return err
	}
	if err := p.order(line.kinds()); err != nil {
		return err
	}
	if err := p.take(line); err != nil {
		return err
	}
	// Whatever else a JSON reader forgives, such as a key that stands there twice
	// or in capitals, shows when the line is written again.
	if again, err := line.encode(); err != nil || !bytes.Equal(again, data) {
		return errors.New("the plan was altered: this is not how it was written")
	}
	p.sum.Write(data)
	return nil
}

// kinds says which fields of l are set, in their order.
func (l *planLine) kinds() (list []int) {
	for kind, set := range []bool{
		l.Header != nil, l.Rule != nil, l.Rollout != nil, l.Change != nil, l.Audited != nil, l.Configuration != nil,
		l.Conflict != nil, l.Failure != nil, l.Warning != nil, l.Breach != nil, l.End != nil,
	} {
		if set {
			list = append(list, kind)
		}
	}
	return list
}

// order checks that a line with these kinds may follow the last one.
func (p *planReader) order(kinds []int) error {
	switch {
	case len(kinds) != 1:
		return fmt.Errorf("a line says one thing, this one %d", len(kinds))
	case (kinds[0] == 0) == p.begun:
		return errors.New("a plan begins with its header, and has one")
	case kinds[0] < p.kind:
		return errors.New("the plan was altered: its lines are out of order")
	}
	p.kind, p.begun = kinds[0], true
	return nil
}

// take adds a line to the plan, after checking that it can do no harm.
func (p *planReader) take(line planLine) error {
	switch {
	case line.Header != nil:
		p.plan.Header = *line.Header
		return line.Header.check()
	case line.Rule != nil:
		p.plan.Rules = append(p.plan.Rules, *line.Rule)
	case line.Rollout != nil:
		return p.addRollout(*line.Rollout)
	case line.Change != nil:
		return p.addChange(p.changes, *line.Change)
	case line.Audited != nil:
		return p.addChange(p.audited, *line.Audited)
	case line.Configuration != nil:
		return p.addConfiguration(*line.Configuration)
	case line.Conflict != nil:
		if len(line.Conflict.Wishes) < 2 {
			return errors.New("a conflict has two sides")
		}
		p.plan.Conflicts = append(p.plan.Conflicts, *line.Conflict)
	case line.Failure != nil:
		p.plan.Errors = append(p.plan.Errors, *line.Failure)
	case line.Warning != nil:
		p.plan.Warnings = append(p.plan.Warnings, *line.Warning)
	case line.Breach != nil:
		p.plan.Breaches = append(p.plan.Breaches, *line.Breach)
	case line.End != nil:
		p.ended = true
		return p.end(line.End)
	}
	return nil
}

func (p *planReader) end(e *planEnd) error {
	if digest := "sha256:" + hex.EncodeToString(p.sum.Sum(nil)); e.Digest != digest {
		return fmt.Errorf("the plan was altered: its digest is %s, not %.80q", digest, e.Digest)
	}
	var err1, err2 error
	p.plan.Changes, err1 = p.changes.changes()
	p.plan.Audited, err2 = p.audited.changes()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if e.Summary != p.plan.Summary() {
		return errors.New("the plan was altered: its summary is that of another")
	}
	return p.plan.checkWaves()
}

// UnmarshalJSON keeps numbers as they are spelled.
func (e *Edit) UnmarshalJSON(data []byte) error {
	type plain Edit
	raw := struct {
		*plain
		Before json.RawMessage `json:"before"`
		After  json.RawMessage `json:"after"`
	}{plain: (*plain)(e)}
	if err := strict(data, &raw); err != nil {
		return err
	}
	var err1, err2 error
	e.Before, err1 = twin.Decode(raw.Before)
	e.After, err2 = twin.Decode(raw.After)
	return errors.Join(err1, err2)
}

// UnmarshalJSON keeps numbers as they are spelled.
func (w *ConflictWish) UnmarshalJSON(data []byte) (err error) {
	var raw struct {
		Rule          string          `json:"rule"`
		Value         json.RawMessage `json:"value"`
		Configuration string          `json:"configuration"`
	}
	if err := strict(data, &raw); err != nil {
		return err
	}
	w.Rule, w.Configuration = raw.Rule, raw.Configuration
	w.Value, err = twin.Decode(raw.Value)
	return err
}

func strict(data []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(to)
}
