package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// testedBlock is a block of a page that a reader could copy as it is.
var testedBlock = regexp.MustCompile("(?s)<!-- tested -->\n```sh\n(.*?)```\n")

// TestEmulatorPage runs the blocks of docs/emulator.md in one shell, as a reader
// does who copies one after the other.
func TestEmulatorPage(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the page is for a POSIX shell")
	}
	page, err := os.ReadFile("../../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	blocks := testedBlock.FindAllSubmatch(page, -1)
	for _, block := range blocks {
		script.Write(block[1])
	}
	script.WriteString("wait\n")
	if len(blocks) < 4 {
		t.Fatalf("the page has %d blocks", len(blocks))
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "twinrules")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pack.yaml"), []byte(everyTwin), 0o644); err != nil {
		t.Fatal(err)
	}
	sh := exec.Command("sh", "-eu", "-c", script.String())
	sh.Dir = dir
	sh.Env = append(os.Environ(), "TWINRULES_TEST_AS_COMMAND=1", "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+dir, "NO_COLOR=1")
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"twins/write", "20 twins to write.", "20 written."} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not print %q:\n%s", want, out)
		}
	}
}
