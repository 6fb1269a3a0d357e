package rules

import (
	"regexp"
	"slices"
	"strconv"
	"time"
)

// weekdays are the days of a week as a window spells them.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// readWindow reads when a pack may write.
func readWindow(s setting) *Window {
	if !s.exists() {
		return nil
	}
	m := s.shaped(windowShape)
	zone := m.get("timeZone")
	zone.checkZone()
	w := &Window{TimeZone: zone.text(), Days: readDays(m.get("days")), From: m.need("from").clock(24*60 - 1), To: m.need("to").clock(24 * 60)}
	if to := m.values["to"]; to.exists() && w.From == w.To {
		to.report(WrongValue, `write from: "00:00" and to: "24:00" for whole days`, "the window closes when it opens")
	}
	m.done()
	return w
}

// readDays reads a list of days; without one it is every day.
func readDays(s setting) (days []time.Weekday) {
	if !s.exists() {
		return []time.Weekday{0, 1, 2, 3, 4, 5, 6}
	}
	for _, d := range s.list() {
		day := time.Weekday(slices.Index(weekdays, d.word("", weekdays...)))
		if slices.Contains(days, day) {
			d.report(WrongValue, "", "%s stands here a second time", d.text())
		}
		if day >= 0 {
			days = append(days, day)
		}
	}
	if len(s.list()) == 0 {
		s.report(WrongValue, "leave the key out to say every day", "a window without a day")
	}
	return days
}

var timeOfDay = regexp.MustCompile(`^([01][0-9]|2[0-4]):([0-5][0-9])$`)

// clock reads a time of day such as "05:00", no later than last, as minutes
// since midnight.
func (s setting) clock(last int) int {
	if !s.exists() {
		return 0
	}
	parts := timeOfDay.FindStringSubmatch(s.text())
	if parts == nil {
		s.report(WrongValue, "", "%q is no time of day such as %q", s.text(), "05:00")
		return 0
	}
	h, _ := strconv.Atoi(parts[1])
	m, _ := strconv.Atoi(parts[2])
	if h*60+m > last {
		s.report(WrongValue, "", "%q is no time of day such as %q", s.text(), "05:00")
	}
	return min(h*60+m, last)
}

// readForeign reads the ids of configurations that a rule shares places with.
func readForeign(s setting) (ids []string) {
	for _, e := range s.list() {
		id := e.text()
		if !configurationID.MatchString(id) {
			e.report(WrongValue, "", "%q is no id of a configuration", id)
		}
		if slices.Contains(ids, id) {
			e.report(WrongValue, "", "%q stands here a second time", id)
		}
		ids = append(ids, id)
	}
	return ids
}
