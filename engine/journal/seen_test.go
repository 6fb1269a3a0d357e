package journal_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/journal"
	"github.com/twinrules/twinrules/rules"
)

// TestSeen keeps what was seen from one pass to the next.
func TestSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen")
	pack, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte("apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nrules:\n  - {id: r, when: tags.k == \"b\", patch: {tags: {x: 1}}}\n")}})
	if err != nil {
		t.Fatal(err)
	}
	program, err := rules.Compile(t.Context(), pack, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, known := range []int{0, 30, 30} {
		seen, err := journal.Seen(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Evaluate(t.Context(), program, crowd(30), &engine.Options{Seen: seen}); err != nil || seen.Known() != known {
			t.Errorf("%v, %d twins were known, want %d", err, seen.Known(), known)
		}
		if err := journal.SaveSeen(path, seen); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := os.ReadDir(filepath.Dir(path)); err != nil || len(list) != 1 {
		t.Errorf("%v, and beside the file there is %v", err, list)
	}
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	if seen, err := journal.Seen(path); err == nil || seen != nil {
		t.Error("what is torn is read")
	}
	if _, err := journal.Seen(t.TempDir()); err == nil {
		t.Error("a folder is read")
	}
	if err := journal.SaveSeen(filepath.Join(t.TempDir(), "no", "folder"), &engine.Seen{}); err == nil {
		t.Error("it is noted nowhere")
	}
}
