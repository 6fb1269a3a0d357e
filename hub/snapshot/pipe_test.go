//go:build unix

package snapshot_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/twinrules/twinrules/hub/snapshot"
)

// Opening a pipe would wait for somebody to write into it.
func TestAPipeIsRefusedAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := snapshot.Open(path); !contains(err, "pipe: not a regular file") {
		t.Errorf("got %v", err)
	}
}
