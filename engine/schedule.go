package engine

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/twinrules/twinrules/rules"
)

// A Clock says when a schedule is due.
type Clock struct {
	every    time.Duration
	cron     cron.Schedule
	wall     bool // the hour is fixed: once a day in wall time
	location *time.Location
}

// NewClock returns the clock of s. A cron expression that does not parse, or
// that no day meets, is an error.
func NewClock(s *rules.Schedule) (*Clock, error) {
	if s.Every > 0 {
		return &Clock{every: s.Every}, nil
	}
	location, err := zone(s.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("schedule: %w", err)
	}
	if strings.ContainsAny(s.Cron, "@=") || len(strings.Fields(s.Cron)) != 5 {
		return nil, fmt.Errorf("schedule: cron %q does not have five fields: minute, hour, day, month, weekday", s.Cron)
	}
	parsed, err := cron.ParseStandard(s.Cron)
	if err != nil {
		return nil, fmt.Errorf("schedule: cron %q: %w", s.Cron, err)
	}
	c := &Clock{cron: parsed, location: location, wall: !strings.HasPrefix(strings.Fields(s.Cron)[1], "*")}
	spec := parsed.(*cron.SpecSchedule)
	spec.Location = location
	if c.wall {
		spec.Location = time.UTC
	}
	if parsed.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errors.New("schedule: cron " + s.Cron + " names a day that never comes")
	}
	return c, nil
}

// zone returns a time zone by its IANA name, UTC for "".
func zone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, errors.New("unknown time zone Local") // it would be another on every machine
	}
	return time.LoadLocation(name)
}

// Next returns the first time after t at which the schedule is due.
//
// A cron expression with a fixed hour runs once on each date that it names,
// whatever the clocks do: a time that is skipped in spring runs at the first
// instant after the gap, one that comes twice in autumn runs the first time. One
// whose hour begins with * runs in elapsed time.
func (c *Clock) Next(t time.Time) time.Time {
	switch {
	case c.every > 0:
		return t.Truncate(c.every).Add(c.every)
	case !c.wall:
		return c.next(t.In(c.location))
	}
	for wall := asUTC(t.In(c.location)).AddDate(0, 0, -1); ; {
		wall = c.next(wall)
		if at := onClock(wall, c.location); at.After(t) {
			return at
		}
	}
}

// next returns the first time after t that the expression names. The library
// gives up after five years, and from 2096 to 2104 there is no leap day.
func (c *Clock) next(t time.Time) time.Time {
	for {
		if next := c.cron.Next(t); !next.IsZero() {
			return next
		}
		t = t.AddDate(4, 0, 0)
	}
}

// asUTC returns the time in UTC at which a clock shows what t's shows.
func asUTC(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// onClock returns the first instant at which the clocks of location show wall,
// or the first after it when they skip it.
func onClock(wall time.Time, location *time.Location) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, location)
	start, end := t.ZoneBounds()
	switch shown := asUTC(t); {
	case shown.After(wall): // skipped, and Go took the offset before
		return start
	case shown.Before(wall): // skipped, and Go took the offset after
		return end
	case start.IsZero():
		return t
	}
	_, before := start.Add(-time.Second).Zone()
	if earlier := wall.Add(-time.Duration(before) * time.Second); earlier.Before(start) {
		return earlier.In(location) // comes twice
	}
	return t
}
