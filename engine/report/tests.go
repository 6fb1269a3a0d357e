package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/rules"
)

// A TestRun is what became of the tests of a pack.
type TestRun struct {
	Pack     string
	Rules    int // in the pack
	Cases    []TestCase
	Untested []*rules.Rule  // that have no test among Cases
	Branches []rules.Branch // of the pack's conditions
	Partial  bool           // only some tests were asked for: what the others see is not known
	Verbose  bool           // passed tests and what is not seen of selectors are shown, too
	Mutation *rules.Mutation
}

// A TestCase is one test and what became of it.
type TestCase struct {
	Rule    string    `json:"rule"`
	Name    string    `json:"name"`
	Pos     rules.Pos `json:"-"`
	At      string    `json:"at"`      // Pos as text
	Problem string    `json:"problem"` // "" when it passed
	Detail  []string  `json:"detail"`  // lines that help to mend it
}

// Failed counts the tests that did not pass.
func (r *TestRun) Failed() (n int) {
	for _, c := range r.Cases {
		if c.Problem != "" {
			n++
		}
	}
	return n
}

// Tested counts the rules that have a test.
func (r *TestRun) Tested() int { return r.Rules - len(r.Untested) }

// Outcomes returns how many outcomes the branches have, two each, and how many of
// them were seen.
func (r *TestRun) Outcomes() (seen, all int) {
	for _, b := range r.Branches {
		seen, all = seen+b.Seen(), all+2
	}
	return seen, all
}

// Coverage returns how much of the pack its tests see, in whole percent rounded
// down: the lesser share of its rules and of the outcomes of its branches.
func (r *TestRun) Coverage() int {
	seen, all := r.Outcomes()
	return min(percent(r.Tested(), r.Rules), percent(seen, all))
}

func percent(part, whole int) int {
	if whole == 0 {
		return 100
	}
	return part * 100 / whole
}

// A TestFormat is a way to show a [TestRun].
type TestFormat struct {
	Name, Doc string
	Write     func(w io.Writer, r *TestRun) error
}

// TestFormats lists the ways to show tests, in the order help shows them.
var TestFormats = []*TestFormat{TestText, TestJSON, JUnit}

// FindTest returns the format called name, or an error that lists what is known.
func FindTest(name string) (*TestFormat, error) {
	var known []string
	for _, f := range TestFormats {
		if f.Name == name {
			return f, nil
		}
		known = append(known, f.Name)
	}
	return nil, fmt.Errorf("unknown format %q: it is one of %s", name, strings.Join(known, ", "))
}

// TestText shows tests to people.
var TestText = &TestFormat{Name: "text", Doc: "lines for people", Write: func(w io.Writer, r *TestRun) error {
	p := &testPage{}
	for _, c := range r.Cases {
		p.testCase(c, r.Verbose)
	}
	if !r.Partial {
		p.gaps(r)
	}
	p.mutation(r.Mutation)
	seen, all := r.Outcomes()
	failed := r.Failed()
	p.linef("%s: %d passed, %d failed, %d of %s tested, %d of %s of conditions seen", r.Pack, len(r.Cases)-failed, failed,
		r.Tested(), plural(r.Rules, "rule"), seen, plural(all, "outcome"))
	_, err := io.WriteString(w, p.String())
	return err
}}

// A testPage is the text written so far.
type testPage struct{ strings.Builder }

func (p *testPage) linef(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *testPage) testCase(c TestCase, verbose bool) {
	name := c.Rule + ": " + rules.Excerpt(c.Name, 120)
	switch {
	case c.Problem == "" && verbose:
		p.linef("ok    %s", name)
	case c.Problem != "":
		p.linef("FAIL  %s", name)
		p.linef("      %s", c.Pos)
		p.linef("      %s", rules.Excerpt(c.Problem, 1000))
		for _, line := range c.Detail {
			p.linef("%s", rules.Excerpt(line, 1000))
		}
	}
}

// gaps lists what no test sees. Of selectors it counts that, unless more was asked
// for: most tests are about twins that a rule selects, and a list of selectors
// that are never false would hide what matters.
func (p *testPage) gaps(r *TestRun) {
	for _, u := range r.Untested {
		p.linef("note  rule %s has no test (%s)", u.ID, u.Pos)
	}
	untested := map[*rules.Rule]bool{}
	for _, u := range r.Untested {
		untested[u] = true
	}
	quiet := 0
	for _, b := range r.Branches {
		switch {
		case b.Seen() == 2 || untested[b.Rule]:
		case b.Field == "selector" && !r.Verbose:
			quiet += 2 - b.Seen()
		default:
			p.linef("note  %s of %s: %s is never %s (%s)", b.Field, b.Rule.ID, rules.Excerpt(b.Text, 120), unseen(b), b.Pos)
		}
	}
	if quiet > 0 {
		p.linef("note  %s of selectors not seen; --verbose lists them", plural(quiet, "outcome"))
	}
}

// unseen names the outcomes that no test has seen.
func unseen(b rules.Branch) string {
	switch {
	case b.Seen() == 0:
		return "asked"
	case b.True == 0:
		return "true"
	}
	return "false"
}

func (p *testPage) mutation(m *rules.Mutation) {
	if m == nil {
		return
	}
	for _, s := range m.Survivors {
		p.linef("note  no test of %s notices %s in place of %s (%s)", s.Rule.ID, rules.Excerpt(s.To, 120), rules.Excerpt(s.From, 120), s.Pos)
	}
	p.linef("mutants: %d of %d noticed, %d not run", m.Run-len(m.Survivors), m.Run, m.All-m.Run)
}

// TestJSON shows tests to programs.
var TestJSON = &TestFormat{Name: "json", Doc: "one JSON object", Write: func(w io.Writer, r *TestRun) error {
	seen, all := r.Outcomes()
	out := testsJSON{
		Schema: "twinrules/test-report/v1.0", Pack: r.Pack, Passed: len(r.Cases) - r.Failed(), Failed: r.Failed(), Cases: list(slices.Clone(r.Cases)), Untested: []string{},
		Coverage: coverageJSON{Percent: r.Coverage(), Rules: r.Rules, Tested: r.Tested(), Outcomes: all, Seen: seen, Branches: []branchJSON{}},
	}
	for i := range out.Cases {
		out.Cases[i].At, out.Cases[i].Detail = out.Cases[i].Pos.String(), list(out.Cases[i].Detail)
	}
	for _, u := range r.Untested {
		out.Untested = append(out.Untested, u.ID)
	}
	for _, b := range r.Branches {
		out.Coverage.Branches = append(out.Coverage.Branches, branchJSON{b.Rule.ID, b.Field, b.Text, b.Pos.String(), b.True, b.False})
	}
	if m := r.Mutation; m != nil {
		out.Mutation = &mutationJSON{All: m.All, Run: m.Run, Survivors: []mutantJSON{}}
		for _, s := range m.Survivors {
			out.Mutation.Survivors = append(out.Mutation.Survivors, mutantJSON{s.Rule.ID, s.Pos.String(), s.From, s.To})
		}
	}
	return WriteJSON(w, out)
}}

type testsJSON struct {
	Schema   string        `json:"schema"`
	Pack     string        `json:"pack"`
	Passed   int           `json:"passed"`
	Failed   int           `json:"failed"`
	Cases    []TestCase    `json:"cases"`
	Untested []string      `json:"untested"` // rules
	Coverage coverageJSON  `json:"coverage"`
	Mutation *mutationJSON `json:"mutation,omitempty"`
}

type coverageJSON struct {
	Percent  int          `json:"percent"`
	Rules    int          `json:"rules"`
	Tested   int          `json:"tested"`
	Outcomes int          `json:"outcomes"`
	Seen     int          `json:"seen"`
	Branches []branchJSON `json:"branches"`
}

type branchJSON struct {
	Rule  string `json:"rule"`
	Field string `json:"field"`
	Text  string `json:"text"`
	At    string `json:"at"`
	True  int    `json:"true"`  // tests that saw it true
	False int    `json:"false"` // and false
}

type mutationJSON struct {
	All       int          `json:"all"`
	Run       int          `json:"run"`
	Survivors []mutantJSON `json:"survivors"`
}

type mutantJSON struct {
	Rule string `json:"rule"`
	At   string `json:"at"`
	From string `json:"from"`
	To   string `json:"to"`
}
