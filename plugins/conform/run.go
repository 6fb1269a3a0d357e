package conform

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
)

// A Check is one thing that the kit looks at.
type Check struct {
	Name, Doc string
	run       func(k *kit) error
}

// Checks lists what the kit looks at, in the order in which it does.
var Checks = []*Check{cases, odd, pure, hidden, reads, writes, settled, headroom}

// A Result is one thing that was looked at.
type Result struct {
	Check   string   `json:"check"`
	Name    string   `json:"name"`
	Problem string   `json:"problem"` // "" when all is well
	Detail  []string `json:"detail"`  // lines that help to mend it
}

// A Gauge is the most that was used of something that is limited.
type Gauge struct {
	Most  int64 `json:"most"`
	Limit int64 `json:"limit"`
}

// A Report is what the kit found.
type Report struct {
	Results []Result `json:"results"`
	Notes   []string `json:"notes"` // what is no mistake and may be of interest
	Calls   int      `json:"calls"` // twins that it was asked about, of the author and of the kit
	Fuel    Gauge    `json:"fuel"`  // units of one call
	Memory  Gauge    `json:"memory"`
}

// Failed counts the results that are problems.
func (r *Report) Failed() (n int) {
	for _, result := range r.Results {
		if result.Problem != "" {
			n++
		}
	}
	return n
}

// A kit is one run of the checks.
type kit struct {
	ctx    context.Context
	module *plugins.Module
	suite  *Suite
	report *Report

	subjects []subject
	oddities []subject
	configs  []configured
}

// A subject is a twin that the plugin is asked about, and what it said at first.
type subject struct {
	name   string
	config twin.Object
	judge  *plugins.Instance
	twin   *twin.Twin
	now    time.Time
	said   answer
}

// A configured is an instance for one configuration of the suite.
type configured struct {
	config   twin.Object
	instance *plugins.Instance // nil when it was refused
	refusal  answer
}

// Run runs the checks on m with the cases of suite. Its error says why it could
// not; what is wrong with the plugin stands in the report.
func Run(ctx context.Context, m *plugins.Module, suite *Suite) (*Report, error) {
	k := &kit{ctx: ctx, module: m, suite: suite, report: &Report{Results: []Result{}, Notes: []string{}}}
	k.report.Fuel.Limit, k.report.Memory.Limit = m.Limits()
	for _, check := range Checks {
		before := len(k.report.Results)
		if err := check.run(k); err != nil {
			return nil, fmt.Errorf("check %s: %w", check.Name, err)
		}
		for i := range k.report.Results[before:] {
			k.report.Results[before+i].Check = check.Name
		}
	}
	return k.report, nil
}

// configure returns the instance for config, made when it is first asked for.
func (k *kit) configure(config twin.Object) (configured, error) {
	for _, c := range k.configs {
		if twin.Equal(orEmpty(c.config), orEmpty(config)) {
			return c, nil
		}
	}
	c := configured{config: config}
	var err error
	if c.instance, err = k.module.Instance(k.ctx, config); err != nil {
		answer, ok := refused(err)
		if !ok {
			return c, err
		}
		c.instance, c.refusal = nil, answer
	}
	k.configs = append(k.configs, c)
	return c, nil
}

func orEmpty(o twin.Object) twin.Object {
	if o == nil {
		return twin.Object{}
	}
	return o
}

// passed and failed note a result.
func (k *kit) passed(name string) { k.report.Results = append(k.report.Results, Result{Name: name}) }

func (k *kit) failed(name, problem string, detail ...string) {
	k.report.Results = append(k.report.Results, Result{Name: name, Problem: problem, Detail: detail})
}

// conclude notes that name went well unless one of problems says otherwise. Of
// many problems the first are shown.
func (k *kit) conclude(name string, problems []string) {
	const most = 5
	if len(problems) == 0 {
		k.passed(name)
		return
	}
	detail := slices.Clone(problems[:min(len(problems), most)])
	if more := len(problems) - most; more > 0 {
		detail = append(detail, fmt.Sprintf("and %d more", more))
	}
	k.failed(name, fmt.Sprintf("%d times otherwise", len(problems)), detail...)
}

func (k *kit) note(format string, args ...any) {
	k.report.Notes = append(k.report.Notes, fmt.Sprintf(format, args...))
}

// ask asks the subject's own instance and counts what it took.
func (k *kit) ask(s subject) (answer, error) {
	a, err := ask(k.ctx, s.judge, s.twin, s.now)
	k.report.Calls++
	k.report.Fuel.Most = max(k.report.Fuel.Most, a.fuel)
	k.report.Memory.Most = max(k.report.Memory.Most, a.memory)
	return a, err
}

// all returns every subject.
func (k *kit) all() []subject { return slices.Concat(k.subjects, k.oddities) }
