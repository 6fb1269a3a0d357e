package journal_test

import (
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/journal"
	"github.com/twinrules/twinrules/hub/twin"
)

// small is a journal with a few records in a folder of its own.
func small(t testing.TB) (dir, text string, run *journal.Run) {
	t.Helper()
	dir = t.TempDir()
	j := open(t, dir)
	must(t, j.Intend(pump))
	must(t, j.Record(engine.Outcome{Ref: pump, Status: engine.Written}))
	must(t, j.Intend(fan))
	must(t, j.Close())
	run, err := journal.Read(dir)
	must(t, err)
	return dir, content(t, dir), run
}

// records returns how many records of small a run is of.
func records(r *journal.Run) int { return 1 + 2*len(r.Outcomes) + len(r.InDoubt) }

// prefix reports whether got is of the first records of whole.
func prefix(got, whole *journal.Run) bool {
	n := len(got.Outcomes)
	return cmp.Equal(got.Begin, whole.Begin) && n <= len(whole.Outcomes) && slices.Equal(got.Outcomes, whole.Outcomes[:n]) &&
		!slices.ContainsFunc(got.InDoubt, func(ref twin.Ref) bool { return ref != pump && ref != fan })
}

// A crash may cut the file off anywhere: what is whole is read, and the journal
// goes on.
func TestEveryPrefixIsReadAndGoneOnWith(t *testing.T) {
	dir, text, whole := small(t)
	for n := range len(text) + 1 {
		put(t, dir, text[:n])
		lines := strings.Count(text[:n], "\n")
		got, err := journal.Read(dir)
		if lines == 0 {
			if err == nil || !strings.Contains(err.Error(), "it is empty") {
				t.Errorf("%d bytes: %+v, %v", n, got, err)
			}
		} else if err != nil || records(got) != lines || !prefix(got, whole) {
			t.Errorf("%d bytes: %+v, %v", n, got, err)
		}
		if n%13 == 0 || strings.Contains(text[max(n-1, 0):min(n+1, len(text))], "\n") { // syncs take their time
			goesOn(t, dir, max(lines, 1))
		}
	}
}

// goesOn checks that a journal of n records can be opened and written.
func goesOn(t *testing.T, dir string, n int) {
	t.Helper()
	j := open(t, dir)
	must(t, j.Record(engine.Outcome{Ref: twin.Ref{Device: "next"}, Status: engine.Gone}))
	must(t, j.Close())
	j = open(t, dir)
	defer j.Close()
	want(t, j, twin.Ref{Device: "next"}, engine.Gone)
	if got := strings.Count(content(t, dir), "\n"); got != n+1 {
		t.Errorf("%d records became %d", n, got)
	}
}

// When power fails, blocks that were never written may stand at the end.
func TestATailOfZerosIsDropped(t *testing.T) {
	_, text, _ := small(t)
	last := text[strings.LastIndex(text[:len(text)-1], "\n")+1:]
	whole := text[:len(text)-len(last)]
	tests := []struct{ name, tail string }{
		{"zeros", strings.Repeat("\x00", 5000)},
		{"part of a record, zeros", last[:20] + strings.Repeat("\x00", 5000)},
		{"a hole in the record", last[:20] + strings.Repeat("\x00", len(last)-21) + "\n"},
		{"a hole, zeros", last[:20] + "\x00\x00\n\x00\x00\x00"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, whole+test.tail)
			goesOn(t, dir, strings.Count(whole, "\n"))
		})
	}
}

func TestDamageIsRefused(t *testing.T) {
	_, text, _ := small(t)
	lines := strings.SplitAfter(text, "\n")
	join := func(n ...int) string {
		var b strings.Builder
		for _, i := range n {
			b.WriteString(lines[i])
		}
		return b.String()
	}
	tests := []struct{ name, text, want string }{
		{"a record missing", join(0, 1, 3), "record 3: its checksum is wrong"},
		{"records turned", join(0, 2, 1, 3), "record 2: its checksum is wrong"},
		{"a record twice", join(0, 1, 1), "record 3: its checksum is wrong"},
		{"no beginning", join(1, 2), "record 1: its checksum is wrong"},
		{"zeros in the middle", join(0, 1) + strings.Repeat("\x00", 512) + "\n" + join(3), "record 3: its checksum is wrong"},
		{"another file", "once upon a time\nthere was a pump\n", "record 1: its checksum is wrong"},
		{"a last record that is not as written", join(0) + strings.Replace(lines[1], "pump-1", "pump-2", 1), "record 2: its checksum is wrong"},
		{"later version", signed(`{"n":1,"begin":{"schema":"twinrules/journal/v2"}}`), `record 1: "twinrules/journal/v2" is no journal that this version reads`},
		{"a record that is not known", signed(first, `{"n":2,"undo":{}}`), "record 2: this version does not know what it says"},
		{"a record with two meanings", signed(first, `{"n":2,"intent":{},"outcome":{}}`), "record 2: this version does not know what it says"},
		{"wrong number", signed(first, `{"n":3,"intent":{"device":"a"}}`), "record 2: it says that it is record 3"},
		{"two beginnings", signed(first, strings.Replace(first, "1", "2", 1)), "record 2: a journal has one beginning"},
		{"no beginning, signed", signed(`{"n":1,"intent":{"device":"a"}}`), "record 1: a journal has one beginning"},
		{"no JSON", signed(first, `{"n":2,`), "record 2: unexpected end of JSON input"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, test.text)
			refused(t, dir, test.want)
		})
	}
}

const first = `{"n":1,"begin":{"schema":"twinrules/journal/v1","plan":"sha256:aa"}}`

// signed returns records with good checksums.
func signed(records ...string) string {
	text, sum := "", uint32(0)
	for _, r := range records {
		sum = crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), []byte(r+"\n"))
		text += fmt.Sprintf("%08x %s\n", sum, r)
	}
	return text
}

// refused checks that the journal is neither read nor opened nor changed.
func refused(t *testing.T, dir, want string) {
	t.Helper()
	before := content(t, dir)
	_, err := journal.Read(dir)
	j, err2 := journal.Open(dir, begin)
	for _, err := range []error{err, err2} {
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), filepath.Join(dir, journal.FileName)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if j != nil {
		j.Close()
	}
	if content(t, dir) != before {
		t.Error("the file was changed")
	}
}

// A flipped bit is damage; in the last record it may also look like a tear.
func TestEveryFlippedBitIsSeen(t *testing.T) {
	dir, text, whole := small(t)
	dropped := 0
	for i := range len(text) * 8 {
		flipped := []byte(text)
		flipped[i/8] ^= 1 << (i % 8)
		put(t, dir, string(flipped))
		got, err := journal.Read(dir)
		if err != nil {
			continue
		}
		if dropped++; records(got) != records(whole)-1 || !prefix(got, whole) {
			t.Errorf("bit %d: got %+v", i, got)
		}
	}
	if dropped == 0 || dropped > 100 {
		t.Errorf("%d flips look like a tear", dropped)
	}
}

func TestAnEmptyFileIsANewJournal(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "")
	if _, err := journal.Read(dir); err == nil || !strings.Contains(err.Error(), "it is empty") {
		t.Errorf("got %v", err)
	}
	goesOn(t, dir, 1)
}

// Whatever stands in the file, reading it ends without a panic, and what is read
// has a beginning and checksums, so that it stays the same when it is opened.
func FuzzRead(f *testing.F) {
	_, text, _ := small(f)
	f.Add([]byte(text))
	f.Add([]byte(text[:len(text)-3]))
	f.Add([]byte(text + strings.Repeat("\x00", 40)))
	f.Add([]byte("00000000 {}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		put(t, dir, string(data))
		run, err := journal.Read(dir)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x1b") || !strings.Contains(err.Error(), journal.FileName) {
				t.Errorf("got %q", err)
			}
			return
		}
		j, err := journal.Open(dir, journal.Begin{Plan: run.Plan})
		if err != nil {
			t.Fatalf("read, and not opened: %v", err)
		}
		must(t, j.Close())
		again, err := journal.Read(dir)
		if diff := cmp.Diff(again, run); err != nil || diff != "" {
			t.Errorf("%v, got (-) want (+):\n%s", err, diff)
		}
	})
}
