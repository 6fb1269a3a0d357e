package engine_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/rules"
)

func window(t testing.TB, w rules.Window) *engine.Window {
	t.Helper()
	out, err := engine.NewWindow(&rules.Schedule{Window: &w})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestWindows is when a window is open: 2026-03-29 and 2026-10-25 are the days on
// which the clocks of Berlin change, both Sundays.
func TestWindows(t *testing.T) {
	everyDay := []time.Weekday{0, 1, 2, 3, 4, 5, 6}
	night := rules.Window{TimeZone: "Europe/Berlin", Days: everyDay, From: 2 * 60, To: 3 * 60}
	friday := rules.Window{TimeZone: "Europe/Berlin", Days: []time.Weekday{time.Friday}, From: 22 * 60, To: 4 * 60}
	for name, c := range map[string]struct {
		window rules.Window
		at     string
		open   bool
	}{
		"before it opens":              {night, "2026-03-27T00:59:59.9Z", false},
		"as it opens":                  {night, "2026-03-27T01:00:00Z", true},
		"as it closes":                 {night, "2026-03-27T02:00:00Z", false},
		"in summer":                    {night, "2026-07-01T00:30:00Z", true},
		"skipped in spring":            {night, "2026-03-29T01:00:00Z", false},
		"before it is skipped":         {night, "2026-03-29T00:59:59Z", false},
		"the first time in autumn":     {night, "2026-10-25T00:30:00Z", true},
		"the second time in autumn":    {night, "2026-10-25T01:30:00Z", true},
		"after both":                   {night, "2026-10-25T02:00:00Z", false},
		"over midnight, the evening":   {friday, "2026-11-20T21:00:00Z", true},
		"over midnight, before":        {friday, "2026-11-20T20:59:00Z", false},
		"over midnight, the morning":   {friday, "2026-11-21T02:59:00Z", true},
		"over midnight, after":         {friday, "2026-11-21T03:00:00Z", false},
		"the evening after":            {friday, "2026-11-21T21:00:00Z", false},
		"the morning before":           {friday, "2026-11-20T02:00:00Z", false},
		"to the end of the day":        {rules.Window{Days: everyDay, From: 0, To: 24 * 60}, "2026-11-20T23:59:59Z", true},
		"the day of the zone, not UTC": {rules.Window{TimeZone: "Asia/Tokyo", Days: []time.Weekday{time.Saturday}, From: 0, To: 60}, "2026-11-20T15:30:00Z", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := window(t, c.window).Open(parseTime(t, c.at)); got != c.open {
				t.Errorf("at %s, open is %v", c.at, got)
			}
		})
	}
	var none *engine.Window
	if at, ok := none.Turns(time.Now()); !none.Open(time.Now()) || ok {
		t.Errorf("no window closed at %s", at)
	}
	if _, err := engine.NewWindow(&rules.Schedule{Window: &rules.Window{TimeZone: "Local"}}); err == nil {
		t.Error("a window in the zone of this machine")
	}
}

// TestWindowsAddUp is the law of windows: in a week without changes of the clocks
// one is open for as long as it says on each of its days, over midnight or not;
// and Turns finds every opening and closing.
func TestWindowsAddUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		from, to := rapid.IntRange(0, 1439).Draw(rt, "from"), rapid.IntRange(0, 1440).Draw(rt, "to")
		if from == to {
			return
		}
		days := rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 1, 7, rapid.ID[int]).Draw(rt, "days")
		w := rules.Window{TimeZone: rapid.SampledFrom(zones).Draw(rt, "zone"), From: from, To: to}
		for _, d := range days {
			w.Days = append(w.Days, time.Weekday(d))
		}
		length := to - from
		if length <= 0 {
			length += 24 * 60
		}
		checkWeek(rt, window(t, w), length*len(days))
	})
}

// checkWeek follows the turns of a window through a week of July.
func checkWeek(t *rapid.T, w *engine.Window, minutes int) {
	at := time.Date(2025, 7, 7, 0, 0, 0, 0, time.UTC)
	end, open := at.AddDate(0, 0, 7), 0
	for at.Before(end) {
		next, ok := w.Turns(at)
		if !ok || next.After(end) {
			next = end
		}
		if w.Open(at) != w.Open(next.Add(-time.Second)) {
			t.Fatalf("%s turns between %s and %s", w, at, next)
		}
		if w.Open(at) {
			open += int(next.Sub(at) / time.Minute)
		}
		at = next
	}
	if open != minutes {
		t.Fatalf("%s is open for %d minutes a week, want %d", w, open, minutes)
	}
}

func TestAWindowSpeaks(t *testing.T) {
	w := window(t, rules.Window{TimeZone: "Europe/Berlin", Days: []time.Weekday{time.Monday, time.Friday}, From: 22 * 60, To: 4*60 + 5})
	if got, want := w.String(), "Mon Fri 22:00 to 04:05 Europe/Berlin"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	at, ok := w.Turns(parseTime(t, "2026-11-21T12:00:30Z"))
	if want := "2026-11-23T21:00:00Z"; !ok || at.UTC().Format(time.RFC3339) != want {
		t.Errorf("it opens at %s, want %s", at, want)
	}
}
