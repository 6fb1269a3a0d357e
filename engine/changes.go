package engine

import (
	"errors"
	"iter"
)

// Changes are the changes of a plan, a twin each, in Ref order. They are read from
// the beginning, and need not be in memory: see [Options.Scratch]. The zero Changes
// are none. They may be read by several goroutines at once.
type Changes struct {
	runs  []changeRun
	count int
	edits int
	waves func([]Cohort) // says in which waves cohorts are; nil where they know it
}

// A changeRun holds changes as bytes, in Ref order.
type changeRun struct {
	region
	lists *editLists // of edits that they have in common
}

// ChangesOf returns the changes in list, which must be of a twin each.
func ChangesOf(list ...Change) Changes {
	p := newChangePile(&editLists{}, nil, defaultRoom)
	for i := range list {
		p.add(&list[i])
	}
	c, _ := p.changes() // memory does not fail
	return c
}

// Len returns how many there are.
func (c *Changes) Len() int { return c.count }

// Edits returns how many edits they have.
func (c *Changes) Edits() int { return c.edits }

// All yields the changes in order. Their edits must not be changed. After an
// error, which is that of a file and wraps [ErrScratch], it yields nothing more.
func (c *Changes) All() iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		m, err := mergeRuns(c.runs)
		for err == nil && len(m) > 0 {
			var change Change
			if change, err = m[0].change(); err != nil {
				break
			}
			if c.waves != nil && len(change.Cohorts) > 0 {
				c.waves(change.Cohorts)
			}
			if !yield(change, nil) {
				return
			}
			err = m.next()
		}
		if err != nil {
			yield(Change{}, err)
		}
	}
}

// take adds the changes of other, of other twins.
func (c *Changes) take(other Changes) {
	c.runs, c.count, c.edits = append(c.runs, other.runs...), c.count+other.count, c.edits+other.edits
}

// close gives up the file that changes are in.
func (c *Changes) close() (err error) {
	for _, r := range c.runs {
		err = errors.Join(err, r.file.close())
	}
	return err
}
