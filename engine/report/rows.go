package report

import (
	"errors"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// A Row is a set of twins for which the same rules do the same at the same
// places. What stood there before may differ.
type Row struct {
	Rules   []string     `json:"rules"`
	Class   engine.Class `json:"class,omitempty"` // of a difference
	Why     string       `json:"why,omitempty"`   // of rules that leave: what is done to their values
	Count   int          `json:"count"`           // twins
	Places  []Place      `json:"places"`
	Samples []string     `json:"samples"` // a few of the twins, in order
	// Folded is set when the rows of one rule were too many, so that those were
	// put together which differ in their new values only.
	Folded bool `json:"folded,omitempty"`
}

// A Place is one path of a [Row].
type Place struct {
	Path   string    `json:"path"`
	Before []Counted `json:"before"`         // most frequent first
	After  []Counted `json:"after"`          // one, but in a folded row
	Base   []Counted `json:"base,omitempty"` // what base would write, for an altered edit
}

// A Counted is a value and how many twins have it. A nil value is none.
type Counted struct {
	Value any `json:"value"`
	Count int `json:"count"`
}

// How much of the twins a row shows, and how many rows a rule may have before
// they are folded.
const (
	maxSamples = 3
	maxRows    = 25
)

// planRows groups the changes of a plan. An error is that of reading them.
func planRows(changes *engine.Changes) ([]Row, error) {
	var g grouping
	var list []engine.DifferentEdit
	for c, err := range changes.All() {
		if err != nil {
			return nil, err
		}
		list = list[:0]
		for _, e := range c.Edits {
			list = append(list, engine.DifferentEdit{Edit: e})
		}
		g.add(c.Ref, list)
	}
	return g.rows(), nil
}

// bothRows groups what is written, and what is audited.
func bothRows(p *engine.Plan) (writes, audits []Row, err error) {
	writes, err1 := planRows(&p.Changes)
	audits, err2 := planRows(&p.Audited)
	return writes, audits, errors.Join(err1, err2)
}

// bothDifferences does the same for a difference.
func bothDifferences(d *engine.Difference) (writes, audits []Row, err error) {
	writes, err1 := differenceRows(&d.Changes)
	audits, err2 := differenceRows(&d.Audited)
	return writes, audits, errors.Join(err1, err2)
}

// differenceRows groups the changes of a difference.
func differenceRows(changes *engine.Differences) ([]Row, error) {
	var g grouping
	for c, err := range changes.All() {
		if err != nil {
			return nil, err
		}
		g.add(c.Ref, c.Edits)
	}
	return g.rows(), nil
}

// sign returns what a row does in one character: + adds, - removes, ~ changes,
// < is no longer done.
func (r Row) sign() string {
	adds, removes := true, true
	for _, p := range r.Places {
		adds = adds && none(p.Before)
		removes = removes && none(p.After)
	}
	switch {
	case r.Class == engine.Withdrawn:
		return "<"
	case removes:
		return "-"
	case adds:
		return "+"
	}
	return "~"
}

func none(list []Counted) bool {
	return len(list) == 1 && list[0].Value == nil
}

// name returns a document as people call it.
func name(ref twin.Ref) string {
	switch {
	case ref.Configuration != "":
		return ref.Configuration
	case ref.Module != "":
		return ref.Device + "/" + ref.Module
	}
	return ref.Device
}
