package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
)

func newPlugin(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "plugin",
		Short:   "Start a plugin, build it, test it, and lock it for a pack",
		Example: "  twinrules plugin new battery --lang rust",
	}
	cmd.AddCommand(newPluginNew(env), newPluginBuild(env), newPluginTest(env), newPluginBench(env), newPluginLock(env), newPluginInspect(env), newPluginRun(env))
	return cmd
}

func newPluginRun(env *environment) *cobra.Command {
	var twinFile, config string
	cmd := &cobra.Command{
		Use:     "run MODULE",
		Short:   "Ask a plugin about one twin, as a rule would",
		Example: `  twinrules plugin run geofence.wasm --twin twin.json --config '{"sites": []}'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
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
				return err
			}
			return env.runPlugin(cmd.Context(), args[0], settings, t)
		},
	}
	cmd.Flags().StringVar(&twinFile, "twin", "-", "file with the twin as the hub writes it; - for stdin")
	cmd.Flags().StringVar(&config, "config", "{}", "the plugin's configuration, as JSON")
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

func (env *environment) runPlugin(ctx context.Context, path string, config twin.Object, t *twin.Twin) (err error) {
	data, err := readModule(path)
	if err != nil {
		return err
	}
	host, err := plugins.NewHost(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, host.Close(ctx)) }()
	module, err := host.Load(ctx, path, data)
	if err != nil {
		return err
	}
	instance, err := module.Instance(ctx, config)
	if err != nil {
		return err
	}
	answer, err := instance.Judge(ctx, t, env.now().UTC())
	if err != nil {
		return err
	}
	return env.printAnswer(answer)
}
