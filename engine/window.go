package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/twinrules/twinrules/rules"
)

// A Window says when writing is allowed: while the clocks of a time zone show a
// time of day in it. So one that they skip in spring does not open on that date,
// and one that comes twice in autumn opens twice.
type Window struct {
	rules.Window
	location *time.Location
}

// NewWindow returns the window of s, nil when there is none: then writing is
// always allowed.
func NewWindow(s *rules.Schedule) (*Window, error) {
	if s == nil || s.Window == nil {
		return nil, nil
	}
	location, err := zone(s.Window.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("schedule: window: %w", err)
	}
	return &Window{*s.Window, location}, nil
}

// Open reports whether writing is allowed at t. A nil window is open.
func (w *Window) Open(t time.Time) bool {
	if w == nil {
		return true
	}
	t = t.In(w.location)
	minute, today := t.Hour()*60+t.Minute(), t.Weekday()
	if w.From < w.To {
		return w.on(today) && w.From <= minute && minute < w.To
	}
	return w.on(today) && w.From <= minute || w.on((today+6)%7) && minute < w.To
}

func (w *Window) on(day time.Weekday) bool { return slices.Contains(w.Days, day) }

// Turns returns the first minute after t at which the window opens or closes,
// and false when it does neither within a fortnight, as one that is always open.
func (w *Window) Turns(t time.Time) (at time.Time, ok bool) {
	if w == nil {
		return time.Time{}, false
	}
	now := w.Open(t)
	at = t.Truncate(time.Minute)
	for range 14 * 24 * 60 {
		if at = at.Add(time.Minute); w.Open(at) != now {
			return at, true
		}
	}
	return time.Time{}, false
}

// String returns the window as a person would say it.
func (w *Window) String() string {
	text := ""
	for _, d := range w.Days {
		if len(w.Days) < 7 {
			text += d.String()[:3] + " "
		}
	}
	zone := w.TimeZone
	if zone == "" {
		zone = "UTC"
	}
	return fmt.Sprintf("%s%02d:%02d to %02d:%02d %s", text, w.From/60, w.From%60, w.To/60, w.To%60, zone)
}
