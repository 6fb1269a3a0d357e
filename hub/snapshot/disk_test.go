package snapshot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A disk that fails is told once it has, and by Finish in any case; the file
// that stood at the path stays.
func TestADiskThatFails(t *testing.T) {
	for _, name := range []string{"fleet.ndjson", "fleet.ndjson.zst"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := Create(path, "", time.Time{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.body.Close() // every write from here on fails
			one, err := twin.Parse([]byte(`{"deviceId":"a"}`))
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Twin(one) // the compressor may keep it
			if _, err := r.Finish(true); err == nil || !strings.HasPrefix(err.Error(), "write snapshot "+path+": ") {
				t.Errorf("got %v", err)
			}
			old, err := os.ReadFile(path)
			if left, _ := os.ReadDir(dir); err != nil || string(old) != "old" || len(left) != 1 {
				t.Errorf("left %q, %v and %v", old, err, left)
			}
		})
	}
}
