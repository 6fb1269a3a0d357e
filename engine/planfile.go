package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// A planLine is one line of a plan file: exactly one field is set. Lines come in
// the order of the fields; the header and the end stand there once.
type planLine struct {
	Header        *Header              `json:"header,omitempty"`
	Rule          *RuleCount           `json:"rule,omitempty"`
	Rollout       *Rollout             `json:"rollout,omitempty"`
	Change        *Change              `json:"change,omitempty"`
	Audited       *Change              `json:"audited,omitempty"`
	Configuration *ConfigurationChange `json:"configuration,omitempty"`
	Conflict      *Conflict            `json:"conflict,omitempty"`
	Failure       *Failure             `json:"error,omitempty"`
	Warning       *Failure             `json:"warning,omitempty"`
	Breach        *Breach              `json:"breach,omitempty"`
	End           *planEnd             `json:"end,omitempty"`
}

// A planEnd closes a plan. A file without it is torn.
type planEnd struct {
	Summary Summary `json:"summary"`
	Digest  string  `json:"digest"` // of all lines before
}

// planWindow is how far back a plan file refers: thousands of changes, in an eighth
// of the memory that the library would take by itself.
const planWindow = 1 << 20

// WritePlan writes p as newline-delimited JSON in zstd, which "zstd -dc" shows.
// Equal plans have equal bytes. It fails when one twin makes a line that
// [ReadPlan] would refuse, which no twin of a hub can.
func WritePlan(w io.Writer, p *Plan) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(planWindow), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return err
	}
	_, err = writeLines(z, p, maxPlanLine)
	if failed := z.Close(); err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return nil
}

// Digest identifies p: the SHA-256 of its lines, as "sha256:…". It fails only where
// the changes are in a file.
func (p *Plan) Digest() (string, error) { return writeLines(io.Discard, p, 0) }

// writeLines writes the lines of p, none longer than limit, where 0 is no limit.
func writeLines(to io.Writer, p *Plan, limit int) (digest string, err error) {
	sum := sha256.New()
	w := &lineWriter{w: io.MultiWriter(to, sum), limit: limit}
	w.line(planLine{Header: &p.Header})
	each(w, p.Rules, func(v *RuleCount) planLine { return planLine{Rule: v} })
	each(w, p.Rollouts, func(v *Rollout) planLine { return planLine{Rollout: v} })
	w.changes(&p.Changes, func(c *Change) planLine { return planLine{Change: c} })
	w.changes(&p.Audited, func(c *Change) planLine { return planLine{Audited: c} })
	each(w, p.Configurations, func(v *ConfigurationChange) planLine { return planLine{Configuration: v} })
	each(w, p.Conflicts, func(v *Conflict) planLine { return planLine{Conflict: v} })
	each(w, p.Errors, func(v *Failure) planLine { return planLine{Failure: v} })
	each(w, p.Warnings, func(v *Failure) planLine { return planLine{Warning: v} })
	each(w, p.Breaches, func(v *Breach) planLine { return planLine{Breach: v} })
	digest = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	w.line(planLine{End: &planEnd{p.Summary(), digest}})
	return digest, w.err
}

func each[T any](w *lineWriter, list []T, line func(*T) planLine) {
	for i := range list {
		w.line(line(&list[i]))
	}
}

func (w *lineWriter) changes(list *Changes, line func(*Change) planLine) {
	for c, err := range list.All() {
		if w.err == nil {
			w.err = err
		}
		if w.err != nil {
			return
		}
		w.line(line(&c))
	}
}

// A lineWriter writes lines until one fails.
type lineWriter struct {
	w       io.Writer
	encoder lineEncoder
	last    []byte
	limit   int
	err     error
}

func (w *lineWriter) line(l planLine) {
	if w.err != nil {
		return
	}
	if w.last, w.err = w.encoder.append(w.last[:0], l); w.err != nil {
		return
	}
	data := w.last
	if w.limit > 0 && len(data) > w.limit {
		w.err = fmt.Errorf("%.100s… is longer than %d bytes", data, w.limit)
		return
	}
	_, w.err = w.w.Write(data)
}
