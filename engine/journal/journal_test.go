package journal_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/journal"
	"github.com/twinrules/twinrules/hub/twin"
)

var (
	begin = journal.Begin{Plan: "sha256:aa", Hub: "contoso.azure-devices.net", At: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	pump  = twin.Ref{Device: "pump-1"}
	meter = twin.Ref{Device: "pump-1", Module: "meter"}
	fan   = twin.Ref{Configuration: "tr-fan"}
)

func TestAJournalRemembers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs", "a")
	j := open(t, dir)
	want(t, j, pump, "")
	must(t, j.Intend(pump))
	want(t, j, pump, engine.InDoubt)
	must(t, j.Record(engine.Outcome{Ref: pump, Status: engine.Written, Moved: true}))
	want(t, j, pump, engine.Written)
	must(t, j.Intend(meter))
	must(t, j.Intend(fan))
	must(t, j.Close())

	j = open(t, dir)
	defer j.Close()
	want(t, j, pump, engine.Written)
	if !j.Past(pump).Moved {
		t.Errorf("it is forgotten that %s had moved", pump)
	}
	want(t, j, meter, engine.InDoubt)
	want(t, j, fan, engine.InDoubt)
	want(t, j, twin.Ref{Device: "other"}, "")
	must(t, j.Record(engine.Outcome{Ref: meter, Status: engine.Rejected, Detail: "line 1\nline 2 \x00 <&>"}))
	want(t, j, meter, engine.Rejected)
	if got := j.Past(meter); got.Ref != meter || got.Detail != "line 1\nline 2 \x00 <&>" {
		t.Errorf("the past of %s is %+v", meter, got)
	}

	got, err := journal.Read(dir) // while it is open
	must(t, err)
	opened := begin
	opened.Schema = "twinrules/journal/v1"
	if diff := cmp.Diff(got, &journal.Run{
		Begin: opened,
		Outcomes: []engine.Outcome{
			{Ref: pump, Status: engine.Written, Moved: true},
			{Ref: meter, Status: engine.Rejected, Detail: "line 1\nline 2 \x00 <&>"},
		},
		InDoubt: []twin.Ref{fan},
	}); diff != "" {
		t.Errorf("got (-) want (+):\n%s", diff)
	}
}

// An intent after an outcome is a new attempt, which may have come to anything.
func TestTheLastRecordOfADocumentCounts(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	must(t, j.Record(engine.Outcome{Ref: pump, Status: engine.InDoubt}))
	must(t, j.Record(engine.Outcome{Ref: pump, Status: engine.Written}))
	must(t, j.Intend(pump))
	must(t, j.Close())
	j = open(t, dir)
	defer j.Close()
	want(t, j, pump, engine.InDoubt)
}

func TestAJournalIsOneOfItsPlan(t *testing.T) {
	dir := t.TempDir()
	must(t, open(t, dir).Close())
	tear(t, dir, "0bad {")
	before := content(t, dir)
	_, err := journal.Open(dir, journal.Begin{Plan: "sha256:bb"})
	if err == nil || !strings.Contains(err.Error(), `it is the journal of the plan "sha256:aa"`) {
		t.Errorf("got %v", err)
	}
	if content(t, dir) != before {
		t.Error("the file was changed")
	}
	if got, err := journal.Read(dir); err != nil || !got.At.Equal(begin.At) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAJournalIsForItsOwner(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits")
	}
	dir := filepath.Join(t.TempDir(), "runs", "a")
	must(t, open(t, dir).Close())
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Dir(dir): 0o700, filepath.Join(dir, journal.FileName): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

func TestWhereNoJournalCanBe(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "taken"), nil, 0o600))
	if _, err := journal.Open(filepath.Join(dir, "taken"), begin); err == nil || !strings.Contains(err.Error(), "taken") {
		t.Errorf("in a file: %v", err)
	}
	must(t, os.Mkdir(filepath.Join(dir, journal.FileName), 0o700))
	if _, err := journal.Open(dir, begin); err == nil || !strings.Contains(err.Error(), journal.FileName) {
		t.Errorf("a folder stands there: %v", err)
	}
	if _, err := journal.Read(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no journal: %v", err)
	}
}

func TestAfterCloseNothingIsWritten(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	must(t, j.Close())
	before := content(t, dir)
	if err := j.Intend(pump); err == nil || content(t, dir) != before {
		t.Errorf("got %v", err)
	}
}

// Whatever is recorded by however many at once is what is read, each document
// in the order of its own records.
func TestRecordsOfManyWriters(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		must(t, err)
		j := open(t, dir)
		statuses := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom([]engine.Status{"", engine.Written, engine.InDoubt, engine.Changed}), 1, 5), 1, 16).Draw(rt, "statuses")
		var wg sync.WaitGroup
		for i, list := range statuses {
			ref := twin.Ref{Device: fmt.Sprintf("d%d", i)}
			wg.Go(func() {
				for _, s := range list {
					if s == "" {
						must(t, j.Intend(ref))
					} else {
						must(t, j.Record(engine.Outcome{Ref: ref, Status: s}))
					}
				}
			})
		}
		wg.Wait()
		must(t, j.Close())
		j = open(t, dir)
		defer j.Close()
		for i, list := range statuses {
			last := list[len(list)-1]
			if last == "" {
				last = engine.InDoubt
			}
			want(t, j, twin.Ref{Device: fmt.Sprintf("d%d", i)}, last)
		}
	})
}

func open(t testing.TB, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir, begin)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func want(t testing.TB, j *journal.Journal, ref twin.Ref, status engine.Status) {
	t.Helper()
	if got := j.Past(ref).Status; got != status {
		t.Errorf("%s: got %q, want %q", ref, got, status)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func content(t testing.TB, dir string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, journal.FileName))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func put(t testing.TB, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, journal.FileName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func tear(t testing.TB, dir, tail string) {
	t.Helper()
	put(t, dir, content(t, dir)+tail)
}

func BenchmarkIntend(b *testing.B) {
	j := open(b, b.TempDir())
	defer j.Close()
	for b.Loop() {
		must(b, j.Intend(pump))
	}
}

// Several writers at once, as an apply has, share syncs.
func BenchmarkIntendByMany(b *testing.B) {
	j := open(b, b.TempDir())
	defer j.Close()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			must(b, j.Intend(pump))
		}
	})
}
