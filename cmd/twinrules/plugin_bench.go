package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/conform"
	"github.com/twinrules/twinrules/rules"
)

// benchFlags are the flags of plugin bench.
type benchFlags struct {
	cases, twins, expr, config, format string
	budget                             time.Duration
}

func newPluginBench(env *environment) *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "bench MODULE|DIR",
		Short: "Say what a plugin costs, beside an expression that does the same",
		Long: `bench asks a plugin about the twins of its cases, or about those of a recorded fleet, again and again, and says
what a call takes; and what a rule takes whose condition says the same, which is the expr of the file of cases
or that of --expr. All but the times and allocations is the same on every machine.`,
		Example: "  twinrules plugin bench battery\n  twinrules plugin bench battery.wasm --twins fleet.ndjson.zst --expr 'reported.battery.pct < 20'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.format != "text" && f.format != "json" {
				return usagef("-o: %q is none of text, json", f.format)
			}
			return env.benchPlugin(cmd.Context(), moduleIn(args[0]), &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.cases, "cases", "", "the file of cases (default MODULE as .cases.json)")
	flags.StringVar(&f.twins, "twins", "", "a recorded fleet to ask about, in place of the twins of the cases")
	flags.StringVar(&f.expr, "expr", "", "a condition of rules that says the same (default that of the file of cases)")
	flags.StringVar(&f.config, "config", "", "the plugin's configuration, as JSON (default that of the file of cases)")
	flags.DurationVar(&f.budget, "time", time.Second, "how long to measure each of the two")
	flags.StringVarP(&f.format, "output", "o", "text", "format of the result: text, json")
	return cmd
}

// A pluginPrice is what bench found.
type pluginPrice struct {
	Schema  string `json:"schema"`
	Plugin  string `json:"plugin"`
	Twins   int    `json:"twins"`
	Matched int    `json:"matched"`
	Failed  int    `json:"failed"`
	conform.Price
	Fuel   fuelRange    `json:"fuel"`
	Memory int64        `json:"memory"`
	Expr   *exprPrice   `json:"expr,omitempty"`
	Ratio  float64      `json:"ratio,omitempty"` // of the times, to that of the expression
	said   map[int]bool // matches, by twin
}

// A fuelRange is what calls used.
type fuelRange struct {
	Least  int64 `json:"least"`
	Median int64 `json:"median"`
	Most   int64 `json:"most"`
	Limit  int64 `json:"limit"`
}

// An exprPrice is what the expression takes.
type exprPrice struct {
	Source string `json:"source"`
	Agrees int    `json:"agrees"` // on as many twins
	conform.Price
}

func (env *environment) benchPlugin(ctx context.Context, path string, f *benchFlags) error {
	suite, _, err := readCases(path, f.cases)
	if err != nil {
		return err
	}
	config := suite.Config
	if f.config != "" {
		if config, err = twin.DecodeObject([]byte(f.config)); err != nil {
			return usagef("--config: %v", err)
		}
	}
	subjects, err := benchSubjects(ctx, suite, f.twins)
	if err != nil {
		return err
	}
	b := &benchmark{subjects: subjects, clock: env.now, budget: f.budget}
	return env.withModule(ctx, path, path, func(m *plugins.Module) error {
		p, err := b.price(ctx, m, config, cmp.Or(f.expr, suite.Expr))
		if err != nil {
			return err
		}
		p.Plugin = nameOf(m, path)
		if f.format == "json" {
			return report.WriteJSON(env.stdout, p)
		}
		return p.write(env.stdout)
	})
}

// A benchmark asks about the same twins for a while.
type benchmark struct {
	subjects []conform.Subject
	clock    func() time.Time
	budget   time.Duration
}

// price measures a module, and an expression unless that is "".
func (b *benchmark) price(ctx context.Context, m *plugins.Module, config twin.Object, source string) (*pluginPrice, error) {
	instance, err := m.Instance(ctx, config)
	if err != nil {
		return nil, err
	}
	p := &pluginPrice{Schema: "twinrules/plugin-bench/v1.0", Twins: len(b.subjects), said: map[int]bool{}}
	p.Fuel.Limit, _ = m.Limits()
	err = b.pricePlugin(ctx, p, instance)
	if err == nil && source != "" {
		err = b.priceExpr(ctx, p, source)
	}
	return p, err
}

// maxBenched bounds the twins of a fleet that are asked about: more do not fit
// into a processor's cache any better.
const maxBenched = 10_000

// benchSubjects returns the twins of a recorded fleet, or those of the cases.
func benchSubjects(ctx context.Context, suite *conform.Suite, path string) ([]conform.Subject, error) {
	if path == "" {
		if list := suite.Subjects(); len(list) > 0 {
			return list, nil
		}
		return nil, usagef("there are no cases to ask about: give it a fleet with --twins")
	}
	s, err := snapshot.Open(path)
	if err != nil {
		return nil, err
	}
	var list []conform.Subject
	for t, err := range sourceOf(s).Twins(ctx, "SELECT * FROM devices") {
		if err != nil {
			return nil, err
		}
		if list = append(list, conform.Subject{Twin: t, Now: s.TakenAt}); len(list) == maxBenched {
			break
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s holds no twins", path)
	}
	return list, nil
}

func (b *benchmark) pricePlugin(ctx context.Context, p *pluginPrice, i *plugins.Instance) (err error) {
	var fuel []int64
	for n, s := range b.subjects {
		a, err := i.Judge(ctx, s.Twin, s.Now)
		failed, ok := errors.AsType[*plugins.Error](err)
		switch {
		case ok:
			p.Failed++
			fuel = append(fuel, failed.Fuel)
			continue
		case err != nil:
			return err
		case a.Finding != nil:
			p.Matched++
			p.said[n] = true
		}
		p.Memory = max(p.Memory, a.Memory)
		fuel = append(fuel, a.Fuel)
	}
	slices.Sort(fuel)
	p.Fuel.Least, p.Fuel.Median, p.Fuel.Most = fuel[0], fuel[len(fuel)/2], fuel[len(fuel)-1]
	p.Price, err = conform.Measure(b.clock, b.budget, func() (int, error) {
		for _, s := range b.subjects {
			_, _ = i.Judge(ctx, s.Twin, s.Now) // its failures were counted above
		}
		return len(b.subjects), ctx.Err()
	})
	return err
}

// priceExpr measures a rule that has the expression for its condition.
func (b *benchmark) priceExpr(ctx context.Context, p *pluginPrice, source string) (err error) {
	pack := fmt.Sprintf("apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: bench}\nrules:\n  - id: same\n    when: %s\n    patch: {tags: {same: true}}\n", twin.Encode(source))
	dir, err := os.MkdirTemp("", "twinrules-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "expr.yaml"), []byte(pack), 0o600); err != nil {
		return err
	}
	program, err := compile(ctx, os.DirFS(dir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, program.Close(ctx)) }()
	e := &exprPrice{Source: source}
	matches := func(s conform.Subject) bool {
		verdicts := program.Eval(ctx, s.Twin, rules.Moment{Now: s.Now})
		return len(verdicts) > 0 && verdicts[0].Matched
	}
	for n, s := range b.subjects {
		if matches(s) == p.said[n] {
			e.Agrees++
		}
	}
	e.Price, err = conform.Measure(b.clock, b.budget, func() (int, error) {
		for _, s := range b.subjects {
			matches(s)
		}
		return len(b.subjects), ctx.Err()
	})
	if p.Expr = e; e.Nanoseconds > 0 {
		p.Ratio = p.Nanoseconds / e.Nanoseconds
	}
	return err
}

func (p *pluginPrice) write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%-8s%s a call, %.0f allocations, %d to %d units of fuel of %d, %d KiB\n        %s, of which it matched %d and failed for %d\n",
		"plugin", shortly(p.Nanoseconds), p.Allocations, p.Fuel.Least, p.Fuel.Most, p.Fuel.Limit, p.Memory>>10, plural(p.Twins, "twin"), p.Matched, p.Failed)
	if err == nil && p.Expr != nil {
		_, err = fmt.Fprintf(w, "%-8s%s a call, %.0f allocations: %s\n        it says the same of %d of %s\nratio   %.1f\n",
			"expr", shortly(p.Expr.Nanoseconds), p.Expr.Allocations, rules.Excerpt(p.Expr.Source, 200), p.Expr.Agrees, plural(p.Twins, "twin"), p.Ratio)
	}
	return err
}

// shortly spells a time in the unit that suits it.
func shortly(nanoseconds float64) string {
	switch {
	case nanoseconds < 1e3:
		return fmt.Sprintf("%.0f ns", nanoseconds)
	case nanoseconds < 1e6:
		return fmt.Sprintf("%.1f µs", nanoseconds/1e3)
	}
	return fmt.Sprintf("%.1f ms", nanoseconds/1e6)
}
