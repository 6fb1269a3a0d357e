package main

import "github.com/spf13/cobra"

func newPlugin(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "plugin",
		Short:   "Start a plugin, build it, test it, and lock it for a pack",
		Example: "  twinrules plugin new battery --lang rust",
	}
	cmd.AddCommand(newPluginNew(env), newPluginBuild(env), newPluginTest(env), newPluginBench(env), newPluginLock(env), newPluginInspect(env), newPluginRun(env),
		newPluginSign(env), newPluginVerify(env), newPluginPush(env), newPluginPull(env))
	return cmd
}
