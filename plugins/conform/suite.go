package conform

import (
	"bytes"
	"fmt"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Suite is the file of cases of one plugin: a JSON object with the members
//
//	expr    a condition of rules that says the same, for the price beside it
//	config  the configuration of cases that have none of their own
//	now     the time of cases that have none of their own, 2026-01-01 without it
//	cases   a list of [Case]
type Suite struct {
	Expr   string
	Config twin.Object
	Now    time.Time
	Cases  []*Case
}

// A Case is one twin and what the plugin says of it. Its members are name, twin,
// want, and where they differ from those of the suite config and now.
//
// Twin has the members by which rules know a twin: id, tags, desired, reported and
// so on. Want is all of the plugin's answer, such as
//
//	{"match": false}
//	{"match": true, "facts": {"pct": 11}, "patch": {"tags": {"power": "saver"}}}
//
// or a part of the text with which it fails: {"error": "…"} for the twin and
// {"refused": "…"} for the configuration. It is nil where the file has none.
type Case struct {
	Name   string
	Config twin.Object
	Now    time.Time
	Twin   twin.Object
	Want   twin.Object

	parsed *twin.Twin
	own    struct{ config, now bool } // it has them of its own
}

// defaultNow is the time of suites that do not say one.
var defaultNow = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// ParseSuite reads a file of cases strictly: members that are not known are
// errors, and so are two cases of one name.
func ParseSuite(text []byte) (*Suite, error) {
	doc, err := twin.DecodeObject(text)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	r := &reader{doc: doc}
	s := &Suite{Expr: take[string](r, "expr", "text"), Config: take[twin.Object](r, "config", "an object"), Now: defaultNow}
	r.time("now", &s.Now)
	list := take[[]any](r, "cases", "a list")
	r.done()
	for _, v := range list {
		c, err := s.parseCase(v)
		if err != nil {
			r.fail("case %d: %v", len(s.Cases)+1, err)
			break
		}
		s.Cases = append(s.Cases, c)
	}
	if r.err == nil {
		r.err = s.checkNames()
	}
	if r.err != nil {
		return nil, fmt.Errorf("read cases: %w", r.err)
	}
	return s, nil
}

func (s *Suite) parseCase(v any) (*Case, error) {
	doc, ok := v.(twin.Object)
	if !ok {
		return nil, fmt.Errorf("not an object")
	}
	r := &reader{doc: doc}
	c := &Case{Name: take[string](r, "name", "text"), Config: s.Config, Now: s.Now}
	if _, c.own.config = doc["config"]; c.own.config {
		c.Config = take[twin.Object](r, "config", "an object")
	}
	c.own.now = r.time("now", &c.Now)
	c.Twin, c.Want = take[twin.Object](r, "twin", "an object"), take[twin.Object](r, "want", "an object")
	r.done()
	if r.err != nil {
		return nil, r.err
	}
	var err error
	c.parsed, err = parseTwin(c.Twin)
	return c, err
}

func (s *Suite) checkNames() error {
	seen := map[string]bool{}
	for i, c := range s.Cases {
		if c.Name == "" || seen[c.Name] {
			return fmt.Errorf("case %d: it has no name of its own", i+1)
		}
		seen[c.Name] = true
	}
	return nil
}

// Format writes the suite as a file that is read by people: a line for each member
// of a case, always in the same order.
func (s *Suite) Format() []byte {
	var b bytes.Buffer
	b.WriteString("{\n")
	if s.Expr != "" {
		fmt.Fprintf(&b, "  \"expr\": %s,\n", twin.Encode(s.Expr))
	}
	if s.Config != nil {
		fmt.Fprintf(&b, "  \"config\": %s,\n", twin.Encode(s.Config))
	}
	if !s.Now.Equal(defaultNow) {
		fmt.Fprintf(&b, "  \"now\": %q,\n", s.Now.Format(time.RFC3339Nano))
	}
	b.WriteString("  \"cases\": [")
	for i, c := range s.Cases {
		if i > 0 {
			b.WriteString(",")
		}
		c.format(&b)
	}
	b.WriteString("\n  ]\n}\n")
	return b.Bytes()
}

func (c *Case) format(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n    {\n      \"name\": %s", twin.Encode(c.Name))
	if c.own.config {
		fmt.Fprintf(b, ",\n      \"config\": %s", twin.Encode(c.Config))
	}
	if c.own.now {
		fmt.Fprintf(b, ",\n      \"now\": %q", c.Now.Format(time.RFC3339Nano))
	}
	if c.Twin != nil {
		fmt.Fprintf(b, ",\n      \"twin\": %s", twin.Encode(c.Twin))
	}
	if c.Want != nil {
		fmt.Fprintf(b, ",\n      \"want\": %s", twin.Encode(c.Want))
	}
	b.WriteString("\n    }")
}
