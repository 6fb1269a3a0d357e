package report

import (
	"encoding/xml"
	"io"
	"strings"

	"github.com/twinrules/twinrules/rules"
)

// JUnit shows tests to build servers, as XML with these elements and attributes
// and no others:
//
//	testsuites  name, tests, failures, errors, time; holds testsuite, one a rule
//	testsuite   name, tests, failures, errors, skipped, time; holds testcase
//	testcase    name, classname, time; holds at most one failure
//	failure     message, type; holds text
//
// That is what the schema of Jenkins' xUnit plug-in and the readers of GitLab, GitHub
// actions and Azure DevOps have in common; file and line, which only some of them
// take, stand in a failure's message. Tests here take no time that anybody
// could measure, and time is 0, so that the same run has the same bytes.
var JUnit = &TestFormat{Name: "junit", Doc: "XML for build servers", Write: func(w io.Writer, r *TestRun) error {
	top := junitSuites{Name: r.Pack}
	for _, c := range r.Cases {
		entry := junitCase{Name: c.Name, Class: r.Pack + "." + c.Rule}
		if c.Problem != "" {
			text := safeLines(append([]string{c.Pos.String(), c.Problem}, c.Detail...))
			entry.Failure = &junitFailure{Message: c.Pos.String() + ": " + c.Problem, Type: "test", Text: text}
		}
		top.add(c.Rule, entry)
	}
	return top.write(w)
}}

// JUnitDiagnostics writes the mistakes of a pack, each as a test that failed; a
// pack without any is one test that passed. A warning passes with its text as
// output, unless strict makes a failure of it.
func JUnitDiagnostics(w io.Writer, pack string, list rules.Diagnostics, strict bool) error {
	top := junitSuites{Name: pack}
	for _, d := range list {
		entry := junitCase{Name: d.Pos.String() + " " + string(d.Code), Class: pack + ".check"}
		if text := safeLines([]string{d.String(), d.Line, d.Hint}); d.Warning() && !strict {
			entry.Output = text
		} else {
			entry.Failure = &junitFailure{Message: d.String(), Type: string(d.Code), Text: text}
		}
		top.add("check", entry)
	}
	if len(list) == 0 {
		top.add("check", junitCase{Name: "no mistakes", Class: pack + ".check"})
	}
	return top.write(w)
}

// safeLines joins the lines that are not empty.
func safeLines(list []string) string {
	var out []string
	for _, line := range list {
		if line != "" {
			out = append(out, rules.Excerpt(line, 1000))
		}
	}
	return strings.Join(out, "\n")
}

type junitSuites struct {
	XMLName  xml.Name      `xml:"testsuites"`
	Name     string        `xml:"name,attr"`
	Tests    int           `xml:"tests,attr"`
	Failures int           `xml:"failures,attr"`
	Errors   int           `xml:"errors,attr"`
	Time     string        `xml:"time,attr"`
	Suites   []*junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// add puts a case into the suite called name, which is the last or a new one.
func (s *junitSuites) add(name string, c junitCase) {
	if n := len(s.Suites); n == 0 || s.Suites[n-1].Name != name {
		s.Suites = append(s.Suites, &junitSuite{Name: name, Time: junitTime})
	}
	suite := s.Suites[len(s.Suites)-1]
	c.Time = junitTime
	c.Name = rules.Excerpt(c.Name, 200)
	suite.Cases = append(suite.Cases, c)
	suite.Tests, s.Tests = suite.Tests+1, s.Tests+1
	if c.Failure != nil {
		c.Failure.Message = rules.Excerpt(c.Failure.Message, 1000)
		suite.Failures, s.Failures = suite.Failures+1, s.Failures+1
	}
}

const junitTime = "0"

func (s *junitSuites) write(w io.Writer) error {
	s.Time = junitTime
	data, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(data)+"\n")
	return err
}
