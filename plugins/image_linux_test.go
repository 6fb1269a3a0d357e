package plugins

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// held counts the mappings and the open files of images in this process.
func held(t *testing.T) (mappings, files int) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	list, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range list {
		if name, _ := os.Readlink(fd); strings.Contains(name, "twinrules-plugin") || strings.Contains(name, "pagemap") {
			files++
		}
	}
	return strings.Count(string(maps), "twinrules-plugin"), files
}

// TestImagesAreGivenBack opens and closes hosts, whose guests crash and grow.
func TestImagesAreGivenBack(t *testing.T) {
	mappings, files := held(t)
	tw, err := twin.Parse([]byte(`{"deviceId":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range writers()[:13] {
		for range 2 {
			useOnce(t, writer(w.code), tw)
		}
	}
	if m, f := held(t); m != mappings || f != files {
		t.Errorf("%d mappings and %d files are left, there were %d and %d", m, f, mappings, files)
	}
}

func useOnce(t *testing.T, binary []byte, tw *twin.Twin) {
	t.Helper()
	h, err := NewHost(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := h.Load(t.Context(), "probe", binary)
	if err != nil {
		t.Fatal(err)
	}
	i, err := m.Instance(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if i.image == nil {
		t.Skip("this system does not tell which memory was written")
	}
	for range 5 {
		_, _ = askHeld(t, i, tw)
	}
	if m, _ := held(t); m > 2 {
		t.Errorf("%d mappings for a guest", m)
	}
	if err := h.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestAnImageCannotBeChanged: what guests share is written once.
func TestAnImageCannotBeChanged(t *testing.T) {
	i, _ := instances(t, writer(wasmtest.Const64(0)))
	if i.image == nil {
		t.Skip("this system does not tell which memory was written")
	}
	if _, err := i.image.file.WriteAt([]byte{1}, 0); err == nil {
		t.Error("it can be written")
	}
	if err := i.image.file.Truncate(0); err == nil {
		t.Error("it can be cut off")
	}
}

// TestMemoryIsComparedWhenNothingIsTold closes what tells, as a system does that
// takes the right to ask away.
func TestMemoryIsComparedWhenNothingIsTold(t *testing.T) {
	i, _ := instances(t, writer(writers()[2].code))
	if i.image == nil {
		t.Skip("this system does not tell which memory was written")
	}
	tw, err := twin.Parse([]byte(`{"deviceId":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = askHeld(t, i, tw)
	_ = i.image.pagemap.Close()
	for range 3 {
		if _, err := askHeld(t, i, tw); err != nil {
			t.Error(err)
		}
	}
}
