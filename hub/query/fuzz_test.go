package query

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/twinrules/twinrules/hub/twin"
)

// Any text is read or refused at a place inside it; what is read prints as text
// that reads the same, and can be asked about any twin.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`SELECT * FROM devices`,
		`SELECT TOP 3 deviceId AS id, tags.[[group]] FROM devices.modules WHERE NOT (tags.a <> -1.5e3)`,
		`SELECT tags.site, count() FROM devices WHERE tags.a IN ['x', "\u00e9"] OR IS_DEFINED(tags.b) GROUP BY tags.site`,
		`select * from devices where - tags.a % 0x1F >= undefined /* why */`,
	} {
		f.Add(text)
	}
	tw := parseTwin(f, pump)
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		var mistake *Error
		if errors.As(err, &mistake) {
			if mistake.Offset < 0 || mistake.Offset > len(text) {
				t.Fatalf("%q: offset %d", text, mistake.Offset)
			}
			return
		}
		printed := q.String()
		q.Rows(func(yield func(*twin.Twin) bool) { yield(tw) })
		if utf8.RuneCountInString(printed) > MaxLength {
			return
		}
		again, err := Parse(printed)
		if err != nil {
			t.Fatalf("%q printed as %q: %v", text, printed, err)
		}
		if again.String() != printed {
			t.Fatalf("%q printed as %q, then as %q", text, printed, again)
		}
	})
}
