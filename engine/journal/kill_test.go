package journal_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/journal"
	"github.com/twinrules/twinrules/hub/twin"
)

// childDir is the variable that makes the test binary write a journal in the
// folder it names until it is killed.
const childDir = "TWINRULES_TEST_JOURNAL"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		writeUntilKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

// writeUntilKilled prints a line for each record that is acknowledged.
func writeUntilKilled(dir string) {
	j, err := journal.Open(dir, begin)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var wg sync.WaitGroup
	for writer := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				ref := twin.Ref{Device: fmt.Sprintf("%d-%d", writer, i)}
				if j.Intend(ref) != nil {
					return
				}
				os.Stdout.WriteString("intent " + ref.Device + "\n")
				if j.Record(engine.Outcome{Ref: ref, Status: engine.Written}) != nil {
					return
				}
				os.Stdout.WriteString("written " + ref.Device + "\n")
			}
		})
	}
	wg.Wait()
	os.Exit(1)
}

// A process that is killed at some instant leaves everything that it was told
// is durable, and nothing else than what it wrote.
func TestKilled(t *testing.T) {
	for _, after := range []int{1, 2, 17, 100, 301} {
		t.Run(strconv.Itoa(after), func(t *testing.T) {
			dir := t.TempDir()
			acknowledged := runUntil(t, dir, after)
			j := open(t, dir)
			defer j.Close()
			for ref, status := range acknowledged {
				got := j.Past(ref).Status
				// What followed may have been written, and not been told any more.
				if got != status && !(status == engine.InDoubt && got == engine.Written) {
					t.Errorf("%s: got %q, was told %q", ref, got, status)
				}
			}
			run, err := journal.Read(dir)
			must(t, err)
			if n := len(run.Outcomes) + len(run.InDoubt); n > len(acknowledged)+4 {
				t.Errorf("%d documents are recorded, %d were told", n, len(acknowledged))
			}
			must(t, j.Intend(pump))
		})
	}
}

// runUntil runs a child, kills it once it has printed so many lines, and returns
// what all of its lines say.
func runUntil(t *testing.T, dir string, lines int) map[twin.Ref]engine.Status {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), childDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	told := map[twin.Ref]engine.Status{}
	scanner := bufio.NewScanner(out)
	for n := 1; scanner.Scan(); n++ {
		var what, id string
		if _, err := fmt.Sscan(scanner.Text(), &what, &id); err != nil {
			t.Fatalf("the child says %q", scanner.Text())
		}
		told[twin.Ref{Device: id}] = map[string]engine.Status{"intent": engine.InDoubt, "written": engine.Written}[what]
		if n == lines {
			must(t, child.Process.Kill())
		}
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	return told
}
