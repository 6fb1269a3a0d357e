package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/plugins/registry"
	"github.com/twinrules/twinrules/rules"
)

func newPluginVerify(env *environment) *cobra.Command {
	var how registryFlags
	var keys []string
	cmd := &cobra.Command{
		Use:   "verify MODULE|DIR|REF --key KEY",
		Short: "Check who signed a plugin",
		Long: `verify checks that one of the keys of minisign that are given has signed a module, and one of the keys of
cosign, where such are given. The signature of a file stands beside it; an image has both kinds.

A pack that names keys under verify: is checked by every command that uses it.`,
		Example: "  twinrules plugin verify battery/plugin.wasm --key fleet.key.pub\n  twinrules plugin verify oci://registry.example/fleet/battery:1.0.0 --key cosign.pub",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := readPublicKeys(keys)
			if err != nil {
				return err
			}
			module, p, err := signedModule(cmd.Context(), args[0], how.options(env))
			if err == nil {
				err = trust(args[0], wanted, module, p)
			}
			if err == nil {
				_, err = fmt.Fprintf(env.stdout, "%s  %s\n", args[0], digestOf(module))
			}
			return err
		},
	}
	cmd.Flags().StringArrayVar(&keys, "key", nil, "public key: a file, or the line of minisign that starts with RW; may be repeated")
	_ = cmd.MarkFlagRequired("key") // there is such a flag
	how.add(cmd)
	return cmd
}

func readPublicKeys(list []string) (v rules.Verify, err error) {
	for _, text := range list {
		if _, statErr := os.Stat(text); statErr == nil || !strings.HasPrefix(text, "RW") {
			if text, err = readKey(text); err != nil {
				return v, err
			}
		}
		if isPEM(text) {
			v.Cosign = append(v.Cosign, text)
		} else {
			v.Minisign = append(v.Minisign, text)
		}
	}
	return v, nil
}

// signedModule reads a module with its signatures, out of a file or a registry.
func signedModule(ctx context.Context, name string, o *registry.Options) ([]byte, proof, error) {
	if strings.HasPrefix(name, registry.Scheme) {
		ref, err := registry.ParseRef(name)
		if err != nil {
			return nil, proof{}, usage(err)
		}
		pulled, err := registry.Pull(ctx, ref, o)
		if err != nil {
			return nil, proof{}, err
		}
		return pulled.Module, proof{Manifest: pulled.Manifest, Minisign: pulled.Minisign, Cosign: pulled.Cosign}, nil
	}
	name = moduleIn(name)
	module, err := readModule(name)
	if err != nil {
		return nil, proof{}, err
	}
	text, err := signatureBeside(os.DirFS(filepath.Dir(name)), filepath.Base(name))
	return module, proof{Minisign: text}, err
}
