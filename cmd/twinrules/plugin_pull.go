package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/registry"
	"github.com/twinrules/twinrules/rules"
)

func newPluginPull(env *environment) *cobra.Command {
	var how registryFlags
	var out string
	cmd := &cobra.Command{
		Use:   "pull [PACK|REF]",
		Short: "Fetch plugins out of OCI registries",
		Long: `pull fetches the plugins of a pack that are in registries, or the one that REF names, and keeps them on
this machine ($XDG_CACHE_HOME/twinrules or ~/.cache/twinrules), where the commands that use the pack
find them by their digests. No other command asks a registry.

A plugin of a pack must have the digest that the pack or twinrules.lock states, and the signatures that
the pack wants. One that is not locked yet is locked by plugin lock afterwards.`,
		Example: "  twinrules plugin pull rules/\n  twinrules plugin pull oci://registry.example/fleet/battery:1.0.0 --out battery.wasm",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if path := packPath(args); !strings.HasPrefix(path, registry.Scheme) {
				if out != "" {
					return usagef("--out is for one plugin, and %s is a pack", path)
				}
				return env.pullPack(cmd.Context(), path, how.options(env))
			}
			return env.pullRef(cmd.Context(), args[0], out, how.options(env))
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write the module to, with its signature beside it, in place of keeping it")
	how.add(cmd)
	return cmd
}

// pullRef fetches one module.
func (env *environment) pullRef(ctx context.Context, from, out string, o *registry.Options) error {
	ref, err := registry.ParseRef(from)
	if err != nil {
		return usage(err)
	}
	p, err := registry.Pull(ctx, ref, o)
	if err != nil {
		return err
	}
	if out == "" {
		err = env.store().keep(from, p)
	} else {
		err = writePulled(out, p)
	}
	if err == nil {
		_, err = fmt.Fprintf(env.stdout, "%s  %s\n", from, p.Digest)
	}
	return err
}

func writePulled(out string, p *registry.Pulled) error {
	if err := writeWhole(out, p.Module, 0o644); err != nil || p.Minisign == "" {
		return err
	}
	return writeWhole(out+minisigEnding, []byte(p.Minisign), 0o644)
}

// pullPack fetches the modules of a pack that are in registries and not here.
func (env *environment) pullPack(ctx context.Context, path string, o *registry.Options) error {
	pack, err := loadPlugins(path)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range pack.Plugins {
		if p.InRegistry() {
			errs = append(errs, env.pullSource(ctx, p, o))
		}
	}
	return errors.Join(errs...)
}

// pullSource fetches one plugin of a pack, and keeps it when it is what the pack
// says.
func (env *environment) pullSource(ctx context.Context, p *rules.PluginSource, o *registry.Options) error {
	s := env.store()
	if data, err := s.module(p.Digest); err == nil && digestOf(data) == p.Digest && trust(p.Name, p.Verify, data, s.proof(p.Digest)) == nil {
		_, err = fmt.Fprintf(env.stdout, "  %s  %s\n", p.Name, p.Digest)
		return err
	}
	ref, err := registry.ParseRef(p.Source)
	if err != nil {
		return &plugins.Error{Code: plugins.LoadFetch, Plugin: p.Name, Err: err}
	}
	pulled, err := registry.Pull(ctx, ref, o)
	if err != nil {
		return err
	}
	if p.Digest != "" && p.Digest != pulled.Digest {
		return &plugins.Error{Code: plugins.LoadDigest, Plugin: p.Name, Err: fmt.Errorf("%s is not the module that the pack names: its digest is %s", p.Source, pulled.Digest),
			Hint: "somebody pushed another one under this name: ask who and why; to take it, remove the digest from the pack or its lock, pull, and lock again"}
	}
	if err := trust(p.Name, p.Verify, pulled.Module, proof{Manifest: pulled.Manifest, Minisign: pulled.Minisign, Cosign: pulled.Cosign}); err != nil {
		return err
	}
	if err := s.keep(p.Source, pulled); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "+ %s  %s\n", p.Name, pulled.Digest)
	return err
}
