package engine

import (
	"errors"
	"fmt"

	"github.com/twinrules/twinrules/hub/twin"
)

// samples is how many twins are looked at to tell a hub from another of its name.
const samples = 3

// sameHub refuses a plan whose devices are strangers to the hub: a few of them,
// spread over the plan, are read, and if none has the registration it had for
// the plan, this is another hub under the same name, as after a failover or
// a deletion. What cannot be read is no evidence. Plans of one open change are
// left to the check of that change.
func (a *application) sameHub(open int) error {
	some, err := a.spread(open)
	if err != nil {
		return err
	}
	var seen, strangers int
	for _, c := range some {
		if c.DeviceETag == "" {
			continue
		}
		now, err := a.writer.Twin(a.ctx, c.Ref)
		w := &write{application: a, change: &c}
		switch {
		case errors.Is(err, twin.ErrNotFound):
			seen, strangers = seen+1, strangers+1
		case err == nil && now.DeviceETag != "":
			seen++
			if w.another(now) {
				strangers++
			}
		}
	}
	if seen > 1 && strangers == seen {
		return fmt.Errorf("%w: none of %d devices looked at has the registration that it had for the plan, so this is another hub under the same name, "+
			"or its devices were registered anew: plan again", ErrNotApplicable, seen)
	}
	return nil
}

// spread returns a few of the open changes, of which there are so many, from their
// beginning to their end.
func (a *application) spread(open int) (some []Change, err error) {
	i := 0
	for c, err := range a.open() {
		if err != nil {
			return nil, err
		}
		n := len(some)
		if open <= samples || n < samples && i == n*(open-1)/(samples-1) {
			some = append(some, c.Change)
		}
		i++
	}
	return some, nil
}
