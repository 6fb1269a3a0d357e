package twin

import "time"

// ParseTime reads a time as the hub writes it: ISO 8601 in UTC with up to seven
// fraction digits, and without its Z in the answer to a device's creation.
func ParseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		if local, err2 := time.Parse("2006-01-02T15:04:05.999999999", s); err2 == nil {
			return local, nil
		}
	}
	return t, err
}

// PlainTime reads what stands between quotes in a twin's JSON as [ParseTime] does, if it
// is spelled as the hub spells times in twins, without making a string of it; ok
// is false for everything else.
func PlainTime(text []byte) (t time.Time, ok bool) {
	const shape = `"0000-00-00T00:00:00`
	n := len(text)
	if n < len(shape)+2 || n > len(shape)+len(`.000000000Z"`) || text[n-2] != 'Z' || text[n-1] != '"' {
		return t, false
	}
	for i, c := range []byte(shape) {
		if digit := '0' <= text[i] && text[i] <= '9'; digit != (c == '0') || !digit && text[i] != c {
			return t, false
		}
	}
	nano, ok := fraction(text[len(shape) : n-2])
	two := func(i int) int { return int(text[i]-'0')*10 + int(text[i+1]-'0') }
	month, day, hour, minute, second := two(6), two(9), two(12), two(15), two(18)
	if !ok || month < 1 || month > 12 || day < 1 || day > lastDays[month-1] || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	return time.Date(two(1)*100+two(3), time.Month(month), day, hour, minute, second, nano, time.UTC), true
}

// lastDays are of each month; the 29th of February is for [ParseTime] to judge.
var lastDays = [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// fraction reads the nanoseconds of ".5", and none of "".
func fraction(text []byte) (nano int, ok bool) {
	if len(text) == 0 {
		return 0, true
	}
	for i, c := range text[1:] {
		if c < '0' || c > '9' {
			return 0, false
		}
		nano += int(c-'0') * billionths[i]
	}
	return nano, text[0] == '.' && len(text) > 1
}

var billionths = [...]int{1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 10, 1}
