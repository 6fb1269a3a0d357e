package rules

import (
	"math"
	"time"
)

// readTime reads a time as devices write it: RFC 3339 with its offset, a date
// alone, which is its midnight in UTC, or the seconds since 1970 as a number. It
// knows no zone of this machine, no language and no present: a text without an
// offset means a time that nobody can tell, and is missing like all that is not
// a time. Milliseconds are beyond the year 9999 when they are taken for seconds,
// so that they are missing, too; v / 1000 makes seconds of them.
func readTime(a []any) (any, error) {
	t, ok := time.Time{}, false
	switch v := a[0].(type) {
	case time.Time:
		t, ok = v, true
	case string:
		t, ok = spelledTime(v)
	case int:
		t, ok = time.Unix(int64(v), 0), true
	case float64:
		t, ok = countedTime(v)
	}
	if t = t.UTC(); !ok || t.Year() < 1 || t.Year() > 9999 {
		return nil, nil
	}
	return t, nil
}

// longestTime is longer than any time with its fraction of nanoseconds.
const longestTime = 64

func spelledTime(s string) (time.Time, bool) {
	if len(s) > longestTime {
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// countedTime reads seconds with a fraction. Floats of this size tell
// microseconds, and no more is taken from them.
func countedTime(seconds float64) (time.Time, bool) {
	if math.IsNaN(seconds) || math.Abs(seconds) >= 1<<40 {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(math.Round(seconds * 1e6))), true
}
