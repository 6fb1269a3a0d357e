package engine

import (
	"context"
	"errors"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// maxTries is how often in a row a request is tried that does not get through,
// with pauses from 1 s doubling to 30 s.
const maxTries = 6

// errStopped says that the run was stopped before a request was sent.
var errStopped = errors.New("the run was stopped")

// attempt sends a request until something came of it, or ctx ends. A request
// that is throttled waits for as long as it takes, together with all others; one
// that is worth another try has a few.
func (a *application) attempt(ctx context.Context, worth func(error) bool, send func() error) error {
	for try := 0; ; {
		if !a.pause.wait(ctx) {
			return errStopped
		}
		err := send()
		switch {
		case err == nil:
			a.pause.done()
			return nil
		case errors.Is(err, twin.ErrThrottled):
			a.pause.extend(err)
		case worth(err) && try < maxTries:
			sleep(ctx, min(time.Second<<try, 30*time.Second))
			try++
		default:
			return err
		}
	}
}

// unreached reports whether a write was not sent, so that it can be sent again.
func unreached(err error) bool { return errors.Is(err, twin.ErrUnavailable) }

// unread reports whether a read may succeed when it is tried again.
func unread(err error) bool {
	return !errors.Is(err, twin.ErrNotFound) && !errors.Is(err, twin.ErrDenied) && err != errStopped
}

// sleep waits, and reports whether ctx lasted.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
