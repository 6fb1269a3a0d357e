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
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/twinrules/twinrules/hub/twin"
)

// What is read of a plan file at the most.
const (
	maxPlanLine  = 4 << 20
	maxPlanSize  = 8 << 30
	maxPlanRatio = 1000 // uncompressed bytes for each byte of the file, beyond the first MiB
)

// A planLine is one line of a plan file: exactly one field is set. The header
// comes first, the end last.
type planLine struct {
	Header        *Header              `json:"header,omitempty"`
	Rule          *RuleCount           `json:"rule,omitempty"`
	Change        *Change              `json:"change,omitempty"`
	Audited       *Change              `json:"audited,omitempty"`
	Configuration *ConfigurationChange `json:"configuration,omitempty"`
	Conflict      *Conflict            `json:"conflict,omitempty"`
	Failure       *Failure             `json:"error,omitempty"`
	Breach        *Breach              `json:"breach,omitempty"`
	End           *planEnd             `json:"end,omitempty"`
}

// A planEnd closes a plan. A file without it is torn.
type planEnd struct {
	Summary Summary `json:"summary"`
	Digest  string  `json:"digest"` // of all lines before
}

// WritePlan writes p as newline-delimited JSON in zstd, which "zstd -dc" shows.
// Equal plans have equal bytes.
func WritePlan(w io.Writer, p *Plan) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	if _, err := writeLines(z, p); err != nil {
		z.Close()
		return fmt.Errorf("write plan: %w", err)
	}
	return z.Close()
}

// Digest identifies p: the SHA-256 of its lines, as "sha256:…".
func (p *Plan) Digest() string {
	d, err := writeLines(io.Discard, p)
	if err != nil {
		panic(err) // only values that were JSON before
	}
	return d
}

func writeLines(w io.Writer, p *Plan) (digest string, err error) {
	out := &lineWriter{sum: sha256.New()}
	out.encoder = json.NewEncoder(io.MultiWriter(w, out.sum))
	out.encoder.SetEscapeHTML(false)
	out.line(planLine{Header: &p.Header})
	for i := range p.Rules {
		out.line(planLine{Rule: &p.Rules[i]})
	}
	for i := range p.Changes {
		out.line(planLine{Change: &p.Changes[i]})
	}
	for i := range p.Audited {
		out.line(planLine{Audited: &p.Audited[i]})
	}
	for i := range p.Configurations {
		out.line(planLine{Configuration: &p.Configurations[i]})
	}
	for i := range p.Conflicts {
		out.line(planLine{Conflict: &p.Conflicts[i]})
	}
	for i := range p.Errors {
		out.line(planLine{Failure: &p.Errors[i]})
	}
	for i := range p.Breaches {
		out.line(planLine{Breach: &p.Breaches[i]})
	}
	digest = out.digest()
	out.line(planLine{End: &planEnd{p.Summary(), digest}})
	return digest, out.err
}

// A lineWriter writes lines until one fails.
type lineWriter struct {
	encoder *json.Encoder
	sum     hash.Hash
	err     error
}

func (w *lineWriter) line(l planLine) {
	if w.err == nil {
		w.err = w.encoder.Encode(l)
	}
}

func (w *lineWriter) digest() string { return "sha256:" + hex.EncodeToString(w.sum.Sum(nil)) }

// ReadPlan reads what [WritePlan] wrote. A file that is torn, altered, too large
// or of another major version is refused.
func ReadPlan(r io.Reader) (*Plan, error) {
	counted := &countingReader{r: r}
	z, err := zstd.NewReader(counted, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
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
	if c.out > maxPlanSize || c.out > 1<<20 && c.out/maxPlanRatio > c.in.n {
		return 0, errors.New("the file inflates to more than a plan can be")
	}
	return n, err
}

func readLines(r io.Reader) (*Plan, error) {
	p, sum := &Plan{}, sha256.New()
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 64<<10), maxPlanLine)
	var end *planEnd
	for n := 1; scanner.Scan(); n++ {
		if end != nil {
			return nil, fmt.Errorf("line %d stands behind the end", n)
		}
		digest := "sha256:" + hex.EncodeToString(sum.Sum(nil))
		line, err := parseLine(scanner.Bytes())
		if err == nil {
			end, err = p.take(line, n)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if end != nil && end.Digest != digest {
			return nil, fmt.Errorf("line %d: the plan was altered: its digest is %s, not %s", n, digest, end.Digest)
		}
		sum.Write(scanner.Bytes())
		sum.Write([]byte("\n"))
	}
	if err := scanner.Err(); err != nil {
		return nil, err
	}
	if end == nil {
		return nil, errors.New("the file is torn: its end is missing")
	}
	return p, nil
}

func parseLine(data []byte) (line planLine, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err = d.Decode(&line)
	return line, err
}

// take adds a line to p, after checking that it can do no harm.
func (p *Plan) take(line planLine, n int) (*planEnd, error) {
	if (n == 1) != (line.Header != nil) {
		return nil, errors.New("a plan begins with its header, and has one")
	}
	switch {
	case line.Header != nil:
		p.Header = *line.Header
		if !strings.HasPrefix(p.Schema, "twinrules/plan/v1.") {
			return nil, fmt.Errorf("%.40q is not a plan that this version reads", p.Schema)
		}
	case line.Rule != nil:
		p.Rules = append(p.Rules, *line.Rule)
	case line.Change != nil:
		p.Changes = append(p.Changes, *line.Change)
		return nil, line.Change.check()
	case line.Audited != nil:
		p.Audited = append(p.Audited, *line.Audited)
		return nil, line.Audited.check()
	case line.Configuration != nil:
		p.Configurations = append(p.Configurations, *line.Configuration)
	case line.Conflict != nil:
		p.Conflicts = append(p.Conflicts, *line.Conflict)
	case line.Failure != nil:
		p.Errors = append(p.Errors, *line.Failure)
	case line.Breach != nil:
		p.Breaches = append(p.Breaches, *line.Breach)
	case line.End != nil:
		return line.End, nil
	default:
		return nil, errors.New("a line with nothing in it")
	}
	return nil, nil
}

// check refuses a change that this program would not have made.
func (c *Change) check() error {
	if err := twin.CheckID(c.Ref.Device); err != nil || c.Ref.Configuration != "" {
		return fmt.Errorf("%q is no twin", c.Ref)
	}
	if c.Ref.Module != "" && twin.CheckID(c.Ref.Module) != nil {
		return fmt.Errorf("%q is no twin", c.Ref)
	}
	if len(c.Edits) == 0 {
		return fmt.Errorf("%s: a change without edits", c.Ref)
	}
	for _, e := range c.Edits {
		if e.Section != "tags" && e.Section != "desired" || len(e.Path) == 0 {
			return fmt.Errorf("%s: an edit of %q", c.Ref, e.Name())
		}
	}
	return nil
}

// UnmarshalJSON keeps numbers as they are spelled.
func (e *Edit) UnmarshalJSON(data []byte) error {
	type plain Edit
	raw := struct {
		*plain
		Before, After json.RawMessage
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
		Rule  string
		Value json.RawMessage
	}
	if err := strict(data, &raw); err != nil {
		return err
	}
	w.Rule = raw.Rule
	w.Value, err = twin.Decode(raw.Value)
	return err
}

func strict(data []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(to)
}
