package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/plugins/registry"
	"github.com/twinrules/twinrules/plugins/sign"
)

func newPluginSign(env *environment) *cobra.Command {
	var how registryFlags
	var key, comment, fresh string
	var plain bool
	cmd := &cobra.Command{
		Use:   "sign MODULE|DIR|REF --key FILE",
		Short: "Sign a plugin, as minisign or as cosign does",
		Long: `sign signs a module with a secret key of minisign and writes MODULE` + minisigEnding + `, or an image in a registry with
a key of cosign, which puts the signature beside it. Which of the two it is the key says.

The password of the key is read from ` + passwordVariable + `, or asked for. --new-key makes a key of
minisign; cosign generate-key-pair, or openssl, makes one of cosign.`,
		Example: "  twinrules plugin sign --new-key fleet.key\n  twinrules plugin sign battery/plugin.wasm --key fleet.key\n" +
			"  twinrules plugin sign oci://registry.example/fleet/battery:1.0.0 --key cosign.key",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case fresh != "" && len(args) == 0 && key == "":
				return env.newKey(fresh, plain)
			case fresh != "" || len(args) == 0 || key == "":
				return usagef("give what to sign and --key, or --new-key alone")
			case strings.HasPrefix(args[0], registry.Scheme):
				return env.signImage(cmd.Context(), args[0], key, how.options(env))
			default:
				return env.signModule(moduleIn(args[0]), key, comment)
			}
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "file of the secret key")
	cmd.Flags().StringVar(&comment, "comment", "", "what else to sign, in one line; for minisign (default the time and the file's name)")
	cmd.Flags().StringVar(&fresh, "new-key", "", "make a key of minisign and write it to this file, its public half to FILE.pub")
	cmd.Flags().BoolVar(&plain, "no-password", false, "do not encrypt the new key")
	how.add(cmd)
	return cmd
}

// signModule writes the signature of a file beside it.
func (env *environment) signModule(path, key, comment string) error {
	if text, err := readKey(key); err == nil && isPEM(text) {
		return usagef("%s is a key of cosign, which signs images: push the plugin and give its oci:// name", key)
	}
	secret, err := readSecret(env, key, sign.ParseMinisignSecret)
	if err != nil {
		return err
	}
	module, err := readModule(path)
	if err != nil {
		return err
	}
	if comment == "" {
		comment = fmt.Sprintf("timestamp:%d\tfile:%s\thashed", env.now().Unix(), filepath.Base(path))
	}
	text, err := secret.Sign(module, comment)
	if err != nil {
		return usage(err)
	}
	if err := writeWhole(path+minisigEnding, text, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "%s  %s\n", path+minisigEnding, secret.Public())
	return err
}

// signImage puts a signature beside an image.
func (env *environment) signImage(ctx context.Context, to, key string, o *registry.Options) error {
	ref, err := registry.ParseRef(to)
	if err != nil {
		return usage(err)
	}
	if text, err := readKey(key); err == nil && !isPEM(text) {
		return usagef("%s is a key of minisign, which signs files: sign the module and push it again", key)
	}
	secret, err := readSecret(env, key, sign.ParseCosignSecret)
	if err != nil {
		return err
	}
	manifest, err := registry.Resolve(ctx, ref, o)
	if err != nil {
		return err
	}
	text, signature, err := secret.Sign(ref.Host+"/"+ref.Repository, manifest)
	if err != nil {
		return err
	}
	if err := registry.Attach(ctx, ref, manifest, registry.Signature{Payload: text, Signature: signature}, o); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "%s%s/%s@%s\n", registry.Scheme, ref.Host, ref.Repository, manifest)
	return err
}
