package conform

import (
	"context"
	"fmt"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
)

// cases holds the plugin against what its author wants.
var cases = &Check{Name: "cases", Doc: "it says of each case what the file of cases wants", run: func(k *kit) error {
	for _, c := range k.suite.Cases {
		got, err := k.askCase(c)
		if err != nil {
			return err
		}
		switch {
		case c.Want == nil:
			k.failed(c.Name, "the case has no want; write it, or run with --update", "got  "+string(twin.Encode(got.doc)))
		case !c.wants(got.doc):
			k.failed(c.Name, "another answer", "want "+string(twin.Encode(c.Want)), "got  "+string(twin.Encode(got.doc)))
		default:
			k.passed(c.Name)
		}
	}
	if len(k.suite.Cases) == 0 {
		k.note("there are no cases: only what holds for every plugin was looked at, with the configuration {}")
		return k.askEmpty()
	}
	return nil
}}

// askCase returns what the plugin says of a case, which becomes a subject unless
// its configuration is refused.
func (k *kit) askCase(c *Case) (answer, error) {
	conf, err := k.configure(c.Config)
	if err != nil || conf.instance == nil {
		return conf.refusal, err
	}
	s := subject{name: c.Name, config: c.Config, judge: conf.instance, twin: c.parsed, now: c.Now}
	if s.said, err = k.ask(s); err == nil {
		k.subjects = append(k.subjects, s)
	}
	return s.said, err
}

// askEmpty asks about a twin with nothing in it, where there are no cases.
func (k *kit) askEmpty() error {
	t, err := parseTwin(nil)
	if err != nil {
		return err
	}
	got, err := k.askCase(&Case{Name: "an empty twin", Now: k.suite.Now, Config: k.suite.Config, parsed: t})
	if _, no := got.doc["refused"]; no {
		k.failed("configuration", fmt.Sprint(got.doc["refused"]))
	}
	return err
}

// wants reports whether got is what the case wants. Of the text of a failure it is
// enough to have a part.
func (c *Case) wants(got twin.Object) bool {
	for _, key := range []string{"error", "refused"} {
		part, ok1 := c.Want[key].(string)
		text, ok2 := got[key].(string)
		if ok1 && ok2 && len(c.Want) == 1 {
			return part != "" && strings.Contains(text, part)
		}
	}
	return twin.Equal(c.Want, got)
}

// Fill sets the want of each case to what m says where it is otherwise or not
// there, and returns how many it set.
func (s *Suite) Fill(ctx context.Context, m *plugins.Module) (changed int, err error) {
	k := &kit{ctx: ctx, module: m, suite: s, report: &Report{}}
	for _, c := range s.Cases {
		got, err := k.askCase(c)
		if err != nil {
			return changed, err
		}
		if c.Want == nil || !c.wants(got.doc) {
			c.Want = got.doc
			changed++
		}
	}
	return changed, nil
}
