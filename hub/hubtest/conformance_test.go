package hubtest_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/hubtest"
)

// TestConformance runs every case on the emulator before a witness, and then
// asks the witness: whether each operation of Microsoft's description was
// exercised with a success and a refusal, whether each case was about what it
// says, and whether requests and answers were as described.
func TestConformance(t *testing.T) {
	h, w := onEmulator(t, &emulator.Options{})
	hubtest.Run(t, func(t *testing.T) hubtest.Hub {
		w.begin(t.Name())
		return h
	})
	t.Run("coverage", w.checkCoverage)
	t.Run("deviations", w.checkDeviations)
	t.Run("page", func(t *testing.T) { checkPage(t, w) })
}

// checkCoverage looks for operations that nobody tried, and for cases that were
// skipped or are about something else than they say.
func (w *witness) checkCoverage(t *testing.T) {
	done := map[string]map[bool]bool{} // operations by whether they were refused
	during := map[string][]string{}
	for _, e := range w.exchanges {
		if done[e.operation] == nil {
			done[e.operation] = map[bool]bool{}
		}
		done[e.operation][e.status >= 400] = true
		during[e.during] = append(during[e.during], e.operation)
	}
	for _, op := range w.says.operations() {
		if !done[op.ID][false] || !done[op.ID][true] {
			t.Errorf("%s: succeeded %t, refused %t", op.ID, done[op.ID][false], done[op.ID][true])
		}
	}
	for _, c := range hubtest.Cases() {
		for _, id := range c.Operations() {
			if !slices.Contains(during[caseName(c)], id) {
				t.Errorf("%q is about %s, but never asked for it", c.Name, id)
			}
		}
	}
}

func (w *witness) checkDeviations(t *testing.T) {
	listed := map[finding]bool{}
	for _, d := range deviations {
		for _, f := range d.findings() {
			if listed[f] = true; w.findings[f] == 0 {
				t.Errorf("listed, but not seen: %s", f)
			}
		}
	}
	for f, n := range w.findings {
		if !listed[f] {
			t.Errorf("not as described, %d times: %s", n, f)
		}
	}
}

func (f finding) String() string { return fmt.Sprintf("%s: %s: %s", f.operation, f.place, f.seen) }
