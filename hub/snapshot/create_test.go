package snapshot_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/snapshot"
)

func TestNothingStandsAtThePathBeforeFinish(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "fleet.ndjson.zst")
	record(t, path, []string{`{"deviceId":"old"}`})
	r := create(t, path)
	if err := r.Twin(parse(t, `{"deviceId":"new"}`)); err != nil {
		t.Fatal(err)
	}
	if got := documents(t, open(t, path).All(t.Context())); got[0] != `{"deviceId":"old"}` {
		t.Errorf("before Finish got %q", got)
	}
	if _, err := r.Finish(false); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if got := documents(t, s.All(t.Context())); got[0] != `{"deviceId":"new"}` || s.Complete {
		t.Errorf("after Finish(false) got %q, complete %v", got, s.Complete)
	}
	if diff := cmp.Diff(entries(t, dir), []string{"fleet.ndjson.zst"}); diff != "" {
		t.Errorf("files got (-) want (+):\n%s", diff)
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	r := create(t, filepath.Join(dir, "fleet.ndjson.zst"))
	if err := r.Twin(parse(t, `{"deviceId":"a"}`)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Abort(); err != nil {
			t.Fatal(err)
		}
	}
	if left := entries(t, dir); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
	if err := r.Twin(parse(t, `{"deviceId":"a"}`)); !contains(err, "has ended") {
		t.Errorf("a twin after the end: %v", err)
	}
	if _, err := r.Finish(true); !contains(err, "has ended") {
		t.Errorf("Finish after Abort: %v", err)
	}
}

func TestAFleetIsForItsOwner(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits")
	}
	path := filepath.Join(t.TempDir(), "fleet.ndjson")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	record(t, path, nil)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
}

func TestATwinThatNobodyCouldReadIsNotRecorded(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "fleet.ndjson.zst")
	longest := func(n int) string { return `{"deviceId":"a","x":"` + strings.Repeat("x", n-23) + `"}` }
	record(t, path, []string{longest(4<<20 - 1)})
	documents(t, open(t, path).All(t.Context()))

	r := create(t, path)
	if err := r.Twin(parse(t, longest(4<<20))); !contains(err, "devices/a: more than 4194303 bytes") {
		t.Errorf("got %v", err)
	}
	if _, err := r.Finish(true); err == nil {
		t.Error("Finish after that is well")
	}
	if diff := cmp.Diff(entries(t, dir), []string{"fleet.ndjson.zst"}); diff != "" {
		t.Errorf("files got (-) want (+):\n%s", diff)
	}
}

func TestCreateSaysWhereItCannotWrite(t *testing.T) {
	dir := t.TempDir()
	if _, err := snapshot.Create(filepath.Join(dir, "none", "fleet.ndjson"), "", noon, nil); !contains(err, filepath.Join(dir, "none")) {
		t.Errorf("no folder: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	r := create(t, filepath.Join(dir, "taken"))
	if _, err := r.Finish(true); !contains(err, "taken") {
		t.Errorf("a folder stands there: %v", err)
	}
	if diff := cmp.Diff(entries(t, dir), []string{"taken"}); diff != "" {
		t.Errorf("files got (-) want (+):\n%s", diff)
	}
}

func create(t testing.TB, path string) *snapshot.Recorder {
	t.Helper()
	r, err := snapshot.Create(path, "", noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
