package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// PlanName is the name of a run's plan, beside its journal.
const PlanName = "plan.twp"

// A Memory knows what stood at the places of twins before rules wrote there. It
// is immutable and safe for concurrent use.
type Memory struct {
	found map[wrote][]entry // newest first
}

var _ rules.Memory = (*Memory)(nil)

// wrote names the places that one rule has written on one twin.
type wrote struct {
	ref  twin.Ref
	rule string
}

// An entry is one edit that was made.
type entry struct {
	engine.Edit
	born int64 // the twin's desired version then: a device that was made anew counts from the start
}

// Remember reads the runs below dir that wrote to hub, for the rules named: those
// of which it will be asked. A run that cannot be read is an error, since its
// values would be taken for none.
func Remember(dir, hub string, named []string) (*Memory, error) {
	m := &Memory{found: map[wrote][]entry{}}
	if len(named) == 0 {
		return m, nil
	}
	runs, err := readRuns(dir, hub)
	if err != nil {
		return nil, fmt.Errorf("remember earlier runs: %w", err)
	}
	for _, r := range runs {
		if err := m.add(r, named); err != nil {
			return nil, fmt.Errorf("remember earlier runs: %w", err)
		}
	}
	return m, nil
}

// A past is a run with the folder that it is in.
type past struct {
	*Run
	dir string
}

// readRuns returns the runs below dir against hub, newest first. A folder without
// a journal is a run that was killed before it wrote anything.
func readRuns(dir, hub string) (list []past, err error) {
	folders, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		folder := filepath.Join(dir, f.Name())
		if _, err := os.Stat(filepath.Join(folder, FileName)); errors.Is(err, os.ErrNotExist) {
			continue
		}
		run, err := Read(folder)
		if err != nil {
			return nil, err
		}
		if run.Hub == hub {
			list = append(list, past{run, folder})
		}
	}
	slices.SortStableFunc(list, func(a, b past) int { return b.At.Compare(a.At) })
	return list, nil
}

// add notes what a run wrote for the rules named. What is in doubt counts: if it
// was not taken, the rule's value does not stand there and nobody asks.
func (m *Memory) add(r past, named []string) error {
	made := map[twin.Ref]bool{}
	for _, o := range r.Outcomes {
		made[o.Ref] = o.Status == engine.Written || o.Status == engine.Converged || o.Status == engine.InDoubt
	}
	for _, ref := range r.InDoubt {
		made[ref] = true
	}
	plan, err := readPlan(r)
	if err != nil {
		return err
	}
	for c, err := range plan.Changes.All() {
		if err != nil {
			return err
		}
		for _, e := range c.Edits {
			for _, rule := range e.Rules {
				if made[c.Ref] && slices.Contains(named, rule) {
					key := wrote{c.Ref, rule}
					m.found[key] = append(m.found[key], entry{e, c.DesiredVersion})
				}
			}
		}
	}
	return nil
}

func readPlan(r past) (*engine.Plan, error) {
	f, err := os.Open(filepath.Join(r.dir, PlanName))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := engine.ReadPlan(f)
	digest := ""
	if err == nil {
		digest, err = p.Digest()
	}
	if err == nil && digest != r.Plan {
		err = errors.New("it is not the plan of the journal beside it")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return p, nil
}

// Before returns what stood at a place of t before the rule first wrote what it
// has written there since without a break, nil for nothing, and whether that is
// known. The value that stands there must be the rule's own.
func (m *Memory) Before(t *twin.Twin, rule string, place twin.Leaf) (value any, known bool) {
	stands := place.Value
	for _, e := range m.found[wrote{t.Ref, rule}] {
		if !e.leaf().Overlaps(place) {
			continue
		}
		if e.Why != "" || e.born > t.DesiredVersion() || !twin.Equal(at(e.After, e, place), stands) {
			break // it had left, the device was another one, or others wrote in between
		}
		value, known = at(e.Before, e, place), true
		stands = value
	}
	return value, known
}

func (e entry) leaf() twin.Leaf { return twin.Leaf{Section: e.Section, Path: e.Path} }

// at returns what of an edit's value stands at a place in it; nil for nothing.
func at(value any, e entry, place twin.Leaf) any {
	if len(place.Path) < len(e.Path) {
		return value
	}
	below := place.Path[len(e.Path):]
	if len(below) == 0 {
		return value
	}
	o, _ := value.(twin.Object)
	v, _ := o.Lookup(below...)
	return v
}

// Restoring names the rules of a pack that ask a memory.
func Restoring(p *rules.Pack) (list []string) {
	for _, r := range p.Rules {
		if r.OnExit == rules.RestoreValues && r.Mode != rules.Off {
			list = append(list, r.ID)
		}
	}
	return list
}
