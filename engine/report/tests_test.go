package report_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/rules"
)

// junitContract is what each element may hold and must have, see [report.JUnit].
var junitContract = map[string]struct{ attributes, children []string }{
	"testsuites": {[]string{"name", "tests", "failures", "errors", "time"}, []string{"testsuite"}},
	"testsuite":  {[]string{"name", "tests", "failures", "errors", "skipped", "time"}, []string{"testcase"}},
	"testcase":   {[]string{"name", "classname", "time"}, []string{"failure"}},
	"failure":    {[]string{"message", "type"}, nil},
}

// junitCounts are the attributes that count elements below theirs, and which.
var junitCounts = map[string]string{"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}

// A junitElement is an element that is open, and what stood in it so far.
type junitElement struct {
	name   string
	claims map[string]string // what its attributes say
	below  map[string]int    // how many elements of a name are below it
}

// check reports what the types of the schema's attributes do not allow, and
// numbers that are not those of the document: xs:nonNegativeInteger for what
// counts, xs:decimal for time, xs:string for the rest, of which name is no empty one.
func (e junitElement) check(t *testing.T) {
	t.Helper()
	for attribute, text := range e.claims {
		counted, counts := junitCounts[attribute]
		if n, err := strconv.ParseUint(text, 10, 32); counts && (err != nil || int(n) != e.below[counted]) {
			t.Errorf("%s says %s=%q, there are %d", e.name, attribute, text, e.below[counted])
		}
		if attribute == "time" && !regexp.MustCompile(`^\d+(\.\d+)?$`).MatchString(text) {
			t.Errorf("%s took %q", e.name, text)
		}
		if (attribute == "name" || attribute == "classname") && strings.TrimSpace(text) == "" {
			t.Errorf("%s has an empty %s", e.name, attribute)
		}
	}
	if e.below["failure"] > 1 && e.name == "testcase" {
		t.Errorf("a testcase with %d failures", e.below["failure"])
	}
}

// checkJUnit reads a document token by token and reports what the contract does
// not have.
func checkJUnit(t *testing.T, document string) (cases, failures int) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(document))
	var open []junitElement
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return cases, failures
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			if n := len(open); n == 0 && name != "testsuites" || n > 0 && !slices.Contains(junitContract[open[n-1].name].children, name) {
				t.Errorf("%s stands in %v", name, open)
			}
			e := junitElement{name, map[string]string{}, map[string]int{}}
			var attributes []string
			for _, a := range token.Attr {
				attributes = append(attributes, a.Name.Local)
				e.claims[a.Name.Local] = a.Value
			}
			if !slices.Equal(attributes, junitContract[name].attributes) {
				t.Errorf("%s has %v", name, attributes)
			}
			cases, failures = cases+strings.Count(name, "testcase"), failures+strings.Count(name, "failure")
			for _, above := range open {
				above.below[name]++
			}
			open = append(open, e)
		case xml.EndElement:
			open[len(open)-1].check(t)
			open = open[:len(open)-1]
		case xml.CharData:
			if text := strings.TrimSpace(string(token)); text != "" && (len(open) == 0 || open[len(open)-1].name != "failure") {
				t.Errorf("%q stands in %v", text, open)
			}
		}
	}
}

func testRun() *report.TestRun {
	rule := &rules.Rule{ID: "saver", Pos: rules.Pos{File: "pack.yaml", Line: 5, Col: 9}}
	return &report.TestRun{
		Pack: "p", Rules: 2, Untested: []*rules.Rule{{ID: "other"}},
		Cases: []report.TestCase{
			{Rule: "saver", Name: "low"},
			{Rule: "saver", Name: "evil <&\x1b[31m\x00\u202e ]]>", Problem: "wanted \"a\"\x07 & <b>", Detail: []string{"- tags.a   ]]>", "+ tags.b\u202e"}},
			{Rule: "late", Name: "last"},
		},
		Branches: []rules.Branch{{Rule: rule, Field: "when", Text: "a", True: 1, False: 2}, {Rule: rule, Field: "when", Text: "b", False: 1}},
	}
}

func TestJUnitKeepsItsContract(t *testing.T) {
	var b strings.Builder
	if err := report.JUnit.Write(&b, testRun()); err != nil {
		t.Fatal(err)
	}
	if cases, failures := checkJUnit(t, b.String()); cases != 3 || failures != 1 {
		t.Errorf("%d cases and %d failures in\n%s", cases, failures, b.String())
	}
	for _, want := range []string{`<testsuites name="p" tests="3" failures="1"`, `<testsuite name="saver" tests="2" failures="1"`, `<testsuite name="late" tests="1" failures="0"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is missing in\n%s", want, b.String())
		}
	}
}

func TestJUnitOfDiagnostics(t *testing.T) {
	for _, test := range []struct {
		name            string
		list            rules.Diagnostics
		cases, failures int
	}{
		{"no mistakes", nil, 1, 0},
		{"two", rules.Diagnostics{{Code: rules.BadYAML, Message: "<x>", Line: "a: \x01\u202e", Hint: "h"}, {Code: rules.BadScalar}}, 2, 2},
	} {
		var b strings.Builder
		if err := report.JUnitDiagnostics(&b, "p", test.list, false); err != nil {
			t.Fatal(err)
		}
		if cases, failures := checkJUnit(t, b.String()); cases != test.cases || failures != test.failures {
			t.Errorf("%s: %d cases and %d failures", test.name, cases, failures)
		}
	}
}

func TestCoverageIsTheLesserShare(t *testing.T) {
	for _, test := range []struct {
		name string
		run  *report.TestRun
		want int
	}{
		{"rules", testRun(), 50},
		{"outcomes", &report.TestRun{Rules: 1, Branches: []rules.Branch{{True: 1}, {}, {}}}, 16},
		{"nothing to see", &report.TestRun{}, 100},
	} {
		if got := test.run.Coverage(); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}

// TestHostileNames: what a pack or twin holds moves no cursor and is valid JSON.
func TestHostileTestNames(t *testing.T) {
	for _, f := range report.TestFormats {
		var b strings.Builder
		if err := f.Write(&b, testRun()); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "\x1b\x00\u202e\x07") {
			t.Errorf("%s: %q", f.Name, b.String())
		}
		if f == report.TestJSON && !json.Valid([]byte(b.String())) {
			t.Error(b.String())
		}
		found, err := report.FindTest(f.Name)
		if found != f || err != nil {
			t.Error(found, err)
		}
	}
	if _, err := report.FindTest("x"); err == nil {
		t.Error("there is no such format")
	}
}
