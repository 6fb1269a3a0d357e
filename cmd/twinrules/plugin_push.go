package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/registry"
)

// registryFlags say how registries are talked to.
type registryFlags struct{ plain bool }

func (f *registryFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.plain, "plain-http", false, "talk to the registry without encryption, as to one on this machine")
}

// options returns how registries are talked to, with the credentials of docker login.
func (f *registryFlags) options(env *environment) *registry.Options {
	o := &registry.Options{PlainHTTP: f.plain, UserAgent: "twinrules/" + version()}
	if dir, ok := env.lookup("DOCKER_CONFIG"); ok && dir != "" {
		o.DockerConfig = filepath.Join(dir, "config.json")
	} else if home, ok := env.lookup("HOME"); ok && home != "" {
		o.DockerConfig = filepath.Join(home, ".docker", "config.json")
	}
	return o
}

func newPluginPush(env *environment) *cobra.Command {
	var how registryFlags
	cmd := &cobra.Command{
		Use:   "push MODULE|DIR REF",
		Short: "Put a plugin into an OCI registry",
		Long: `push puts a module that plugin build made into an OCI registry, as the image that REF names, with
the signature MODULE` + minisigEnding + ` if there is one, and prints the plugin's line for the pack.

Credentials are those of docker login, oras login or az acr login.`,
		Example: "  twinrules plugin push battery/plugin.wasm oci://registry.example/fleet/battery:1.0.0",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.pushPlugin(cmd.Context(), moduleIn(args[0]), args[1], how.options(env))
		},
	}
	how.add(cmd)
	return cmd
}

func (env *environment) pushPlugin(ctx context.Context, path, to string, o *registry.Options) error {
	ref, err := registry.ParseRef(to)
	if err != nil {
		return usage(err)
	}
	module, err := readModule(path)
	if err != nil {
		return err
	}
	minisig, err := signatureBeside(os.DirFS(filepath.Dir(path)), filepath.Base(path))
	if err != nil {
		return err
	}
	pushed, err := registry.Push(ctx, ref, module, minisig, o)
	if err != nil {
		return err
	}
	name := "plugin"
	if r, err := plugins.Inspect(module); err == nil && r.Manifest != nil {
		name = r.Manifest.Name
	}
	fmt.Fprintf(env.stderr, "%s@%s\n", ref, pushed.Manifest)
	_, err = fmt.Fprintf(env.stdout, "%s: {source: %q, digest: %q}\n", name, ref, pushed.Digest)
	return err
}
