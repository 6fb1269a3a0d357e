package journal

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

var errDisk = errors.New("the disk is broken")

// A faulty disk fails at one call and works again after it, as disks do.
type faulty struct {
	disk
	mu          sync.Mutex
	writes      int
	syncs       int
	failWrite   int // which write fails, counted from 1
	short       bool
	failSync    int
	beforeSync  func()
	afterFailed int // writes and syncs after the failure
}

func (f *faulty) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	f.count()
	if f.writes != f.failWrite {
		return f.disk.Write(b)
	}
	if f.short {
		n, _ := f.disk.Write(b[:len(b)/2])
		return n, io.ErrShortWrite
	}
	return 0, errDisk
}

func (f *faulty) Sync() error {
	if f.beforeSync != nil {
		f.beforeSync()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.syncs++
	f.count()
	if f.syncs == f.failSync {
		return errDisk
	}
	return f.disk.Sync()
}

func (f *faulty) count() {
	if f.failWrite > 0 && f.writes > f.failWrite || f.failSync > 0 && f.syncs > f.failSync {
		f.afterFailed++
	}
}

func device(i int) twin.Ref { return twin.Ref{Device: fmt.Sprintf("d%d", i)} }

// A journal whose disk failed once is not written any more: the next sync might
// say that all is well when what the failed one was for is lost.
func TestTheFirstFailureIsFinal(t *testing.T) {
	tests := []struct {
		name string
		disk func(n int) *faulty
		kept int // records beyond those that were acknowledged
	}{
		{"a write", func(n int) *faulty { return &faulty{failWrite: n} }, 0},
		{"a write that is cut short", func(n int) *faulty { return &faulty{failWrite: n, short: true} }, 0},
		{"a sync", func(n int) *faulty { return &faulty{failSync: n} }, 1},
	}
	for _, test := range tests {
		for n := 1; n <= 4; n++ {
			t.Run(fmt.Sprintf("%s, the one with number %d", test.name, n), func(t *testing.T) {
				dir := t.TempDir()
				j, err := Open(dir, Begin{Plan: "p"})
				if err != nil {
					t.Fatal(err)
				}
				f := test.disk(n)
				f.disk, j.file = j.file, f
				for i := 1; i <= 6; i++ {
					if err := j.Intend(device(i)); (err != nil) != (i >= n) {
						t.Errorf("record %d: got %v", i, err)
					}
				}
				if f.afterFailed > 0 {
					t.Errorf("%d writes and syncs after the failure", f.afterFailed)
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				run, err := Read(dir)
				if err != nil || len(run.InDoubt) != n-1+test.kept {
					t.Errorf("got %+v, %v", run, err)
				}
				j, err = Open(dir, Begin{Plan: "p"})
				if err != nil {
					t.Fatal(err)
				}
				defer j.Close()
				if err := j.Intend(device(9)); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// Writers that wait while a sync is under way share the next one.
func TestManyWritersShareSyncs(t *testing.T) {
	defer goleak.VerifyNone(t)
	const writers, each = 16, 8
	dir := t.TempDir()
	j, err := Open(dir, Begin{Plan: "p"})
	if err != nil {
		t.Fatal(err)
	}
	f := &faulty{disk: j.file}
	j.file = f
	written := func() int { f.mu.Lock(); defer f.mu.Unlock(); return f.writes }
	// The first sync is slow: it ends when every writer has written.
	var first sync.Once
	f.beforeSync = func() {
		first.Do(func() {
			for written() < writers {
				j.mu.Lock() // which writers take, too
				j.mu.Unlock()
			}
		})
	}
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for range each / 2 {
				if err := errors.Join(j.Intend(device(i)), j.Record(engine.Outcome{Ref: device(i), Status: engine.Written})); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if f.writes != writers*each || f.syncs > f.writes-writers+2 {
		t.Errorf("%d records took %d syncs", f.writes, f.syncs)
	}
	run, err := Read(dir)
	if err != nil || len(run.Outcomes) != writers*each/2 || len(run.InDoubt) > 0 {
		t.Errorf("got %d outcomes, %d in doubt, %v", len(run.Outcomes), len(run.InDoubt), err)
	}
}

// A failed sync fails every record that it was for, and those that waited.
func TestAFailedSyncIsEverybodys(t *testing.T) {
	const writers = 16
	j, err := Open(t.TempDir(), Begin{Plan: "p"})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	j.file = &faulty{disk: j.file, failSync: 1}
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			if err := j.Intend(device(i)); !errors.Is(err, errDisk) || !strings.HasPrefix(err.Error(), "sync: ") {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
}
