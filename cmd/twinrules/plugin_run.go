package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
)

func newPluginRun(env *environment) *cobra.Command {
	var twinFile, config, replay string
	cmd := &cobra.Command{
		Use:   "run MODULE|DIR",
		Short: "Ask a plugin about one twin, as a rule would, or make a call that failed again",
		Example: `  twinrules plugin run geofence.wasm --twin twin.json --config '{"sites": []}'
  twinrules plugin run geofence.wasm --replay failures/truck-1.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if replay != "" {
				return env.replayPlugin(cmd.Context(), moduleIn(args[0]), replay)
			}
			settings, err := twin.DecodeObject([]byte(config))
			if err != nil {
				return usagef("--config: %v", err)
			}
			data, err := readInput(env, twinFile)
			if err != nil {
				return err
			}
			t, err := twin.Parse(data)
			if err != nil {
				return fmt.Errorf("--twin %s: %w", twinFile, err)
			}
			return env.runPlugin(cmd.Context(), moduleIn(args[0]), settings, t)
		},
	}
	cmd.Flags().StringVar(&twinFile, "twin", "-", "file with the twin as the hub writes it; - for stdin")
	cmd.Flags().StringVar(&config, "config", "{}", "the plugin's configuration, as JSON")
	cmd.Flags().StringVar(&replay, "replay", "", "a file that --dump-failures wrote, in place of twin and configuration")
	cmd.MarkFlagsMutuallyExclusive("replay", "twin")
	cmd.MarkFlagsMutuallyExclusive("replay", "config")
	return cmd
}

func readInput(env *environment, path string) ([]byte, error) {
	const most = 4 << 20
	if path == "-" {
		return io.ReadAll(io.LimitReader(env.stdin, most))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// withModule loads a module, with a host that lives as long as use takes.
func (env *environment) withModule(ctx context.Context, path, name string, use func(*plugins.Module) error) (err error) {
	host, err := placeOf(ctx).bench(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, host.Close(ctx)) }()
	module, err := env.loadPlugin(ctx, host, path, name)
	if err != nil {
		return err
	}
	placeOf(ctx).warn(host)
	return use(module)
}

func (env *environment) runPlugin(ctx context.Context, path string, config twin.Object, t *twin.Twin) error {
	return env.withModule(ctx, path, path, func(m *plugins.Module) error {
		instance, err := m.Instance(ctx, config)
		if err != nil {
			return err
		}
		return env.printJudged(instance.Judge(ctx, t, env.now().UTC()))
	})
}

// printJudged shows what came of a call, an answer or a failure.
func (env *environment) printJudged(a *plugins.Answer, err error) error {
	if failed, ok := errors.AsType[*plugins.Error](err); ok {
		env.printFailure(failed)
	}
	if err != nil {
		return err
	}
	return env.printAnswer(a)
}

// replayPlugin makes a call that failed again. It fails as that did.
func (env *environment) replayPlugin(ctx context.Context, path, file string) error {
	data, err := readInput(env, file)
	if err != nil {
		return err
	}
	f, err := plugins.ParseFailure(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	place := *placeOf(ctx)
	place.options.Fuel, place.options.Memory = min(f.Limits.Fuel, maxFuel), min(f.Limits.Memory, maxMemoryMiB<<20)
	ctx = context.WithValue(ctx, pluginPlaceKey{}, &place)
	return env.withModule(ctx, path, f.Err.Plugin, func(m *plugins.Module) error {
		return env.printJudged(m.Replay(ctx, f))
	})
}

// printFailure shows what an error does not say in its line.
func (env *environment) printFailure(e *plugins.Error) {
	env.printTable(table{
		{"plugin", e.Plugin}, {"rule", e.Rule}, {"twin", e.Ref.String()}, {"code", string(e.Code)}, {"fuel", fmt.Sprint(e.Fuel)},
	})
	for _, line := range e.Log {
		env.printTable(table{{"log", fmt.Sprint(line)}})
	}
	for line := range strings.Lines(e.Trace) {
		env.printTable(table{{"trace", strings.TrimRight(line, "\n")}})
	}
}
