package hubtest_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/hubtest"
)

const page = "../../docs/conformance.md"

// caseName returns what [testing.T.Name] is for a case of TestConformance.
func caseName(c *hubtest.Case) string {
	return "TestConformance/" + strings.ReplaceAll(c.Name, " ", "_")
}

// checkPage holds the tables of the page against the cases and what the witness
// saw. UPDATE=1 rewrites them.
func checkPage(t *testing.T, w *witness) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for name, table := range map[string]string{
		"evidence": evidenceTable(), "operations": w.operationsTable(), "deviations": deviationsTable(), "failures": failuresTable(),
	} {
		t.Logf("%s\n%s", name, table)
		section := regexp.MustCompile(`(?s)(<!-- ` + name + `:[^\n]*-->\n).*?(<!-- /` + name + ` -->)`)
		m := section.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("the page has no section %s", name)
		}
		text = strings.Replace(text, m[0], m[1]+table+m[2], 1)
	}
	switch {
	case text == string(data):
	case os.Getenv("UPDATE") == "":
		t.Errorf("%s is not what the cases give; UPDATE=1 rewrites it", page)
	default:
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// evidenceTable counts each case once, by the strongest of its labels.
func evidenceTable() string {
	counts := map[string]int{}
	for _, c := range hubtest.Cases() {
		counts[c.Labels()[0]]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| cases | rest on |\n|---:|---|\n")
	for _, l := range hubtest.Labels {
		if n := counts[l.Name]; n > 0 {
			fmt.Fprintf(&b, "| %d | **%s**: %s |\n", n, l.Name, l.Doc)
		}
	}
	fmt.Fprintf(&b, "| %d | all |\n", len(hubtest.Cases()))
	return b.String()
}

// operationsTable has a row for each operation: the cases about it, by the
// strongest of their labels, and the codes it was refused with.
func (w *witness) operationsTable() string {
	refusals := map[string]map[string]bool{}
	for _, e := range w.exchanges {
		if refusals[e.operation] == nil {
			refusals[e.operation] = map[string]bool{}
		}
		if e.status >= 400 {
			refusals[e.operation][cmp.Or(e.code, "400 by item")] = true
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| operation | cases | rest on | refused with |\n|---|---:|---|---|\n")
	for _, op := range w.says.operations() {
		n, labels := casesAbout(op.ID)
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", op.ID, n, labels, strings.Join(slices.Sorted(maps.Keys(refusals[op.ID])), ", "))
	}
	return b.String()
}

func casesAbout(operation string) (n int, labels string) {
	counts := map[string]int{}
	for _, c := range hubtest.Cases() {
		if slices.Contains(c.Operations(), operation) {
			counts[c.Labels()[0]]++
			n++
		}
	}
	var parts []string
	for _, l := range hubtest.Labels {
		if counts[l.Name] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", l.Name, counts[l.Name]))
		}
	}
	return n, strings.Join(parts, ", ")
}

func deviationsTable() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| place | is | of | evidence |\n|---|---|---|---|\n")
	for _, d := range deviations {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.place, d.seen, strings.Join(strings.Fields(d.operations), ", "), d.evidence)
	}
	return b.String()
}

// TestCases holds what all cases have: a name of their own, operations that there
// are, and evidence.
func TestCases(t *testing.T) {
	says := readDescription(t)
	known := map[string]bool{}
	for _, op := range says.operations() {
		known[op.ID] = true
	}
	if len(known) != 42 {
		t.Errorf("%d operations are described", len(known))
	}
	names := map[string]bool{}
	for _, c := range hubtest.Cases() {
		if names[c.Name] || len(c.Labels()) == 0 || len(c.Operations()) == 0 {
			t.Errorf("%q: operations %q, evidence %q, or a name twice", c.Name, c.About, c.Evidence)
		}
		names[c.Name] = true
		for _, id := range c.Operations() {
			if !known[id] {
				t.Errorf("%q is about %s, which is none", c.Name, id)
			}
		}
	}
}
