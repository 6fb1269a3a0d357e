package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// maxRebases is how often a change is written under a new ETag, for a twin that
// others keep changing.
const maxRebases = 5

// bornETag is the etag of a twin that was never written, whoever's it is: it
// counts writes. It cannot tell a device from one that was made in its place, so
// such a twin is read before it is written.
const bornETag = "AAAAAAAAAAE="

// A write is the making of one change. Every request of it runs under ctx,
// which outlives the run by a little: what was sent has to come to an end.
type write struct {
	*application
	change *Change
	ctx    context.Context
	doubt  bool // an earlier request may have been taken
}

// run makes the change and returns its outcome; none when the run was stopped
// before anything was sent.
func (w *write) run() Outcome {
	etag := w.change.ETag
	w.doubt = w.journal.Past(w.change.Ref).Status == InDoubt
	for try := 0; ; try++ {
		if w.doubt || etag == "" || try == 0 && etag == bornETag {
			now, o := w.reread()
			switch {
			case now == nil:
				return o
			case try > maxRebases && now.ETag == etag:
				return w.outcome(InDoubt, "the answers to its writes keep getting lost")
			case try > maxRebases:
				return w.outcome(Changed, "others keep changing the twin")
			}
			etag, w.doubt = now.ETag, false
		}
		o, again := w.send(etag)
		if !again {
			return o
		}
		w.doubt = true
	}
}

func (w *write) outcome(status Status, format string, args ...any) Outcome {
	return Outcome{Ref: w.change.Ref, Status: status, Detail: fmt.Sprintf(format, args...)}
}

// send sends the patch under etag. It returns again when only reading the twin
// can tell what to do next.
func (w *write) send(etag string) (o Outcome, again bool) {
	var after *twin.Twin
	err := w.attempt(w.application.ctx, unreached, func() (err error) {
		if err = w.journal.Intend(w.change.Ref); err != nil {
			w.stop(fmt.Errorf("journal: %w", err))
			return errStopped
		}
		after, err = w.writer.PatchTwin(w.ctx, w.change.Ref, w.change.Patch(), etag)
		return err
	})
	switch {
	case err == nil:
		return w.written(after), false
	case err == errStopped:
		return w.unsent(), false
	case errors.Is(err, twin.ErrChanged), errors.Is(err, twin.ErrMaybeApplied):
		return Outcome{}, true
	}
	return w.refused(err), false
}

// unsent is what is left of a change when the run was stopped before its patch
// went out: nothing, or the doubt that an earlier try left.
func (w *write) unsent() Outcome {
	if w.doubt {
		return w.outcome(InDoubt, "the run was stopped before the twin could be read again")
	}
	return Outcome{}
}

func (w *write) written(after *twin.Twin) Outcome {
	o := w.outcome(Written, "")
	o.Moved = w.change.Version > 0 && after.Version > w.change.Version+1
	if w.another(after) {
		o.Moved, o.Detail = true, "the device was registered anew, or its registration changed, after the plan"
	}
	return o
}

func (w *write) refused(err error) Outcome {
	switch {
	case errors.Is(err, twin.ErrNotFound):
		return w.outcome(Gone, "%v", err)
	case errors.Is(err, twin.ErrDenied), errors.Is(err, twin.ErrUnavailable):
		w.stop(err) // and not an outcome: it says nothing about this twin
		return Outcome{}
	case w.ctx.Err() != nil:
		return w.outcome(InDoubt, "the run was stopped before an answer came")
	}
	return w.outcome(Rejected, "%v", err)
}

// reread reads the twin and decides: with a twin, the write may be sent under
// its ETag; without one, the outcome is final. Whatever keeps it from reading may
// pass, so that it tries as long as its context lasts.
func (w *write) reread() (now *twin.Twin, o Outcome) {
	err := w.attempt(w.ctx, unread, func() (err error) {
		now, err = w.writer.Twin(w.ctx, w.change.Ref)
		return err
	})
	switch {
	case err == nil:
		return w.decide(now)
	case errors.Is(err, twin.ErrNotFound):
		return nil, w.outcome(Gone, "%v", err)
	case errors.Is(err, twin.ErrDenied):
		w.stop(err)
	}
	return nil, w.outcome(InDoubt, "reading it again failed: %v", err)
}

// another reports whether a twin is known to be of another registration than the
// plan's, whose etag moves with each change of it.
func (w *write) another(now *twin.Twin) bool {
	return now.DeviceETag != "" && w.change.DeviceETag != "" && now.DeviceETag != w.change.DeviceETag
}

// decide compares the touched places of the twin as it is now with what they
// were when the plan was computed and with what they should become.
func (w *write) decide(now *twin.Twin) (*twin.Twin, Outcome) {
	if now.DesiredVersion() < w.change.DesiredVersion {
		return nil, w.outcome(Changed, "the device was deleted and created again")
	}
	if w.another(now) {
		return nil, w.outcome(Changed, "the device was registered anew, or its registration changed, after the plan")
	}
	wanted := true
	for _, e := range w.change.Edits {
		value := place(now, e)
		if twin.Equal(value, e.After) {
			continue
		}
		wanted = false
		if !twin.Equal(value, e.Before) {
			return nil, w.outcome(Changed, "%s is %s now, it was %s", e.Name(), show(value), show(e.Before))
		}
	}
	if wanted {
		return nil, w.outcome(Converged, "")
	}
	return now, Outcome{}
}

// place returns what stands in the way at an edit's place: the value there, nil
// for none, or what is no object further up, which a value would replace.
func place(t *twin.Twin, e Edit) any {
	section, _ := t.Section(e.Section)
	for i := 1; i < len(e.Path) && e.After != nil; i++ {
		parent, exists := section.Lookup(e.Path[:i]...)
		if _, object := parent.(twin.Object); exists && !object {
			return parent
		}
	}
	v, _ := section.Lookup(e.Path...)
	return v
}

// show returns a value as a person reads it in a sentence.
func show(v any) string {
	if v == nil {
		return "absent"
	}
	return rules.Excerpt(string(twin.Encode(v)), 60)
}
