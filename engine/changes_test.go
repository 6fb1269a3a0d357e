package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// TestChangesAreWhatWasAdded collects changes in several piles, with edits in common
// and of their own, in memory and in a file, and finds all of them in order.
func TestChangesAreWhatWasAdded(t *testing.T) {
	for name, c := range map[string]struct {
		room  int
		spill *spill
		lists int // that are taken already
	}{
		"in memory":              {room: defaultRoom},
		"in a file":              {room: 1000, spill: &spill{dir: t.TempDir()}},
		"each alone":             {room: 1, spill: &spill{dir: t.TempDir()}},
		"with edits of its own":  {room: 5000, spill: &spill{dir: t.TempDir()}, lists: maxEditLists},
		"in memory, of its own":  {room: 5000, lists: maxEditLists},
		"with a buffer too many": {room: 20 * runBuffer, spill: &spill{dir: t.TempDir()}},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 2026))
			var all Changes
			var want []Change
			for range 4 {
				p := newChangePile(&editLists{lists: make([][]Edit, c.lists)}, c.spill, c.room)
				for range r.IntN(800) {
					change := someChange(r)
					want = append(want, change)
					p.add(&change)
				}
				made, err := p.changes()
				if err != nil {
					t.Fatal(err)
				}
				all.take(made)
			}
			slices.SortFunc(want, func(a, b Change) int { return a.Ref.Compare(b.Ref) })
			edits := 0
			for _, c := range want {
				edits += len(c.Edits)
			}
			var got []Change
			for c, err := range all.All() {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, c)
			}
			if diff := cmp.Diff(want, got); diff != "" || all.Len() != len(want) || all.Edits() != edits {
				t.Error(all.Len(), all.Edits(), diff)
			}
			if err := errors.Join(all.close(), all.close()); err != nil {
				t.Error(err)
			}
			if c.spill != nil {
				if left, _ := os.ReadDir(c.spill.dir); len(left) > 0 {
					t.Errorf("%v is left behind", left)
				}
			}
		})
	}
}

func someChange(r *rand.Rand) Change {
	lists := [][]Edit{
		{{Section: "tags", Path: []string{"a"}, After: "x", Rules: []string{}}},
		{{Section: "tags", Path: []string{"b"}, Before: twin.Object{"n": []any{true}}, Why: "left"}, {Section: "desired", Path: []string{"c", ""}, Rules: []string{"r", "s"}}},
	}
	c := Change{
		Ref:  twin.Ref{Device: fmt.Sprintf("device-%08d", r.Uint32())},
		ETag: fmt.Sprint(r.IntN(1000)), Version: r.Int64() - 1<<62, DesiredVersion: int64(r.IntN(300)), Edits: lists[r.IntN(2)],
	}
	switch r.IntN(20) {
	case 0, 1, 2, 3:
		c.Ref.Module, c.DeviceETag = "module", "registered"
	case 4:
		c.Cohorts = []Cohort{{"r", c.Ref.String(), 2}, {"s", "tags.x=1", 1}}
	case 5:
		c.ETag = strings.Repeat("long", r.IntN(2*runBuffer))
	}
	return c
}

// TestScratchThatFails: there is no folder, and what was kept is gone or altered.
func TestScratchThatFails(t *testing.T) {
	change := someChange(rand.New(rand.NewPCG(1, 1)))
	pile := func(to *spill) (Changes, error) {
		p := newChangePile(&editLists{}, to, 1)
		p.add(&change)
		p.add(&change)
		return p.changes()
	}
	missing := filepath.Join(t.TempDir(), "missing")
	_, err := pile(&spill{dir: missing})
	if !errors.Is(err, ErrScratch) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("no folder: got %v", err)
	}
	names := &nameHashes{spill: &spill{dir: missing}, room: 1}
	for range 3 {
		names.add(7)
	}
	if again, err := twice([]*worker{{names: *names}}); again || !errors.Is(err, ErrScratch) {
		t.Errorf("no folder for names: got %v, %v", again, err)
	}
	for name, damage := range map[string]func(*os.File) error{
		"cut":     func(f *os.File) error { return f.Truncate(20) },
		"altered": func(f *os.File) error { _, err := f.WriteAt([]byte{1, 0, 0, 0, 0xff}, 0); return err },
		"closed":  func(f *os.File) error { return f.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			to := &spill{dir: t.TempDir()}
			c, err := pile(to)
			if err = errors.Join(err, damage(to.file)); err != nil {
				t.Fatal(err)
			}
			err = nil
			for _, failed := range c.All() {
				err = failed
			}
			if !errors.Is(err, ErrScratch) {
				t.Errorf("got %v", err)
			}
			if _, err := (&Plan{Changes: c}).Digest(); !errors.Is(err, ErrScratch) {
				t.Errorf("its digest: got %v", err)
			}
			if err := WritePlan(&strings.Builder{}, &Plan{Audited: c}); !errors.Is(err, ErrScratch) {
				t.Errorf("its file: got %v", err)
			}
			to.close()
		})
	}
}

// TestTwiceInManyRuns finds a name that two workers met, and no other.
func TestTwiceInManyRuns(t *testing.T) {
	for _, to := range []*spill{nil, {dir: t.TempDir()}} {
		r := rand.New(rand.NewPCG(5, 5))
		for _, again := range []bool{false, true} {
			var workers []*worker
			for range 3 {
				workers = append(workers, &worker{names: nameHashes{spill: to, room: 100}})
			}
			first := uint64(0)
			for i := range 5000 {
				hash := r.Uint64()
				if first == 0 {
					first = hash
				}
				workers[i%3].names.add(hash)
			}
			if again {
				workers[2].names.add(first)
			}
			if got, err := twice(workers); got != again || err != nil {
				t.Errorf("got %v, %v, want %v", got, err, again)
			}
		}
		to.close()
	}
}

// FuzzDecodeChange reads what somebody wrote into our file.
func FuzzDecodeChange(f *testing.F) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 20 {
		c := someChange(r)
		id := rules.TwinID{Device: []byte(c.Ref.Device), Module: []byte(c.Ref.Module)}
		f.Add(appendChange(nil, id, rules.TwinState{Version: c.Version}, 0, appendOwn(nil, c.Edits), c.Cohorts)[lengthSize:])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		refOf(data)
		c, err := decodeChange(data, nil)
		if err != nil {
			return
		}
		id := rules.TwinID{Device: []byte(c.Ref.Device), Module: []byte(c.Ref.Module)}
		state := rules.TwinState{ETag: []byte(c.ETag), DeviceETag: []byte(c.DeviceETag), Version: c.Version, DesiredVersion: c.DesiredVersion}
		again, err := decodeChange(appendChange(nil, id, state, 0, appendOwn(nil, c.Edits), c.Cohorts)[lengthSize:], nil)
		if diff := cmp.Diff(c, again); diff != "" || err != nil {
			t.Fatal(err, diff)
		}
	})
}
