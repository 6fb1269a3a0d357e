package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // so that the zones are the same everywhere

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/rules"
)

// A failer is a test or one run of a property.
type failer interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func clock(t failer, cron, zone string) *engine.Clock {
	c, err := engine.NewClock(&rules.Schedule{Cron: cron, TimeZone: zone})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func parseTime(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestCronThroughDaylightSaving is what a schedule does on the nights when the
// clocks change. In Europe they do on 29 March and 25 October 2026, in New York
// on 8 March and 1 November.
func TestCronThroughDaylightSaving(t *testing.T) {
	for name, c := range map[string]struct{ cron, zone, from, want string }{
		"spring, in the gap":          {"30 2 * * *", "Europe/Oslo", "2026-03-28T12:00:00Z", "2026-03-29T03:00:00+02:00 2026-03-30T02:30:00+02:00"},
		"spring, at its start":        {"0 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T03:00:00+02:00 2026-03-30T02:00:00+02:00"},
		"spring, at its end":          {"0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T03:00:00+02:00 2026-03-30T03:00:00+02:00"},
		"spring, before":              {"59 1 * * *", "Europe/Oslo", "2026-03-28T12:00:00Z", "2026-03-29T01:59:00+01:00 2026-03-30T01:59:00+02:00"},
		"spring, several in the gap":  {"0,15,30 2 * * *", "Europe/Oslo", "2026-03-28T12:00:00Z", "2026-03-29T03:00:00+02:00 2026-03-30T02:00:00+02:00"},
		"spring, asked in the middle": {"30 2 * * *", "Europe/Oslo", "2026-03-29T01:00:00Z", "2026-03-30T02:30:00+02:00"},
		"autumn, comes twice":         {"30 2 * * *", "Europe/Oslo", "2026-10-24T12:00:00Z", "2026-10-25T02:30:00+02:00 2026-10-26T02:30:00+01:00"},
		"autumn, at its start":        {"0 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T02:00:00+02:00 2026-10-26T02:00:00+01:00"},
		"autumn, after":               {"0 3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T03:00:00+01:00 2026-10-26T03:00:00+01:00"},
		"autumn, asked between":       {"30 2 * * *", "Europe/Oslo", "2026-10-25T00:45:00Z", "2026-10-26T02:30:00+01:00"},
		"New York, spring":            {"15 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-08T03:00:00-04:00 2026-03-09T02:15:00-04:00"},
		"New York, autumn":            {"15 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-01T01:15:00-04:00 2026-11-02T01:15:00-05:00"},
		"every half hour, autumn":     {"*/30 * * * *", "Europe/Oslo", "2026-10-25T00:00:00Z", "2026-10-25T02:30:00+02:00 2026-10-25T02:00:00+01:00 2026-10-25T02:30:00+01:00 2026-10-25T03:00:00+01:00"},
		"every half hour, spring":     {"*/30 * * * *", "Europe/Oslo", "2026-03-29T00:20:00Z", "2026-03-29T01:30:00+01:00 2026-03-29T03:00:00+02:00 2026-03-29T03:30:00+02:00"},
		"on a weekday":                {"0 6 * * mon", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T06:00:00+02:00 2026-04-06T06:00:00+02:00"},
		"without a zone":              {"30 2 * * *", "", "2026-03-28T12:00:00Z", "2026-03-29T02:30:00Z 2026-03-30T02:30:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			at, got := parseTime(t, c.from), ""
			schedule := clock(t, c.cron, c.zone)
			for range strings.Fields(c.want) {
				at = schedule.Next(at)
				got += " " + at.Format(time.RFC3339)
			}
			if got[1:] != c.want {
				t.Errorf("got %s\nwant %s", got[1:], c.want)
			}
		})
	}
}

// zones have rules that differ: half hours, the southern half, gaps at midnight,
// and none at all.
var zones = []string{
	"UTC", "Europe/Oslo", "Europe/London", "Europe/Lisbon", "America/New_York", "America/St_Johns", "America/Santiago", "America/Asuncion",
	"America/Havana", "America/Sao_Paulo", "Africa/Cairo", "Africa/Casablanca", "Asia/Beirut", "Asia/Jerusalem", "Asia/Kolkata", "Asia/Tehran",
	"Australia/Lord_Howe", "Australia/Sydney", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "America/Nuuk", "Antarctica/Troll",
}

// TestDailyRunsOncePerDate is the law of schedules with a fixed hour. Where the
// clocks skip the end of a day, as in Nuuk, or a whole one, as in Apia in 2011,
// what stands there runs at the first instant of the next date, which then has
// its own run too.
func TestDailyRunsOncePerDate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(rt, "zone")
		hour, minute := rapid.IntRange(0, 23).Draw(rt, "hour"), rapid.IntRange(0, 59).Draw(rt, "minute")
		checkDaily(rt, zone, rapid.IntRange(2010, 2040).Draw(rt, "year"), hour, minute)
	})
	checkDaily(t, "Pacific/Apia", 2011, 2, 30)
	checkDaily(t, "Pacific/Apia", 2010, 0, 0) // the day that is skipped runs when the next begins, once
	checkDaily(t, "America/Nuuk", 2026, 23, 30)
}

func checkDaily(t failer, zone string, year, hour, minute int) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	c := clock(t, fmt.Sprintf("%d %d * * *", minute, hour), zone)
	end := time.Date(year+2, 1, 1, 0, 0, 0, 0, location)
	runs := map[string]int{}
	for at := c.Next(time.Date(year, 1, 1, 0, 0, -1, 0, location)); at.Before(end); {
		runs[at.Format(time.DateOnly)]++
		next := c.Next(at)
		if !next.After(at) || c.Next(next.Add(-time.Nanosecond)) != next {
			t.Fatalf("%s: after %s comes %s", zone, at, next)
		}
		at = next
	}
	for day := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < year+2; day = day.AddDate(0, 0, 1) {
		if got, want := runs[day.Format(time.DateOnly)], runsOn(day, hour, minute, location); got != want {
			t.Fatalf("%s %02d:%02d: %d runs on %s, want %d", zone, hour, minute, got, day.Format(time.DateOnly), want)
		}
	}
}

// runsOn counts which dates' runs fall on a date; two at one instant are one run.
// Where the clocks change it asks them minute by minute.
func runsOn(day time.Time, hour, minute int, location *time.Location) int {
	noon := time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, location)
	if start, end := noon.ZoneBounds(); start.Before(noon.AddDate(0, 0, -3)) && (end.IsZero() || end.After(noon.AddDate(0, 0, 3))) {
		return 1
	}
	runs := map[int64]bool{}
	for _, date := range []time.Time{day.AddDate(0, 0, -1), day} {
		wanted := date.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
		at := wanted.Add(-40 * time.Hour).In(location)
		for shown(at).Before(wanted) {
			at = at.Add(time.Minute)
		}
		if at.Format(time.DateOnly) == day.Format(time.DateOnly) {
			runs[at.Unix()] = true
		}
	}
	return len(runs)
}

// shown is what the clocks show at a time, as if it were UTC.
func shown(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
}

func TestEveryKeepsItsPhase(t *testing.T) {
	c, err := engine.NewClock(&rules.Schedule{Every: 15 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{
		"2026-03-29T00:00:00Z":           "2026-03-29T00:15:00Z",
		"2026-03-29T00:00:01Z":           "2026-03-29T00:15:00Z",
		"2026-03-29T00:14:59.999999999Z": "2026-03-29T00:15:00Z",
		"2026-03-29T02:50:00+02:00":      "2026-03-29T01:00:00Z",
	} {
		if got := c.Next(parseTime(t, from)); !got.Equal(parseTime(t, want)) {
			t.Errorf("after %s comes %s, want %s", from, got, want)
		}
	}
}

func TestBadSchedules(t *testing.T) {
	for _, c := range []struct{ cron, zone, want string }{
		{"0 2 30 2 *", "", "names a day that never comes"},
		{"0 2 31 4,6 *", "Europe/Oslo", "names a day that never comes"},
		{"*/5 * 31 11 *", "Europe/Oslo", "names a day that never comes"},
		{"0 2 * *", "", "does not have five fields"},
		{"0 0 2 * * *", "", "does not have five fields"},
		{"@daily", "", "does not have five fields"},
		{"@every 1s a b c", "", "does not have five fields"},
		{"TZ=Europe/Oslo 0 2 * *", "", "does not have five fields"},
		{"CRON_TZ=UTC 0 2 * * *", "", "does not have five fields"},
		{"61 2 * * *", "", "schedule: cron"},
		{"*/0 2 * * *", "", "schedule: cron"},
		{"5-1 2 * * *", "", "schedule: cron"},
		{"x 2 * * *", "", "schedule: cron"},
		{"", "", "does not have five fields"},
		{"0 2 * * *", "Europe/Nowhere", "unknown time zone Europe/Nowhere"},
		{"0 2 * * *", "../../etc/passwd", "schedule: time"},
		{"0 2 * * *", "Local", "unknown time zone Local"},
	} {
		if _, err := engine.NewClock(&rules.Schedule{Cron: c.cron, TimeZone: c.zone}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q in %q: got %v, want %s", c.cron, c.zone, err, c.want)
		}
	}
}

func TestLeapDays(t *testing.T) {
	c := clock(t, "0 3 29 2 *", "Europe/Oslo")
	if got := c.Next(parseTime(t, "2026-01-01T00:00:00Z")).Format(time.RFC3339); got != "2028-02-29T03:00:00+01:00" {
		t.Error(got)
	}
	if got := c.Next(parseTime(t, "2096-03-01T00:00:00Z")).Format(time.RFC3339); got != "2104-02-29T03:00:00+01:00" {
		t.Error(got) // 2100 is no leap year
	}
}
