package engine

import (
	"cmp"
	"errors"
	"iter"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// Differences are the twins to which two plans do different things, in Ref order.
// They are found anew each time that they are read, since they may be as many as
// the changes.
type Differences struct {
	base, head *Changes
	count      int
}

// A DifferentChange is what differs for one twin.
type DifferentChange struct {
	Ref   twin.Ref        `json:"ref"`
	Edits []DifferentEdit `json:"edits"`
}

// A DifferentEdit is one place at which the plans differ. For a withdrawn edit,
// Edit is base's.
type DifferentEdit struct {
	Edit
	Class Class `json:"class"`
	Base  any   `json:"base"` // what base would write, for an altered edit
}

// A Class says how an edit of head stands to base.
type Class string

// The classes of edits.
const (
	Introduced Class = "introduced" // only head makes it
	Withdrawn  Class = "withdrawn"  // only base makes it
	Altered    Class = "altered"    // head writes another value
)

// differences compares two lists of changes, and counts twins with places that both
// change alike, and such places that are for other rules.
func differences(base, head *Changes) (d Differences, pending, reassigned int, err error) {
	c := comparison{base: base, head: head}
	d = Differences{base: base, head: head}
	err = c.each(func(DifferentChange) bool { d.count++; return true })
	return d, c.pending, c.reassigned, err
}

// Len returns how many there are.
func (d *Differences) Len() int { return d.count }

// All yields them in order. After an error, which is that of a file and wraps
// [ErrScratch], it yields nothing more.
func (d *Differences) All() iter.Seq2[DifferentChange, error] {
	return func(yield func(DifferentChange, error) bool) {
		if d.count == 0 {
			return
		}
		c := comparison{base: d.base, head: d.head}
		if err := c.each(func(one DifferentChange) bool { return yield(one, nil) }); err != nil {
			yield(DifferentChange{}, err)
		}
	}
}

func (d *Differences) close() error { return errors.Join(d.base.close(), d.head.close()) }

// A comparison goes through two lists of changes, which are in Ref order.
type comparison struct {
	base, head          *Changes
	pending, reassigned int
}

// each calls yield with what differs, until it returns false.
func (c *comparison) each(yield func(DifferentChange) bool) error {
	was, stopBase := listOf(c.base)
	defer stopBase()
	is, stopHead := listOf(c.head)
	defer stopHead()
	for was.at != nil || is.at != nil {
		one := DifferentChange{}
		switch order := first(was.at, is.at); {
		case order < 0:
			one = c.change(was.at.Ref, was.at.Edits, nil)
			was.next()
		case order > 0:
			one = c.change(is.at.Ref, nil, is.at.Edits)
			is.next()
		default:
			one = c.change(is.at.Ref, was.at.Edits, is.at.Edits)
			was.next()
			is.next()
		}
		if err := errors.Join(was.err, is.err); err != nil {
			return err
		}
		if len(one.Edits) > 0 && !yield(one) {
			return nil
		}
	}
	return errors.Join(was.err, is.err)
}

// A changeList is a list of changes that is read one by one.
type changeList struct {
	at   *Change // nil behind the last, and after an error
	err  error
	pull func() (Change, error, bool)
}

// listOf returns a list at its first change, and what ends reading it.
func listOf(changes *Changes) (l *changeList, stop func()) {
	l = &changeList{}
	l.pull, stop = iter.Pull2(changes.All())
	l.next()
	return l, stop
}

func (l *changeList) next() {
	c, err, ok := l.pull()
	if l.at, l.err = &c, errors.Join(l.err, err); !ok || err != nil {
		l.at = nil
	}
}

// first says which of two changes comes first, where none is the last.
func first(a, b *Change) int {
	switch {
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Ref.Compare(b.Ref)
}

// change compares what is done to one twin; without edits nothing differs.
func (c *comparison) change(ref twin.Ref, base, head []Edit) DifferentChange {
	var edits []DifferentEdit
	pending := false
	for _, e := range head {
		was, found := at(base, e)
		switch {
		case !found:
			edits = append(edits, DifferentEdit{Edit: e, Class: Introduced})
		case !twin.Equal(was.After, e.After):
			edits = append(edits, DifferentEdit{Edit: e, Class: Altered, Base: was.After})
		default:
			pending = true
			if !slices.Equal(was.Rules, e.Rules) {
				c.reassigned++
			}
		}
	}
	for _, e := range base {
		if _, found := at(head, e); !found {
			edits = append(edits, DifferentEdit{Edit: e, Class: Withdrawn})
		}
	}
	if pending {
		c.pending++
	}
	slices.SortFunc(edits, func(a, b DifferentEdit) int {
		return cmp.Or(cmp.Compare(a.Section, b.Section), slices.Compare(a.Path, b.Path))
	})
	return DifferentChange{ref, edits}
}

func at(edits []Edit, e Edit) (Edit, bool) {
	for _, other := range edits {
		if other.Section == e.Section && slices.Equal(other.Path, e.Path) {
			return other, true
		}
	}
	return Edit{}, false
}
