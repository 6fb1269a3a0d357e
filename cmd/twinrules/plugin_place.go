package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/plugins"
)

// A pluginPlace is what a command has for the plugins of the packs that it opens. It
// is in the command's context, where who opens a pack finds it.
type pluginPlace struct {
	env      *environment
	store    *store // modules out of registries
	options  plugins.Options
	budget   int64   // of a run, see [engine.Options.Fuel]
	failures *dumper // is told of calls that fail; nil for nobody
}

type pluginPlaceKey struct{}

// placePlugins makes the place that the flags of a command ask for.
func (env *environment) placePlugins(cmd *cobra.Command) error {
	options, err := pluginLimits(cmd)
	if err != nil {
		return err
	}
	options.Cache = env.codeFolder(cmd)
	budget, err := pluginBudget(cmd)
	if err != nil {
		return err
	}
	p := &pluginPlace{env: env, store: env.store(), options: options, budget: budget, failures: &dumper{env: env, dir: pluginFlag(cmd, dumpFlag)}}
	cmd.SetContext(context.WithValue(cmd.Context(), pluginPlaceKey{}, p))
	return nil
}

// pluginFlag returns the value of a flag that every command has.
func pluginFlag(cmd *cobra.Command, name string) string {
	text, err := cmd.Flags().GetString(name)
	if err != nil {
		panic(err)
	}
	return text
}

// placeOf returns the place that the command has, one without anything where there
// is none.
func placeOf(ctx context.Context) *pluginPlace {
	if p, ok := ctx.Value(pluginPlaceKey{}).(*pluginPlace); ok {
		return p
	}
	return &pluginPlace{store: &store{}}
}

// host returns a host of plugins, which its user closes. Calls that fail are written
// down with the modules that read returns, or it is said that they could be.
func (p *pluginPlace) host(ctx context.Context, read func(plugin string) ([]byte, error)) (*plugins.Host, error) {
	o := p.options
	if p.failures != nil {
		o.Failed = func(f *plugins.Failure) { p.failures.failed(f, read) }
	}
	return plugins.NewHost(ctx, &o)
}

// bench returns a host for who shows failures as they are.
func (p *pluginPlace) bench(ctx context.Context) (*plugins.Host, error) {
	return plugins.NewHost(ctx, &p.options)
}

// warn says why plugins take longer than they should. They run all the same.
func (p *pluginPlace) warn(host *plugins.Host) {
	if host.Loaded() && host.Interpreted() {
		fmt.Fprintln(p.env.stderr, "twinrules: "+plugins.InterpreterWarning)
	}
	if err := host.CacheProblem(); err != nil {
		fmt.Fprintf(p.env.stderr, "twinrules: compiled plugins are not kept: %s\n", oneLine(err))
	}
}
